# SPDX-License-Identifier: Apache-2.0
"""Rows of what programs wrote before there were rows: Google Benchmark's files, verdict_cost's and memory_table's."""
import re

from suite.rows import Results

PAIRS = 31  # of turns behind a ratio with least and most, perf/pairs.h
# Ratios of two benchmarks of one program: ours, and its yardstick. {} is the number of rules.
YARDSTICKS = {
    "classify_bench": [(f"lookup/{family}/{rules}", f"walk/{rules}") for family in ("v4", "v6")
                       for rules in (10, 1000, 10000)],
    "tls_bench": [("certificate_by_us", "certificate_by_openssl")],
}
HOW_RUN = re.compile(r"/(?:iterations:\d+|repeats:\d+|min_time:[\d.]+|manual_time|real_time)")  # not what was run
NANOSECONDS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}


def rows_of(name, written):
    """`written` in the common form, whatever the program's own is."""
    if "rows" in written:
        return written
    results = Results()
    if "benchmarks" in written:
        _google(results, name, written["benchmarks"])
    elif "verdict_cost" in written:
        _verdict_cost(results, written["verdict_cost"])
    elif "worker" in written:
        _memory_table(results, written)
    else:
        results.skip(f"{name}/*", "wrote nothing that is known here")
    return {"rows": results.rows, "series": results.series, "skipped": results.skipped}


def _google(results, name, benchmarks):
    runs = {}
    for run in benchmarks:
        if run.get("run_type", "iteration") != "iteration":
            continue
        if run.get("error_occurred"):
            results.skip(f"{name}/{run['name']}", run.get("error_message", "error"))
            continue
        runs.setdefault(HOW_RUN.sub("", run.get("run_name", run["name"])), []).append(run)
    times = {}
    for bench, of_bench in runs.items():
        times[bench] = [run["real_time"] * NANOSECONDS[run["time_unit"]] for run in of_bench]
        results.add(f"{name}/{bench}/time", times[bench], "ns", "lower")
        if "ratio" in of_bench[0]:
            results.add(f"{name}/{bench}/ratio", [run["ratio"] for run in of_bench], "ratio")
            if "least" in of_bench[0]:
                row = results.rows[-1]
                row.update(least=of_bench[0]["least"], most=of_bench[0]["most"], samples=PAIRS)
    for ours, other in YARDSTICKS.get(name, []):
        if ours in times and other in times:
            ratios = [b / a for a, b in zip(times[ours], times[other])]
            results.add(f"{name}/{ours}/vs_{other.partition('/')[0]}", ratios, "ratio", yardstick=other)


def _verdict_cost(results, costs):
    for cost in costs:
        where = "/".join(cost[key].strip("()").replace(" ", "_") for key in ("application", "layer", "sender"))
        for what in ("bytes", "packets"):
            spread = f"{cost[what]['least']} to {cost[what]['most']} in {cost['flows']} flows"
            results.rows.append({"key": f"verdict_cost/{where}/{what}", "value": cost[what]["median"], "unit": what,
                                 "samples": cost["flows"], "better": "lower", "note": spread})


def _memory_table(results, table):
    for whose in ("flow", "worker"):
        for line in table[whose]:
            words = "_".join("".join(c if c.isalnum() else " " for c in line["what"].lower()).split())
            results.rows.append({"key": f"memory_table/{whose}/{words}", "value": line["bytes"], "unit": "bytes",
                                 "samples": 1, "better": "lower", "note": f"at most {line['most']} of them"})
