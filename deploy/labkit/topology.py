# SPDX-License-Identifier: Apache-2.0
"""The lab's hosts, links and addresses, and the namespaces that hold them.

    admin --+
            +-- sw ----- fw-it0 [ wire front ] fw-mg0 ---- appliance
    it -----+                                              appliance ---- fw-ap0 [ wire back ] fw-bm0 ---- bmc

Every host is a namespace of its own; posternd runs in fw, which has no address.
"""
import os
import shutil
from dataclasses import dataclass

from labkit.process import LabError, end, run, started

HOSTS = ("admin", "it", "appliance", "bmc", "sw", "fw")
END_HOSTS = ("admin", "it", "appliance", "bmc")


@dataclass(frozen=True)
class Addresses:
    admin: str
    resolver: str
    vendor: str
    appliance: str
    appliance_back: str
    bmc: str
    slp_group: str


V4 = Addresses("10.77.1.10", "10.77.2.53", "10.77.3.80", "10.77.4.10", "10.78.0.10", "10.78.0.20", "239.255.255.253")
V6 = Addresses("fd77::1:10", "fd77::2:53", "fd77::3:80", "fd77::4:10", "fd78::10", "fd78::20", "ff05::116")

# Tagged: VLAN 10 of the IT side is VLAN 110 of the appliance (vlan_map); VLAN 30 crosses wire back as it is.
RESOLVER_VLAN, APPLIANCE_VLAN = "10.77.10.53", "10.77.10.10"
APPLIANCE_BACK_VLAN, BMC_VLAN = "10.78.30.10", "10.78.30.20"

NAMES = {
    "admin.lab": (V4.admin, V6.admin),
    "resolver.lab": (V4.resolver, V6.resolver),
    "vendor.lab": (V4.vendor, V6.vendor),
    "appliance.lab": (V4.appliance, V6.appliance),
    "appliance-back.lab": (V4.appliance_back, V6.appliance_back),
    "bmc.lab": (V4.bmc, V6.bmc),
    "resolver-vlan.lab": (RESOLVER_VLAN,),
    "appliance-vlan.lab": (APPLIANCE_VLAN,),
    "bmc-vlan.lab": (BMC_VLAN,),
}

INTERFACES = {  # (host, interface): addresses
    ("admin", "eth0"): (V4.admin + "/16", V6.admin + "/64"),
    ("it", "eth0"): (V4.resolver + "/16", V4.vendor + "/16", V6.resolver + "/64", V6.vendor + "/64"),
    ("appliance", "front0"): (V4.appliance + "/16", V6.appliance + "/64"),
    ("appliance", "back0"): (V4.appliance_back + "/24", V6.appliance_back + "/64"),
    ("bmc", "eth0"): (V4.bmc + "/24", V6.bmc + "/64"),
}
TAGGED = {  # (host, interface, VLAN): addresses; a service brings these up, see tests/peers/vlan_interface.py
    ("it", "eth0", 10): (RESOLVER_VLAN + "/24",),
    ("appliance", "front0", 110): (APPLIANCE_VLAN + "/24",),
    ("appliance", "back0", 30): (APPLIANCE_BACK_VLAN + "/24",),
    ("bmc", "eth0", 30): (BMC_VLAN + "/24",),
}
MULTICAST = {"appliance": "back0", "bmc": "eth0"}  # where a host sends and joins 239.0.0.0/8


@dataclass(frozen=True)
class Link:
    host: str
    interface: str
    peer_host: str
    peer: str


LINKS = {
    "admin": Link("sw", "admin0", "admin", "eth0"),
    "it": Link("sw", "it0", "it", "eth0"),
    "front_it": Link("fw", "fw-it0", "sw", "fw0"),
    "front_management": Link("fw", "fw-mg0", "appliance", "front0"),
    "back_appliance": Link("fw", "fw-ap0", "appliance", "back0"),
    "back_bmc": Link("fw", "fw-bm0", "bmc", "eth0"),
}
WIRES = {"front": ("fw-it0", "fw-mg0"), "back": ("fw-ap0", "fw-bm0")}

QUIET_END = {"accept_ra": 0, "accept_dad": 0, "router_solicitations": 0, "keep_addr_on_down": 1}
SILENT = {"disable_ipv6": 1}  # the switch and the firewall emit nothing of their own

# A frame must reach the wire as it would leave a NIC: whole checksums, no super-segments, the VLAN tag in the bytes.
OFFLOADS_OFF = ("tx off rx off sg off tso off gso off gro off lro off txvlan off rxvlan off "
                "tx-vlan-stag-hw-insert off rx-vlan-stag-hw-parse off tx-udp-segmentation off").split()


class Network:
    """The namespaces of one lab."""

    def __init__(self, lab):
        self.lab = lab

    def namespace(self, host):
        if host not in HOSTS:
            raise LabError(f"no host named {host}; the hosts are {', '.join(HOSTS)}")
        return f"postern-{self.lab}-{host}"

    def command(self, host, argv):
        return ["ip", "netns", "exec", self.namespace(host), *argv]

    def ip(self, host, *argv, check=True):
        return run("ip", "-n", self.namespace(host), *argv, check=check)

    def up(self):
        for host in HOSTS:
            self._add_host(host)
        for key in LINKS:
            self._add_link(key)
        for host in ("sw", *END_HOSTS):
            self._configure(host)

    def down(self):
        """Removes whatever is there of this lab; never fails because something is missing."""
        present = {line.split()[0] for line in run("ip", "netns", "list").stdout.splitlines() if line.strip()}
        for host in HOSTS:
            name = self.namespace(host)
            if name in present:
                for pid in run("ip", "netns", "pids", name, check=False).stdout.split():
                    end(int(pid), started(int(pid)))
                run("ip", "netns", "del", name)
            shutil.rmtree(f"/etc/netns/{name}", ignore_errors=True)
        if os.path.isdir("/etc/netns") and not os.listdir("/etc/netns"):
            os.rmdir("/etc/netns")

    def bridge(self):
        """Plain bridges in the place of posternd, to see the peers without it."""
        for wire, ports in WIRES.items():
            self._add_bridge("fw", f"br-{wire}", ports)

    def unplug(self, key):
        """Deletes both ends of a link, as if the interface vanished."""
        self.ip(LINKS[key].host, "link", "del", LINKS[key].interface)

    def replug(self, key):
        self._add_link(key)
        if LINKS[key].peer_host == "sw":
            self.ip("sw", "link", "set", LINKS[key].peer, "master", "br-it")
        else:
            self._configure(LINKS[key].peer_host, only=LINKS[key].peer)

    def carrier(self, host, interface):
        return "LOWER_UP" in self.ip(host, "-o", "link", "show", interface).stdout

    def _add_host(self, host):
        name = self.namespace(host)
        run("ip", "netns", "add", name)
        quiet = QUIET_END if host in END_HOSTS else SILENT
        settings = [f"net.ipv6.conf.{scope}.{key}={value}" for scope in ("all", "default")
                    for key, value in quiet.items()]
        run(*self.command(host, ["sysctl", "-qw", *settings]))
        self.ip(host, "link", "set", "lo", "up")
        if host not in END_HOSTS:
            return
        folder = f"/etc/netns/{name}"  # `ip netns exec` puts these over /etc
        os.makedirs(folder, exist_ok=True)
        with open(f"{folder}/hosts", "w", encoding="ascii") as hosts:
            hosts.write("127.0.0.1 localhost\n::1 localhost\n")
            hosts.writelines(f"{address} {name}\n" for name, many in NAMES.items() for address in many)
        with open(f"{folder}/resolv.conf", "w", encoding="ascii") as resolv:
            resolv.write(f"nameserver {V4.resolver}\n")

    def _add_link(self, key):
        # One queue each way: DPDK opens no more of a veth as AF_XDP, and workers hand packets over.
        link = LINKS[key]
        count = ("numrxqueues", "1", "numtxqueues", "1")
        run("ip", "link", "add", link.interface, "netns", self.namespace(link.host), *count, "type", "veth",
            "peer", "name", link.peer, "netns", self.namespace(link.peer_host), *count)
        for host, interface in ((link.host, link.interface), (link.peer_host, link.peer)):
            run(*self.command(host, ["ethtool", "-K", interface, *OFFLOADS_OFF]))
            self.ip(host, "link", "set", interface, "up")

    def _add_bridge(self, host, bridge, ports):
        self.ip(host, "link", "add", bridge, "type", "bridge", "stp_state", "0", "forward_delay", "0",
                "mcast_snooping", "0")
        for port in ports:
            self.ip(host, "link", "set", port, "master", bridge)
        self.ip(host, "link", "set", bridge, "up")

    def _configure(self, host, only=None):
        if host == "sw":
            self._add_bridge("sw", "br-it", ("admin0", "it0", "fw0"))
            return
        for (owner, interface), addresses in INTERFACES.items():
            if owner != host or (only and interface != only):
                continue
            for address in addresses:
                self.ip(host, "addr", "add", address, "dev", interface, *(["nodad"] if ":" in address else []))
        if host in MULTICAST and only in (None, MULTICAST[host]):
            self.ip(host, "route", "add", "239.0.0.0/8", "dev", MULTICAST[host])
