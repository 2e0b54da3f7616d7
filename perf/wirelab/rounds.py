# SPDX-License-Identifier: Apache-2.0
"""Turns on all stands, there and back again, so that drift favours none; and the rows that come of them."""
import statistics

from labkit.process import LabError
from suite.machine import MOST_STEAL, cpu_times, steal_percent
from wirelab import loads

RETRIES = 2  # of a round that the host's other guests disturbed
PLOTTED = 100  # points of a distribution


def turn_on(stand, case, seconds, rate):
    stand.thaw()
    try:
        return case.load(stand, seconds, rate)
    finally:
        stand.freeze()


def round_of(stands, case, seconds, rate):
    """Each stand twice, A B C C B A. Returns the pairs of turns by stand and the worst steal seen."""
    turns = {name: [] for name in stands}
    before = cpu_times()
    for name in [*stands, *reversed(stands)]:
        turns[name].append(turn_on(stands[name], case, seconds, rate))
    return turns, steal_percent(before, cpu_times())


def half_of_slowest(stands, case):
    port, size = case.load.keywords["port"], case.load.keywords["size"]
    rates = []
    for stand in stands.values():
        stand.thaw()
        try:
            rates.append(loads.unpaced_rate(stand, port, size))
        finally:
            stand.freeze()
    return max(min(rates) / 2, 10)


def measure(stands, case, seconds, rounds):
    """All rounds of a case: per stand a list of pairs of turns; and how many rounds were disturbed."""
    rate = half_of_slowest(stands, case) if case.paced else 0
    pairs, disturbed = {name: [] for name in stands}, 0
    for _ in range(rounds):
        for attempt in range(RETRIES + 1):
            turns, steal = round_of(stands, case, seconds, rate)
            if steal <= MOST_STEAL or attempt == RETRIES:
                break
        disturbed += steal > MOST_STEAL
        for name, pair in turns.items():
            pairs[name].append(pair)
    return pairs, disturbed


def mean_of(pair, what):
    return statistics.fmean(turn.values[what] for turn in pair)


def report(results, case, pairs, disturbed, yardsticks, goals):
    """Rows of a case: what each stand did, and its ratio to its yardstick, round by round."""
    note = f"{disturbed} rounds with more than {MOST_STEAL:.0f} % steal" if disturbed else ""
    for what, measure_ in case.measures.items():
        for name, of_stand in pairs.items():
            key = f"lab/{case.key}/{what}/{name}"
            results.add(key, [turn.values[what] for pair in of_stand for turn in pair], measure_.unit, measure_.better,
                        note=note)
            yardstick = yardsticks.get(name)
            if yardstick not in pairs or what == "held":
                continue
            ratios = []
            for pair, other in zip(of_stand, pairs[yardstick]):
                own, theirs = mean_of(pair, what), mean_of(other, what)
                if min(own, theirs) > 0:
                    ratios.append(own / theirs)
            if ratios:
                results.add(f"{key}/vs_testpmd", ratios, "ratio", measure_.better, yardstick=yardstick, note=note,
                            goal=goals.get((case.key, what, name)))
    for name, of_stand in pairs.items():
        times = sorted(t for pair in of_stand for turn in pair for t in turn.times_us)
        if times:
            at = [i * (len(times) - 1) // (PLOTTED - 1) for i in range(PLOTTED)]
            results.plot(f"latency_cdf/{case.key}/{name}", [times[i] for i in at],
                         [round((i + 1) / len(times), 4) for i in at], "us", "fraction of transactions")


class Validation:
    """RFC 9411 lets at most 0.001 % of transactions fail."""
    MOST = 1e-5

    def __init__(self):
        self.by_stand = {}

    def count(self, pairs):
        for name, of_stand in pairs.items():
            done, failed = self.by_stand.get(name, (0, 0))
            turns = [turn for pair in of_stand for turn in pair]
            self.by_stand[name] = done + sum(t.done for t in turns), failed + sum(t.failed for t in turns)

    def report(self, results):
        for name, (done, failed) in self.by_stand.items():
            goal = self.MOST if name.startswith("postern") else None
            results.add(f"lab/validation/failed/{name}", [failed / max(done, 1)], "fraction", "lower", goal=goal,
                        note=f"{failed} of {done}")


def try_all(results, chosen, stands, seconds, rounds, yardsticks, goals, say):
    validation = Validation()
    for case in chosen:
        able = {name: one for name, one in stands.items() if one.middle.carries(case.key)}
        if not able:
            continue
        try:
            pairs, disturbed = measure(able, case, seconds, rounds)
        except LabError as error:
            results.skip(f"lab/{case.key}", str(error))
            say(f"{case.key}: skipped: {error}")
            continue
        validation.count(pairs)
        report(results, case, pairs, disturbed, yardsticks, goals)
        for what, measure_ in case.measures.items():
            say(f"{case.key} {what} ({measure_.unit}): " + "  ".join(
                f"{name} {statistics.median(t.values[what] for pair in p for t in pair):.4g}"
                for name, p in pairs.items()))
    validation.report(results)
