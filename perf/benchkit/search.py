# SPDX-License-Identifier: Apache-2.0
"""Highest loads that a device carries, found in the manner of MLRsearch (draft-ietf-bmwg-mlrsearch): several goals in one
search, short trials with wide bounds first, long ones with narrow bounds later, and a single bad trial of many
decides nothing. Loads are packets per second, losses are shares."""
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Goal:
    name: str
    loss: float           # a trial that loses more is bad
    exceed: float = 0.5   # of the trials' time may be bad
    width: float = 0.05   # of the upper bound, between the bounds in the end


@dataclass(frozen=True)
class Step:
    trial: float   # seconds of a trial
    total: float   # seconds of trials that decide on a load
    width: float   # narrower than this is the next step's work


QUICK = (Step(0.1, 0.1, 0.1),)
LONG = (Step(0.2, 0.2, 0.1), Step(1.0, 5.0, 0.0))


@dataclass
class Load:
    """What was seen at one load in one step."""
    good: float = 0.0
    bad: float = 0.0


@dataclass
class Found:
    lower: float   # the highest load that is good enough; 0: none
    upper: float   # the lowest that is not; None: none up to the most that was offered
    loads: dict = field(default_factory=dict)


class Search:
    """`trial(load, seconds)` offers a load and returns the share that was lost, or None if it could not be offered."""

    def __init__(self, trial, most, least=1000.0, steps=LONG):
        self.trial, self.most, self.least, self.steps = trial, most, least, steps
        self.trials = 0

    def find(self, goals):
        """{name: Found}, the goals with more loss first, so that a stricter one starts from what is known."""
        found, most = {}, self.most
        for goal in sorted(goals, key=lambda one: -one.loss):
            result = self._find_one(goal, most)
            found[goal.name] = result
            most = result.upper or most
        return found

    def _find_one(self, goal, most):
        lower, upper = 0.0, None
        for step in self.steps:
            width = max(step.width, goal.width)
            seen = {}
            if lower and not self._good(goal, step, lower, seen):
                upper, lower = lower, 0.0
            if upper is None and self._good(goal, step, most, seen):
                return Found(most, None, seen)
            upper = upper or most
            # Downwards in growing steps until a load is good.
            factor = 1.0 - width
            while lower == 0.0 and upper > self.least:
                candidate = max(upper * factor, self.least)
                if self._good(goal, step, candidate, seen):
                    lower = candidate
                else:
                    upper, factor = candidate, max(factor * factor, 0.25)
            if lower == 0.0:
                return Found(0.0, upper, seen)
            # An upper bound of a shorter trial may be too low.
            if step is not self.steps[0] and upper < most and self._good(goal, step, upper, seen):
                lower, upper = upper, most
            while upper - lower > width * upper:
                middle = (lower * upper) ** 0.5
                if self._good(goal, step, middle, seen):
                    lower = middle
                else:
                    upper = middle
        return Found(lower, upper, seen)

    def _good(self, goal, step, load, seen):
        """Trials until their majority is settled; most loads need one or two."""
        spent = seen.setdefault(load, Load())
        while spent.good + spent.bad < step.total - 1e-9:
            lost = self.trial(load, step.trial)
            self.trials += 1
            if lost is None or lost > goal.loss:
                spent.bad += step.trial
            else:
                spent.good += step.trial
            if spent.bad > goal.exceed * step.total or spent.good > (1 - goal.exceed) * step.total:
                break
        return spent.bad <= goal.exceed * (spent.good + spent.bad)
