#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""perf/compare on made-up runs. Run: tests/perf/compare_test.py [-v]."""
import json
import os
import random
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
REPO = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(REPO / "perf"))

from suite import rows  # noqa: E402
from suite.comparison import Finding, compare  # noqa: E402

MACHINE = {"cpu": "one", "cores": 2, "memory_gb": 8, "kernel": "6.1", "tcp": "cubic", "commit": "a"}


def row(value, key="k", spread=0.02, **more):
    return {"key": key, "value": value, "unit": "ratio", "least": value * (1 - spread), "most": value * (1 + spread),
            "samples": 7, "better": "higher", **more}


def run_of(*found, machine=MACHINE, skipped=()):
    return {"machine": machine, "profile": "long", "rows": list(found), "series": {},
            "skipped": [{"key": key, "reason": "why"} for key in skipped]}


def finding(old, new, **runs):
    lines = compare(run_of(old), run_of(new), **runs)
    assert len(lines) == 1
    return lines[0].finding


class CompareTest(unittest.TestCase):
    def test_a_large_change_of_steady_samples_is_one(self):
        self.assertEqual(finding(row(1.0), row(0.9)), Finding.WORSE)
        self.assertEqual(finding(row(1.0), row(1.1)), Finding.BETTER)

    def test_where_lower_is_better_the_signs_turn(self):
        self.assertEqual(finding(row(1.0, better="lower"), row(1.1, better="lower")), Finding.WORSE)
        self.assertEqual(finding(row(1.0, better="lower"), row(0.9, better="lower")), Finding.BETTER)

    def test_a_change_within_the_spread_is_noise(self):
        self.assertEqual(finding(row(1.0, spread=0.3), row(0.9, spread=0.3)), Finding.NOISE)

    def test_a_small_change_is_noise_however_steady(self):
        self.assertEqual(finding(row(1.0, spread=0.001), row(0.97, spread=0.001)), Finding.NOISE)

    def test_figures_of_one_sample_must_change_by_much(self):
        self.assertEqual(finding(row(1.0, samples=1), row(0.85, samples=1)), Finding.NOISE)
        self.assertEqual(finding(row(1.0, samples=1), row(0.75, samples=1)), Finding.WORSE)

    def test_counts_are_exact(self):
        old, new = ({"key": "k", "value": value, "unit": "bytes", "samples": 1, "better": "lower"} for value in (64, 65))
        self.assertEqual(finding(old, new), Finding.WORSE)

    def test_failures_per_transaction_are_judged_by_their_goal(self):
        of = lambda value: {"key": "k", "value": value, "unit": "fraction", "samples": 1, "better": "lower", "goal": 1e-5}
        self.assertEqual(finding(of(0.0), of(9e-6)), Finding.NOISE)
        self.assertEqual(finding(of(0.0), of(2e-5)), Finding.WORSE)
        self.assertEqual(finding(of(2e-5), of(0.0)), Finding.BETTER)

    def test_a_key_that_went_is_missing_unless_it_was_skipped_with_a_reason(self):
        self.assertEqual(compare(run_of(row(1.0)), run_of())[0].finding, Finding.MISSING)
        self.assertEqual(compare(run_of(row(1.0, "lab/a/b")), run_of(skipped=["lab/a"]))[0].finding, Finding.SKIPPED)

    def test_a_key_that_came_is_new(self):
        self.assertEqual(compare(run_of(), run_of(row(1.0)))[0].finding, Finding.NEW)

    def test_on_another_machine_only_what_is_portable_is_compared(self):
        other = {**MACHINE, "cpu": "two"}
        old, new = (run_of(row(v, "ratio"), row(v, "speed", unit="ns"), machine=m) for v, m in ((1.0, MACHINE), (0.5, other)))
        self.assertEqual([line.finding for line in compare(old, new)], [Finding.WORSE, Finding.INCOMPARABLE])

    def test_another_commit_is_the_same_machine(self):
        old, new = run_of(row(1.0, unit="ns")), run_of(row(0.5, unit="ns"), machine={**MACHINE, "commit": "b"})
        self.assertEqual(compare(old, new)[0].finding, Finding.WORSE)

    def test_figures_of_a_disturbed_run_are_noise(self):
        self.assertEqual(finding(row(1.0), row(0.5, trusted=False)), Finding.NOISE)

    def test_equal_work_is_seldom_called_changed(self):
        chance = random.Random(1)

        def measured():
            results = rows.Results()
            results.add("k", [chance.gauss(1.0, 0.1) for _ in range(7)], "ratio")
            return results.rows[0]
        changed = sum(finding(measured(), measured()) is not Finding.NOISE for _ in range(1000))
        self.assertLess(changed, 20)

    def test_half_the_speed_is_always_called_worse(self):
        chance = random.Random(2)

        def measured(mean):
            results = rows.Results()
            results.add("k", [chance.gauss(mean, 0.1 * mean) for _ in range(7)], "ratio")
            return results.rows[0]
        worse = sum(finding(measured(1.0), measured(0.5)) is Finding.WORSE for _ in range(1000))
        self.assertGreater(worse, 980)


class CommandTest(unittest.TestCase):
    def compared(self, old, new, *words):
        with tempfile.TemporaryDirectory() as folder:
            names = []
            for name, run in (("old", old), ("new", new)):
                names.append(os.path.join(folder, name))
                rows.write(names[-1], run)
            return subprocess.run([REPO / "perf" / "compare", *names, *words], capture_output=True, text=True, check=False)

    def test_a_regression_is_exit_code_1_and_named(self):
        done = self.compared(run_of(row(1.0, "some/key")), run_of(row(0.8, "some/key")))
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"worse +some/key +1 -> +0\.8 ratio +-20\.0%")

    def test_nothing_worse_is_exit_code_0(self):
        self.assertEqual(self.compared(run_of(row(1.0)), run_of(row(1.2))).returncode, 0)

    def test_the_threshold_is_an_option(self):
        self.assertEqual(self.compared(run_of(row(1.0)), run_of(row(0.8)), "--threshold", "30").returncode, 0)

    def test_missing_figures_can_be_allowed(self):
        self.assertEqual(self.compared(run_of(row(1.0)), run_of()).returncode, 1)
        self.assertEqual(self.compared(run_of(row(1.0)), run_of(), "--allow-missing").returncode, 0)

    def test_a_file_of_something_else_is_exit_code_2(self):
        self.assertEqual(self.compared({"a": json.dumps(1)}, run_of()).returncode, 2)


if __name__ == "__main__":
    unittest.main()
