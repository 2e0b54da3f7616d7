#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The data path of posternd on memory ports against testpmd and l3fwd, same frames, same core, in turns A B B A;
perf/README.md says what the rows mean. Needs root for hugepages, runs without."""
import argparse
import json
import os
import shutil
import signal
import statistics
import sys
import tempfile

import frames
from dpdk_programs import Bench, Failed, Hugepages
from suite.machine import MOST_STEAL, cpu_times, steal_percent

REPO = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TRIES = 6
IO = ("testpmd_io", "testpmd_macswap")
L3FWD = ("l3fwd_em", "l3fwd_lpm", "l3fwd_acl")


class Traffic:
    """A traffic file and what belongs to its rows."""

    def __init__(self, name, yardsticks, flows=1, draw="uniform", lines=(), forwards=True, table=None):
        self.name, self.yardsticks, self.flows, self.draw, self.lines = name, yardsticks, flows, draw, lines
        self.forwards = forwards
        self.table = table or max(262144, 2 * flows)

    def write(self, path):
        with open(path, "w", encoding="ascii") as file:
            file.write(f"flows {self.flows}\ndraw {self.draw}\n")
            file.writelines(f"{line}\n" for line in self.lines)


def settled(name, flows, draw, lengths, yardsticks):
    connection = frames.Connection()
    lines = [f"open {port} {frame.hex()}" for port, frame in connection.opening]
    for side in (frames.CLIENT, frames.SERVER):
        lines += [f"loop {side} {weight} {connection.data(side, length).hex()}" for length, weight in lengths]
    return Traffic(name, yardsticks, flows, draw, lines)


def fresh(name, steps, yardsticks, forwards=True):
    # Floods meet the table as shipped; connections that ended keep their records for seconds (tcp_closed).
    return Traffic(name, yardsticks, 131_072, "uniform", [f"fresh {port} {frame.hex()}" for port, frame in steps], forwards,
                   table=262_144 if len(steps) == 1 else 4_194_304)


def traffics():
    short, long = ((60, 1),), ((1514, 1),)
    everything, plain = IO + L3FWD, ("testpmd_macswap", "l3fwd_em")
    connection = frames.Connection()
    yield settled("settled/64B/10k", 10_000, "uniform", short, everything)
    yield settled("settled/64B/100", 100, "uniform", short, plain)
    yield settled("settled/64B/1M", 1_000_000, "uniform", short, everything)
    yield settled("settled/64B/10k_zipf", 10_000, "zipf", short, plain)
    yield settled("settled/64B/1M_zipf", 1_000_000, "zipf", short, plain)
    yield settled("settled/imix/10k", 10_000, "uniform", frames.IMIX, plain)
    yield settled("settled/1518B/10k", 10_000, "uniform", long, plain)
    yield fresh("new/syn", [(frames.CLIENT, frames.syn(frames.BMC_PORT))], IO[1:])
    yield fresh("new/connection", connection.opening + connection.closing, IO[1:])
    yield fresh("drop/syn_flood", [(frames.CLIENT, frames.syn(9))], ("testpmd_rxonly",), forwards=False)
    for kind, frame in frames.garbage().items():
        yield Traffic(f"drop/garbage_{kind}", ("testpmd_rxonly",), lines=[f"raw {side} 1 {frame.hex()}" for side in (0, 1)],
                      forwards=False)


# What issue and README call the goals: key -> ratio, or cycles.
GOALS = {
    "settled/64B/10k/vs_l3fwd_em": 1.0,
    "settled/64B/10k/vs_l3fwd_lpm": 0.8,
    "settled/64B/10k/over_testpmd_macswap": 60,
    "settled/64B/1M/vs_l3fwd_em": 1.3,
    "new/syn/vs_settled": 0.6,
    "rules/10k/vs_7": 1.0,
    "rules/100k/vs_7": 1.0,
    "drop/syn_flood/vs_testpmd_rxonly": 0.9,
    **{f"drop/garbage_{kind}/vs_testpmd_rxonly": 0.9 for kind in frames.garbage()},
}


def quiet_turn(program, warm, measure):
    """A turn in which the host did not take the core away; what other programs of this machine take is not counted."""
    for _ in range(TRIES):
        before = cpu_times()
        turn = program.turn(warm, measure)
        if steal_percent(before, cpu_times()) <= MOST_STEAL and turn.received > 0:
            return turn
    raise Failed(f"{program.name}: in {TRIES} turns the host took more than {MOST_STEAL:.0f} % of the time")


class Measured:
    """Turns of two programs, A B B A; cycles are of one packet received."""

    def __init__(self, ours, yardstick, forwards, profile):
        self.ratios, self.own, self.other = [], [], []
        for _ in range(profile.pairs):
            turns = [quiet_turn(program, profile.warm, profile.measure) for program in (ours, yardstick, yardstick, ours)]
            if forwards:
                check_forwarding(ours, turns[0], yardstick, turns[1])
            cycles = [turn.cycles / max(turn.received, 1) for turn in turns]
            own, other = (cycles[0] + cycles[3]) / 2, (cycles[1] + cycles[2]) / 2
            self.ratios.append(other / own)
            self.own.append(own)
            self.other.append(other)


def check_forwarding(*programs_and_turns):
    for program, turn in zip(programs_and_turns[::2], programs_and_turns[1::2]):
        if turn.sent < 0.999 * turn.received - 64:
            raise Failed(f"{program.name} sent {turn.sent} of {turn.received} packets; see {program.path}.log")


def row(key, values, unit, better, **more):
    made = {"key": key, "value": round(statistics.median(values), 4), "unit": unit, "least": round(min(values), 4),
            "most": round(max(values), 4), "samples": len(values), "better": better, **more}
    if key in GOALS:
        made["goal"] = GOALS[key]
    return made


def rows_of(name, yardstick, measured):
    yield row(f"{name}/vs_{yardstick}", measured.ratios, "ratio", "higher", yardstick=yardstick)
    yield row(f"{name}/over_{yardstick}", [a - b for a, b in zip(measured.own, measured.other)], "cycles/packet", "lower",
              yardstick=yardstick)
    yield row(f"{name}/{yardstick}_cycles", measured.other, "cycles/packet", "lower")


class Run:
    def __init__(self, arguments, folder, huge):
        self.arguments, self.folder, self.huge = arguments, folder, huge
        self.profile = Quick if arguments.quick else Long
        self.rows, self.skipped = [], []

    def wanted(self, name):
        return any(word in name for word in self.arguments.only or [name])

    def add(self, rows):
        for one in rows:
            self.rows.append(one)
            goal = f"  goal {one['goal']}" if "goal" in one else ""
            print(f"{one['key']:<55} {one['value']:>9} {one['unit']:<14} {one['least']} .. {one['most']}{goal}", flush=True)

    def bench(self, traffic):
        path = tempfile.mkdtemp(prefix="t", dir=self.folder)
        traffic.write(f"{path}/traffic")
        return Bench(self.arguments.build, f"{path}/run", f"{path}/traffic", self.huge, self.arguments.core)

    def compare(self, traffic):
        with self.bench(traffic) as bench:
            ours = bench.postern(traffic.table)
            own = []
            for yardstick in traffic.yardsticks:
                kind, mode = yardstick.split("_")
                other = bench.testpmd(mode) if kind == "testpmd" else bench.l3fwd(mode, traffic.flows)
                measured = Measured(ours, other, traffic.forwards, self.profile)
                own += measured.own
                self.add(rows_of(traffic.name, yardstick, measured))
            self.add([row(f"{traffic.name}/postern_cycles", own, "cycles/packet", "lower")])

    def more_rules(self):
        """Settled flows, and the shipped pack alone against the same with many rules of the site before it."""
        traffic = settled("rules", 10_000, "uniform", ((60, 1),), ())
        for label, count in (("10k", 10_000), ("100k", 100_000)):
            with self.bench(traffic) as bench:
                few = bench.postern(traffic.table, name="few")
                many = bench.postern(traffic.table, more_rules=count, name="many")
                measured = Measured(many, few, True, self.profile)
                self.add([row(f"rules/{label}/vs_7", measured.ratios, "ratio", "higher", yardstick="the pack's 7 rules")])

    def settled_against_new(self):
        """Packets of settled flows against first packets: two processes, because each has traffic of its own."""
        old = settled("", 10_000, "uniform", ((60, 1),), ())
        connection = frames.Connection()
        steps = {"syn": [(frames.CLIENT, frames.syn(frames.BMC_PORT))], "connection": connection.opening + connection.closing}
        for name, of in steps.items():
            new = fresh("", of, ())
            with self.bench(old) as first, self.bench(new) as second:
                measured = Measured(second.postern(new.table, name="new"), first.postern(old.table, name="settled"), True,
                                    self.profile)
                self.add([row(f"new/{name}/vs_settled", measured.ratios, "ratio", "higher", yardstick="its own settled flows")])

    def everything(self):
        for traffic in traffics():
            if self.wanted(traffic.name) and (self.profile.names is None or traffic.name in self.profile.names):
                self.attempt(traffic.name, lambda of=traffic: self.compare(of))
        for name, work in (("rules", self.more_rules), ("new/vs_settled", self.settled_against_new)):
            if self.wanted(name) and self.profile.names is None:
                self.attempt(name, work)
        self.skipped.append({"key": "workers/2/vs_1", "reason": "two workers and what feeds them want three free cores"})

    def attempt(self, name, work):
        try:
            work()
        except Failed as failure:
            print(f"{name}: {failure}", file=sys.stderr)
            self.skipped.append({"key": name, "reason": str(failure)[:500]})


class Long:
    pairs, warm, measure = 9, 15, 40  # milliseconds
    names = None  # all traffic


class Quick:
    pairs, warm, measure = 1, 5, 20
    names = ("settled/64B/100", "drop/garbage_ip_checksum")


def main():
    parser = argparse.ArgumentParser(prog="perf/memory_ports.py", description=__doc__)
    parser.add_argument("--build", default=f"{REPO}/build-perf", help="where posternd and perf/libmemory_ports.so are")
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)), help="that all programs share")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--keep", action="store_true", help="keep logs and rule files")
    parser.add_argument("only", nargs="*", help="parts of names of traffic")
    arguments = parser.parse_args()
    arguments.build = os.path.abspath(arguments.build)
    # Whoever stops this gets the programs ended and the hugepages back.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = tempfile.mkdtemp(prefix="memory_ports")
    with Hugepages() as pages:
        run = Run(arguments, folder, pages.granted)
        run.everything()
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"rows": run.rows, "series": {}, "skipped": run.skipped}, file, indent=1)
    if arguments.keep:
        print(f"kept: {folder}")
    else:
        shutil.rmtree(folder)
    return 0 if run.rows else 1


if __name__ == "__main__":
    sys.exit(main())
