#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The catalogue of evasions (tests/packets/evasions) against this kernel as the endpoint, without posternd: what an
application reads of each stimulus is what the catalogue says. Two namespaces, raw frames from one, a plain server in
the other. Needs root; takes some seconds. `endpoint_truth_test.py --show NAME...` prints what was read of these rows."""
import contextlib
import os
import re
import sys
import time
import unittest

sys.dont_write_bytecode = True

import kernel_endpoint  # noqa: E402
from kernel_endpoint import BATCH, PORT, TESTS, Server, Wire  # noqa: E402
from packets.conversation import Tcp, Udp  # noqa: E402
from packets.evasions import KERNEL, ROWS  # noqa: E402
from packets.hosts import appliance, bmc  # noqa: E402
from scapy.layers.inet import IP  # noqa: E402
from scapy.layers.inet6 import IPv6ExtHdrFragment  # noqa: E402

FIRST_SOURCE_PORT = 20000
results = {}


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
    return [] if row.opening == "unacked" else [talk.send(flags="A",
        **({"options": talk.stamp(1000)} if row.opening == "stamped" else {}))]


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
    time.sleep(kernel_endpoint.SETTLED)
    found = server.found()
    for number, row, _ in talks:
        address = appliance.v6 if row.v6 else str(appliance)
        record = found.get(f"{'udp' if row.udp else 'tcp'} {address} {FIRST_SOURCE_PORT + number}",
            {"data": "", "end": "open" if row.udp else "none"})
        results[row.name] = (bytes.fromhex(record["data"]), record["end"])


def setUpModule():
    kernel_endpoint.set_up(unittest.addModuleCleanup)
    play()


class EndpointTruth(unittest.TestCase):
    """One test per row; they are added below."""
    maxDiff = None


def agrees(row):
    def test(self):
        self.assertEqual(results[row.name], (row.delivers, row.end),
            f"{row.name}: {row.why} (catalogue of {KERNEL}, this is {os.uname().release})")
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
    with contextlib.ExitStack() as stack:
        kernel_endpoint.set_up(stack.callback)
        play()
    for name in names or sorted(results):
        print(name, *results[name])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--show"]:
        show(sys.argv[2:])
    else:
        unittest.main()
