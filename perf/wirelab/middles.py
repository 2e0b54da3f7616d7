# SPDX-License-Identifier: Apache-2.0
"""What may stand between client and server: nothing, the kernel, testpmd, posternd, or a program of yours."""
import os
import shlex
from dataclasses import dataclass

from labkit import process
from labkit.process import LabError
from wirelab import decrypting
from wirelab.stand import CLIENT, HTTP, HTTP_TEN, HTTPS, HTTPS_TEN, PORTS, SERVER, STREAM

PORT_KINDS = ("af_xdp", "af_packet")
SERVICES = (HTTP, HTTP_TEN, HTTPS, HTTPS_TEN, STREAM)
# Rules that fit nothing, so that a packet filter has to look: equal in number for posternd and nftables.
OTHERS = 20


@dataclass
class Middle:
    name: str
    kind: str = ""  # of ports
    joins_hosts = False
    probe = f"http://{SERVER}/1k"  # what answers when it is up

    def up(self, stand):
        raise NotImplementedError

    def carries(self, case):
        """Whether this case of the lab gets through."""
        return True

    def speaks(self, protocol):
        """Whether a client can get through with this kind of key and version of TLS."""
        return True


class Direct(Middle):
    """Client and server joined by one cable."""
    joins_hosts = True

    def up(self, stand):
        pass


class Bridge(Middle):
    def up(self, stand):
        stand.run("middle", "ip", "link", "add", "br0", "type", "bridge", "stp_state", "0", "forward_delay", "0",
                  "mcast_snooping", "0")
        for port in PORTS:
            stand.run("middle", "ip", "link", "set", port, "master", "br0")
        stand.run("middle", "ip", "link", "set", "br0", "up")


class Nftables(Bridge):
    """The same bridge with a stateful filter: the rules of level l4, by way of br_netfilter."""

    def up(self, stand):
        super().up(stand)
        stand.run("middle", "sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=1")
        others = "\n".join(f"    ip saddr 10.99.{n}.0/24 tcp dport {7000 + n} accept" for n in range(OTHERS))
        path = f"{stand.folder}/nftables"
        with open(path, "w", encoding="ascii") as file:
            file.write(f"""table ip filter {{
  chain forward {{
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
{others}
    ip saddr {CLIENT} ip daddr {SERVER} tcp dport {{ {', '.join(map(str, SERVICES))} }} ct state new accept
  }}
}}
""")
        stand.run("middle", "nft", "-f", path)


class Testpmd(Middle):
    """The yardstick: packets from port to port, unseen. Like every DPDK program it owns a core."""

    def up(self, stand):
        devices = []
        for number, port in enumerate(PORTS):
            devices += ["--vdev", f"net_{self.kind}{number},iface={port}" +
                        (",qpairs=1,framesz=2048,blocksz=4096,framecnt=1024,qdisc_bypass=1"
                         if self.kind == "af_packet" else ",start_queue=0,queue_count=1")]
        stand.start("middle", "testpmd", [
            "dpdk-testpmd", "-l", "0,1", "--no-pci", "--no-huge", "--no-shconf", "-m", "512", "--no-telemetry",
            "--file-prefix", stand.names["middle"], *devices, "--", "--forward-mode=io", "--auto-start",
            "--total-num-mbufs=32768", "--stats-period=3600"])


class Postern(Middle):
    """posternd at one feature level."""

    def __init__(self, name, kind, level, build, idle="sleep", decryption=None):
        super().__init__(name, kind)
        self.level, self.build, self.idle = level, build, idle
        self.decryption = decryption or decrypting.Decryption()

    def rules(self):
        both, log = "zones: {source: [trust], destination: [management]}", "logging: {forwarding: all, log_end: true}"
        if self.level == "wire":
            return [f"{{rule: everything, action: allow, {both}, logging: {{forwarding: all, log_end: false}}}}"]
        others = [f"{{rule: other_{n}, action: allow, {both}, source: [10.99.{n}.0/24], protocol: tcp, "
                  f"ports: [{7000 + n}], {log}}}" for n in range(OTHERS)]
        ends = f"{both}, source: [{CLIENT}/32], destination: [{SERVER}/32], protocol: tcp"
        if self.level == "tls":  # what the pack does not name is not decrypted
            return [*others, f"{{rule: undecrypted, action: allow, {both}, protocol: tcp, {log}}}"]
        if self.level == "l4":
            return [*others, f"{{rule: services, action: allow, {ends}, ports: {list(SERVICES)}, {log}}}"]
        return [*others, *(f"{{rule: allow_{app}, action: allow, {ends}, application: {app}, service: any, {log}}}"
                           for app in ("http", "tls")),
                f"{{rule: stream, action: allow, {ends}, ports: [{STREAM}], {log}}}"]

    def up(self, stand):
        program = next((p for p in (f"{self.build}/posternd", f"{self.build}/control/posternd")
                        if os.access(p, os.X_OK)), None)
        if program is None:
            raise LabError(f"posternd is not in {self.build}")
        os.makedirs(f"{stand.folder}/logs")
        site = f"{stand.folder}/site.yaml"
        with open(site, "w", encoding="ascii") as file:
            file.write(f"""site: perf
{self.decryption.site_text(stand) if self.level == "tls" else "packs: []"}
idle: {self.idle}
pattern_cache: "{stand.shared}/patterns"
wires: [{{wire: lab, sides: {{client: "{self.kind}:{PORTS[0]}", server: "{self.kind}:{PORTS[1]}"}}}}]
zones: [{{zone: trust, wire: lab, side: client}}, {{zone: management, wire: lab, side: server}}]
rules:
  {"after" if self.level == "tls" else "before"}:
""" + "".join(f"    - {rule}\n" for rule in self.rules()) + f"""logging:
  directory: "{stand.folder}/logs"
  forwarding: {{all: {{file: all.json}}}}
  default_rule: all
exceptions: {{application_unknown: pass, inspection_unavailable: pass}}
timeouts: {{tcp_closed: 1}}
control: {{socket: "{stand.folder}/control.sock"}}
""")
        child = stand.start("middle", "posternd", [program, "run", "--site", site])

        def forwarding():
            with open(f"{stand.folder}/posternd.log", encoding="utf-8", errors="replace") as log:
                return "forwarding" in log.read() or child.poll() is not None
        process.wait_until(forwarding, 60)
        if child.poll() is not None:
            raise LabError(f"posternd does not forward; see {stand.folder}/posternd.log")


class Program(Middle):
    """Any inline program: its command line names the interfaces as {client_if} and {server_if}."""

    def __init__(self, name, line):
        super().__init__(name)
        self.line = line

    def up(self, stand):
        words = shlex.split(self.line.format(client_if=PORTS[0], server_if=PORTS[1]))
        stand.start("middle", "program", words)
