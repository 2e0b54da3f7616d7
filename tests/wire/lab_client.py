# SPDX-License-Identifier: Apache-2.0
"""What the wire tests share: one lab per module, the log, the operator's view of posternd.

A module imports WireTest, setUpModule and tearDownModule from here. POSTERN_BUILD names the build folder,
POSTERN_PORT_KIND the kind of ports, POSTERN_WORKERS how many workers; the lab's own defaults apply otherwise.
"""
import json
import os
import re
import sys
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "deploy"))

from labkit import process, traffic  # noqa: E402
from labkit.laboratory import Lab  # noqa: E402
from labkit.logs import LogReader, shortened  # noqa: E402
from labkit.topology import V4, V6  # noqa: E402

__all__ = ["LogReader", "V4", "V6", "WireTest", "find", "process", "setUpModule", "tearDownModule", "traffic"]

EVERYWHERE = "{source: [trust, internal, internet, management], destination: [trust, internal, internet, management]}"
ALLOW_PING = tuple(f"{{rule: allow_{protocol}, action: allow, zones: {EVERYWHERE}, protocol: {protocol}}}"
                   for protocol in ("icmp", "icmpv6"))
ALLOW_LOAD = (f"{{rule: allow_load, action: allow, zones: {EVERYWHERE}, protocol: tcp, ports: [5201]}}",)

_labs = []


def setUpModule():
    lab = Lab(f"wire{os.getpid()}")
    unittest.addModuleCleanup(lab.down)
    lab.up(port_kind=os.environ.get("POSTERN_PORT_KIND"), build=os.environ.get("POSTERN_BUILD"),
           workers=int(os.environ.get("POSTERN_WORKERS", "1")))
    _labs[:] = [lab]


def tearDownModule():
    lab = _labs.pop()
    if not lab.running("posternd"):
        with open(f"{lab.logs}/posternd.log", encoding="utf-8", errors="replace") as log:
            raise AssertionError("posternd is gone; its log ends with:\n" + "".join(log.readlines()[-20:]))
    check_accounting(stats(lab))


def stats(lab):
    done = lab.ctl("--json", "show", "stats")
    if done.returncode != 0:
        raise AssertionError(f"show stats: exit {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)


def find(key, value):
    """The first value of a key anywhere in a JSON value, outer levels first; None if there is none."""
    level = [value]
    while level:
        for item in level:
            if isinstance(item, dict) and key in item:
                return item[key]
        level = [inner for item in level if isinstance(item, (dict, list))
                 for inner in (item.values() if isinstance(item, dict) else item)]
    return None


def packets(value):
    """A count of packets: a number, {"packets": n}, or several of these."""
    if isinstance(value, bool) or not isinstance(value, (int, dict, list)):
        return 0
    if isinstance(value, int):
        return value
    if isinstance(value, dict):
        return packets(value["packets"]) if "packets" in value else sum(map(packets, value.values()))
    return sum(map(packets, value))


def drops(lab):
    """Dropped packets by reason."""
    value = find("drops", stats(lab))
    if isinstance(value, list):
        return {item["reason"]: packets(item) for item in value}
    return {reason: packets(count) for reason, count in (value or {}).items()}


def check_accounting(value):
    """Every packet that came in went out, was dropped for a named reason, is held or ended at
    a TLS thread: received + forged = sent + dropped + terminated + held."""
    for name in ("received", "sent", "drops"):
        if find(name, value) is None:
            raise AssertionError(f"show stats names no {name!r}: {value}")
    received, forged, sent, dropped, terminated, held = (
        packets(find(name, value)) for name in ("received", "forged", "sent", "drops", "terminated", "held"))
    if received + forged != sent + dropped + terminated + held:
        raise AssertionError(f"received {received} + forged {forged} != sent {sent} + dropped {dropped} + "
                             f"terminated {terminated} + held {held}")


class WireTest(unittest.TestCase):
    longMessage = True

    @property
    def lab(self):
        return _labs[0]

    def check_probe(self, probe, log):
        """The peers see what the rule says, and the log tells it. Returns the record."""
        outcome = traffic.run(self.lab, probe)
        self.assertTrue(outcome.fits(probe), f"{probe.short}: expected {'an answer' if probe.allowed else 'silence'}, "
                                             f"observed {outcome.observed}")
        found = log.claim(probe)
        if not found:
            near = [shortened(*each) for each in log.records if each[1].get("src_ip") == probe.source]
            self.fail(f"{probe.short}: no record in {traffic.log_file(probe)}; there were {near}")
        return found[1]

    def probe(self, name, at=V4):
        return next(probe for probe in traffic.probes(self.lab, at) if probe.name == name)

    def ctl(self, *words, code=0):
        """posternctl with an expected exit code; standard output and error as one text."""
        done = self.lab.ctl(*words)
        self.assertEqual(done.returncode, code, f"posternctl {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def ctl_json(self, *words):
        return json.loads(self.ctl("--json", *words))

    def generation(self):
        generation = find("generation", self.ctl_json("show", "generation"))
        self.assertIsInstance(generation, int)
        return generation

    def commit(self, *rules_before, name="candidate.yaml"):
        """Commits the lab's site with these rules before the pack's; reverts when the test ends."""
        self.addCleanup(self.ctl, "commit", self.lab.site_file)
        self.ctl("commit", self.lab.write_site(f"{self.lab.folder}/{name}", rules_before))

    def ping(self, address, *more, host="appliance", count=3):
        """Packets lost and what ping printed."""
        pace = () if "-f" in more else ("-i", "0.2")
        done = self.lab.run(host, "ping", "-n", "-q", *pace, "-c", str(count), "-W", "2", *more, address, timeout=120)
        match = re.search(r"(\d+) packets transmitted, (\d+) received", done.stdout)
        return (int(match[1]) - int(match[2]) if match else count), done.stdout + done.stderr

    def check_ping(self, address, *more, host="appliance", count=3):
        lost, output = self.ping(address, *more, host=host, count=count)
        self.assertEqual(lost, 0, output)

    def seconds_until(self, condition, limit, what):
        begin = time.monotonic()
        self.assertTrue(process.wait_until(condition, limit, 0.1), f"{what}: not within {limit} s")
        return time.monotonic() - begin

    def answers_ping(self, address, host="appliance"):
        return self.lab.run(host, "ping", "-n", "-c", "1", "-W", "1", address, timeout=10).returncode == 0

    def check_accounting(self):
        check_accounting(stats(self.lab))

    def drops(self):
        return drops(self.lab)
