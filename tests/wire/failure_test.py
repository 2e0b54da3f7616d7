#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Interfaces that vanish, links that go down, a daemon that dies."""
import unittest

from lab_client import V4, WireTest, setUpModule, tearDownModule, traffic  # noqa: F401

REATTACHED = 5.0  # seconds; includes address resolution of the hosts
RESTARTED = 5.0


class Failures(WireTest):
    def setUp(self):
        if not self.lab.running("posternd"):
            self.lab.start_firewall()
        self.check_wire_back("traffic at the start")

    def back_carrier(self):
        return self.lab.network.carrier("appliance", "back0")

    def check_wire_back(self, what, limit=REATTACHED):
        seconds = self.seconds_until(lambda: self.answers_ping(V4.bmc), limit, what)
        print(f"{what}: {seconds:.1f} s", flush=True)

    def test_link_loss_reaches_the_other_side_and_ends(self):
        self.assertTrue(self.back_carrier())
        self.lab.network.ip("bmc", "link", "set", "eth0", "down")
        try:
            self.seconds_until(lambda: not self.back_carrier(), 5, "link loss reaches the appliance")
        finally:
            self.lab.network.ip("bmc", "link", "set", "eth0", "up")
        self.seconds_until(self.back_carrier, 5, "link returns at the appliance")
        self.check_wire_back("traffic after link loss")
        self.check_accounting()

    def test_an_interface_vanishes_and_returns(self):
        for key in ("back_bmc", "back_appliance"):
            with self.subTest(key):
                self.assertTrue(self.answers_ping(V4.bmc))
                self.lab.network.unplug(key)
                try:
                    self.assertFalse(self.answers_ping(V4.bmc))
                    self.assertTrue(self.lab.running("posternd"), "posternd must outlive an interface")
                    outcome = traffic.run(self.lab, self.probe("web_of_the_appliance"))
                    self.assertTrue(outcome.answered, "the other wire must go on")
                finally:
                    self.lab.replug(key)
                self.check_wire_back(f"traffic after {key} returned")
                self.check_accounting()

    def test_a_killed_daemon_starts_again(self):
        self.assertTrue(self.answers_ping(V4.bmc))
        self.lab.kill("posternd")
        self.assertFalse(self.answers_ping(V4.bmc), "a closed wire forwards nothing while nobody is there")
        self.lab.start_firewall()
        self.check_wire_back("traffic after kill -9 and start", RESTARTED)
        self.ctl("show", "wires")
        self.check_accounting()

    def test_sigterm_ends_the_daemon_and_its_socket(self):
        pid = self.lab.service("posternd")["pid"]
        daemon = next(child for child in self.lab.children if child.pid == pid)
        try:
            self.assertTrue(self.lab.stop("posternd"), "SIGTERM was not enough")
            self.assertEqual(daemon.wait(timeout=5), 0)
            self.assertNotEqual(self.lab.ctl("show", "wires").returncode, 0)
        finally:
            self.lab.start_firewall()
        self.check_wire_back("traffic after a restart", RESTARTED)

    def test_a_second_daemon_on_the_same_socket_is_refused(self):
        done = self.lab.run("fw", self.lab.program("posternd"), "run", "--site", self.lab.site_file, timeout=15)
        self.assertNotIn(done.returncode, (0, 124), done.stderr)
        self.assertIn(self.lab.socket, done.stdout + done.stderr)
        self.assertTrue(self.answers_ping(V4.bmc), "the first daemon must go on")

    def test_a_missing_interface_is_named(self):
        with open(self.lab.site_file, encoding="utf-8") as site:
            text = site.read().replace("control.sock", "other.sock").replace(self.lab.logs, f"{self.lab.folder}/www")
        path = f"{self.lab.folder}/missing.yaml"
        with open(path, "w", encoding="utf-8") as site:
            site.write(text)
        # The switch has none of the firewall's interfaces.
        done = self.lab.run("sw", self.lab.program("posternd"), "run", "--site", path, timeout=15)
        self.assertNotIn(done.returncode, (0, 124), done.stderr)
        self.assertRegex(done.stdout + done.stderr, "fw-[a-z]+0")


if __name__ == "__main__":
    unittest.main(verbosity=2)
