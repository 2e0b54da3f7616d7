#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""posternd on the ports that need no other host: captures, TAPs and rings, with one worker and with two.
Run: tests/wire/ports_test.py [-v]. POSTERN_BUILD names the build folder."""
import ctypes
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
REPO = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(REPO / "tests"))

from scapy.layers.inet import ICMP, IP, UDP  # noqa: E402
from scapy.layers.l2 import Ether  # noqa: E402
from scapy.packet import Raw  # noqa: E402
from scapy.utils import rdpcap, wrpcap  # noqa: E402

BUILD = Path(os.environ.get("POSTERN_BUILD", REPO / "build")).absolute()
NAMESPACE = f"postern-ports{os.getpid()}"
PAIRS = 40
CLONE_NEWNET = 0x40000000

SITE = """\
site: ports
packs: [{repo}/deploy/packs/out_of_band_server_management.json]
workers: {workers}
mtu: {mtu}
flows: 1024
wires: [{{wire: back, sides: {{appliance: "{ports[0]}", bmc: "{ports[1]}"}}}}]
zones:
  - {{zone: management, wire: back, side: appliance}}
  - {{zone: management, wire: back, side: bmc}}
  - {{zone: trust, wire: back, side: bmc, prefixes: [10.9.1.0/24]}}
  - {{zone: internal, wire: back, side: bmc, prefixes: [10.9.2.0/24]}}
  - {{zone: internet, wire: back, side: bmc, prefixes: [10.9.3.0/24]}}
applications: {{bmc_management: {{servers: [10.4.0.0/16]}}, infra_mgmt_web: {{servers: [10.3.0.1]}}}}
identity: {{groups: {{deployment_defined: [oob_admins]}}}}
logging:
  directory: {folder}/logs
  forwarding: {{siem_default: {{file: default.json}}, siem_high_priority: {{file: high.json}}}}
  default_rule: siem_default
exceptions: {{decryption_unavailable: pass, inspection_unavailable: pass}}
control: {{socket: {folder}/control.sock}}
"""


def ping(number):
    return Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / \
        IP(src=f"10.3.0.{1 + number % 20}", dst=f"10.4.{number}.1") / ICMP(id=number) / Raw(b"0123456789")


def ipmi(number):
    return Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / \
        IP(src="10.3.0.1", dst=f"10.4.{number}.1") / UDP(sport=50000, dport=623) / Raw(bytes(12))


def enter_namespace(file):
    """os.setns came with Python 3.12."""
    if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def setUpModule():
    subprocess.run(["ip", "netns", "add", NAMESPACE], check=True)
    unittest.addModuleCleanup(subprocess.run, ["ip", "netns", "del", NAMESPACE], check=False)


class Daemon:
    """posternd in the namespace, until the with statement ends."""

    def __init__(self, folder, ports, workers, mtu=1500):
        self.folder = Path(folder)
        (self.folder / "site.yaml").write_text(SITE.format(repo=REPO, folder=folder, ports=ports, workers=workers,
                                                          mtu=mtu))
        self.log = open(self.folder / "posternd.log", "w", encoding="utf-8")

    def __enter__(self):
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", NAMESPACE, BUILD / "posternd", "run", "--site", self.folder / "site.yaml"],
            stderr=self.log, stdout=self.log)
        deadline = time.monotonic() + 30
        while "forwarding" not in self.text():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                self.log.close()
                raise AssertionError("posternd does not forward:\n" + self.text())
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.code = self.process.wait(timeout=15)
        self.log.close()

    def text(self):
        return (self.folder / "posternd.log").read_text(encoding="utf-8", errors="replace")

    def ask(self, *words):
        done = subprocess.run([BUILD / "posternctl", "--socket", self.folder / "control.sock", "--json", *words],
                              capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    def wait_for(self, what, condition):
        deadline = time.monotonic() + 10
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"{what}: {self.ask('show', 'stats')}")
            time.sleep(0.05)


class Ports(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="postern-ports")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def check_accounting(self, stats):
        self.assertEqual(stats["received"], stats["sent"] + sum(stats["drops"].values()) + stats["held"], stats)

    def play_captures(self, workers):
        wrpcap(str(self.folder / "in.pcap"), [frame for n in range(PAIRS) for frame in (ping(n), ipmi(n))])
        wrpcap(str(self.folder / "none.pcap"), [ping(0)])
        ports = (f"pcap:{self.folder}/in.pcap,{self.folder}/back.pcap",
                 f"pcap:{self.folder}/none.pcap,{self.folder}/out.pcap")
        with Daemon(self.folder, ports, workers) as daemon:
            daemon.wait_for("both captures are read", lambda: daemon.ask("show", "stats")["received"] == 2 * PAIRS + 1)
            daemon.wait_for("nothing is on its way", lambda: daemon.ask("show", "stats")["held"] == 0)
            stats = daemon.ask("show", "stats")
        self.assertEqual(daemon.code, 0)
        self.check_accounting(stats)
        self.assertEqual(stats["drops"].get("policy_rule"), PAIRS)
        came_out = sorted(bytes(frame) for frame in rdpcap(str(self.folder / "out.pcap")))
        self.assertEqual(came_out, sorted(bytes(ping(n)) for n in range(PAIRS)))

    def test_captures_go_in_and_come_out(self):
        self.play_captures(workers=1)

    def test_two_workers_share_captures(self):
        self.play_captures(workers=2)

    def raw_socket(self, interface):
        with open(f"/run/netns/{NAMESPACE}", "rb") as there, open("/proc/self/ns/net", "rb") as here:
            enter_namespace(there)
            try:
                raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3))
                raw.bind((interface, 0))
            finally:
                enter_namespace(here)
        raw.settimeout(10)
        self.addCleanup(raw.close)
        return raw

    def cross_taps(self, workers):
        with Daemon(self.folder, ("tap:tp-a", "tap:tp-b"), workers) as daemon:
            near, far = self.raw_socket("tp-a"), self.raw_socket("tp-b")
            for n in range(PAIRS):
                near.send(bytes(ping(n)))
                near.send(bytes(ipmi(n)))
            expected = {bytes(ping(n)) for n in range(PAIRS)}
            while expected:
                expected.discard(far.recv(2048))
            daemon.wait_for("IPMI is dropped",
                            lambda: daemon.ask("show", "stats")["drops"].get("policy_rule") == PAIRS)
            stats = daemon.ask("show", "stats")
            self.check_accounting(stats)
            if workers > 1:
                self.assertGreater(stats["workers"]["handed_over"], 0)
        self.assertEqual(daemon.code, 0)

    def test_a_wire_between_two_taps(self):
        self.cross_taps(workers=1)

    def test_two_workers_share_taps_by_handing_packets_over(self):
        self.cross_taps(workers=2)

    def test_jumbo_frames_cross_af_packet_ports_when_the_site_says_so(self):
        for near, far in (("near-a", "port-a"), ("near-b", "port-b")):
            for words in (["add", near, "type", "veth", "peer", "name", far], ["set", near, "mtu", "9000", "up"]):
                subprocess.run(["ip", "-n", NAMESPACE, "link", *words], check=True)
            self.addCleanup(subprocess.run, ["ip", "-n", NAMESPACE, "link", "del", near], check=False)
        packet = bytes(Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(src="10.3.0.1", dst="10.4.0.1") /
                       ICMP(id=7) / Raw(bytes(9000 - 28)))
        with Daemon(self.folder, ("af_packet:port-a", "af_packet:port-b"), 1, mtu=9000) as daemon:
            near, far = self.raw_socket("near-a"), self.raw_socket("near-b")
            near.send(packet)
            while far.recv(65535) != packet:   # the kernel's own greetings on a new interface may come first
                pass
            self.check_accounting(daemon.ask("show", "stats"))

    def test_a_port_that_cannot_carry_the_mtu_says_what_it_can(self):
        with self.assertRaisesRegex(AssertionError, "tap:tp-a: carries an MTU of at most 1500, the site asks for 9000"):
            with Daemon(self.folder, ("tap:tp-a", "tap:tp-b"), 1, mtu=9000):
                pass

    def test_rings_open_and_say_so(self):
        with Daemon(self.folder, ("ring:near", "ring:far"), 1) as daemon:
            sides = daemon.ask("show", "wires")[0]["sides"]
        self.assertEqual([side["kind"] for side in sides], ["ring", "ring"])
        self.assertEqual(daemon.code, 0)

    def test_a_capture_that_is_not_there_is_named(self):
        with self.assertRaisesRegex(AssertionError, re.escape("pcap:")):
            with Daemon(self.folder, (f"pcap:{self.folder}/absent.pcap", f"pcap:{self.folder}/absent2.pcap"), 1):
                pass


if __name__ == "__main__":
    unittest.main(verbosity=2)
