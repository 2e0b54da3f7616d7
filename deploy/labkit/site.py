# SPDX-License-Identifier: Apache-2.0
"""The lab's site file (docs/site_file.md)."""
from labkit.services import REPO
from labkit.topology import APPLIANCE_VLAN, BMC_VLAN, RESOLVER_VLAN, V4, V6, WIRES

PACK = f"{REPO}/deploy/packs/out_of_band_server_management.json"

TEXT = """site: lab-{name}
packs: ["{pack}"]
workers: {workers}
idle: sleep
pattern_cache: "{folder}/patterns"

wires:
  - wire: front
    sides: {{it: "{kind}:{front[0]}", management: "{kind}:{front[1]}"}}
    vlan_map: {{10: 110}}
    on_failure: closed
  - wire: back
    sides: {{appliance: "{kind}:{back[0]}", bmc: "{kind}:{back[1]}"}}
    on_failure: closed

zones:
  - {{zone: trust, wire: front, side: it, prefixes: ["10.77.1.0/24", "fd77::1:0/112"]}}
  - {{zone: internal, wire: front, side: it, prefixes: ["10.77.2.0/24", "fd77::2:0/112"]}}
  - {{zone: internal, wire: front, side: it, vlan: 10, prefixes: ["{resolver_vlan}/32"]}}
  - {{zone: internet, wire: front, side: it, prefixes: ["0.0.0.0/0", "2000::/3", "fc00::/7"]}}
  - {{zone: management, wire: front, side: management, prefixes: ["10.77.4.0/24", "fd77::4:0/112", "{appliance_vlan}"]}}
  - {{zone: management, wire: back, side: appliance, prefixes: ["10.78.0.0/16", "fd78::/64"]}}
  - {{zone: management, wire: back, side: bmc, prefixes: ["10.78.0.0/16", "fd78::/64", "{v4.slp_group}", "{v6.slp_group}"]}}

applications:
  infra_mgmt_web: {{servers: ["{v4.appliance}", "{v6.appliance}", "{appliance_vlan}"]}}
  bmc_management: {{servers: ["{v4.bmc}", "{v6.bmc}", "{bmc_vlan}"]}}

identity:
  groups: {{deployment_defined: [oob_admins]}}
  users:
    - {{user: alice, address: "{v4.admin}", groups: [oob_admins], posture: compliant}}
    - {{user: alice, address: "{v6.admin}", groups: [oob_admins], posture: compliant}}
{rules}
logging:
  directory: "{folder}/logs"
  forwarding:
    siem_default: {{file: siem_default.json}}
    siem_high_priority: {{file: siem_high_priority.json}}
  default_rule: siem_default
  stats_seconds: 5

# The engines that decrypt and inspect arrive with later releases. Until then a rule that demands them would drop
# its traffic, which is the default of both causes; this lab lets it pass so that the rules themselves can be seen.
exceptions:
  decryption_unavailable: pass
  inspection_unavailable: pass

# Short, so that the record of a flow's end is there when a test looks for it.
timeouts: {{tcp_half_open: 10, tcp_established: 3600, tcp_closed: 1, udp_unreplied: 4, udp: 4, icmp: 3, drop: 4,
           other: 10}}

control: {{socket: "{folder}/control.sock", group: root}}
"""


def site_text(name, folder, kind, workers=1, rules_before=()):
    """`rules_before` are the site's own rules, each one line of YAML flow mapping."""
    rules = "".join(f"    - {rule}\n" for rule in rules_before)
    return TEXT.format(name=name, folder=folder, kind=kind, workers=workers, pack=PACK, v4=V4, v6=V6,
                       front=WIRES["front"], back=WIRES["back"], resolver_vlan=RESOLVER_VLAN,
                       appliance_vlan=APPLIANCE_VLAN, bmc_vlan=BMC_VLAN,
                       rules=f"\nrules:\n  before:\n{rules}" if rules else "")
