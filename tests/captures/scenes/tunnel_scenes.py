# SPDX-License-Identifier: Apache-2.0
"""VPNs and key exchange, STUN, screens and voice, block storage, machines and things."""
import os

from scenes.lab import sh
from scenes.scene import scene


@scene({"udp/500": "ike"}, "ike-scan")
def ike_scan(lab):
    """First messages of IKE 1 (main and aggressive mode) and IKE 2, with nobody there to answer."""
    with lab.recording():
        lab.run(f"ike-scan -r 1 -t 300 -s 500 {lab.server}", ok=None)
        lab.run(f"ike-scan -r 1 -t 300 -s 501 -A -n lab {lab.server}", ok=None)
        lab.run(f"ike-scan -r 1 -t 300 -s 502 -2 {lab.server}", ok=None)


def charon(lab, at, left, right):
    """strongSwan with vici and a socket of its own; keeps ESP in the kernel."""
    place = lab.folder_of(f"swan-{at}")
    config = lab.file(f"swan-{at}/strongswan.conf", f"""charon {{
  filelog {{ log {{ path = {place}/log }} }}
  piddir = {place}
  plugins {{ vici {{ socket = unix://{place}/vici }} }}
  port = 500
}}
swanctl {{ load = pem pkcs1 x509 revocation constraints pubkey openssl random }}
""")
    sh("mkdir", "-p", f"{place}/swanctl")
    connection = lab.file(f"swan-{at}/swanctl/swanctl.conf", f"""connections {{ lab {{
  local_addrs = {left}
  remote_addrs = {right}
  version = 2
  local {{ auth = psk }}
  remote {{ auth = psk }}
  children {{ lab {{ mode = transport }} }}
}} }}
secrets {{ ike-lab {{ secret = "test" }} }}
""")
    where = {"STRONGSWAN_CONF": config, "SWANCTL_DIR": os.path.dirname(connection)}
    lab.serve(["unshare", "--mount", "sh", "-c", f"mount -t tmpfs tmpfs /run && exec /usr/lib/ipsec/charon"], f"unix/{place}/vici",
              at=at, env=where)
    lab.run(f"swanctl --load-all --uri unix://{place}/vici", at=at, env=where)
    return f"unix://{place}/vici", where


@scene({"udp/500": "ike", "udp/4500": "ike"}, "strongswan-charon strongswan-swanctl libstrongswan-standard-plugins")
def ike_2(lab):
    """strongSwan at both ends: IKE_SA_INIT, IKE_AUTH, DELETE."""
    charon(lab, "server", lab.server, lab.client)
    uri, where = charon(lab, "client", lab.client, lab.server)
    with lab.recording():
        lab.run(f"swanctl --initiate --child lab --timeout 5 --uri {uri}", ok=None, env=where)
        lab.run(f"swanctl --terminate --ike lab --timeout 5 --uri {uri}", ok=None, env=where)


@scene({"esp": "esp"}, "python3-scapy", crafted="both")
def esp(lab):
    """Pings inside ESP, transport mode, AES and HMAC-SHA1; crafted because the kernel at hand had no IPsec."""
    program = lab.file("esp.py", "import sys\nfrom scapy.all import ESP, ICMP, IP, SecurityAssociation, send\n"
                       "sa = SecurityAssociation(ESP, spi=0x1001, crypt_algo='AES-CBC', crypt_key=b'2' * 16,\n"
                       "                         auth_algo='HMAC-SHA1-96', auth_key=b'1' * 20)\n"
                       "for n in range(3):\n    send(sa.encrypt(IP(src=sys.argv[1], dst=sys.argv[2]) / ICMP(id=7, seq=n)), verbose=False)\n")
    with lab.recording():
        lab.run(f"{lab.python} {program} {lab.client} {lab.server}")
        lab.run(f"{lab.python} {program} {lab.server} {lab.client}", at="server")


@scene({"udp/51820": "wireguard"}, "wireguard-go wireguard-tools iputils-ping")
def wireguard(lab):
    """A handshake, pings inside."""
    keys = {}
    for at in ("client", "server"):
        private = sh("wg", "genkey").stdout
        keys[at] = lab.file(f"{at}.key", private), lab.run("wg pubkey", text=private).stdout.strip()
    for at, peer, number in (("server", "client", 2), ("client", "server", 1)):
        lab.serve(["unshare", "--mount", "sh", "-c", "mount -t tmpfs tmpfs /run && mkdir -p /run/wireguard && "
                   f"(sleep 1; wg set wg0 private-key {keys[at][0]} listen-port {51820 if at == 'server' else 40000} "
                   f"peer {keys[peer][1]} allowed-ips 0.0.0.0/0 {f'endpoint {lab.server}:51820' if at == 'client' else ''}; "
                   f"ip addr add 10.99.0.{number}/24 dev wg0; ip link set wg0 up; touch {lab.folder}/{at}.up) & "
                   "exec wireguard-go -f wg0"], f"unix/{lab.folder}/{at}.up", at=at)
    with lab.recording():
        lab.run("ping -n -c 3 -i 0.2 10.99.0.2", ok=None)
        lab.run("ping -n -c 3 -i 0.2 10.99.0.1", ok=None)


def openvpn(lab, proto, port):
    authority = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650")
    sh("openssl", *authority, "-subj", "/CN=lab", "-keyout", f"{lab.folder}/ca.key", "-out", f"{lab.folder}/ca.crt")
    for end in ("server", "client"):
        sh("openssl", *authority, "-subj", f"/CN={end}", "-keyout", f"{lab.folder}/{end}.key", "-out", f"{lab.folder}/{end}.crt",
           "-CA", f"{lab.folder}/ca.crt", "-CAkey", f"{lab.folder}/ca.key")
    common = f"openvpn --dev null --verb 1 --ca {lab.folder}/ca.crt --port {port} --dh none --cipher AES-256-GCM"
    lab.serve(f"{common} --tls-server --proto {proto.replace('tcp', 'tcp-server')} --cert {lab.folder}/server.crt "
              f"--key {lab.folder}/server.key", f"{proto}/{port}")
    with lab.recording():
        lab.run(f"timeout 4 {common} --tls-client --proto {proto.replace('tcp', 'tcp-client')} --remote {lab.server} --nobind "
                f"--cert {lab.folder}/client.crt --key {lab.folder}/client.key --ping 1".replace(f"--port {port} ", f"--rport {port} "),
                ok=None)


@scene({"udp/1194": "openvpn"}, "openvpn")
def openvpn_udp(lab):
    """Handshake and keep-alives over UDP."""
    openvpn(lab, "udp", 1194)


@scene({"tcp/1194": "openvpn"}, "openvpn")
def openvpn_tcp(lab):
    """Handshake and keep-alives over TCP."""
    openvpn(lab, "tcp", 1194)


@scene({"udp/3478": "stun"}, "coturn")
def stun(lab):
    """A binding question."""
    lab.serve(f"turnserver -n -L {lab.server} -p 3478 --no-tls --no-dtls --stun-only --no-cli --log-file stdout --pidfile {lab.folder}/pid",
              "udp/3478")
    with lab.recording():
        lab.run(f"turnutils_stunclient -p 3478 {lab.server}", ok=None, seconds=10)


@scene({"tcp/3389": "rdp"}, "xrdp freerdp2-x11 xvfb", frames_per_flow=50)
def rdp(lab):
    """FreeRDP negotiates TLS with xrdp and begins to connect."""
    crt, key = lab.certificate()
    ini = lab.file("xrdp.ini", f"""[Globals]
port=3389
security_layer=negotiate
crypt_level=high
certificate={crt}
key_file={key}
ssl_protocols=TLSv1.2, TLSv1.3
fork=true
[Logging]
LogFile={lab.folder}/xrdp.log
LogLevel=INFO
""")
    lab.serve(f"xrdp --nodaemon --config {ini}", "tcp/3389")
    lab.serve("Xvfb :41 -screen 0 320x240x16 -nolisten tcp", "unix//tmp/.X11-unix/X41", at="client")
    with lab.recording():
        lab.run(f"timeout 3 xfreerdp /v:{lab.server} /u:lab /p:test /cert:ignore /size:200x100", ok=None, env={"DISPLAY": ":41"})


@scene({"tcp/6001": "x11"}, "xvfb x11-utils", frames_per_flow=60)
def x11(lab):
    """xdpyinfo over TCP."""
    lab.serve("Xvfb :1 -screen 0 64x48x16 -listen tcp -ac", "tcp/6001")
    with lab.recording():
        lab.run(f"xdpyinfo -display {lab.server}:1")


@scene({"tcp/3260": "iscsi"}, "tgt libiscsi-bin")
def iscsi(lab):
    """Discovery of targets and LUNs, an inquiry."""
    sh("mkdir", "-p", "/run/tgtd")
    image = lab.file("disk.img", bytes(1 << 20))
    lab.serve(f"tgtd -f --iscsi portal={lab.server}:3260", "tcp/3260", env={"TGT_IPC_SOCKET": f"{lab.folder}/tgt"})
    for words in ("--mode target --op new --tid 1 -T iqn.2026-01.lab:disk",
                  f"--mode logicalunit --op new --tid 1 --lun 1 -b {image}", "--mode target --op bind --tid 1 -I ALL"):
        lab.run(f"tgtadm --lld iscsi {words}", at="server", env={"TGT_IPC_SOCKET": f"{lab.folder}/tgt"})
    with lab.recording():
        lab.run(f"iscsi-ls iscsi://{lab.server}/")
        lab.run(f"iscsi-inq iscsi://{lab.server}/iqn.2026-01.lab:disk/1")


@scene({"tcp/502": "modbus"}, "mbpoll python3-pymodbus python3-serial-asyncio")
def modbus(lab):
    """Registers are read and written."""
    program = lab.file("server.py", "from pymodbus.server import StartTcpServer\n"
                       "from pymodbus.datastore import ModbusSequentialDataBlock as Block, ModbusServerContext, ModbusSlaveContext\n"
                       "unit = ModbusSlaveContext(hr=Block(0, [17] * 100), ir=Block(0, [4] * 100))\n"
                       "StartTcpServer(context=ModbusServerContext(slaves=unit, single=True), address=('0.0.0.0', 502))\n")
    lab.serve(f"{lab.python} {program}", "tcp/502")
    with lab.recording():
        lab.run(f"mbpoll -m tcp -1 -a 1 -r 1 -c 4 {lab.server}")
        lab.run(f"mbpoll -m tcp -1 -a 1 -r 1 {lab.server} 42")
        lab.run(f"mbpoll -m tcp -1 -a 1 -t 3 -r 1 -c 2 {lab.server}")


BACNET = """import socket, sys
def send(s, kind, npdu, apdu, to):
    body = bytes.fromhex(npdu + apdu)
    s.sendto(bytes([0x81, kind]) + (len(body) + 4).to_bytes(2, 'big') + body, to)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.bind(('', 47808))
if sys.argv[1] == 'serve':
    while True:
        data, who = s.recvfrom(2000)
        if data[1] == 0x0b:     # who-is: i-am device 1234
            send(s, 0x0a, '0100', '1000c4020004d22201e09100210f', who)
        else:                   # read-property: object name
            send(s, 0x0a, '0100', '3001' + '0c0c020004d2194d3e7504006c61623f', who)
else:
    s.settimeout(3)
    send(s, 0x0b, '0120ffff00ff', '1008', (sys.argv[2], 47808))
    print(s.recv(2000))
    send(s, 0x0a, '0104', '0005010c0c020004d2194d', (sys.argv[1], 47808))
    print(s.recv(2000))
"""


@scene({"udp/47808": "bacnet"}, "python3", crafted="both")
def bacnet(lab):
    """Who-Is by broadcast, I-Am, the name of a device."""
    program = lab.file("bacnet.py", BACNET)
    lab.serve(f"{lab.python} {program} serve", "udp/47808")
    with lab.recording():
        lab.run(f"{lab.python} {program} {lab.server} {lab.server.rpartition('.')[0]}.255")


@scene({"udp/5683": "coap"}, "libcoap3-bin")
def coap(lab):
    """Resources of a CoAP server."""
    lab.serve(f"coap-server-notls -A {lab.server}", "udp/5683")
    with lab.recording():
        lab.run(f"coap-client-notls -B 3 coap://{lab.server}/.well-known/core")
        lab.run(f"coap-client-notls -B 3 coap://{lab.server}/time")


@scene({"udp/5060": "sip"}, "sip-tester")
def sip(lab):
    """A call is made and ended."""
    lab.serve(f"sipp -sn uas -i {lab.server} -p 5060 -nostdin", "udp/5060")
    with lab.recording():
        lab.run(f"sipp -sn uac -i {lab.client} -p 5060 -m 1 -d 100 -nostdin {lab.server}:5060", ok=None, seconds=15)


RTP = """import random, socket, struct, sys, time
r = random.Random(9)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('', 40000))
for n in range(30):
    s.sendto(struct.pack('!BBHII', 0x80, 0x80 if n == 0 else 0, n + 4711, n * 160, 0x1234abcd) + r.randbytes(160), (sys.argv[1], 40002))
    time.sleep(0.01)
"""


@scene({"udp/40002": "unidentified"}, "python3", crafted="both", decode_as=["udp.port==40002,rtp"])
def rtp(lab):
    """Voice, G.711 in RTP."""
    program = lab.file("voice.py", RTP)
    lab.serve("nc -u -l -k 40002", "udp/40002")
    with lab.recording():
        lab.run(f"{lab.python} {program} {lab.server}")


@scene({"tcp/5201": "unidentified", "udp/5201": "unidentified"}, "iperf3", frames_per_flow=20)
def iperf(lab):
    """iperf3 over TCP and UDP."""
    lab.serve("iperf3 -s", "tcp/5201")
    with lab.recording():
        lab.run(f"iperf3 -c {lab.server} -n 20K -l 1K")
        lab.run(f"iperf3 -c {lab.server} -u -b 100K -t 1 -l 400")


TORRENT = """import hashlib, sys
def b(v):
    if isinstance(v, int):
        return b'i%de' % v
    if isinstance(v, bytes):
        return b'%d:%s' % (len(v), v)
    return b'd' + b''.join(b(k) + b(v[k]) for k in sorted(v)) + b'e'
data = open(sys.argv[1], 'rb').read()
info = {b'length': len(data), b'name': b'file.bin', b'piece length': 16384, b'pieces': hashlib.sha1(data).digest()}
open(sys.argv[2], 'wb').write(b({b'announce': sys.argv[3].encode(), b'info': info}))
print(hashlib.sha1(b(info)).hexdigest())
"""


@scene({"tcp/6969": "http", "tcp/6881": "bittorrent", "udp/6881": "bittorrent"}, "aria2 opentracker python3", frames_per_flow=40,
       decode_as=["tcp.port==6969,http"])
def bittorrent(lab):
    """A small file goes from aria2 to aria2; the tracker and the distributed hash table know who has it."""
    source = lab.file("seed/file.bin", bytes(range(256)) * 32)
    known = lab.run(f"{lab.python} {lab.file('torrent.py', TORRENT)} {source} {lab.folder}/lab.torrent http://{lab.server}:6969/announce",
            at="server")
    lab.file("tracker/known", known.stdout)
    lab.serve(f"opentracker -i {lab.server} -p 6969 -P 6969 -u nobody -w known -d {lab.folder}/tracker", "tcp/6969")
    common = (f"aria2c --quiet --bt-enable-lpd=false --listen-port=6881 --dht-listen-port=6881 --dht-file-path={lab.folder}/dht-")
    lab.serve(f"{common}seed --dir={lab.folder}/seed --check-integrity --seed-ratio=0 {lab.folder}/lab.torrent", "tcp/6881")
    lab.run("sleep 2", at="server")
    with lab.recording():
        lab.run(f"timeout 15 {common}got --dir={lab.folder_of('got')} --dht-entry-point={lab.server}:6881 --seed-time=0 "
                f"{lab.folder}/lab.torrent", ok=None, seconds=20)


@scene({"tcp/6667": "irc"}, "ngircd netcat-openbsd")
def irc(lab):
    """Somebody joins a channel and leaves."""
    config = lab.file("ngircd.conf", "[Global]\nName = irc.lab\nInfo = lab\nAdminInfo1 = lab\nPorts = 6667\nServerGID = nogroup\n"
                      "ServerUID = nobody\n[Options]\nDNS = no\nIdent = no\nPAM = no\n")
    lab.serve(f"ngircd -n -f {config}", "tcp/6667")
    with lab.recording():
        lab.run(["sh", "-c", f"(printf 'NICK lab\\r\\nUSER lab 0 * :lab\\r\\n'; sleep 1; printf 'JOIN #lab\\r\\nQUIT\\r\\n'; sleep 1) | "
                 f"nc -w 2 {lab.server} 6667"], ok=None)


@scene({"tcp/10050": "unidentified"}, "zabbix-agent netcat-openbsd")
def zabbix(lab):
    """An item of a Zabbix agent, by its plain text protocol."""
    config = lab.file("agent.conf", f"Server=0.0.0.0/0\nLogType=console\nListenPort=10050\nStartAgents=1\nAllowRoot=1\nPidFile={lab.folder}/pid\n")
    lab.serve(f"zabbix_agentd -f -c {config}", "tcp/10050")
    with lab.recording():
        lab.run(f"nc -N -w 2 {lab.server} 10050", text="agent.ping\n", ok=None)


@scene({"udp/1701": "unidentified"}, "xl2tpd")
def l2tp(lab):
    """A tunnel is set up and torn down."""
    for at, body in (("server", f"[lns default]\nip range = 10.98.0.2-10.98.0.9\nlocal ip = 10.98.0.1\n"),
                     ("client", f"[lac lab]\nlns = {lab.server}\n")):
        config = lab.file(f"{at}/xl2tpd.conf", f"[global]\nport = 1701\n{body}")
        lab.serve(f"xl2tpd -D -c {config} -p {lab.folder}/{at}/pid -C {lab.folder}/{at}/control -s /dev/null", "udp/1701", at=at)
    with lab.recording():
        lab.run(["sh", "-c", f"echo 'c lab' > {lab.folder}/client/control; sleep 2"])
