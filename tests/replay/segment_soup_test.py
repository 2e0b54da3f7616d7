#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Random segments of many connections through `posternd replay`: early, late, overlapping, with true and false bytes. What
leaves is read by a naive receiver: it may find no gap and no second opinion about any byte, and whoever's bytes left whole is
judged by them. SOUP_SEED repeats a run. Environment: POSTERND (default build/posternd)."""
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS))
from packets import capture, hosts, soup  # noqa: E402
from scapy.layers.inet import IP, TCP  # noqa: E402
from scapy.layers.l2 import Ether  # noqa: E402

POSTERND = os.environ.get("POSTERND", str(TESTS.parent / "build" / "posternd"))
SITE = TESTS / "golden" / "sites" / "seed.yaml"
SEED = int(os.environ.get("SOUP_SEED", "20"))


class SegmentSoup(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "log").mkdir()
            capture.write_pcapng(folder / "in.pcapng", list(soup.frames(SEED)))
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
                receivers.setdefault(packet[TCP].sport, soup.Receiver()).take(packet[TCP], bytes(packet[TCP].payload)[:size])
        return receivers

    def stats(self):
        found = [record for record in self.records if record["event_type"] == "stats"][-1]
        return found.get("stats", found)

    def test_nothing_leaves_early_and_nothing_leaves_twice_with_other_bytes(self):
        self.assertEqual(len(self.receivers), soup.CONNECTIONS)
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
        whole = {port for port, receiver in self.receivers.items() if receiver.data == soup.HELLO}
        self.assertGreater(len(whole), soup.CONNECTIONS // 10)
        self.assertLessEqual(whole, allowed, f"SOUP_SEED={SEED}")


if __name__ == "__main__":
    unittest.main()
