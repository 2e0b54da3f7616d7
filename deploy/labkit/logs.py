# SPDX-License-Identifier: Apache-2.0
"""Reads posternd's JSON lines while they are being written."""
import ipaddress
import json
import os
import time

from labkit import traffic


class LogReader:
    """Records that appeared in the lab's log files since this reader was made."""

    def __init__(self, lab):
        self.lab = lab
        self.records = []  # (file name, record)
        self._offsets = {}
        self._claimed = set()
        self.poll()
        self.records.clear()

    def poll(self):
        for name in sorted(os.listdir(self.lab.logs)):
            if not name.startswith("siem_"):
                continue
            with open(f"{self.lab.logs}/{name}", "rb") as file:
                file.seek(self._offsets.get(name, 0))
                data = file.read()
            whole = data.rpartition(b"\n")[0]
            self._offsets[name] = self._offsets.get(name, 0) + len(whole) + bool(whole)
            self.records += [(name, json.loads(line)) for line in whole.splitlines() if line.strip()]

    def wait_for(self, test, seconds=20.0):
        """The first (file, record) for which test(file, record) holds; None if there is none in time."""
        deadline = time.monotonic() + seconds
        while True:
            self.poll()
            for file, record in self.records:
                if test(file, record):
                    return file, record
            if time.monotonic() >= deadline:
                return None
            time.sleep(0.2)

    def claim(self, probe, seconds=20.0):
        """The record of a probe, from the file its rule names; no two probes get records of the same flow."""
        found = self.wait_for(lambda file, record: record.get("flow_id") not in self._claimed
                              and file == traffic.log_file(probe) and is_record_of(probe, record), seconds)
        if found:
            self._claimed.add(found[1].get("flow_id"))
        return found


def same_address(text, address):
    try:
        return ipaddress.ip_address(text) == ipaddress.ip_address(address)
    except ValueError:
        return False


def is_record_of(probe, record):
    verdict, policy = record.get("verdict", {}), record.get("policy", {})
    kind, action = ("flow", "allow") if probe.allowed else ("drop", "drop")
    if (record.get("event_type"), verdict.get("action")) != (kind, action):
        return False
    if not same_address(record.get("src_ip", ""), probe.source):
        return False
    if not same_address(record.get("dest_ip", ""), probe.destination):
        return False
    if str(record.get("proto", "")).upper().replace("ICMPV6", "IPV6-ICMP") != probe.protocol:
        return False
    if probe.port and record.get("dest_port") != probe.port:
        return False
    if probe.rule == traffic.DEFAULT:
        return verdict.get("reason") == "policy_default"
    return policy.get("rule") == probe.rule and policy.get("index") == traffic.rule_index(probe.rule)


def shortened(file, record):
    """One record in one short line, its own names kept."""
    kept = {key: record[key] for key in ("event_type", "app_id") if key in record}
    policy, verdict = record.get("policy", {}), record.get("verdict", {})
    kept["policy"] = {key: policy[key] for key in ("rule", "index") if key in policy}
    kept["verdict"] = {key: verdict[key] for key in ("action", "reason") if key in verdict}
    return f"{file}: {json.dumps(kept, separators=(',', ':'))}"
