#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every capture of this folder through `posternd replay`: each flow is called what its label says, nothing ordinary is called
management, tshark agrees, and neither a second run nor more workers change a record. Needs no privileges.
Run: tests/captures/captures_test.py [-v] [TEST...]   Environment: POSTERND (default build/posternd)."""
import collections
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
sys.dont_write_bytecode = True

import flows  # noqa: E402
import label_file  # noqa: E402
import yaml  # noqa: E402
from packets import capture as capture_file  # noqa: E402

POSTERND = os.environ.get("POSTERND", f"{os.environ.get('POSTERN_BUILD', HERE.parent.parent / 'build')}/posternd")
LABELS = label_file.read(HERE / "labels.yaml")
with open(HERE / "tshark.yaml", encoding="utf-8") as file:
    TSHARK = yaml.safe_load(file)
MANAGEMENT = re.compile(r"asf|ipmi_.*|slp|redfish.*|cim_xml|ws_man|rfc913|snmp_.*|tftp|vnc|nbd|telnet|bmc_.*|clear_text_mgmt")
ORDINARY_PROTOCOLS = 20  # at least


def pcap(name):
    return HERE / f"{name}.pcapng"


def key_of(flow):
    """Of a label or of a record: both directions alike."""
    kind = flow.get("icmp_type", 0)
    return flows.flow_key(flow["proto"], flow.get("src") or flow["src_ip"], flow.get("sport", flow.get("src_port", kind)),
                          flow.get("dest") or flow["dest_ip"], flow.get("dport", flow.get("dest_port", kind)))


def replay(folder, patterns, *pcaps, workers=1):
    """File name -> bytes of the logs of one run."""
    inputs = [word for path in pcaps for word in ("--pcap", str(path))]
    os.makedirs(folder)
    run = subprocess.run([POSTERND, "replay", *inputs, "--log", folder, "--workers", str(workers), "--pattern-cache", patterns], capture_output=True, text=True,
                         timeout=300, check=False)
    if run.returncode:
        raise AssertionError(f"posternd replay: exit {run.returncode}: {run.stderr}")
    return {path.name: path.read_bytes() for path in sorted(Path(folder).glob("*.json"))}


def records(logs):
    lines = [json.loads(line) for content in logs.values() for line in content.splitlines()]
    return [record for record in lines if record["event_type"] in ("flow", "drop")]


def called(record):
    """The application in a record; what could not be told is unidentified."""
    name = record.get("app_proto", "unidentified")
    return "unidentified" if name == "failed" else name


def labelled(name):
    return {key_of(flow): flow["app"] for flow in LABELS[name]["flows"]}


def tshark(name):
    """Flow -> applications of the table that tshark sees in it."""
    fields = sorted({field for entry in TSHARK["protocols"].values() for where in entry.get("where", {})
                     for field in where.split("|")})
    command = ["tshark", "-n", "-r", pcap(name), "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=|",
               "-e", "frame.number", "-e", "frame.protocols"]
    command += [word for field in fields for word in ("-e", field)]
    command += [word for rule in LABELS[name].get("decode_as", ()) for word in ("-d", rule)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if run.returncode:
        raise AssertionError(f"tshark: {run.stderr}")
    packets = [flows.parse(frame.data) for frame in capture_file.read_pcapng(pcap(name))]
    seen = collections.defaultdict(set)
    for line in run.stdout.splitlines():
        number, words, *values = line.split("\t")
        packet = packets[int(number) - 1]
        if packet and not packet.error:
            seen[packet.key()] |= applications(set(words.split(":")), dict(zip(fields, values)))
    return seen


def applications(words, values):
    def fits(where, expression):
        return any(re.search(expression, value) for field in where.split("|") for value in values[field].split("|"))
    return {app for app, entry in TSHARK["protocols"].items()
            if words & set(entry["words"]) and all(fits(*each) for each in entry.get("where", {}).items())}


def excused(name, app):
    return any(each.get("capture", name) == name and each.get("app", app) == app for each in TSHARK["exceptions"])


class Captures(unittest.TestCase):
    """Methods per capture are added below. The programs run ahead, one per core, while the results are looked at."""

    @classmethod
    def setUpClass(cls):
        owner = tempfile.TemporaryDirectory()
        cls.addClassCleanup(owner.cleanup)
        jobs, patterns = {}, f"{owner.name}/patterns"
        for name in LABELS:
            jobs["plain", name] = replay, f"{owner.name}/{name}", patterns, pcap(name)
            jobs["again", name] = replay, f"{owner.name}/{name}-again", patterns, pcap(name)
            jobs["tshark", name] = tshark, name
        pool = concurrent.futures.ThreadPoolExecutor(os.cpu_count())
        cls.addClassCleanup(lambda: pool.shutdown(cancel_futures=True))
        cls.jobs, cls.futures = jobs, {key: pool.submit(*job) for key, job in jobs.items()}

    def result(self, kind, name):
        future = self.futures[kind, name]
        if future.cancel() or future.cancelled():  # not yet its turn: only a few tests were asked for
            function, *words = self.jobs[kind, name]
            future = self.futures[kind, name] = concurrent.futures.Future()
            future.set_result(function(*words))
        return future.result()

    def plain_logs(self, name):
        return self.result("plain", name)

    def check_labels(self, name):
        labels, found = labelled(name), collections.defaultdict(set)
        for record in records(self.plain_logs(name)):
            found[key_of(record)].add(called(record))
        wrong = {key: (sorted(found[key]), f"expected {app}") for key, app in labels.items() if found[key] != {app}}
        self.assertEqual(wrong, {})
        self.assertEqual(set(found), set(labels), "posternd and the labels have the same flows")

    def check_no_management(self, name):
        labels = labelled(name)
        claims = [(key_of(record), called(record)) for record in records(self.plain_logs(name))]
        self.assertTrue(claims)
        self.assertEqual([(key, app) for key, app in claims
                          if MANAGEMENT.fullmatch(app) and not MANAGEMENT.fullmatch(labels.get(key, ""))], [])

    def check_tshark(self, name):
        seen = self.result("tshark", name)
        for key, app in labelled(name).items():
            if excused(name, app):
                continue
            allowed = {app, *TSHARK["protocols"].get(app, {}).get("carries", ())}
            if app in TSHARK["protocols"]:
                self.assertIn(app, seen[key], f"tshark does not see {app} in {key}")
            self.assertLessEqual(seen[key], allowed, f"tshark calls {key} otherwise")

    def check_repeats(self, name):
        self.assertEqual(self.plain_logs(name), self.result("again", name))


class Corpus(unittest.TestCase):
    def test_every_capture_has_labels_and_every_label_a_capture(self):
        self.assertEqual({path.stem for path in HERE.glob("*.pcapng")}, set(LABELS))
        for name in LABELS:
            frames = capture_file.read_pcapng(pcap(name))
            self.assertEqual(set(flows.flows_of(frame.data for frame in frames)), set(labelled(name)), name)

    def test_every_application_of_the_table_is_in_a_capture(self):
        apps = {flow["app"] for entry in LABELS.values() for flow in entry["flows"]}
        carried = {other for app in apps & set(TSHARK["protocols"]) for other in TSHARK["protocols"][app].get("carries", ())}
        self.assertEqual(set(TSHARK["protocols"]) - apps - carried, set())
        self.assertEqual({each["app"] for each in TSHARK["exceptions"] if "app" in each} - apps, set())
        self.assertEqual(apps - set(TSHARK["protocols"]) - {each.get("app") for each in TSHARK["exceptions"] if "capture" not in each}, {"unidentified"})

    def test_the_ordinary_traffic_is_of_many_protocols(self):
        ordinary = {name for name, entry in LABELS.items() if not any(MANAGEMENT.fullmatch(flow["app"]) for flow in entry["flows"])}
        named = {flow["app"] for name in ordinary for flow in LABELS[name]["flows"]} - {"unidentified"}
        nameless = {name for name in ordinary if {flow["app"] for flow in LABELS[name]["flows"]} == {"unidentified"}}
        self.assertGreaterEqual(len(named), ORDINARY_PROTOCOLS)
        self.assertGreaterEqual(len(nameless), ORDINARY_PROTOCOLS // 2)

    def test_workers_do_not_change_the_records(self):
        with tempfile.TemporaryDirectory() as folder:
            def lines(workers):
                logs = replay(f"{folder}/{workers}", f"{folder}/patterns", *map(pcap, LABELS), workers=workers)
                return sorted(json.dumps(record, sort_keys=True) for record in records(logs))
            one = lines(1)
            self.assertGreaterEqual(len(one), sum(len(entry["flows"]) for entry in LABELS.values()))
            for workers in (2, 4):
                self.assertEqual(lines(workers), one, f"{workers} workers")


def add(check, name):
    words = check.removeprefix("check_")
    setattr(Captures, f"test_{name}_{words}", lambda self: getattr(self, check)(name))


for each in LABELS:
    for one in ("check_labels", "check_no_management", "check_tshark", "check_repeats"):
        add(one, each)


if __name__ == "__main__":
    unittest.main()
