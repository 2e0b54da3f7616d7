# SPDX-License-Identifier: Apache-2.0
"""The real peers of the lab: what runs where, with which configuration."""
import os
from dataclasses import dataclass

from labkit.topology import NAMES, RESOLVER_VLAN, TAGGED, V4, V6

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PEERS = f"{REPO}/tests/peers"
PYTHON = ("python3", "-B")
IPMI_USER, IPMI_PASSWORD = "ipmiusr", "test"


@dataclass(frozen=True)
class Service:
    name: str
    host: str
    address: str
    ports: tuple  # "tcp/443", ...
    argv: tuple


def vlan_interfaces(parent=None):
    """One service per tagged interface, all of them or those on one (host, interface)."""
    for (host, interface, vlan), addresses in TAGGED.items():
        if parent in (None, (host, interface)):
            yield Service(f"vlan-{host}-{interface}.{vlan}", host, addresses[0].partition("/")[0], (),
                          (*PYTHON, f"{PEERS}/vlan_interface.py", "--parent", interface, "--vlan", str(vlan),
                           *(word for address in addresses for word in ("--address", address))))


def services(folder):
    """Writes the peers' configurations below `folder` and returns what to start."""
    return [
        Service("nginx-appliance", "appliance", V4.appliance, ("tcp/443",), _nginx(folder, "appliance", False)),
        Service("nginx-vendor", "it", V4.vendor, ("tcp/443", "tcp/80"), _nginx(folder, "vendor", True)),
        Service("dnsmasq", "it", V4.resolver, ("udp/53", "tcp/53"), _dnsmasq(folder)),
        Service("redfish-cim", "bmc", V4.bmc, ("tcp/443", "tcp/5989", "tcp/5988"),
                (*PYTHON, f"{PEERS}/redfish_cim_server.py", "--cert", f"{folder}/certs/bmc.lab.crt",
                 "--key", f"{folder}/certs/bmc.lab.key", "--files", f"{folder}/www")),
        Service("rfc913", "bmc", V4.bmc, ("tcp/115",), (*PYTHON, f"{PEERS}/rfc913_server.py")),
        Service("slp", "bmc", V4.bmc, ("udp/427", "tcp/427"), (*PYTHON, f"{PEERS}/slp_responder.py")),
        Service("ipmi-bmc", "bmc", V4.bmc, ("udp/623",), _ipmi_sim(folder, "bmc")),
        # Only there so that the default rule has something to protect.
        Service("ipmi-appliance", "appliance", V4.appliance, ("udp/623",), _ipmi_sim(folder, "appliance")),
    ]


def _write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def _nginx(folder, who, vendor):
    addresses = (V4.vendor, f"[{V6.vendor}]") if vendor else ("0.0.0.0", "[::]")
    listen = [f"listen {address}:443 ssl;" for address in addresses]
    if vendor:
        listen += [f"listen {address}:80;" for address in addresses]
    scratch = f"{folder}/conf/nginx-{who}"
    paths = " ".join(f"{kind}_temp_path {scratch}/{kind};" for kind in
                     ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    config = f"""user www-data;
worker_processes 1;
pid {scratch}/nginx.pid;
error_log {folder}/logs/nginx-{who}.log;
events {{ worker_connections 512; }}
http {{
  access_log {folder}/logs/nginx-{who}-access.log;
  {paths}
  types {{ application/octet-stream bin; }}
  server {{
    {' '.join(listen)}
    server_name {who}.lab;
    ssl_certificate {folder}/certs/{who}.lab.crt;
    ssl_certificate_key {folder}/certs/{who}.lab.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    client_max_body_size 100m;
    root {folder}/www;
    default_type text/plain;
    location = / {{ return 200 "{who} of the postern lab\\n"; }}
  }}
}}
"""
    path = _write(f"{scratch}/nginx.conf", config)
    return ("nginx", "-e", f"{folder}/logs/nginx-{who}.log", "-p", scratch, "-c", path, "-g", "daemon off;")


def _dnsmasq(folder):
    # The vendor's address answers too: a dropped query to it must be the firewall's doing, not the host's.
    listen = "".join(f"listen-address={a}\n" for a in (V4.resolver, V6.resolver, V4.vendor, V6.vendor, RESOLVER_VLAN))
    records = "".join(f"host-record={name},{','.join(addresses)}\n" for name, addresses in NAMES.items())
    config = f"""no-resolv
no-hosts
bind-interfaces
{listen}{records}local=/lab/
user=root
log-facility={folder}/logs/dnsmasq-queries.log
log-queries
"""
    path = _write(f"{folder}/conf/dnsmasq.conf", config)
    return ("dnsmasq", "--keep-in-foreground", f"--conf-file={path}", "--pid-file=")


def _ipmi_sim(folder, host):
    scratch = f"{folder}/conf/ipmi-{host}"
    os.makedirs(f"{scratch}/state", exist_ok=True)
    methods = "".join(f"  allowed_auths_{who} none md2 md5 straight\n"
                      for who in ("callback", "user", "operator", "admin"))
    config = _write(f"{scratch}/lan.conf", f"""name "{host}"
set_working_mc 0x20
startlan 1
  addr :: 623
  priv_limit admin
{methods}  guid a123456789abcdefa123456789abcdef
endlan
user 2 true "{IPMI_USER}" "{IPMI_PASSWORD}" admin 10 none md2 md5 straight
""")
    emulation = _write(f"{scratch}/sim.emu", """mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
sel_enable 0x20 1000 0x0a
mc_enable 0x20
""")
    return ("ipmi_sim", "-c", config, "-f", emulation, "-s", f"{scratch}/state", "-n")
