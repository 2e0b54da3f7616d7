#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every rule of the pack and the default, with real clients and servers, in IPv4, IPv6 and VLANs."""
import unittest

from lab_client import LogReader, WireTest, process, setUpModule, tearDownModule, traffic  # noqa: F401

from labkit.laboratory import Lab


class Rules(WireTest):
    """One test per probe, added below."""


class Tagged(WireTest):
    def test_flows_in_a_vlan_are_judged_like_others_and_keep_their_tag(self):
        for probe in traffic.tagged_probes(self.lab):
            if probe.destination != probe.source and probe.name != "dns_across_mapped_vlans":
                with self.subTest(probe.name):
                    record = self.check_probe(probe, LogReader(self.lab))
                    self.assertEqual(record.get("vlan"), [30])

    def test_vlan_map_joins_two_vlans(self):
        probe = next(p for p in traffic.tagged_probes(self.lab) if p.name == "dns_across_mapped_vlans")
        record = self.check_probe(probe, LogReader(self.lab))
        self.assertEqual(record.get("vlan"), [110])


class Silence(WireTest):
    def test_nothing_comes_back_for_what_clear_text_mgmt_drops(self):
        capture = self.lab.start("silence", "appliance",
                                 ["tcpdump", "-nl", "-i", "back0", "--immediate-mode",
                                  "(tcp or udp or icmp) and src host 10.78.0.20"])
        with open(capture["log"], encoding="utf-8", errors="replace") as log:
            def text():
                log.seek(0)
                return log.read()

            self.assertTrue(process.wait_until(lambda: "listening on" in text(), 5), text())
            for probe in traffic.probes(self.lab):
                if probe.rule == "clear_text_mgmt":
                    traffic.run(self.lab, probe)
            self.lab.stop("silence")
            self.assertRegex(text(), r"(?m)^0 packets captured")


def rule_test(name, at):
    def test(self):
        self.check_probe(self.probe(name, at), LogReader(self.lab))
    return test


for family, addresses in traffic.BOTH:
    for each in traffic.probes(Lab("unused"), addresses):
        setattr(Rules, f"test_{each.rule}_{each.name}_{family}", rule_test(each.name, addresses))


if __name__ == "__main__":
    unittest.main(verbosity=2)
