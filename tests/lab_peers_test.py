#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The lab itself, without posternd: over plain bridges every peer answers every client, so what does not come back in
the tests of tests/wire was stopped by the firewall. Run: python3 tests/lab_peers_test.py -v"""
import json
import os
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
REPO = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, f"{REPO}/deploy")

from labkit import traffic  # noqa: E402
from labkit.laboratory import Lab  # noqa: E402
from labkit.process import is_running  # noqa: E402
from labkit.topology import HOSTS  # noqa: E402

NAME = f"peers{os.getpid()}"
LAB = f"{REPO}/deploy/lab"


def lab_command(*words):
    return subprocess.run([LAB, *words], capture_output=True, text=True, check=False, timeout=120)


def setUpModule():
    unittest.addModuleCleanup(lambda: lab_command("down", "--name", NAME))
    up = lab_command("up", "--bridge", "--name", NAME)
    if up.returncode != 0:
        raise RuntimeError(up.stderr)


class Peers(unittest.TestCase):
    def setUp(self):
        self.lab = Lab(NAME)

    def answers(self, probe):
        outcome = traffic.run(self.lab, probe)
        self.assertTrue(outcome.answered, f"{probe.short}: {outcome.observed}")

    def test_a_tagged_bmc_answers(self):
        for probe in traffic.tagged_probes(self.lab):
            if probe.name != "dns_across_mapped_vlans":  # a plain bridge maps no VLANs
                with self.subTest(probe.name):
                    self.answers(probe)

    def test_large_datagrams_pass(self):
        for address in ("10.78.0.20", "fd78::20"):
            done = self.lab.run("appliance", "ping", "-n", "-c", "2", "-s", "60000", address)
            self.assertEqual(done.returncode, 0, done.stdout)

    def test_no_partial_checksum_reaches_the_wire(self):
        capture = self.lab.start("capture", "fw", ["tcpdump", "-ni", "fw-ap0", "-vv", "--immediate-mode", "-c", "20",
                                                   "tcp or udp"])
        for probe in traffic.probes(self.lab):
            if probe.name in ("redfish", "slp_unicast", "ipmi_lan"):
                traffic.run(self.lab, probe)
        self.lab.stop("capture")
        with open(capture["log"], encoding="utf-8", errors="replace") as log:
            text = log.read()
        self.assertIn("(correct)", text)
        self.assertIn("udp sum ok", text)
        self.assertNotIn("incorrect", text)
        self.assertNotIn("bad udp cksum", text)

    def test_status_lists_hosts_and_running_services(self):
        status = json.loads(lab_command("status", "--name", NAME, "--json").stdout)
        self.assertEqual([host["name"] for host in status["hosts"]], list(HOSTS))
        for service in status["services"]:
            if service["name"] != "capture":
                self.assertTrue(service["running"], service)
        self.assertTrue(os.path.exists(status["ca_file"]))
        self.assertTrue(os.path.exists(status["site_file"]))

    def test_exec_gives_the_exit_code_of_the_command(self):
        self.assertEqual(lab_command("exec", "--name", NAME, "bmc", "sh", "-c", "exit 7").returncode, 7)
        self.assertEqual(lab_command("exec", "--name", NAME, "nowhere", "true").returncode, 1)


class Teardown(unittest.TestCase):
    def test_down_leaves_nothing_and_may_be_repeated(self):
        name = f"{NAME}-two"
        self.assertEqual(lab_command("up", "--bridge", "--name", name).returncode, 0)
        lab = Lab(name)
        pids = [(service["pid"], service["started"]) for service in lab.state["services"]]
        for _ in range(2):
            self.assertEqual(lab_command("down", "--name", name).returncode, 0)
        self.assertFalse([pid for pid in pids if is_running(*pid)])
        self.assertNotIn(f"postern-{name}-", subprocess.check_output(["ip", "netns", "list"], text=True))
        self.assertFalse(os.path.exists(lab.folder))
        self.assertTrue(Lab(NAME).exists(), "the other lab must not be touched")


def peer_test(name, at):
    def test(self):
        self.answers(next(probe for probe in traffic.probes(self.lab, at) if probe.name == name))
    return test


for family, addresses in traffic.BOTH:
    for each in traffic.probes(Lab("unused"), addresses):
        setattr(Peers, f"test_{each.name}_{family}", peer_test(each.name, addresses))


if __name__ == "__main__":
    unittest.main()
