# SPDX-License-Identifier: Apache-2.0
"""Reads a .case file (README.md) into packets with their expected fate and log records. Errors name file and line."""
import re
from dataclasses import dataclass, field
from pathlib import Path

import scapy.layers.eap
import scapy.layers.inet
import scapy.layers.inet6
import scapy.layers.l2
import scapy.packet
import yaml
from packets import conversation, fragments, hosts, payloads

HEADER_KEYS = {"title", "site", "workers", "order"}
SECTIONS = {"with", "let", "packets", "log"}
PACKET_LINE = re.compile(r"^(?:(?P<place>[a-z]\w*:[a-z]\w*)\s+)?(?:\+(?P<delay>[\d.]+)\s+)?(?P<code>.+?)(?:\s+=>\s+(?P<fate>.+))?$")
LOG_LINE = re.compile(r"^(?:(?P<count>\d+)x\s+)?(?P<event>[a-z]+)(?P<fields>(?:\s+[\w.]+=\S+)*)$")
FATES = re.compile(r"^(?:(?P<pass>pass)(?:\s+as\s+(?P<code>.+?))?(?:\s+then\s+(?P<then>.+))?|drop\s+(?P<reason>[a-z_0-9]+)"
                   r"|waits\s+as\s+(?P<label>[a-z]\w*)|(?P<plain>held|lost|free))$")
START = 1_767_225_600 * 10**9  # 2026-01-01, when every case begins
STEP = 10**6                   # from one packet to the next unless the case says more


class CaseError(Exception):
    pass


@dataclass
class Packet:
    place: str
    time: int
    data: bytes
    kind: str               # pass, drop, waits, held, lost (dropped or held, whatever the reason), free (may pass or not)
    reason: str = ""
    leaves: list = field(default_factory=list)    # frames that leave when it comes: itself and what waited for it
    line: int = 0


@dataclass
class Expected:
    event: str
    fields: dict
    line: int = 0

    def text(self):
        return " ".join([self.event] + [f"{key}={value}" for key, value in self.fields.items()])


@dataclass
class Case:
    path: Path
    title: str = ""
    site: str = "seed"
    workers: int = 1
    order: str = "exact"
    changes: dict = field(default_factory=dict)   # dotted path in the site file -> value
    packets: list = field(default_factory=list)
    records: list = None                          # None: the case says nothing about logs
    others: bool = False                          # further records are allowed

    @property
    def name(self):
        return self.path.stem


def _names():
    names = {}
    for module in (scapy.packet, scapy.layers.l2, scapy.layers.inet, scapy.layers.inet6, scapy.layers.eap,
                   payloads, conversation, fragments, hosts):
        names |= {name: value for name, value in vars(module).items() if not name.startswith("_")}
    return names


NAMES = _names()


def _sections(path):
    """(key, line number, text after the colon, body lines with their numbers) of each unindented `key:`."""
    found, pending = [], ""
    for number, raw in enumerate(path.read_text().splitlines(), 1):
        if raw.strip() == "" or raw.lstrip().startswith("#"):
            continue
        if raw.endswith("\\"):
            pending += raw[:-1].rstrip() + " "
            continue
        line = pending + (raw.strip() if pending else raw)
        pending = ""
        if not line[0].isspace():
            key, colon, rest = line.partition(":")
            if not colon or key not in HEADER_KEYS | SECTIONS:
                raise CaseError(f"{path}:{number}: found {line!r}, expected one of {', '.join(sorted(HEADER_KEYS | SECTIONS))}")
            found.append((key, number, rest.strip(), []))
        elif not found:
            raise CaseError(f"{path}:{number}: indented line before any section")
        else:
            found[-1][3].append((number, line))
    return found


def _evaluate(code, names, where):
    try:
        return eval(code, names)  # cases are our own sources
    except Exception as error:
        raise CaseError(f"{where}: {code}: {type(error).__name__}: {error}") from error


def _flattened(value):
    return [item for part in value for item in _flattened(part)] if isinstance(value, (list, tuple)) else [value]


def _bytes(packet):
    return packet if isinstance(packet, bytes) else bytes(hosts.framed(packet))


def _fate(text, where):
    match = FATES.match(text or "pass")
    if not match:
        raise CaseError(f"{where}: fate {text!r}, expected pass [as EXPR] [then EXPR], drop REASON, waits as NAME, held, lost or free")
    return match["pass"] or match["plain"] or ("drop" if match["reason"] else "waits"), match


def _leaves(kind, fate, packet, names, where):
    if kind not in ("pass", "free"):
        return []
    itself = _evaluate(fate["code"], names | {"p": packet}, where) if fate["code"] else packet
    behind = _flattened(_evaluate(fate["then"], names, where)) if fate["then"] else []
    return [_bytes(frame) for frame in (itself, *behind)]


def _add_packets(case, line, number, names, clock):
    where = f"{case.path}:{number}"
    match = PACKET_LINE.match(line.strip())
    clock += round(float(match["delay"]) * 10**9) if match["delay"] else 0
    kind, fate = _fate(match["fate"], where)
    packets = _flattened(_evaluate(match["code"], names, where))
    if kind == "waits":
        names[fate["label"]] = packets
    for packet in packets:
        place = match["place"] or (None if isinstance(packet, bytes) else hosts.place_of(packet))
        if place is None:
            raise CaseError(f"{where}: say where the packet enters, as wire:side before it")
        leaves = _leaves(kind, fate, packet, names, where)
        case.packets.append(Packet(place, clock, _bytes(packet), kind, fate["reason"] or "", leaves, number))
        clock += STEP
    return clock


def _add_record(case, line, number):
    text = line.strip()
    if text in ("none", "others"):
        case.others = case.others or text == "others"
        return
    match = LOG_LINE.match(text)
    if not match:
        raise CaseError(f"{case.path}:{number}: found {text!r}, expected [Nx] EVENT KEY=VALUE..., none or others")
    fields = dict(part.split("=", 1) for part in match["fields"].split())
    case.records += [Expected(match["event"], fields, number)] * int(match["count"] or 1)


def read(path):
    case, names, clock = Case(path), dict(NAMES), START
    for key, number, rest, body in _sections(path):
        if key in SECTIONS and rest and key != "log":
            raise CaseError(f"{path}:{number}: {key} takes indented lines")
        if key == "with":
            case.changes = yaml.safe_load("\n".join(line for _, line in body))
        elif key == "let":
            for line_number, line in body:
                name, _, code = line.strip().partition("=")
                names[name.strip()] = _evaluate(code.strip(), names, f"{path}:{line_number}")
        elif key == "packets":
            for line_number, line in body:
                clock = _add_packets(case, line, line_number, names, clock)
        elif key == "log":
            case.records = []
            for line_number, line in ([(number, rest)] if rest else []) + body:
                _add_record(case, line, line_number)
        else:
            setattr(case, key, int(rest) if key == "workers" else rest)
    if not case.title or not case.packets or case.order not in ("exact", "any"):
        raise CaseError(f"{path}: a case needs a title, packets, and order exact or any")
    return case
