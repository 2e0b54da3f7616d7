# SPDX-License-Identifier: Apache-2.0
"""What BMCs speak over HTTP: Redfish and its parts, CIM-XML, WS-Man. All in clear, where the request can be seen."""
import json

from scenes.lab import PEERS
from scenes.scene import scene

ROOT = "/redfish/v1"

# The lab's BMC, in clear on port 80 too, with an answer for whatever a client changes.
BMC = """
import sys, threading
sys.path.insert(0, sys.argv[1])
from redfish_cim_server import Bmc, Server
class Answering(Bmc):
    def changed(self):
        self.read_body()
        if self.path.startswith("/wsman"):
            self.answer(200, "application/soap+xml;charset=UTF-8", WSMAN)
        else:
            self.answer(200, "application/json", b'{"Id": "done"}')
    do_PATCH = do_DELETE = do_PUT = changed
    def do_POST(self):
        known = self.path.startswith("/cimom") or self.path.endswith(("/Sessions", "/update"))
        Bmc.do_POST(self) if known else self.changed()
    def log_message(self, *words):
        pass
WSMAN = b'''<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"
xmlns:wsmid="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"><s:Body><wsmid:IdentifyResponse>
<wsmid:ProtocolVersion>http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd</wsmid:ProtocolVersion>
<wsmid:ProductVendor>postern lab</wsmid:ProductVendor></wsmid:IdentifyResponse></s:Body></s:Envelope>'''
for port in map(int, sys.argv[2:]):
    server = Server(port, None)
    server.RequestHandlerClass = Answering
    threading.Thread(target=server.serve_forever).start()
"""


def bmc(lab, *ports):
    program = lab.file("bmc.py", BMC)
    lab.serve(f"{lab.python} {program} {PEERS} {' '.join(map(str, ports))}", " ".join(f"tcp/{port}" for port in ports))


def curl(lab, url, *words, body=None, method=None, kind="application/json"):
    """One request on a connection of its own."""
    command = ["curl", "-sS", "-o", "/dev/null", *words]
    if method:
        command += ["-X", method]
    if body is not None:
        data = lab.file("body", body if isinstance(body, (str, bytes)) else json.dumps(body))
        command += ["-H", f"Content-Type: {kind}", "--data-binary", f"@{data}"]
    lab.run([*command, url])


def redfish(lab, *requests):
    """Each request: method, path, body."""
    bmc(lab, 80)
    with lab.recording():
        for method, path, body in requests:
            curl(lab, f"http://{lab.server}{path}", "-H", "OData-Version: 4.0", "-H", "X-Auth-Token: lab", method=method, body=body)


@scene({"tcp/80": "redfish_read"}, "curl python3", crafted="server")
def redfish_read(lab):
    """Service root and resources are read."""
    redfish(lab, ("GET", "/redfish", None), ("GET", f"{ROOT}/", None), ("GET", f"{ROOT}/Systems/1", None),
            ("GET", f"{ROOT}/Managers/bmc?$select=FirmwareVersion", None))


@scene({"tcp/8000": "redfish_read"}, "redfishtool python3", crafted="server")
def redfish_read_redfishtool(lab):
    """DMTF's redfishtool reads the list of systems."""
    bmc(lab, 8000)
    with lab.recording():
        lab.run(f"redfishtool -r {lab.server}:8000 -S Never -A None Systems", ok=None)


@scene({"tcp/80": "redfish_session"}, "curl python3", crafted="server")
def redfish_session(lab):
    """A session is opened and closed."""
    redfish(lab, ("POST", f"{ROOT}/SessionService/Sessions", {"UserName": "lab", "Password": "test"}),
            ("DELETE", f"{ROOT}/SessionService/Sessions/1", None))


@scene({"tcp/80": "redfish_power"}, "curl python3", crafted="server")
def redfish_power(lab):
    """A system and a manager are reset."""
    redfish(lab, ("POST", f"{ROOT}/Systems/1/Actions/ComputerSystem.Reset", {"ResetType": "ForceRestart"}),
            ("POST", f"{ROOT}/Managers/bmc/Actions/Manager.Reset", {"ResetType": "GracefulRestart"}),
            ("POST", f"{ROOT}/Managers/bmc/Actions/Manager.ResetToDefaults", {"ResetType": "ResetAll"}))


@scene({"tcp/80": "redfish_account"}, "curl python3", crafted="server")
def redfish_account(lab):
    """An account is made, changed and deleted."""
    accounts = f"{ROOT}/AccountService/Accounts"
    redfish(lab, ("POST", accounts, {"UserName": "second", "Password": "test1234", "RoleId": "Administrator"}),
            ("PATCH", f"{accounts}/second", {"Enabled": False}), ("DELETE", f"{accounts}/second", None))


@scene({"tcp/80": "redfish_certificate"}, "curl python3", crafted="server")
def redfish_certificate(lab):
    """A certificate is replaced, a signing request is asked for."""
    service = f"{ROOT}/CertificateService/Actions/CertificateService"
    redfish(lab, ("POST", f"{service}.ReplaceCertificate", {"CertificateType": "PEM", "CertificateString": "-----BEGIN"}),
            ("POST", f"{service}.GenerateCSR", {"CommonName": "bmc.lab"}))


@scene({"tcp/80": "redfish_firmware"}, "curl python3", crafted="server")
def redfish_firmware(lab):
    """Firmware is pushed as it is and as multipart, and pulled by SimpleUpdate."""
    bmc(lab, 80)
    image = lab.file("image.bin", b"PLDMimage" * 200)
    base = f"http://{lab.server}{ROOT}/UpdateService"
    with lab.recording():
        curl(lab, f"{base}/update", body=b"PLDMimage" * 200, kind="application/octet-stream")
        curl(lab, f"{base}/update-multipart", "-F", 'UpdateParameters={"Targets": []};type=application/json', "-F",
             f"UpdateFile=@{image};type=application/octet-stream")
        curl(lab, f"{base}/Actions/UpdateService.SimpleUpdate",
             body={"ImageURI": "https://vendor.lab/image.bin", "TransferProtocol": "HTTPS"})


@scene({"tcp/80": "redfish_virtual_media"}, "curl python3", crafted="server")
def redfish_virtual_media(lab):
    """An image is inserted and ejected."""
    media = f"{ROOT}/Managers/bmc/VirtualMedia/CD1/Actions/VirtualMedia"
    redfish(lab, ("POST", f"{media}.InsertMedia", {"Image": "https://vendor.lab/rescue.iso", "Inserted": True}),
            ("POST", f"{media}.EjectMedia", {}))


@scene({"tcp/80": "redfish_event"}, "curl python3", crafted="server")
def redfish_event(lab):
    """An event subscription is made and removed."""
    subscriptions = f"{ROOT}/EventService/Subscriptions"
    redfish(lab, ("POST", subscriptions, {"Destination": "https://appliance.lab/events", "Protocol": "Redfish"}),
            ("DELETE", f"{subscriptions}/1", None))


CIM_REQUEST = """<?xml version="1.0" encoding="utf-8"?>
<CIM CIMVERSION="2.0" DTDVERSION="2.0"><MESSAGE ID="1001" PROTOCOLVERSION="1.0"><SIMPLEREQ>
<IMETHODCALL NAME="EnumerateInstanceNames"><LOCALNAMESPACEPATH><NAMESPACE NAME="root"/><NAMESPACE NAME="cimv2"/>
</LOCALNAMESPACEPATH><IPARAMVALUE NAME="ClassName"><CLASSNAME NAME="CIM_ComputerSystem"/></IPARAMVALUE></IMETHODCALL>
</SIMPLEREQ></MESSAGE></CIM>
"""


def cim(lab, port):
    bmc(lab, port)
    headers = ("-H", "CIMOperation: MethodCall", "-H", "CIMMethod: EnumerateInstanceNames", "-H", "CIMObject: root/cimv2")
    kind = 'application/xml; charset="utf-8"'
    with lab.recording():
        curl(lab, f"http://{lab.server}:{port}/cimom", *headers, body=CIM_REQUEST, kind=kind)
        curl(lab, f"http://{lab.server}:{port}/cimom", "-u", "lab:test", *headers, body=CIM_REQUEST, kind=kind, method="M-POST")


@scene({"tcp/5988": "cim_xml"}, "curl python3", crafted="server")
def cim_xml(lab):
    """EnumerateInstanceNames by POST and M-POST on port 5988."""
    cim(lab, 5988)


@scene({"tcp/8080": "cim_xml"}, "curl python3", crafted="server")
def cim_xml_odd_port(lab):
    """The same on port 8080."""
    cim(lab, 8080)


WSMAN_IDENTIFY = """<?xml version="1.0" encoding="utf-8"?>
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"
 xmlns:wsmid="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"><s:Header/><s:Body><wsmid:Identify/></s:Body>
</s:Envelope>
"""


@scene({"tcp/5985": "ws_man"}, "curl python3", crafted="server", decode_as=["tcp.port==5985,http"])
def ws_man(lab):
    """Identify, as wsman and iDRAC tools ask it."""
    bmc(lab, 5985)
    with lab.recording():
        for path in ("/wsman", "/wsman-anon/identify"):
            curl(lab, f"http://{lab.server}:5985{path}", body=WSMAN_IDENTIFY, kind="application/soap+xml;charset=UTF-8")


@scene({"tcp/5985": "ws_man"}, "python3-winrm python3", crafted="server", decode_as=["tcp.port==5985,http"])
def ws_man_winrm(lab):
    """pywinrm opens a shell; the server's answer is not what it wants."""
    bmc(lab, 5985)
    program = lab.file("shell.py", "import sys, winrm\n"
                       "p = winrm.Protocol(f'http://{sys.argv[1]}:5985/wsman', transport='plaintext', username='a', password='b')\n"
                       "p.open_shell()\n")
    with lab.recording():
        lab.run(f"{lab.python} {program} {lab.server}", ok=None)
