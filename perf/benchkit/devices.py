# SPDX-License-Identifier: Apache-2.0
"""What stands between the generator's two ports: posternd, or testpmd as its yardstick, on the same kind of ports and the
same core. The ports are memory shared by two processes (memif), or veth pairs into a network namespace."""
import json
import os
import socket
import subprocess
import time

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PACK = f"{REPO}/deploy/packs/out_of_band_server_management.json"
KIT_RULES = 7
OFFLOADS_OFF = "tx off rx off sg off tso off gso off gro off".split()

# Clients and servers are those of pktgen (perf/traffic/flow_ends.h).
SITE = """site: bench
packs: ["{pack}"]
workers: {workers}
cores: {cores}
idle: {idle}
flows: {flows}
pattern_cache: "{folder}/patterns"

wires:
  - wire: bench
    sides: {{it: "{ports[0]}", management: "{ports[1]}"}}

zones:
  - {{zone: trust, wire: bench, side: it, prefixes: [10.1.0.0/24]}}
  - {{zone: internal, wire: bench, side: it, prefixes: [10.64.0.0/12]}}
  - {{zone: internet, wire: bench, side: it, prefixes: [0.0.0.0/0]}}
  - {{zone: management, wire: bench, side: management}}

applications:
  infra_mgmt_web: {{servers: [10.128.0.10]}}
  bmc_management: {{servers: [10.128.1.0/24]}}

identity:
  groups: {{deployment_defined: [oob_admins]}}
  users: [{{user: alice, address: 10.1.0.5, groups: [oob_admins], posture: compliant}}]

rules:
  before:
{rules}
logging:
  directory: "{folder}/logs"
  forwarding:
    siem_default: {{file: siem_default.json}}
    siem_high_priority: {{file: siem_high_priority.json}}
  default_rule: siem_default
  stats_seconds: 0

exceptions: {{decryption_unavailable: pass, inspection_unavailable: pass}}
timeouts: {{udp_unreplied: 600, udp: 600}}
control: {{socket: "{folder}/control.sock", group: root}}
"""
QUIET = "logging: {forwarding: siem_default, log_start: false, log_end: false}"
ALLOW = ("    - {{rule: allow_load, action: allow, zones: {{source: [internal], destination: [management]}}, protocol: udp, "
         "ports: [5001], service: any, {quiet}}}\n")
OTHER = ("    - {{rule: other_{n}, action: drop, zones: {{source: [internal], destination: [management]}}, "
         "source: [10.{a}.{b}.0/24], protocol: udp, ports: [{port}], service: any, {quiet}}}\n")


def rules_text(count, variant=0):
    """The rules besides the kit's, until there are `count`; `variant` makes two policies of the same size differ."""
    others = max(count - KIT_RULES, 0)
    text = [OTHER.format(n=n, a=64 + n // 256 % 16, b=n % 256, port=10000 + n % 40000 + variant, quiet=QUIET)
            for n in range(others)]
    return "".join(text) + ALLOW.format(quiet=QUIET)


class DeviceGone(Exception):
    """A device that did not start, with the end of what it printed."""


def missing_programs(build):
    """Those of the build that measuring needs and that are not there, as a reason to skip; empty: none."""
    lost = [name for name in ("posternd", "perf/pktgen") if not os.access(f"{build}/{name}", os.X_OK)]
    return f"{build} has no {', '.join(lost)}: build them with ninja" if lost else ""


def tail(path, size=1500):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()[-size:]


def stay_off(core):
    """This script and what it starts leave the core to the device, which takes it by itself."""
    others = os.sched_getaffinity(0) - {core}
    if others:
        os.sched_setaffinity(0, others)


def listens(path):
    """Whether somebody waits for connections at the Unix socket (the flag SO_ACCEPTCON, unix(7) and net/unix/af_unix.c)."""
    with open("/proc/net/unix", encoding="ascii") as sockets:
        found = [line.split() for line in sockets if line.rstrip().endswith(f" {path}")]
    return any(int(fields[3], 16) & 0x10000 for fields in found)


class Wire:
    """Two ports of the generator (`near`) and two of the device (`far`)."""

    def __init__(self, kind, folder, name):
        self.kind, self.folder = kind, folder
        self.spaces = {side: f"perf-{name}-{side}" for side in ("near", "far")} if kind != "memif" else {}
        if kind == "memif":
            device = "vdev:net_memif{n},role={role},id={n},socket={folder}/memif.sock,socket-abstract=no,rsize=10"
            self.near, self.far = ([device.format(n=n, role=role, folder=folder) for n in range(2)]
                                   for role in ("server", "client"))
        else:
            self.near, self.far = [f"af_packet:near{n}" for n in range(2)], [f"{kind}:far{n}" for n in range(2)]

    def prefix(self, side):
        return ["ip", "netns", "exec", self.spaces[side]] if self.spaces else []

    def up(self):
        for space in self.spaces.values():
            subprocess.run(["ip", "netns", "add", space], check=True)
            subprocess.run(["ip", "netns", "exec", space, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1",
                            "net.ipv6.conf.default.disable_ipv6=1"], check=True)
        for n in range(2) if self.spaces else ():
            queues = ("numrxqueues", "1", "numtxqueues", "1")
            subprocess.run(["ip", "link", "add", f"near{n}", "netns", self.spaces["near"], *queues, "type", "veth", "peer",
                            "name", f"far{n}", "netns", self.spaces["far"], *queues], check=True)
            for side, space in self.spaces.items():
                inside = ["ip", "netns", "exec", space]
                subprocess.run([*inside, "ethtool", "-K", f"{side}{n}", *OFFLOADS_OFF], check=True,
                               stdout=subprocess.DEVNULL)
                subprocess.run(["ip", "-n", space, "link", "set", f"{side}{n}", "up"], check=True)

    def wait_near(self, seconds):
        """Until the generator's ports take those of the device: a memif client that comes too early gives up."""
        deadline = time.monotonic() + seconds
        while self.kind == "memif" and not listens(f"{self.folder}/memif.sock"):
            if time.monotonic() > deadline:
                raise DeviceGone(f"the generator opened no port in {seconds} s")
            time.sleep(0.02)

    def down(self):
        for space in self.spaces.values():
            subprocess.run(["ip", "netns", "del", space], check=False, stderr=subprocess.DEVNULL)


class Device:
    """A process that forwards; `name` is how rows call it."""
    name = ""

    def __init__(self, wire, folder, core):
        self.wire, self.folder, self.core = wire, folder, core
        self.log = f"{folder}/{self.name}.log"
        self.process = None

    def start(self, seconds=60):
        self.wire.wait_near(seconds)
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([*self.wire.prefix("far"), *self.command()], stdin=subprocess.PIPE, stdout=log,
                                            stderr=log)
        deadline = time.monotonic() + seconds
        while not self.forwards():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise DeviceGone(f"{self.name} does not forward: {tail(self.log)}")
            time.sleep(0.05)
        return self

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process:
            self.process.stdin.close()


class Posternd(Device):
    name = "posternd"

    def __init__(self, wire, folder, core, build, flows=10_000, rules=KIT_RULES):
        super().__init__(wire, folder, core)
        self.build, self.flows, self.rules = build, flows, rules
        self.site = f"{folder}/site.yaml"
        self.write_site(self.site)

    def write_site(self, path, variant=0):
        # Flows that nobody has answered yet may fill a quarter of the table.
        flows = max(262144, 1 << (4 * self.flows - 1).bit_length())
        with open(path, "w", encoding="utf-8") as file:
            file.write(SITE.format(pack=PACK, folder=self.folder, ports=self.wire.far, flows=flows, workers=1,
                                   cores=[self.core], idle="spin" if self.wire.kind == "memif" else "sleep",
                                   rules=rules_text(self.rules, variant)))
        return path

    def command(self):
        os.makedirs(f"{self.folder}/logs", exist_ok=True)
        return [f"{self.build}/posternd", "run", "--site", self.site]

    def forwards(self):
        return "forwarding on wire" in tail(self.log)

    def ask(self, command, what="", **arguments):
        """What posternctl would ask, without a process that takes a core away from those that are measured."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(120)
            connection.connect(f"{self.folder}/control.sock")
            connection.sendall(json.dumps({"command": command, "what": what, "args": arguments}).encode() + b"\n")
            reply = json.loads(connection.makefile("rb").readline() or b"{}")
        if not reply.get("ok"):
            raise DeviceGone(f"posternd: {command} {what}: {reply}")
        return reply["result"]


class Testpmd(Device):
    name = "testpmd"

    def command(self):
        devices = []
        for n, port in enumerate(self.wire.far):
            where = port.partition(":")[2]
            if self.wire.kind == "memif":
                device = where
            elif self.wire.kind == "af_xdp":
                device = f"net_af_xdp{n},iface={where},start_queue=0,queue_count=1"
            else:
                device = (f"net_af_packet{n},iface={where},qpairs=1,framesz=2048,blocksz=4096,framecnt=1024,"
                          "qdisc_bypass=1")
            devices += ["--vdev", device]
        return ["dpdk-testpmd", "--no-huge", "-m", "320", "--no-pci", "--no-telemetry", "--no-shconf", "--file-prefix",
                f"perf{os.getpid()}", "--log-level", "*:4", "--lcores", f"0@(0-1),1@{self.core}", *devices, "--",
                "--forward-mode=io", "--auto-start", "--total-num-mbufs=32768", "--burst=32", "--rxd=1024", "--txd=1024",
                "-i"]

    def forwards(self):
        return "testpmd>" in tail(self.log)
