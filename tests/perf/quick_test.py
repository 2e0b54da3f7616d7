#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""perf/run --quick as a smoke test: the shape of what it writes, never the figures. Run: tests/perf/quick_test.py [-v].
POSTERN_PERF_PROGRAMS names programs, for those who do not want all."""
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
REPO = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(REPO / "perf"))

from suite import rows  # noqa: E402
from suite.programs import present  # noqa: E402

PROGRAMS = os.environ.get("POSTERN_PERF_PROGRAMS", "").split()


class QuickTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.file = f"{cls.folder.name}/run.json"
        cls.exit_code = subprocess.run([REPO / "perf" / "run", "--quick", "--no-install", "--json", cls.file, *PROGRAMS],
                                       check=False).returncode
        cls.run_ = rows.read(cls.file)

    def test_every_program_ends_well(self):
        self.assertEqual(self.exit_code, 0)
        self.assertEqual(set(self.run_["runs"]), set(PROGRAMS or present()))

    def test_every_program_has_rows_or_says_why_not(self):
        for name in self.run_["runs"]:
            told = [one["key"] for one in self.run_["rows"] + self.run_["skipped"]]
            self.assertTrue(any(key.startswith(f"{name}/") for key in told), name)

    def test_rows_have_the_common_shape(self):
        for row in self.run_["rows"]:
            self.assertLessEqual({"key", "value", "unit", "samples", "better"}, set(row), row)
            self.assertIn(row["better"], ("higher", "lower"))
            if "least" in row:
                self.assertLessEqual(row["least"], row["value"], row)
                self.assertLessEqual(row["value"], row["most"], row)

    def test_keys_are_there_once(self):
        keys = [row["key"] for row in self.run_["rows"]]
        self.assertEqual(sorted(keys), sorted(set(keys)))

    def test_series_have_as_many_x_as_y(self):
        for name, series in self.run_["series"].items():
            self.assertEqual(len(series["x"]), len(series["y"]), name)

    def test_a_run_compared_with_itself_is_no_regression(self):
        self.assertEqual(subprocess.run([REPO / "perf" / "compare", self.file, self.file], check=False).returncode, 0)

    def test_it_makes_a_page(self):
        page = f"{self.folder.name}/page.html"
        subprocess.run([REPO / "perf" / "report", self.file, "--out", page], check=True)
        self.assertIn("<svg", Path(page).read_text(encoding="utf-8"))


if __name__ == "__main__":
    unittest.main()
