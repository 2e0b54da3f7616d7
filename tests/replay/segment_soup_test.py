#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Random segments of many connections through `posternd replay`: early, late, overlapping, with true and false bytes. What
leaves is read by a naive receiver: it may find no gap and no second opinion about any byte, and whoever's bytes left whole is
judged by them. SOUP_SEED repeats a run. Environment: POSTERND (default build/posternd)."""
import json
import os
import random
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS), str(TESTS / "golden")]
import case_file  # noqa: E402
from packets import capture, hosts  # noqa: E402
from packets.capture import Frame  # noqa: E402
from packets.conversation import Tcp  # noqa: E402
from packets.payloads import client_hello  # noqa: E402
from scapy.layers.inet import IP, TCP  # noqa: E402
from scapy.layers.l2 import Ether  # noqa: E402

POSTERND = os.environ.get("POSTERND", str(TESTS.parent / "build" / "posternd"))
SITE = TESTS / "golden" / "sites" / "seed.yaml"
SEED = int(os.environ.get("SOUP_SEED", "20"))
CONNECTIONS, SEGMENTS = 400, 10
HELLO = client_hello("bmc20.test")
FALSE = bytes(255 - byte for byte in HELLO)


def soup(rng, conversation):
    """Handshake, random segments, then the true bytes once more in order."""
    packets = conversation.handshake()
    for _ in range(rng.randrange(SEGMENTS)):
        begin = rng.choice((0, rng.randrange(len(HELLO)), rng.randrange(len(HELLO))))
        end = rng.randint(begin + 1, len(HELLO))
        packets.append(conversation.at(begin, (FALSE if rng.random() < 0.2 else HELLO)[begin:end]))
    cuts = sorted({0, len(HELLO), *(rng.randrange(1, len(HELLO)) for _ in range(rng.randrange(4)))})
    return packets + [conversation.at(begin, HELLO[begin:end]) for begin, end in zip(cuts, cuts[1:])]


def frames():
    rng, time, queues = random.Random(SEED), case_file.START, []
    for n in range(CONNECTIONS):
        isn = rng.choice((1000, 2**32 - rng.randrange(1, 150)))
        queues.append(soup(rng, Tcp(hosts.appliance, hosts.bmc, 443, sport=20000 + n, isn=isn)))
    while queues:
        queue = rng.choice(queues)
        packet = queue.pop(0)
        time += 1000
        yield Frame(hosts.place_of(packet), time, bytes(hosts.framed(packet)))
        if not queue:
            queues.remove(queue)


class Receiver:
    """What a naive host makes of the client's segments; `wrong` says what it should never have seen."""

    def __init__(self):
        self.first, self.data, self.wrong = None, bytearray(), []

    def take(self, segment, payload):
        if "S" in segment.flags:
            self.first = (segment.seq + 1) % 2**32
            return
        begin = (segment.seq - self.first) % 2**32
        if begin > len(self.data):
            self.wrong.append(f"gap: bytes at {begin}, {len(self.data)} arrived")
            return
        known = self.data[begin:begin + len(payload)]
        if known != payload[:len(known)]:
            self.wrong.append(f"second opinion about bytes {begin} to {begin + len(known)}")
        self.data += payload[len(known):]


class SegmentSoup(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "log").mkdir()
            capture.write_pcapng(folder / "in.pcapng", list(frames()))
            run = subprocess.run([POSTERND, "replay", "--site", SITE, "--pcap", folder / "in.pcapng", "--out", folder / "out.pcapng",
                                  "--log", folder / "log"], capture_output=True, text=True, timeout=300, check=False)
            if run.returncode:
                raise RuntimeError(run.stderr)
            cls.records = [json.loads(line) for file in (folder / "log").glob("*.json") for line in file.read_text().splitlines()]
            cls.receivers = cls.read(capture.read_pcapng(folder / "out.pcapng"))

    @staticmethod
    def read(sent):
        receivers = {}
        for frame in sent:
            packet = Ether(frame.data)
            if packet[IP].src == hosts.appliance:
                size = packet[IP].len - 20 - packet[TCP].dataofs * 4
                receivers.setdefault(packet[TCP].sport, Receiver()).take(packet[TCP], bytes(packet[TCP].payload)[:size])
        return receivers

    def stats(self):
        found = [record for record in self.records if record["event_type"] == "stats"][-1]
        return found.get("stats", found)

    def test_nothing_leaves_early_and_nothing_leaves_twice_with_other_bytes(self):
        self.assertEqual(len(self.receivers), CONNECTIONS)
        wrong = {port: receiver.wrong for port, receiver in self.receivers.items() if receiver.wrong}
        self.assertFalse(wrong, f"SOUP_SEED={SEED}")

    def test_every_frame_is_accounted_for(self):
        stats = self.stats()
        self.assertEqual(stats["received"], stats["sent"] + sum(stats["drops"].values()) + stats["held"])

    def test_false_bytes_were_refused_by_name(self):
        self.assertGreater(self.stats()["drops"].get("tcp_overlap_differs", 0), 0)

    def test_a_hello_that_left_whole_is_judged_as_one(self):
        allowed = {record["src_port"] for record in self.records
                   if record["event_type"] == "flow" and record.get("policy", {}).get("rule") == "bmc_management"}
        whole = {port for port, receiver in self.receivers.items() if receiver.data == HELLO}
        self.assertGreater(len(whole), CONNECTIONS // 10)
        self.assertLessEqual(whole, allowed, f"SOUP_SEED={SEED}")


if __name__ == "__main__":
    unittest.main()
