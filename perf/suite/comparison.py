# SPDX-License-Identifier: Apache-2.0
"""Whether a figure has changed between two runs, or only wavered. perf/README.md states the rule."""
import math
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatch


class Finding(Enum):
    BETTER = "better"
    WORSE = "worse"
    NOISE = "noise"
    NEW = "new"
    MISSING = "missing"
    SKIPPED = "skipped"
    INCOMPARABLE = "incomparable"


FAILURES = (Finding.WORSE, Finding.MISSING)
# Mean range of so many samples of a normal distribution, in standard deviations.
RANGES = {2: 1.128, 3: 1.693, 4: 2.059, 5: 2.326, 6: 2.534, 7: 2.704, 8: 2.847, 9: 2.970, 10: 3.078, 15: 3.472,
          20: 3.735, 31: 4.110, 50: 4.498, 100: 5.015}
MEDIAN_TO_MEAN = 1.2533  # how much less certain a median is than a mean
SURENESS = 3.0  # standard errors that a change must exceed
FEW_SAMPLES = 3  # with fewer, the spread says nothing
# What of the fingerprint decides how fast something is; the commit is what is being judged.
SAME_MACHINE = ("cpu", "cores", "memory_gb", "kernel", "tcp")
# Units that mean the same on every machine.
PORTABLE = ("ratio", "fraction", "bytes", "packets", "connections")
EXACT = ("bytes", "packets")  # counted, not measured


@dataclass(frozen=True)
class Thresholds:
    """Relative changes below these are noise, whatever the samples say."""
    sampled: float = 0.05
    single: float = 0.20  # rows with fewer than FEW_SAMPLES samples, or without least and most


@dataclass(frozen=True)
class Line:
    key: str
    finding: Finding
    old: object = None  # rows
    new: object = None
    change: float = 0.0  # relative, positive is better
    why: str = ""


def _standard_error(row):
    """Of the row's median, from its range; None where the samples do not tell."""
    count = row.get("samples", 1)
    if count < FEW_SAMPLES or "least" not in row or "most" not in row:
        return None
    width = RANGES[max(n for n in RANGES if n <= count)]
    return MEDIAN_TO_MEAN * (row["most"] - row["least"]) / width / math.sqrt(count)


def _fraction(key, old, new):
    """Failures per transaction: what counts is whether the goal is kept."""
    goal = new.get("goal", old.get("goal", 0.0))
    kept = (old["value"] <= goal, new["value"] <= goal)
    finding = {(True, False): Finding.WORSE, (False, True): Finding.BETTER}.get(kept, Finding.NOISE)
    return Line(key, finding, old, new, why=f"goal {goal:g}")


def _judge(key, old, new, thresholds):
    if new.get("trusted") is False or old.get("trusted") is False:
        return Line(key, Finding.NOISE, old, new, why="steal was high in one of the runs")
    if new["unit"] == "fraction":
        return _fraction(key, old, new)
    difference = new["value"] - old["value"]
    if new.get("better", "higher") == "lower":
        difference = -difference
    if difference == 0:
        return Line(key, Finding.NOISE, old, new)
    change = difference / abs(old["value"]) if old["value"] else math.copysign(math.inf, difference)
    errors = [_standard_error(row) for row in (old, new)]
    if new["unit"] in EXACT:
        changed, why = True, "counted exactly"
    elif None in errors:
        changed, why = abs(change) > thresholds.single, f"few samples: only beyond {thresholds.single:.0%}"
    else:
        sure = SURENESS * math.hypot(*errors)
        changed = abs(difference) > sure and abs(change) > thresholds.sampled
        why = f"sure beyond {sure / abs(old['value']):.1%}" if old["value"] else ""
    finding = (Finding.BETTER if difference > 0 else Finding.WORSE) if changed else Finding.NOISE
    return Line(key, finding, old, new, change, why)


def same_machine(old, new):
    return all(old.get(fact) == new.get(fact) for fact in SAME_MACHINE)


def compare(old, new, thresholds=Thresholds()):
    """One line per key of either run, in the order of the old one."""
    before, after = ({row["key"]: row for row in run["rows"]} for run in (old, new))
    skipped = [gap["key"] for gap in new.get("skipped", [])]
    portable_only = not same_machine(old.get("machine", {}), new.get("machine", {}))
    lines = []
    for key, row in before.items():
        if key not in after:
            excused = any(fnmatch(key, f"{pattern}*") for pattern in skipped)
            lines.append(Line(key, Finding.SKIPPED if excused else Finding.MISSING, row))
        elif row["unit"] != after[key]["unit"]:
            lines.append(Line(key, Finding.INCOMPARABLE, row, after[key], why=f"was in {row['unit']}"))
        elif portable_only and row["unit"] not in PORTABLE:
            lines.append(Line(key, Finding.INCOMPARABLE, row, after[key], why="another machine"))
        else:
            lines.append(_judge(key, row, after[key], thresholds))
    lines += [Line(key, Finding.NEW, None, row) for key, row in after.items() if key not in before]
    return lines
