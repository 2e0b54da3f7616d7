#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""posternctl from outside of the firewall's namespace: what it shows, explains and refuses."""
import json
import threading
import time
import unittest

from lab_client import V4, LogReader, WireTest, find, process, setUpModule, tearDownModule, traffic  # noqa: F401

SHOWS = ("wires", "zones", "rules", "flows", "apps", "drops", "generation", "stats")


class Operator(WireTest):
    def test_every_show_answers_as_text_and_as_json(self):
        for word in SHOWS:
            with self.subTest(word):
                self.assertTrue(self.ctl("show", word).strip())
                self.ctl_json("show", word)

    def test_show_rules_lists_the_pack_in_order(self):
        text = self.ctl("show", "rules")
        places = [text.find(app_id) for _, app_id, _, _ in traffic.rules()]
        self.assertNotIn(-1, places, text)
        self.assertEqual(places, sorted(places), text)

    def test_show_apps_tells_how_everything_is_recognised(self):
        apps = {app["app_id"]: app for app in self.ctl_json("show", "apps")}
        self.assertEqual(apps["ssh"]["signatures"][0]["decoder"], "ssh")
        self.assertEqual(apps["ssh"]["evidence"], "tcp either decoder ssh (high, first on 22)")
        self.assertIsInstance(apps["ssh"]["flows"], int)
        self.assertIsNone(apps["bmc_management"]["flows"])
        self.assertEqual(apps["any_application"]["evidence"], "everything")
        for app in apps.values():
            self.assertEqual(bool(app["signatures"]), app["kind"] == "identified", app["app_id"])

    def test_show_flows_shows_a_running_flow(self):
        self.lab.start("long-ping", "appliance", ["ping", "-n", "-i", "0.2", V4.bmc])
        self.addCleanup(self.lab.stop, "long-ping")
        self.seconds_until(lambda: V4.bmc in self.ctl("show", "flows"), 5, "the flow is shown")

    def test_usage_errors_exit_2(self):
        for words in (("show", "nothing"), ("dance",), ("test", "flow", V4.admin), ()):
            with self.subTest(words):
                self.ctl(*words, code=2)

    def test_no_daemon_behind_the_socket_exits_1(self):
        done = process.run(self.lab.program("posternctl"), "--socket", f"{self.lab.folder}/nobody.sock", "show",
                           "wires", check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("nobody.sock", done.stderr)

    def test_test_flow_names_rule_and_verdict(self):
        for flow, rule, action in (
                ((V4.appliance_back, V4.bmc, "icmp"), "icmp_probe", "allow"),
                ((f"{V4.appliance_back}:40000", f"{V4.bmc}:443", "tcp", "--app", "bmc_management"),
                 "bmc_management", "allow"),
                ((f"{V4.admin}:40000", f"{V4.appliance}:443", "tcp", "--app", "infra_mgmt_web"),
                 "infra_mgmt_web", "allow"),
                ((f"{V4.appliance}:40000", f"{V4.resolver}:53", "udp", "--app", "dns"), "dns", "allow"),
                ((f"{V4.appliance_back}:40000", f"{V4.bmc}:623", "udp"), "clear_text_mgmt", "drop"),
                ((f"{V4.admin}:40000", f"{V4.appliance}:623", "udp"), "policy_default", "drop")):
            with self.subTest(flow):
                answer = self.ctl_json("test", "flow", *flow)
                self.assertIn(rule, json.dumps(answer))
                self.assertEqual(find("action", answer), action, answer)

    def test_trace_tells_a_running_flow(self):
        self.lab.start("traced-ping", "appliance", ["ping", "-n", "-i", "0.2", V4.bmc])
        self.addCleanup(self.lab.stop, "traced-ping")
        flow = f"{V4.appliance_back}-{V4.bmc}/icmp"
        self.seconds_until(lambda: V4.bmc in self.ctl("show", "flows"), 5, "the flow is shown")
        answer = self.ctl_json("trace", flow)
        now = answer["steps"][0]
        self.assertEqual((now["step"], now["verdict"], now["application"]), ("now", "allow", "icmp_echo"), answer)
        self.assertEqual((now["rules"][-1]["rule"], now["rules"][-1]["opinion"]), ("icmp_probe", "yes"), answer)
        self.assertIn("icmp_probe", self.ctl("trace", str(now["flow_id"])))

    def test_trace_follows_a_flow_that_is_yet_to_come(self):
        flow = f"{V4.appliance_back}:45623-{V4.bmc}:623/udp"
        follower = threading.Thread(target=lambda: told.append(self.lab.ctl("--json", "trace", flow, "--follow", "4")))
        told = []
        follower.start()
        time.sleep(1)
        busy = self.lab.ctl("trace", flow, "--follow", "1")
        self.assertEqual(busy.returncode, 1, busy.stdout)
        self.assertIn("another flow is being followed", busy.stderr)
        self.lab.run("appliance", "python3", "-c", "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); "
                     f"s.bind(('{V4.appliance_back}', 45623)); s.sendto(b'x', ('{V4.bmc}', 623))")
        follower.join()
        self.assertEqual(told[0].returncode, 0, told[0].stderr)
        steps = json.loads(told[0].stdout)["steps"]
        self.assertEqual([s["step"] for s in steps][:2], ["opened", "judged"], steps)
        judged = steps[1]
        self.assertEqual((judged["verdict"], judged["rules"][-1]["rule"]), ("drop", "clear_text_mgmt"), steps)
        self.assertIn("refused", [s["step"] for s in steps])

    def test_trace_of_no_flow_exits_1_and_of_nonsense_2(self):
        self.assertIn("no worker knows", self.ctl("trace", "1", code=1))
        self.assertIn("expected a flow_id or SRC:PORT-DST:PORT/PROTO", self.ctl("trace", "here-there/tcp", code=2))

    def test_drops_are_counted_by_reason(self):
        before = self.drops().get("policy_default", 0)
        traffic.run(self.lab, self.probe("ipmi_from_trust"))
        self.assertGreater(self.drops().get("policy_default", 0), before)
        self.check_accounting()

    def test_stats_records_are_written_and_balance(self):
        found = LogReader(self.lab).wait_for(lambda _, record: record.get("event_type") == "stats", 15)
        self.assertIsNotNone(found)


if __name__ == "__main__":
    unittest.main(verbosity=2)
