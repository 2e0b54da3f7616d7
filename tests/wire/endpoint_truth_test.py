#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The catalogue of evasions (tests/packets/evasions) against this kernel as the endpoint, without posternd: what an
application reads of each stimulus is what the catalogue says. Two namespaces, raw frames from one, a plain server in
the other. Needs root; takes some seconds. `endpoint_truth_test.py --show NAME...` prints what was read of these rows."""
import ctypes
import json
import os
import re
import select
import socket
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS), str(TESTS.parent / "deploy")]

from labkit.process import run  # noqa: E402
from packets.conversation import Tcp, Udp  # noqa: E402
from packets.evasions import KERNEL, ROWS  # noqa: E402
from packets.hosts import appliance, bmc, framed  # noqa: E402
from scapy.layers.inet import IP, TCP  # noqa: E402
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment  # noqa: E402
from scapy.layers.l2 import Ether  # noqa: E402

PORT, FIRST_SOURCE_PORT = 443, 20000
BATCH = 40  # handshakes at a time: fewer than any backlog holds before it makes cookies
SETTLED = 1.0
NAMES = [f"truth{os.getpid()}{end}" for end in ("c", "s")]
LINK = "wire0"
CLONE_NEWNET = 0x40000000
results = {}


def in_namespace(name, action):
    """What `action` returns, done inside the namespace; a socket stays there."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/self/ns/net", "rb") as home, open(f"/run/netns/{name}", "rb") as there:
        if libc.setns(there.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {name}")
        try:
            return action()
        finally:
            libc.setns(home.fileno(), CLONE_NEWNET)


def make_namespaces():
    client, server = NAMES
    for name in NAMES:
        run("ip", "netns", "add", name)
    # What hosts outside a laboratory leave at its default is left here too, source routes included.
    run("ip", "-n", client, "link", "add", LINK, "type", "veth", "peer", "name", LINK, "netns", server)
    for name in NAMES:
        in_namespace(name, lambda: [Path(f"/proc/sys/net/ipv6/conf/{end}/accept_dad").write_text("0") for end in ("all", LINK)])
        run("ip", "-n", name, "link", "set", LINK, "up")
    run("ip", "netns", "exec", client, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
    run("ip", "-n", server, "link", "set", LINK, "address", bmc.mac)
    for address, prefix, peer in ((bmc, 32, appliance), (bmc.v6, 128, appliance.v6)):
        family = "-6" if ":" in address else "-4"
        run("ip", "-n", server, family, "address", "add", f"{address}/{prefix}", "dev", LINK)
        run("ip", "-n", server, family, "route", "add", peer, "dev", LINK)
        # The client is raw frames: nobody would answer ARP or neighbour discovery for it.
        run("ip", "-n", server, family, "neighbour", "add", peer, "lladdr", appliance.mac, "dev", LINK, "nud", "permanent")


def remove_namespaces():
    for name in NAMES:
        run("ip", "netns", "del", name, check=False)


class Wire:
    """Raw frames into the client's end of the link."""

    def __init__(self):
        self.socket = in_namespace(NAMES[0], lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)))
        self.socket.bind((LINK, 0))
        self.socket.setblocking(False)

    def send(self, packet):
        self.socket.send(packet if isinstance(packet, bytes) else bytes(framed(packet)))

    def tcp_answers(self, seconds):
        """TCP segments that the server sends, as (client port, segment), until the time is over or the receiver stops."""
        deadline = time.monotonic() + seconds
        while select.select([self.socket], [], [], max(0, deadline - time.monotonic()))[0]:
            frame = Ether(self.socket.recv(65536))
            if TCP in frame and frame[TCP].sport == PORT:
                yield frame[TCP].dport, frame[TCP]


class Server:
    def __init__(self):
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", NAMES[1], sys.executable, "-B", str(TESTS / "peers" / "recording_server.py"), "--port", str(PORT)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError("recording_server.py did not start")

    def found(self):
        return json.loads(self.process.communicate(timeout=30)[0])


def talk_of(number, row):
    place = (appliance, bmc, PORT, FIRST_SOURCE_PORT + number, row.v6)
    return Udp(*place) if row.udp else Tcp(*place, isn=row.isn)


def first(row, talk):
    maximum = [("MSS", 1400)]
    if row.opening == "stamped":
        return talk.syn(options=maximum + talk.stamp(1000))
    if row.opening == "syn_data":
        early = talk.probe("S", b"EVIL", options=maximum)
        talk.syn()
        return early
    return talk.syn(options=maximum)


def third(row, talk):
    return [] if row.opening == "unacked" else [talk.send(flags="A", **({"options": talk.stamp(1000)} if row.opening == "stamped" else {}))]


def learn(talk, answer):
    if "S" in answer.flags and "A" in answer.flags:
        talk.next[1] = (answer.seq + 1) % 2**32
        talk.echo = dict(option for option in answer.options if option[0] == "Timestamp").get("Timestamp", (0, 0))[0]
        return True
    return False


def open_all(wire, batch):
    waiting = {FIRST_SOURCE_PORT + number: (row, talk) for number, row, talk in batch if not row.udp}
    for row, talk in list(waiting.values()):
        wire.send(first(row, talk))
    for port, answer in wire.tcp_answers(5):
        if port in waiting and learn(waiting[port][1], answer):
            row, talk = waiting.pop(port)
            for packet in third(row, talk):
                wire.send(packet)
        if not waiting:
            return
    if waiting:
        raise RuntimeError(f"no answer to the SYN of {', '.join(row.name for row, _ in waiting.values())}")


def renumbered(packet, number):
    """With an IP identification of its own, so that fragments of two rows never meet."""
    if not isinstance(packet, bytes):
        if IP in packet:
            packet[IP].id = number + 1
        layer = packet.getlayer(IPv6ExtHdrFragment)
        while layer is not None:
            layer.id = number + 1
            layer = layer.payload.getlayer(IPv6ExtHdrFragment)
    return packet


def play():
    server, wire = Server(), Wire()
    talks = [(number, row, talk_of(number, row)) for number, row in enumerate(ROWS)]
    for begin in range(0, len(talks), BATCH):
        batch = talks[begin:begin + BATCH]
        open_all(wire, batch)
        for number, row, talk in batch:
            for packet in row.packets(talk):
                wire.send(renumbered(packet, number))
        list(wire.tcp_answers(0.05))  # answers to all this; the rows do not need them
    time.sleep(SETTLED)
    found = server.found()
    for number, row, _ in talks:
        address = appliance.v6 if row.v6 else str(appliance)
        record = found.get(f"{'udp' if row.udp else 'tcp'} {address} {FIRST_SOURCE_PORT + number}", {"data": "", "end": "open" if row.udp else "none"})
        results[row.name] = (bytes.fromhex(record["data"]), record["end"])


def setUpModule():
    # Frames that enter a veth wait in the queue of the sender's core: moving to another core would reorder them.
    everywhere = os.sched_getaffinity(0)
    unittest.addModuleCleanup(os.sched_setaffinity, 0, everywhere)
    os.sched_setaffinity(0, {min(everywhere)})
    unittest.addModuleCleanup(remove_namespaces)
    make_namespaces()
    play()


class EndpointTruth(unittest.TestCase):
    """One test per row; they are added below."""
    maxDiff = None


def agrees(row):
    def test(self):
        self.assertEqual(results[row.name], (row.delivers, row.end), f"{row.name}: {row.why} (catalogue of {KERNEL}, this is {os.uname().release})")
    return test


for each in ROWS:
    setattr(EndpointTruth, f"test_{each.name}", agrees(each))


class Catalogue(unittest.TestCase):
    def test_names_are_unique(self):
        self.assertEqual(len({row.name for row in ROWS}), len(ROWS))

    def test_the_golden_case_of_a_row_says_its_name_and_its_reason(self):
        for row in ROWS:
            case = TESTS / "golden" / f"{row.case}.case"
            with self.subTest(row.name):
                text = case.read_text()
                named = re.search(rf"^\s*# (?:\w+ )*{row.name}\b", text, re.M)
                self.assertTrue(named, f"{case.name} has no line `# {row.name}`")
                if row.postern not in ("same", "cleared"):
                    self.assertIn(f"drop {row.postern}", text)


def show(names):
    unittest.addModuleCleanup(lambda: None)
    try:
        make_namespaces()
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        play()
    finally:
        remove_namespaces()
    for name in names or sorted(results):
        print(name, *results[name])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--show"]:
        show(sys.argv[2:])
    else:
        unittest.main()
