# SPDX-License-Identifier: Apache-2.0
"""Real traffic for every rule of the pack and for the default, and what each must lead to."""
import json
import re
from dataclasses import dataclass, replace

from labkit import certificates
from labkit.services import IPMI_PASSWORD, IPMI_USER, PEERS, PYTHON
from labkit.site import PACK
from labkit.topology import (APPLIANCE_BACK_VLAN, APPLIANCE_VLAN, BMC_VLAN, MULTICAST, RESOLVER_VLAN, V4, V6)

CIM_REQUEST = """<?xml version="1.0"?><CIM CIMVERSION="2.0" DTDVERSION="2.0"><MESSAGE ID="7" PROTOCOLVERSION="1.0">
<SIMPLEREQ><IMETHODCALL NAME="EnumerateInstanceNames"><LOCALNAMESPACEPATH><NAMESPACE NAME="root"/>
<NAMESPACE NAME="cimv2"/></LOCALNAMESPACEPATH><IPARAMVALUE NAME="ClassName"><CLASSNAME NAME="CIM_ComputerSystem"/>
</IPARAMVALUE></IMETHODCALL></SIMPLEREQ></MESSAGE></CIM>"""
DEFAULT = "default"
UNSILENT = re.compile(r"refused|reset|unreachable|prohibited", re.IGNORECASE)  # something came back after all


@dataclass(frozen=True)
class Probe:
    """One exchange: who runs what, which rule must answer, and the flow the log must name."""
    name: str
    rule: str  # app_id of a rule of the pack, or DEFAULT
    allowed: bool
    host: str
    argv: tuple
    short: str  # the command as shown to people
    source: str
    destination: str
    protocol: str  # as in the log: TCP, UDP, ICMP, IPV6-ICMP
    port: int = 0  # 0: not compared
    answer: str = ""  # regular expression that an answer matches; its first group is what was observed
    certificate: str = ""  # name of the server whose own certificate the client must see


@dataclass(frozen=True)
class Outcome:
    answered: bool
    silent: bool  # nothing at all came back
    observed: str

    def fits(self, probe):
        return self.answered if probe.allowed else not self.answered and self.silent


def rules():
    """The pack's rules as (index, app_id, action, forwarding)."""
    with open(PACK, encoding="utf-8") as pack:
        return [(index, rule["application"]["app_id"], rule["action"], rule["logging"]["forwarding"])
                for index, rule in enumerate(json.load(pack)["rules"])]


def rule_index(app_id):
    return next((index for index, name, _, _ in rules() if name == app_id), None)


def log_file(probe):
    forwarding = {name: where for _, name, _, where in rules()}
    return forwarding.get(probe.rule, "siem_default") + ".json"


def run(lab, probe):
    done = lab.run(probe.host, *probe.argv, timeout=30)
    output = done.stdout + done.stderr
    match = re.search(probe.answer, done.stdout) if probe.answer else None
    answered = done.returncode == 0 and (match is not None or not probe.answer)
    silent = not answered and not UNSILENT.search(output)
    if not answered:
        return Outcome(False, silent, "no answer" if silent else output.strip().splitlines()[-1][:60])
    observed = " ".join(match.group(1).split()) if match and match.groups() else "answered"
    if probe.certificate:
        with open(f"{lab.folder}/certs/{probe.certificate}.crt", encoding="ascii") as own:
            same = certificates.fingerprint(own.read()) == certificates.fingerprint(done.stdout)
        observed += ", the server's own certificate" if same else ", ANOTHER CERTIFICATE"
        answered = same
    return Outcome(answered, silent, observed)


def _curl(lab, url, name, address, *more):
    scheme, _, rest = url.partition("://")
    port = rest.partition("/")[0].partition(":")[2] or ("443" if scheme == "https" else "80")
    return ("curl", "-sS", "--noproxy", "*", "--max-time", "4", "--cacert", lab.ca_file, "--resolve",
            f"{name}:{port}:{f'[{address}]' if ':' in address else address}", "-w", "\nHTTP %{http_code}\n%{certs}",
            *more, url)


def _python(script, *words):
    return (*PYTHON, f"{PEERS}/{script}", *words)


def _cim(lab, scheme, port, name, address):
    return _curl(lab, f"{scheme}://{name}:{port}/cimom", name, address, "-H", "CIMOperation: MethodCall", "-H",
                 "CIMMethod: EnumerateInstanceNames", "-H", "CIMObject: root/cimv2", "-H",
                 'Content-Type: application/xml; charset="utf-8"', "--data-binary", CIM_REQUEST)


def _ipmitool(interface, address):
    return ("ipmitool", "-I", interface, *(("-C", "3") if interface == "lanplus" else ()), "-H", address,
            "-U", IPMI_USER, "-P", IPMI_PASSWORD, "-R", "1", "-N", "1", "mc", "info")


def probes(lab, at=V4):
    """Every rule and the default, in IPv4 or IPv6."""
    http, cim, urls = r"HTTP (200)", r"<INSTANCENAME CLASSNAME=\"(CIM_ComputerSystem)\"", r"(service:\S+)"
    ping = ("ICMP", "64 bytes") if at is V4 else ("IPV6-ICMP", "64 bytes")
    admin, back = ("admin", at.admin), ("appliance", at.appliance_back)
    front = ("appliance", at.appliance)

    def probe(name, rule, allowed, who, argv, short, destination, protocol, port=0, answer="", certificate=""):
        return Probe(name, rule, allowed, who[0], tuple(argv), short, who[1], destination, protocol, port, answer,
                     certificate)

    web = _curl(lab, "https://appliance.lab/", "appliance.lab", at.appliance)
    vendor = _curl(lab, "https://vendor.lab/", "vendor.lab", at.vendor)
    redfish = _curl(lab, "https://bmc.lab/redfish/v1/Systems/1", "bmc.lab", at.bmc)
    cim_tls = _cim(lab, "https", 5989, "bmc.lab", at.bmc)
    cim_clear = _cim(lab, "http", 5988, "bmc.lab", at.bmc)
    group = ("--interface", MULTICAST["appliance"])
    return [
        probe("web_of_the_appliance", "infra_mgmt_web", True, admin, web, "admin: curl https://appliance.lab/",
              at.appliance, "TCP", 443, http),
        probe("web_without_identity", DEFAULT, False, ("it", at.resolver), (*web, "--interface", at.resolver),
              "resolver (no user): curl https://appliance.lab/", at.appliance, "TCP", 443, http),
        probe("redfish", "bmc_management", True, back, redfish, "appliance: curl https://bmc.lab/redfish/v1/Systems/1",
              at.bmc, "TCP", 443, http, "bmc.lab"),
        probe("cim_xml_over_tls", "bmc_management", True, back, cim_tls, "appliance: POST https://bmc.lab:5989/cimom",
              at.bmc, "TCP", 5989, cim, "bmc.lab"),
        probe("ping", "icmp_probe", True, back, ("ping", "-n", "-c", "3", "-i", "0.2", "-W", "2", at.bmc),
              "appliance: ping bmc.lab", at.bmc, ping[0], 0, r"(3 received)"),
        probe("slp_unicast", "slp", True, back, _python("slp_client.py", at.bmc), "appliance: SLP request to bmc.lab",
              at.bmc, "UDP", 427, urls),
        probe("slp_over_tcp", "slp", True, back, _python("slp_client.py", "--tcp", at.bmc),
              "appliance: SLP request to bmc.lab, TCP", at.bmc, "TCP", 427, urls),
        probe("slp_multicast", "slp", True, back, _python("slp_client.py", *group, at.slp_group),
              f"appliance: SLP request to {at.slp_group}", at.slp_group, "UDP", 427, urls),
        *(probe(f"dns_over_{how}", "dns", True, front,
                ("dig", f"+{'' if how == 'tcp' else 'no'}tcp", "+tries=1", "+time=3", f"@{at.resolver}", "bmc.lab"),
                f"appliance: dig @resolver.lab bmc.lab, {how.upper()}", at.resolver, how.upper(), 53,
                r"bmc\.lab\.\s+\d+\s+IN\s+(A\s+\S+)") for how in ("udp", "tcp")),
        probe("firmware_download", "firmware_update", True, front, vendor, "appliance: curl https://vendor.lab/",
              at.vendor, "TCP", 443, http),
        probe("cim_xml_in_clear", "clear_text_mgmt", False, back, cim_clear,
              "appliance: POST http://bmc.lab:5988/cimom", at.bmc, "TCP", 5988, cim),
        probe("rfc_913", "clear_text_mgmt", False, back, _python("rfc913_client.py", at.bmc),
              "appliance: RFC 913 session to bmc.lab:115", at.bmc, "TCP", 115, r"(\+postern-lab SFTP Service)"),
        *(probe(f"ipmi_{interface}", "clear_text_mgmt", False, back, _ipmitool(interface, at.bmc),
                f"appliance: ipmitool -I {interface} -H bmc.lab mc info", at.bmc, "UDP", 623, r"(Device ID)")
          for interface in ("lanplus", "lan")),
        probe("ipmi_from_trust", DEFAULT, False, admin, _ipmitool("lanplus", at.appliance),
              "admin: ipmitool -I lanplus -H appliance.lab mc info", at.appliance, "UDP", 623, r"(Device ID)"),
        probe("dns_past_the_resolver", DEFAULT, False, front,
              ("dig", "+notcp", "+tries=1", "+time=3", f"@{at.vendor}", "bmc.lab"),
              "appliance: dig @vendor.lab bmc.lab", at.vendor, "UDP", 53, r"bmc\.lab\.\s+\d+\s+IN\s+(A\s+\S+)"),
        probe("http_to_the_vendor", DEFAULT, False, front, _curl(lab, "http://vendor.lab/", "vendor.lab", at.vendor),
              "appliance: curl http://vendor.lab/", at.vendor, "TCP", 80, http),
    ]


def tagged_probes(lab):
    """The same over VLANs: 30 across wire back, and 110 to 10 across wire front, where vlan_map joins them."""
    base = {probe.name: probe for probe in probes(lab)}
    at_bmc = {"source": APPLIANCE_BACK_VLAN, "destination": BMC_VLAN}
    return [
        replace(base["ping"], name="ping_in_vlan", **at_bmc, argv=("ping", "-n", "-c", "3", "-i", "0.2", BMC_VLAN)),
        replace(base["redfish"], name="redfish_in_vlan", **at_bmc, certificate="bmc.lab",
                argv=_curl(lab, "https://bmc.lab/redfish/v1/Systems/1", "bmc.lab", BMC_VLAN)),
        replace(base["cim_xml_in_clear"], name="cim_xml_in_clear_in_vlan", **at_bmc,
                argv=_cim(lab, "http", 5988, "bmc.lab", BMC_VLAN)),
        replace(base["dns_over_udp"], name="dns_across_mapped_vlans", source=APPLIANCE_VLAN, destination=RESOLVER_VLAN,
                argv=("dig", "+notcp", "+tries=1", "+time=3", f"@{RESOLVER_VLAN}", "bmc.lab")),
    ]


BOTH = (("IPv4", V4), ("IPv6", V6))
