#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Policy changes while traffic runs. POSTERN_COMMITS sets how many (default 100)."""
import os
import threading
import unittest

from lab_client import ALLOW_LOAD, V4, WireTest, process, setUpModule, tearDownModule  # noqa: F401

COMMITS = int(os.environ.get("POSTERN_COMMITS", "100"))
DROP_PING = ("{rule: drop_ping, action: drop, zones: {source: [management], destination: [management]}, "
             "protocol: icmp}",)
UNRELATED = ("{rule: unrelated, action: drop, zones: {source: [internet], destination: [management]}, "
             "protocol: udp, ports: [9999]}",)
NOWHERE = "{rule: lost, action: drop, zones: {source: [nowhere], destination: [management]}}"
NOT_THE_SWAP = {"l2_policy"}  # reasons that say nothing about policy changes


class Commits(WireTest):
    def test_a_running_flow_is_judged_again_after_a_commit(self):
        self.assertTrue(self.answers_ping(V4.bmc))
        flow = self.lab.start("ping", "appliance", ["ping", "-n", "-i", "0.2", V4.bmc])
        self.addCleanup(self.lab.stop, "ping")

        def replies():
            with open(flow["log"], encoding="utf-8") as log:
                return sum("bytes from" in line for line in log)

        self.seconds_until(lambda: replies() > 2, 5, "ping runs")
        self.ctl("commit", self.lab.write_site(f"{self.lab.folder}/dropped.yaml", DROP_PING))
        self.addCleanup(self.ctl, "commit", self.lab.site_file)
        before = replies()
        self.assertFalse(process.wait_until(lambda: replies() > before + 1, 2), "ping still passes")
        self.ctl("commit", self.lab.site_file)
        before = replies()
        self.seconds_until(lambda: replies() > before + 2, 5, "ping passes again")

    def test_a_bad_file_exits_3_and_changes_nothing(self):
        generation = self.generation()
        with open(self.lab.site_file, encoding="utf-8") as site:
            good = site.read()
        for what, text in {"unknown_key": good + "colour: blue\n",
                           "duplicate_key": good + "site: twice\n",
                           "unknown_zone": good.replace("\nlogging:", f"\nrules: {{before: [{NOWHERE}]}}\nlogging:"),
                           "no_yaml": "wires: [\n",
                           "missing_pack": good.replace(".json\"]", ".missing\"]")}.items():
            with self.subTest(what):
                path = f"{self.lab.folder}/{what}.yaml"
                with open(path, "w", encoding="utf-8") as bad:
                    bad.write(text)
                self.assertIn(what, self.ctl("commit", path, code=3), "the answer must name the file")
                self.assertEqual(self.generation(), generation)
        self.check_ping(V4.bmc)

    def test_commits_under_load_lose_nothing(self):
        self.commit(*ALLOW_LOAD, name="load_0.yaml")
        sites = [f"{self.lab.folder}/load_0.yaml",
                 self.lab.write_site(f"{self.lab.folder}/load_1.yaml", (*ALLOW_LOAD, *UNRELATED))]
        self.lab.start("iperf3-server", "bmc", ["iperf3", "-s"])
        self.addCleanup(self.lab.stop, "iperf3-server")
        self.seconds_until(lambda: ":5201" in self.lab.run("bmc", "ss", "-Hlnt").stdout, 5, "iperf3 listens")
        load = self.lab.start("iperf3-client", "appliance",
                              ["iperf3", "-c", V4.bmc, "-t", "86400", "-b", "100M", "--forceflush"])
        self.addCleanup(self.lab.stop, "iperf3-client")
        self.check_ping(V4.bmc)

        drops, generation = self.drops(), self.generation()
        done, lost, rounds = threading.Event(), [], []

        def flood():
            while not done.is_set():
                missing, output = self.ping(V4.bmc, "-f", count=2000)
                rounds.append(output)
                if missing:
                    lost.append(output)

        pinging = threading.Thread(target=flood)
        pinging.start()
        try:
            for number in range(COMMITS):
                self.ctl("commit", sites[(number + 1) % 2])
        finally:
            done.set()
            pinging.join()
        self.assertFalse(lost, "packets lost")
        self.assertTrue(rounds)
        self.assertEqual(self.generation(), generation + COMMITS)
        self.assertTrue(self.lab.running("iperf3-client"), "the established flow ended")
        with open(load["log"], encoding="utf-8") as log:
            intervals = [line for line in log if "bits/sec" in line]
        self.assertFalse([line for line in intervals if " 0.00 bits/sec" in line], "the established flow stalled")
        more = {reason: count - drops.get(reason, 0) for reason, count in self.drops().items()
                if count != drops.get(reason, 0) and reason not in NOT_THE_SWAP}
        self.assertEqual(more, {}, "drops while committing")
        self.check_accounting()


if __name__ == "__main__":
    unittest.main(verbosity=2)
