packet 11 +0.000000 opened: 10.3.0.10:40002 -> 10.4.0.20:443 tcp, enters wire back at side appliance
packet 11 +0.000000 judged by generation 1: pending; zone management to zone management, application not known, owes its application
    rule out_of_band_server_management infra_mgmt_web (index 0): does not match: it asks who is at the source, and nobody known is
    rule out_of_band_server_management bmc_management (index 1): allow, if the application is bmc_management
    rule out_of_band_server_management icmp_probe (index 2): does not match: icmp_probe cannot be seen over this protocol
    rule out_of_band_server_management slp (index 3): does not match: port 443 is not a usual one of slp
    rule out_of_band_server_management clear_text_mgmt (index 6): drop, if the application is clear_text_mgmt
    default rule: drop
packet 14 +0.003000 looked at 332 bytes to the server: application http
    http: decoder says yes
packet 14 +0.003000 http to the server says POST /cimom HTTP/1.1: application cim_xml
packet 14 +0.003000 judged by generation 1: drop for policy_rule by rule out_of_band_server_management clear_text_mgmt (index 6); zone management to zone management, application cim_xml, owes what runs inside and the order of its bytes
    rule out_of_band_server_management infra_mgmt_web (index 0): does not match: it asks who is at the source, and nobody known is
    rule out_of_band_server_management bmc_management (index 1): does not match: the application is cim_xml
    rule out_of_band_server_management icmp_probe (index 2): does not match: the application is cim_xml
    rule out_of_band_server_management slp (index 3): does not match: the application is cim_xml
    rule out_of_band_server_management clear_text_mgmt (index 6): matches, drop
packet 14 +0.003000 dropped the packet: policy_rule, a rule says drop
+0.003000 ended: policy_deny; 2 packets, 108 bytes to the server, 1 packet, 54 bytes to the client, 1 packet dropped; inspection none (dropped)
