# SPDX-License-Identifier: Apache-2.0
"""What makes a network run: DNS, DHCP, NTP, ICMP, discovery of services."""
import random

from scenes.scene import scene


def dnsmasq(lab, more=""):
    config = lab.file("dnsmasq.conf", f"no-resolv\nno-hosts\nuser=root\nhost-record=server.lab,{lab.server},{lab.server6}\n"
                      f"txt-record=lab.lab,hello\nlocal=/lab/\n{more}")
    lab.serve(f"dnsmasq --keep-in-foreground --conf-file={config} --pid-file= --log-facility=-", "udp/53")


@scene({"udp/53": "dns"}, "bind9-dnsutils dnsmasq-base")
def dns_udp(lab):
    """Questions and answers, one without an answer, one without EDNS; IPv4 and IPv6."""
    dnsmasq(lab)
    with lab.recording():
        lab.run(f"dig +tries=1 @{lab.server} server.lab A")
        lab.run(f"dig +tries=1 @{lab.server6} server.lab AAAA +noedns")
        lab.run(f"dig +tries=1 @{lab.server} nothing.lab")
        lab.run(f"dig +tries=1 @{lab.server} lab.lab TXT +norecurse +dnssec")


@scene({"tcp/53": "dns"}, "bind9-dnsutils dnsmasq-base")
def dns_tcp(lab):
    """Two questions over TCP."""
    dnsmasq(lab)
    with lab.recording():
        lab.run(f"dig +tcp @{lab.server} server.lab A")
        lab.run(f"dig +tcp +keepopen @{lab.server} server.lab AAAA lab.lab TXT")


@scene({"udp/5300": "dns"}, "bind9-dnsutils dnsmasq-base", decode_as=["udp.port==5300,dns"])
def dns_odd_port(lab):
    """DNS on port 5300."""
    config = lab.file("dnsmasq.conf", f"port=5300\nno-resolv\nno-hosts\nuser=root\nhost-record=server.lab,{lab.server}\n")
    lab.serve(f"dnsmasq --keep-in-foreground --conf-file={config} --pid-file= --log-facility=-", "udp/5300")
    with lab.recording():
        lab.run(f"dig +tries=1 -p 5300 @{lab.server} server.lab A")


@scene({"tcp/853": "dns_over_tls"}, "knot-dnsutils unbound")
def dns_over_tls(lab):
    """A question over TLS."""
    crt, key = lab.certificate()
    config = lab.file("unbound.conf", f"""server:
  username: ""
  chroot: ""
  directory: "{lab.folder}"
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  interface: {lab.server}@853
  tls-port: 853
  tls-service-key: {key}
  tls-service-pem: {crt}
  access-control: 0.0.0.0/0 allow
  local-zone: "lab." static
  local-data: "server.lab. A {lab.server}"
""")
    lab.serve(f"unbound -d -c {config}", "tcp/853")
    with lab.recording():
        lab.run(f"kdig +tls @{lab.server} server.lab A")


@scene({"udp/123": "ntp"}, "ntpsec-ntpdate ntpsec-ntpdig ntpsec")
def ntp(lab):
    """The time is asked for, from an odd port and from port 123."""
    ntpd(lab)
    with lab.recording():
        lab.run(f"ntpdig -t 2 {lab.server}", ok=None)
        lab.run(f"ntpdate -q -t 1 -p 2 {lab.server}", ok=None)


@scene({"udp/123": "ntp_control"}, "ntpsec")
def ntp_control(lab):
    """Mode 6: variables and peers of a server."""
    ntpd(lab)
    with lab.recording():
        lab.run(f"ntpq -n -c rv -c peers {lab.server}", ok=None)


def ntpd(lab):
    config = lab.file("ntp.conf", f"tos orphan 5\ndriftfile {lab.folder}/drift\nrestrict default\n")
    lab.serve(f"ntpd -n -N -c {config} -p {lab.folder}/ntpd.pid", "udp/123")


@scene({"udp/67": "dhcp", "udp/68": "dhcp"}, "udhcpc dnsmasq-base")
def dhcp(lab):
    """Discover, offer, request, ack by broadcast; then a release."""
    prefix = lab.server.rpartition(".")[0]
    dnsmasq(lab, f"dhcp-range={prefix}.100,{prefix}.120,1h\ndhcp-leasefile={lab.folder}/leases\nno-ping\n")
    with lab.recording(settle=1):
        lab.run("busybox udhcpc -i eth0 -n -q -f -R -s /bin/true -t 3 -x hostname:lab", seconds=20)


@scene({"udp/547": "dhcpv6", "udp/546": "dhcpv6"}, "isc-dhcp-client dnsmasq-base")
def dhcpv6(lab):
    """Solicit, advertise, request, reply."""
    prefix = lab.server6.rpartition("::")[0]
    dnsmasq(lab, f"dhcp-range={prefix}::100,{prefix}::120,64,1h\ndhcp-leasefile={lab.folder}/leases\n")
    with lab.recording():
        lab.run(f"dhclient -6 -1 -d -sf /bin/true -lf {lab.folder}/lease -pf {lab.folder}/pid eth0", ok=None, seconds=8)


PING = "ping -n -i 0.2 -c 3"


@scene({"icmp/8": "icmp_echo", "icmp6/128": "icmp_echo"}, "iputils-ping")
def icmp_echo(lab):
    """Pings of both families and of several sizes."""
    with lab.recording():
        lab.run(f"{PING} {lab.server}")
        lab.run(f"{PING} -s 1000 {lab.server6}")


@scene({"icmp/13": "icmp_timestamp", "icmp/17": "icmp_other"}, "hping3")
def icmp_timestamp(lab):
    """Questions for time stamp and address mask."""
    with lab.recording():
        lab.run(f"hping3 -q -c 2 -i u200000 --icmp --icmptype 13 {lab.server}", ok=None)
        lab.run(f"hping3 -q -c 1 --icmp --icmptype 17 {lab.server}", ok=None)


@scene({"udp/*": "unidentified"}, "traceroute")
def icmp_unreachable(lab):
    """Datagrams to closed ports, and the errors that come back; an error is part of the flow it is about."""
    with lab.recording():
        lab.run(f"traceroute -n -q 1 -m 2 {lab.server}")
        lab.run(f"traceroute -n -q 1 -m 2 {lab.server6}")


@scene({"udp/5353": "mdns"}, "python3-zeroconf")
def mdns(lab):
    """A service is announced, browsed for and resolved."""
    program = lab.file("announce.py", """import socket, sys, time, zeroconf
z = zeroconf.Zeroconf(interfaces=[sys.argv[1]])
if sys.argv[2] == 'serve':
    z.register_service(zeroconf.ServiceInfo('_http._tcp.local.', 'bmc._http._tcp.local.', port=80,
        addresses=[socket.inet_aton(sys.argv[1])], server='bmc.local.', properties={'path': '/'}))
    time.sleep(60)
print(z.get_service_info('_http._tcp.local.', 'bmc._http._tcp.local.', timeout=3000))
""")
    with lab.recording():
        lab.serve(f"{lab.python} {program} {lab.server} serve", "udp/5353")
        lab.run(f"{lab.python} {program} {lab.client} ask")


@scene({"udp/5355": "llmnr"}, "llmnrd")
def llmnr(lab):
    """A name is asked for by multicast, IPv4 and IPv6."""
    lab.serve("llmnrd -H bmc -i eth0 -6", "udp/5355")
    with lab.recording():
        lab.run("llmnr-query -I eth0 -c 1 bmc", ok=None)
        lab.run("llmnr-query -I eth0 -6 -c 1 -T AAAA bmc", ok=None)


@scene({"udp/1900": "ssdp"}, "miniupnpc")
def ssdp(lab):
    """M-SEARCH for Internet gateways by upnpc, with nobody there to answer."""
    with lab.recording():
        lab.run("upnpc -m eth0 -l", ok=None, seconds=12)


REDFISH = """import socket, sys
GROUP, TYPE = '239.255.255.250', 'urn:dmtf-org:service:redfish-rest:1'
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(sys.argv[1]))
if sys.argv[2] == 'ask':
    s.settimeout(3)
    s.sendto(f'M-SEARCH * HTTP/1.1\\r\\nHOST: {GROUP}:1900\\r\\nMAN: "ssdp:discover"\\r\\nST: {TYPE}\\r\\nMX: 1\\r\\n\\r\\n'.encode(), (GROUP, 1900))
    print(s.recv(2000))
else:
    s.bind(('', 1900))
    s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP) + socket.inet_aton(sys.argv[1]))
    who = s.recvfrom(2000)[1]
    s.sendto(f'HTTP/1.1 200 OK\\r\\nCACHE-CONTROL: max-age=1800\\r\\nST: {TYPE}\\r\\nUSN: uuid:92384634-2938-2342-8820-489239905423::{TYPE}'
             f'\\r\\nAL: http://{sys.argv[1]}/redfish/v1\\r\\nEXT:\\r\\n\\r\\n'.encode(), who)
"""


@scene({"udp/1900": "redfish_discovery"}, "python3", crafted="both")
def redfish_discovery(lab):
    """A Redfish service is searched for by multicast and answers with its URL."""
    program = lab.file("discovery.py", REDFISH)
    lab.serve(f"{lab.python} {program} {lab.server} serve", "udp/1900")
    with lab.recording():
        lab.run(f"{lab.python} {program} {lab.client} ask")


@scene({"udp/3702": "ws_discovery", "tcp/5357": "http"}, "wsdd", decode_as=["tcp.port==5357,http"])
def ws_discovery(lab):
    """Hello, Probe and their answers between two wsdd, then metadata over HTTP."""
    lab.serve("wsdd -i eth0 -4 -n bmc", "udp/3702")
    with lab.recording():
        lab.serve("wsdd -i eth0 -4 -D -o -l 5359", at="client")
        lab.run("sleep 3")


@scene({"udp/4789": "unidentified"}, "python3", crafted="both", decode_as=["udp.port==4789,data"])
def random_datagrams(lab):
    """Datagrams of random bytes, as a game or a tunnel sends them."""
    program = lab.file("noise.py", "import random, socket, sys\nr = random.Random(4)\n"
                       "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nfor n in range(40):\n"
                       "    s.sendto(r.randbytes(r.randrange(8, 300)), (sys.argv[1], 4789))\n")
    lab.serve("nc -u -l -k 4789", "udp/4789")
    with lab.recording():
        lab.run(f"{lab.python} {program} {lab.server}")


@scene({"udp/623": "unidentified"}, "python3", crafted="both", decode_as=["udp.port==623,data"])
def random_on_623(lab):
    """Datagrams of random bytes on IPMI's port."""
    program = lab.file("noise.py", "import random, socket, sys\nr = random.Random(6)\n"
                       "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nfor n in range(20):\n"
                       "    s.sendto(r.randbytes(r.randrange(8, 300)), (sys.argv[1], 623))\n")
    lab.serve("nc -u -l -k 623", "udp/623")
    with lab.recording():
        lab.run(f"{lab.python} {program} {lab.server}")


@scene({"tcp/5900": "unidentified"}, "netcat-openbsd", decode_as=["tcp.port==5900,data"])
def random_stream(lab):
    """Random bytes over TCP on VNC's port."""
    noise = lab.file("noise", random.Random(5).randbytes(3000))
    lab.serve("nc -l -k 5900", "tcp/5900")
    with lab.recording():
        lab.run(["sh", "-c", f"nc -N {lab.server} 5900 < {noise}"])
