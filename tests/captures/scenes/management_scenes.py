# SPDX-License-Identifier: Apache-2.0
"""IPMI, ASF, SLP, SNMP, TFTP and RFC 913: the old half of the management plane."""
from scenes.lab import PEERS
from scenes.scene import scene

USER, PASSWORD = "ipmiusr", "test"


def bmc(lab):
    config = lab.file("lan.conf", f"""name "bmc"
set_working_mc 0x20
startlan 1
  addr :: 623
  priv_limit admin
  allowed_auths_callback none md2 md5 straight
  allowed_auths_user none md2 md5 straight
  allowed_auths_operator none md2 md5 straight
  allowed_auths_admin none md2 md5 straight
  guid a123456789abcdefa123456789abcdef
endlan
sol "/dev/null" 115200
user 1 true "" "test" user 10 none md2 md5 straight
user 2 true "{USER}" "{PASSWORD}" admin 10 none md2 md5 straight
""")
    emulation = lab.file("sim.emu", "mc_setbmc 0x20\nmc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr\n"
                                    "sel_enable 0x20 1000 0x0a\nmc_enable 0x20\n")
    lab.serve(f"ipmi_sim -c {config} -f {emulation} -s {lab.folder_of('state')} -n", "udp/623")


def ipmitool(lab, words, ok=(0,)):
    return lab.run(f"ipmitool -H {lab.server} -U {USER} -P {PASSWORD} {words}", ok=ok)


@scene({"udp/623": "ipmi_1_5"}, "ipmitool openipmi")
def ipmi_lan(lab):
    """A session of IPMI 1.5 with MD5: device id, guid, SEL."""
    bmc(lab)
    with lab.recording():
        ipmitool(lab, "-I lan mc info")
        ipmitool(lab, "-I lan sel info")


@scene({"udp/623": "ipmi_1_5"}, "ipmitool openipmi")
def ipmi_lan_no_auth(lab):
    """A session of IPMI 1.5 with the password in clear, and one without any."""
    bmc(lab)
    with lab.recording():
        ipmitool(lab, "-I lan -A PASSWORD mc guid")
        ipmitool(lab, "-I lan -A NONE mc guid", ok=None)


@scene({"udp/623": "ipmi_2_0"}, "ipmitool openipmi")
def ipmi_lanplus(lab):
    """Sessions of IPMI 2.0 with cipher suite 3: device id, guid. Each begins with a question of IPMI 1.5 about
    authentication, as the specification wants it."""
    bmc(lab)
    with lab.recording():
        ipmitool(lab, "-I lanplus -C 3 mc info")
        ipmitool(lab, "-I lanplus -C 3 mc guid")


@scene({"udp/623": "ipmi_2_0"}, "ipmitool openipmi")
def ipmi_lanplus_sel(lab):
    """The event log over IPMI 2.0 with cipher suite 3."""
    bmc(lab)
    with lab.recording():
        ipmitool(lab, "-I lanplus -C 3 sel info")
        ipmitool(lab, "-I lanplus -C 3 sel list", ok=None)


@scene({"udp/623": "ipmi_2_0"}, "ipmitool openipmi")
def ipmi_cipher_0(lab):
    """A session with cipher suite 0, which asks for no password, and a wrong password with suite 3."""
    bmc(lab)
    with lab.recording():
        ipmitool(lab, "-I lanplus -C 0 mc guid", ok=None)
        lab.run(f"ipmitool -I lanplus -C 3 -H {lab.server} -U {USER} -P wrong -R 1 mc guid", ok=(1,))


@scene({"udp/623": "asf"}, "freeipmi-tools openipmi")
def asf_ping(lab):
    """RMCP presence pings and their pongs."""
    bmc(lab)
    with lab.recording():
        lab.run(f"rmcpping -c 2 {lab.server}", ok=None)


@scene({"udp/623": "ipmi_1_5"}, "freeipmi-tools openipmi")
def ipmi_ping(lab):
    """Get Channel Authentication Capabilities, outside of any session."""
    bmc(lab)
    with lab.recording():
        lab.run(f"ipmiping -c 2 {lab.server}", ok=None)


@scene({"udp/427": "slp"}, "python3", crafted="both")
def slp_unicast(lab):
    """A service request to one service agent."""
    lab.serve(f"{lab.python} {PEERS}/slp_responder.py", "udp/427 tcp/427")
    with lab.recording():
        lab.run(f"{lab.python} {PEERS}/slp_client.py {lab.server}")
        lab.run(f"{lab.python} {PEERS}/slp_client.py {lab.server6} --service service:wbem")


@scene({"udp/427": "slp"}, "python3", crafted="both")
def slp_multicast(lab):
    """A service request to the SLP group, answered by unicast."""
    lab.serve(f"{lab.python} {PEERS}/slp_responder.py", "udp/427 tcp/427")
    with lab.recording():
        lab.run(f"{lab.python} {PEERS}/slp_client.py 239.255.255.253 --interface eth0")
        lab.run(f"{lab.python} {PEERS}/slp_client.py ff05::116 --interface eth0")


@scene({"tcp/427": "slp"}, "python3", crafted="both")
def slp_tcp(lab):
    """A service request over TCP."""
    lab.serve(f"{lab.python} {PEERS}/slp_responder.py", "tcp/427")
    with lab.recording():
        lab.run(f"{lab.python} {PEERS}/slp_client.py --tcp {lab.server}")


def snmp_agent(lab):
    config = lab.file("snmpd.conf", """rocommunity public
rouser reader
createUser reader SHA "readerpass" AES "readerkey"
sysLocation rack 12
sysContact nobody
sysDescr a BMC of the postern lab
""")
    lab.serve(f"snmpd -f -Lo -C -c {config} -p {lab.folder}/snmpd.pid udp:161", "udp/161",
              env={"SNMP_PERSISTENT_DIR": lab.folder_of("snmp")})


SNMP = "-Ot -t 3"


@scene({"udp/161": "snmp_v1"}, "snmp snmpd")
def snmp_v1(lab):
    """Walk of the system group, version 1, and a set that is refused."""
    snmp_agent(lab)
    with lab.recording():
        lab.run(f"snmpwalk -v1 -c public {SNMP} {lab.server} 1.3.6.1.2.1.1")
        lab.run(f"snmpset -v1 -c public {SNMP} {lab.server} 1.3.6.1.2.1.1.4.0 s me", ok=None)


@scene({"udp/161": "snmp_v2c"}, "snmp snmpd")
def snmp_v2c(lab):
    """Walk and GetBulk, version 2c."""
    snmp_agent(lab)
    with lab.recording():
        lab.run(f"snmpwalk -v2c -c public {SNMP} {lab.server} 1.3.6.1.2.1.1")
        lab.run(f"snmpbulkget -v2c -c public {SNMP} {lab.server} 1.3.6.1.2.1.2.2")


@scene({"udp/161": "snmp_v3"}, "snmp snmpd")
def snmp_v3(lab):
    """Walk with user, SHA and AES: discovery in clear, then encrypted."""
    snmp_agent(lab)
    with lab.recording():
        lab.run(f"snmpwalk -v3 -u reader -l authPriv -a SHA -A readerpass -x AES -X readerkey {SNMP} {lab.server} 1.3.6.1.2.1.1")


@scene({"udp/162": "snmp_v2c"}, "snmp snmptrapd")
def snmp_trap(lab):
    """A trap and an inform, version 2c."""
    config = lab.file("snmptrapd.conf", "disableAuthorization yes\n")
    lab.serve(f"snmptrapd -n -f -Lo -C -c {config} udp:162", "udp/162", env={"SNMP_PERSISTENT_DIR": lab.folder_of("snmp")})
    with lab.recording():
        lab.run(f"snmptrap -v2c -c public {lab.server} 12345 1.3.6.1.6.3.1.1.5.3 1.3.6.1.2.1.1.5.0 s bmc")
        lab.run(f"snmpinform -v2c -c public {lab.server} 12345 1.3.6.1.6.3.1.1.5.3 1.3.6.1.2.1.1.5.0 s bmc")


def tftp_server(lab):
    lab.folder_of("tftp")
    lab.file("tftp/image.bin", bytes(range(256)) * 6)
    lab.file("tftp/upload.bin", "")
    lab.run(f"chmod 0777 {lab.folder}/tftp {lab.folder}/tftp/upload.bin", at="server")
    lab.serve(f"in.tftpd -L -4 -s -c -v --address {lab.server}:69 {lab.folder}/tftp", "udp/69")


TFTP = {"udp/69": "tftp", "udp/*": "tftp"}


@scene(TFTP, "tftp-hpa tftpd-hpa")
def tftp_get(lab):
    """A file of three blocks is read; the data flows from a port of the server's choice."""
    tftp_server(lab)
    with lab.recording():
        lab.run(f"tftp -4 -m binary {lab.server} -c get image.bin {lab.folder}/got.bin")


@scene(TFTP, "tftp-hpa tftpd-hpa")
def tftp_put(lab):
    """A file is written, netascii."""
    tftp_server(lab)
    upload = lab.file("upload.txt", "one line\n" * 100)
    with lab.recording():
        lab.run(f"tftp -4 -m ascii {lab.server} -c put {upload} upload.bin")


@scene(TFTP, "curl tftpd-hpa")
def tftp_options(lab):
    """A read request with blksize and tsize options, as curl and PXE write it, and a file that is not there."""
    tftp_server(lab)
    with lab.recording():
        lab.run(f"curl -s --tftp-blksize 1024 -o {lab.folder}/got tftp://{lab.server}/image.bin")
        lab.run(f"curl -s -o {lab.folder}/none tftp://{lab.server}/nothing.bin", ok=None)


@scene({"tcp/115": "rfc913"}, "python3", crafted="both")
def rfc913(lab):
    """Login, list and leave."""
    lab.serve(f"{lab.python} {PEERS}/rfc913_server.py", "tcp/115")
    with lab.recording():
        lab.run(f"{lab.python} {PEERS}/rfc913_client.py {lab.server}")
        lab.run(f"{lab.python} {PEERS}/rfc913_client.py {lab.server6}")


@scene({"tcp/2115": "rfc913"}, "python3", crafted="both")
def rfc913_odd_port(lab):
    """The same on port 2115."""
    lab.serve(f"{lab.python} {PEERS}/rfc913_server.py --port 2115", "tcp/2115")
    with lab.recording():
        lab.run(f"{lab.python} {PEERS}/rfc913_client.py {lab.server} --port 2115")


def screen(lab, at, number, size="64x48"):
    lab.serve(f"Xvfb :{number} -screen 0 {size}x16 -nolisten tcp", f"unix//tmp/.X11-unix/X{number}", at=at)


def vnc(lab, port):
    screen(lab, "server", 31)
    lab.serve(f"x11vnc -display :31 -rfbport {port} -nopw -forever -noipv6 -noxdamage -quiet", f"tcp/{port}")
    screen(lab, "client", 32, "320x240")
    with lab.recording():
        lab.run(f"timeout 3 xtigervncviewer -display :32 -SecurityTypes None {lab.server}::{port}", ok=(124, 0, 1))


@scene({"tcp/5900": "vnc"}, "x11vnc xvfb tigervnc-viewer", frames_per_flow=40)
def vnc_plain(lab):
    """A viewer looks at a small screen."""
    vnc(lab, 5900)


@scene({"tcp/6900": "vnc"}, "x11vnc xvfb tigervnc-viewer", frames_per_flow=40, decode_as=["tcp.port==6900,vnc"])
def vnc_odd_port(lab):
    """The same on port 6900."""
    vnc(lab, 6900)


@scene({"tcp/10809": "nbd"}, "nbdkit libnbd-bin", frames_per_flow=60)
def nbd(lab):
    """Options of an export, then a copy of its 16 KiB."""
    lab.serve("nbdkit -f -p 10809 memory 16k", "tcp/10809")
    with lab.recording():
        lab.run(f"nbdinfo nbd://{lab.server}/")
        lab.run(f"nbdcopy nbd://{lab.server}/ {lab.folder}/copy")


@scene({"tcp/5120": "nbd"}, "nbdkit libnbd-bin", frames_per_flow=60)
def nbd_virtual_media(lab):
    """The same on a port that BMCs use for virtual media."""
    lab.serve("nbdkit -f -p 5120 memory 16k", "tcp/5120")
    with lab.recording():
        lab.run(f"nbdcopy --connections=1 nbd://{lab.server}:5120/ {lab.folder}/copy")
