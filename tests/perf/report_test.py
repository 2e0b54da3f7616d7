#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""perf/report on made-up runs, and the rows made of older programs' files. Run: tests/perf/report_test.py [-v]."""
import re
import subprocess
import sys
import tempfile
import unittest
from html.parser import HTMLParser
from pathlib import Path

sys.dont_write_bytecode = True
REPO = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(REPO / "perf"))

from suite import convert, rows  # noqa: E402
from suite.page import page  # noqa: E402

VOID = {"meta", "line", "rect", "circle", "polyline"}


def a_run(time="2026-01-02T00:00:00Z", ratio=1.2):
    results = rows.Results()
    results.add("memory/settled/vs_l3fwd", [ratio - 0.1, ratio, ratio + 0.1], "ratio", goal=1.0, yardstick="l3fwd")
    results.add("lab/slow/rate/postern_af_xdp_appid/vs_testpmd", [0.5, 0.6], "ratio", goal=1.5)
    for stand, value in (("testpmd_af_xdp", 10), ("postern_af_xdp_wire", 9), ("postern_af_xdp_appid", 8)):
        results.add(f"lab/http/connections/1KB/rate/{stand}", [value, value + 1], "1/s")
    results.add("odd/<script>&", [1.0], "ns", "lower", note="<b>")
    results.plot("latency_cdf/http/1KB/direct", [10, 100, 1000], [0.1, 0.5, 1.0], "us", "fraction")
    results.plot("loss/64B/postern", [1, 2, 3], [0, 0, 0.5], "Mpps", "lost")
    results.skip("lab/*/postern_*_ips", "not built yet")
    return {"machine": {"cpu": "a <cpu>", "commit": "abc"}, "time": time, "profile": "long", "runs": {},
            "rows": results.rows, "series": results.series, "skipped": results.skipped}


class Reader(HTMLParser):
    """Fails where an element is closed that is not open."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            raise AssertionError(f"</{tag}> closes nothing")

    def handle_data(self, data):
        self.text.append(data)


def read(text):
    reader = Reader()
    reader.feed(text)
    reader.close()
    return reader


class PageTest(unittest.TestCase):
    def test_every_element_is_closed(self):
        self.assertEqual(read(page([a_run()])).open, [])

    def test_every_row_and_gap_is_there_with_its_text_escaped(self):
        run = a_run()
        texts = read(page([run])).text
        for row in run["rows"]:
            self.assertIn(row["key"], texts)
        self.assertIn("not built yet", texts)
        self.assertIn("a <cpu>", texts)

    def test_nothing_is_fetched_or_run(self):
        text = page([a_run(), a_run("2026-01-01T00:00:00Z")])
        self.assertEqual([tag for tag, _ in read(text).seen if tag in ("script", "link", "img", "iframe", "object", "use")], [])
        self.assertEqual(re.findall(r"https?:|url\(|@import|\b(?:src|href|on[a-z]+)=", text), [])

    def test_goals_say_met_or_missed(self):
        cells = read(page([a_run()])).text
        for key, word in (("memory/settled/vs_l3fwd", "met"), ("lab/slow/rate/postern_af_xdp_appid/vs_testpmd", "missed")):
            self.assertEqual(cells[cells.index(key) - 1], word)

    def test_latency_loss_and_levels_are_plotted(self):
        labels = [attrs.get("aria-label") for tag, attrs in read(page([a_run()])).seen if tag == "svg"]
        self.assertEqual(labels, ["http/connections/1KB/rate", "latency_cdf/http/1KB", "loss/64B"])

    def test_the_newest_run_is_shown_and_all_are_history(self):
        text = page([a_run("2026-01-03T00:00:00Z", ratio=1.4), a_run("2026-01-01T00:00:00Z", ratio=1.1)])
        self.assertIn("Run of 2026-01-03", text)
        labels = [attrs.get("aria-label") for tag, attrs in read(text).seen if tag == "svg"]
        self.assertIn("memory/settled", labels)

    def test_a_run_without_anything_is_a_page_too(self):
        self.assertEqual(read(page([{"rows": []}])).open, [])

    def test_the_command_writes_the_page(self):
        with tempfile.TemporaryDirectory() as folder:
            rows.write(f"{folder}/run.json", a_run())
            subprocess.run([REPO / "perf" / "report", f"{folder}/run.json", "--out", f"{folder}/page.html"], check=True)
            self.assertTrue(Path(f"{folder}/page.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>"))
            done = subprocess.run([REPO / "perf" / "report", f"{folder}/nothing"], capture_output=True, check=False)
            self.assertEqual(done.returncode, 2)


class ConvertTest(unittest.TestCase):
    def keys(self, name, written):
        return {row["key"]: row for row in convert.rows_of(name, written)["rows"]}

    def test_rows_stay_as_they_are(self):
        written = {"rows": [{"key": "k"}], "series": {}, "skipped": []}
        self.assertIs(convert.rows_of("lab", written), written)

    def test_benchmarks_that_compare_give_their_ratio(self):
        run = {"name": "a/b/iterations:1", "run_name": "a/b/iterations:1", "run_type": "iteration", "real_time": 2.0, "time_unit": "us",
               "ratio": 0.9, "least": 0.8, "most": 1.0}
        found = self.keys("application_bench", {"benchmarks": [run]})
        self.assertEqual(found["application_bench/a/b/time"]["value"], 2000.0)
        ratio = found["application_bench/a/b/ratio"]
        self.assertEqual((ratio["value"], ratio["least"], ratio["most"], ratio["samples"]), (0.9, 0.8, 1.0, 31))

    def test_repetitions_are_samples_and_aggregates_are_none(self):
        runs = [{"name": "walk/10", "run_name": "walk/10", "run_type": "iteration", "real_time": t, "time_unit": "ns"}
                for t in (10.0, 30.0, 20.0)]
        runs.append({"name": "walk/10_mean", "run_name": "walk/10", "run_type": "aggregate", "real_time": 99.0, "time_unit": "ns"})
        runs += [{"name": "lookup/v4/10", "run_name": "lookup/v4/10", "run_type": "iteration", "real_time": 5.0, "time_unit": "ns"}] * 3
        found = self.keys("classify_bench", {"benchmarks": runs})
        self.assertEqual((found["classify_bench/walk/10/time"]["value"], found["classify_bench/walk/10/time"]["samples"]), (20.0, 3))
        self.assertEqual(found["classify_bench/lookup/v4/10/vs_walk"]["value"], 4.0)

    def test_a_benchmark_that_failed_is_skipped_with_its_reason(self):
        written = {"benchmarks": [{"name": "a", "error_occurred": True, "error_message": "no memory"}]}
        self.assertEqual(convert.rows_of("x", written)["skipped"], [{"key": "x/a", "reason": "no memory"}])

    def test_costs_and_memory_have_rows(self):
        spread = {"least": 1, "median": 2, "most": 3}
        cost = {"application": "(no answer yet)", "layer": "tcp", "sender": "client", "flows": 4, "bytes": spread, "packets": spread}
        self.assertEqual(self.keys("verdict_cost", {"verdict_cost": [cost]})["verdict_cost/no_answer_yet/tcp/client/bytes"]["value"], 2)
        line = {"what": "a stream, in order", "bytes": 112, "most": 8}
        found = self.keys("memory_table", {"flow": [line], "worker": []})
        self.assertEqual(found["memory_table/flow/a_stream_in_order"]["value"], 112)


if __name__ == "__main__":
    unittest.main()
