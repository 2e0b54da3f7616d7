#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs golden cases through `posternd replay` and compares packets, counters and log records (README.md).

Usage: run.py [--posternd PATH] [--update] [--check] [--keep DIR] [--jobs N] [CASE...]
CASE is a file or the beginning of a case's name. Exit status: 0 all passed, 1 some failed, 2 usage or a broken case."""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import yaml  # noqa: E402

import case_file  # noqa: E402
import compare  # noqa: E402
from packets.capture import Frame, read_pcapng, write_pcapng  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*")
    parser.add_argument("--posternd", default=os.environ.get("POSTERND", str(HERE.parent.parent / "build" / "posternd")))
    parser.add_argument("--update", action="store_true", help="rewrite the log section of failing cases as observed")
    parser.add_argument("--check", action="store_true", help="only read the cases and build their packets")
    parser.add_argument("--keep", help="leave captures, site files and logs in this folder")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    return parser.parse_args()


def selected(names):
    every = sorted(HERE.glob("*.case"))
    if not names:
        return every
    chosen = [p for p in every if any(p.name.startswith(Path(name).name) for name in names)]
    return chosen or sys.exit(f"run.py: no case begins with {' '.join(names)}")


def set_path(site, dotted, value):
    """Sets `wires.front.vlan_map` and the like: an item of a list is found by its number or by its first value."""
    *keys, last = dotted.split(".")
    for key in keys:
        site = site[position(site, key)] if isinstance(site, list) else site.setdefault(key, {})
    site[position(site, last) if isinstance(site, list) else last] = value


def position(items, key):
    if key.isdigit() and int(key) < len(items):
        return int(key)
    found = [n for n, item in enumerate(items) if str(next(iter(item.values()))) == key]
    return found[0] if found else sys.exit(f"run.py: the site has no item {key}")


def write_site(case, path):
    source = HERE / "sites" / f"{case.site}.yaml"
    site = yaml.safe_load(source.read_text())
    site["packs"] = [str((source.parent / pack).resolve()) for pack in site.get("packs", [])]
    site["workers"] = case.workers
    for dotted, value in (case.changes or {}).items():
        set_path(site, dotted, value)
    dumper = yaml.SafeDumper
    dumper.ignore_aliases = lambda *_: True
    path.write_text(yaml.dump(site, Dumper=dumper, sort_keys=False))


def read_log(folder):
    stats, records = None, []
    for file in sorted(folder.glob("*.json")):
        for text in file.read_text().splitlines():
            record = json.loads(text)
            if record.get("event_type") == "stats":
                stats = record.get("stats", record)
            else:
                records.append(record | {"to": file.stem})
    return stats, sorted(records, key=lambda r: r.get("timestamp", ""))


def replay(posternd, case, folder, patterns):
    """(what is wrong, log records)"""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "log"
    log.mkdir(exist_ok=True)
    write_site(case, folder / "site.yaml")
    write_pcapng(folder / "in.pcapng", [Frame(p.place, p.time, p.data) for p in case.packets])
    command = [posternd, "replay", "--site", str(folder / "site.yaml"), "--pcap", str(folder / "in.pcapng"),
               "--out", str(folder / "out.pcapng"), "--log", str(log), "--pattern-cache", str(patterns)]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        return ["replay did not end within 60 s"], []
    if run.returncode != 0:
        return [f"replay ended with {run.returncode}: {text}" for text in (run.stderr.splitlines() or ["(silent)"])[-12:]], []
    try:
        sent = read_pcapng(folder / "out.pcapng")
        stats, records = read_log(log)
        if stats is None:
            return [f"no stats record in {log}"], records
        return compare.frames(case, sent) + compare.counters(case, stats, sent) + compare.records(case, records), records
    except (ValueError, KeyError, OSError) as error:
        return [f"output is not readable: {type(error).__name__}: {error}"], []


def rewrite_log(case, records):
    lines = case.path.read_text().splitlines()
    start = next((i for i, text in enumerate(lines) if text.startswith("log:")), len(lines))
    end = next((i for i in range(start + 1, len(lines)) if lines[i] and not lines[i][0].isspace()), len(lines))
    body = [f"  {compare.line(record)}" for record in records] or ["  none"]
    case.path.write_text("\n".join(lines[:start] + ["log:"] + body + lines[end:]) + "\n")


def main():
    options = arguments()
    try:
        cases = [case_file.read(path) for path in selected(options.cases)]
    except case_file.CaseError as error:
        sys.exit(f"run.py: {error}")
    if options.check:
        print(f"{len(cases)} cases, {sum(len(case.packets) for case in cases)} packets")
        return 0
    failed = 0
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(options.jobs) as pool:
        root = Path(options.keep or scratch)
        results = pool.map(lambda case: replay(options.posternd, case, root / case.name, Path(scratch) / "patterns"), cases)
        for case, (wrong, records) in zip(cases, results):
            failed += bool(wrong)
            print(f"{'FAIL' if wrong else 'ok  '} {case.name}: {case.title}", flush=True)
            for text in wrong:
                print(f"       {text}")
            if wrong and options.update and case.records is not None and records:
                rewrite_log(case, records)
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
