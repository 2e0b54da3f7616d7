# SPDX-License-Identifier: Apache-2.0
"""Compares what a replay did with what a case expects. Every function returns lines that say what is wrong."""
import json
from collections import Counter
from fnmatch import fnmatchcase

from packets.hosts import opposite
from scapy.layers.l2 import Dot3, Ether


def summary(data):
    try:
        length_field = len(data) >= 14 and int.from_bytes(data[12:14], "big") <= 1500
        return f"{(Dot3 if length_field else Ether)(data).summary()} [{len(data)} bytes]"
    except Exception:
        return f"{data[:32].hex()} [{len(data)} bytes]"


def frames(case, sent):
    """`sent` are the Frames that left, in order."""
    wrong = []
    places = sorted({opposite(p.place) for p in case.packets} | {frame.interface for frame in sent})
    for place in places:
        expected = [(p, data) for p in case.packets if opposite(p.place) == place for data in p.leaves]
        actual = [frame.data for frame in sent if frame.interface == place]
        wrong += _any_order(place, expected, actual) if case.order == "any" else _exact_order(place, expected, actual)
    return wrong


def _exact_order(place, expected, actual):
    wrong, at = [], 0
    for packet, data in expected:
        if at < len(actual) and actual[at] == data:
            at += 1
        elif packet.kind == "pass":
            later = data in actual[at:]
            wrong.append(f"{place}: line {packet.line}: {'came too late' if later else 'did not come out'}: {summary(data)}")
            if later:
                at = actual.index(data, at) + 1
    surplus = Counter(actual) - Counter(data for _, data in expected)
    wrong += [f"{place}: came out against expectation: {count}x {summary(data)}" for data, count in surplus.items()]
    if at < len(actual) and not wrong:
        wrong.append(f"{place}: wrong order: {summary(actual[at])}")
    return wrong


def _any_order(place, expected, actual):
    required = Counter(data for packet, data in expected if packet.kind == "pass")
    allowed = Counter(data for _, data in expected)
    left = Counter(actual)
    return ([f"{place}: did not come out: {count}x {summary(data)}" for data, count in (required - left).items()]
            + [f"{place}: came out against expectation: {count}x {summary(data)}" for data, count in (left - allowed).items()])


def counters(case, stats, sent):
    received, dropped = stats["received"], sum(stats["drops"].values())
    wrong = []
    if received != len(case.packets):
        wrong.append(f"received {received}, expected {len(case.packets)}")
    if stats["sent"] != len(sent):
        wrong.append(f"counted {stats['sent']} sent, but {len(sent)} came out")
    if received != stats["sent"] + dropped + stats["held"]:
        wrong.append(f"accounting: received {received} != sent {stats['sent']} + dropped {dropped} + held {stats['held']}")
    slack = any(p.kind in ("lost", "free") for p in case.packets)
    expected = Counter(p.reason for p in case.packets if p.kind == "drop")
    expected["held"] = sum(p.kind == "held" for p in case.packets)
    actual = Counter({reason: count for reason, count in stats["drops"].items() if count}) + Counter(held=stats["held"])
    for reason in sorted(expected.keys() | actual.keys()):
        few, many = actual[reason] < expected[reason], actual[reason] > expected[reason]
        if few or (many and not slack):
            wrong.append(f"drops: {reason} {actual[reason]}, expected {expected[reason]}")
    return wrong


def _value(record, path):
    for key in path.split("."):
        if not isinstance(record, dict) or key not in record:
            return "-"
        record = record[key]
    return record if isinstance(record, str) else json.dumps(record)


def _fits(record, expected):
    return _value(record, "event_type") == expected.event and not _differences(record, expected)


def _differences(record, expected):
    return [f"{key}={_value(record, key)}" for key, pattern in expected.fields.items()
            if not fnmatchcase(_value(record, key), pattern)]


def records(case, found):
    """`found` are the log records of all files, each with its forwarding profile as `to`."""
    wrong = [f"log: incomplete record {json.dumps(r)}" for r in found
             if not {"timestamp", "event_type", "policy", "verdict"} <= r.keys()]
    if case.records is None:
        return wrong
    owner = {}  # record -> expectation

    def assign(index, tried):
        for candidate, record in enumerate(found):
            if candidate in tried or not _fits(record, case.records[index]):
                continue
            tried.add(candidate)
            if candidate not in owner or assign(owner[candidate], tried):
                owner[candidate] = index
                return True
        return False

    missing = [expected for index, expected in enumerate(case.records) if not assign(index, set())]
    surplus = [record for index, record in enumerate(found) if index not in owner]
    for expected in missing:
        wrong.append(f"log: line {expected.line}: no record {expected.text()}")
        near = [r for r in surplus if r.get("event_type") == expected.event]
        if near:
            closest = min(near, key=lambda r: len(_differences(r, expected)))
            wrong.append(f"     closest has {' '.join(_differences(closest, expected))}")
    if not case.others:
        wrong += [f"log: unexpected record {line(r)}" for r in surplus]
    return wrong


SHOWN = ["to", "app_id", "policy.rule", "verdict.action", "verdict.reason", "flow.log", "flow.reason", "flow.dropped_pkts",
         "decrypt.result", "inspection.reason", "user"]


def line(record):
    """A record as a line of a case's log section."""
    return " ".join([record.get("event_type", "?")] + [f"{key}={_value(record, key)}" for key in SHOWN if _value(record, key) != "-"])
