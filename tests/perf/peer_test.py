#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""perf/lab with a program of the user's in the middle: a bridge of ours. Needs root. Run: tests/perf/peer_test.py [-v]"""
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
REPO = HERE.parent.parent
sys.path.insert(0, str(REPO / "perf"))

from suite import rows  # noqa: E402


class PeerTest(unittest.TestCase):
    def measure(self, command):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([REPO / "perf" / "lab", "--peer", command, "--stands", "program_*", "--cases",
                            "http/connections/1KB", "--seconds", "1", "--rounds", "1", "--json", f"{folder}/rows.json"],
                           check=True, stdout=subprocess.DEVNULL)
            return rows.read(f"{folder}/rows.json")

    def test_a_program_of_the_users_is_measured(self):
        told = self.measure(f"/usr/bin/python3 -B {HERE}/packet_bridge.py {{client_if}} {{server_if}}")
        rate = {row["key"]: row["value"] for row in told["rows"]}["lab/http/connections/1KB/rate/program_0"]
        self.assertGreater(rate, 0)

    def test_a_program_that_forwards_nothing_is_skipped_with_a_reason(self):
        told = self.measure("sleep 600")
        reasons = {one["key"]: one["reason"] for one in told["skipped"]}
        self.assertIn("does not answer", reasons["lab/*/program_0"])


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit("peer_test: needs root: it makes network namespaces")
    unittest.main()
