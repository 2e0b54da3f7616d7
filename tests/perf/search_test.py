#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The search for the highest load, on devices that are functions."""
import os
import random
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "perf"))

from benchkit import search  # noqa: E402
from benchkit.search import Goal, Search  # noqa: E402

NDR, PDR = Goal("ndr", 0.0, width=0.02), Goal("pdr", 0.005, width=0.02)


def device(capacity):
    """Loses what exceeds its capacity."""
    return lambda load, _: max(0.0, 1 - capacity / load)


class SearchTest(unittest.TestCase):
    def test_finds_the_capacity_within_the_width(self):
        for capacity in (20_000, 123_456, 900_000, 990_000):
            for steps in (search.QUICK, search.LONG):
                found = Search(device(capacity), 1_000_000, steps=steps).find([NDR])["ndr"]
                self.assertLessEqual(found.lower, capacity)
                self.assertGreater(found.upper, capacity)
                width = max(0.02, steps[-1].width)
                self.assertLessEqual(found.upper - found.lower, width * found.upper * 1.001)

    def test_all_that_is_offered_may_be_carried(self):
        found = Search(device(2e6), 1e6).find([NDR])["ndr"]
        self.assertEqual((found.lower, found.upper), (1e6, None))

    def test_a_device_that_carries_nothing_is_said_to(self):
        self.assertEqual(Search(lambda *_: 1.0, 1e6).find([NDR])["ndr"].lower, 0.0)

    def test_a_load_that_cannot_be_offered_is_no_good(self):
        found = Search(lambda load, _: None if load > 300_000 else 0.0, 1e6).find([NDR])["ndr"]
        self.assertAlmostEqual(found.lower, 300_000, delta=300_000 * 0.03)

    def test_the_goal_with_loss_lies_above_the_one_without(self):
        def soft(load, _):  # a little is lost from half the capacity on
            return 0.0 if load < 400_000 else 0.001 if load < 800_000 else 0.5
        found = Search(soft, 1e6).find([NDR, PDR])
        self.assertAlmostEqual(found["ndr"].lower, 400_000, delta=400_000 * 0.03)
        self.assertAlmostEqual(found["pdr"].lower, 800_000, delta=800_000 * 0.03)

    def test_a_bad_trial_now_and_then_decides_nothing(self):
        noise = random.Random(1)
        far = 0
        for _ in range(20):
            found = Search(lambda load, _: 0.1 if load > 500_000 or noise.random() < 0.1 else 0.0, 1e6).find([NDR])["ndr"]
            far += found.lower < 450_000
        self.assertLess(far, 4)

    def test_a_short_trial_that_was_too_good_is_corrected_by_a_long_one(self):
        found = Search(lambda load, seconds: 0.0 if load < (800_000 if seconds < 0.5 else 300_000) else 0.1, 1e6).find([NDR])
        self.assertAlmostEqual(found["ndr"].lower, 300_000, delta=300_000 * 0.03)


if __name__ == "__main__":
    unittest.main(verbosity=2)
