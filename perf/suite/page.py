# SPDX-License-Identifier: Apache-2.0
"""The page about a run: what the goals say, plots, all figures, the machine. One file without references to others."""
import re
from html import escape

from suite import svg

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #222; background: #fff }
h1, h2, h3 { line-height: 1.2 } h3 { font-size: 1rem; margin-bottom: 0 }
table { border-collapse: collapse; font-size: .85rem } td, th { border-bottom: 1px solid #ddd; padding: .2rem .6rem; text-align: left }
td.n { text-align: right; font-variant-numeric: tabular-nums } .met { color: #1d6f2b } .missed { color: #b3261e; font-weight: bold }
svg { width: 100%; max-width: 45rem; font: 11px system-ui, sans-serif } svg text { fill: #444 }
.grid { stroke: #e4e4e4 } .range { stroke: #000; stroke-width: 2 }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #161616 } svg text { fill: #bbb } .grid { stroke: #333 }
.range { stroke: #fff } .met { color: #7ccf8a } .missed { color: #ff8a80 } td, th { border-color: #333 } }
"""
LEVELS = ("wire", "l4", "appid", "ips", "full")  # each does what the ones before do, and more
LEVEL_KEY = re.compile(r"lab/(?P<case>.+)/(?P<stand>postern_(?P<kind>af_[a-z]+)_(?P<level>[a-z0-9]+)|testpmd_(?P<other>af_[a-z]+))")


def is_met(row):
    return row["value"] <= row["goal"] if row.get("better") == "lower" else row["value"] >= row["goal"]


def _table(head, lines):
    if not lines:
        return "<p>None.</p>"
    return ("<table><tr>" + "".join(f"<th>{escape(word)}</th>" for word in head) + "</tr>" +
            "".join("<tr>" + "".join(lines_of_row) + "</tr>" for lines_of_row in lines) + "</table>")


def _cell(text, kind=""):
    return f'<td{f" class={kind!r}" if kind else ""}>{escape(str(text))}</td>'


def _number(value):
    return _cell("" if value is None else f"{value:.4g}", "n")


def _goals(run):
    lines = [[_cell("met" if is_met(row) else "missed", "met" if is_met(row) else "missed"), _cell(row["key"]),
              _number(row["value"]), _number(row["goal"]), _number(row.get("least")), _number(row.get("most")),
              _cell(row["unit"]), _cell(row.get("yardstick", ""))] for row in run["rows"] if "goal" in row]
    return _table(("", "figure", "measured", "goal", "least", "most", "unit", "yardstick"), lines)


def _figures(run):
    lines = [[_cell(row["key"]), _number(row["value"]), _cell(row["unit"]), _number(row.get("least")),
              _number(row.get("most")), _cell(row.get("samples", ""), "n"),
              _cell(("not trusted: steal. " if row.get("trusted") is False else "") + row.get("note", ""))]
             for row in run["rows"]]
    return _table(("figure", "median", "unit", "least", "most", "samples", "note"), lines)


def _grouped(run, wanted):
    """Series of one kind by the plot they share: all but the last part of the name."""
    plots = {}
    for name, series in run.get("series", {}).items():
        if wanted(name):
            plots.setdefault(name.rpartition("/")[0] or name, []).append((name.rpartition("/")[2], series))
    return plots


def _series(run, wanted, logarithmic_x=False):
    out = []
    for title, of_plot in _grouped(run, wanted).items():
        first = of_plot[0][1]
        out.append(f"<h3>{escape(title)}</h3>" + svg.lines(
            title, [(name, s["x"], s["y"]) for name, s in of_plot], first["x_unit"], first["y_unit"], logarithmic_x))
    return "".join(out) or "<p>Not measured in this run.</p>"


def _ladder(run):
    """What each feature level costs, beside the yardstick on the same ports."""
    plots = {}
    for row in run["rows"]:
        match = LEVEL_KEY.fullmatch(row["key"])
        if match:
            level = match["level"] or "testpmd"
            plots.setdefault((match["case"], match["kind"] or match["other"], row["unit"]), {})[level] = row
    out = []
    for (case, kind, unit), by_level in plots.items():
        order = [level for level in ("testpmd", *LEVELS) if level in by_level]
        if len(order) > 1:
            rows = [(level, by_level[level]) for level in order]
            out.append(f"<h3>{escape(case)}, {escape(kind)}</h3>" + svg.bars(
                case, [(level, r["value"], r.get("least", r["value"]), r.get("most", r["value"])) for level, r in rows], unit))
    return "".join(out) or "<p>Not measured in this run.</p>"


def _history(runs):
    """Ratios with a goal over the runs given, in the order of their time."""
    if len(runs) < 2:
        return "<p>Give several files to see how figures went.</p>"
    keys = [row["key"] for row in runs[-1]["rows"] if "goal" in row and row["unit"] == "ratio"]
    values = [{row["key"]: row["value"] for row in run["rows"]} for run in runs]
    groups = {}
    for key in keys:
        groups.setdefault("/".join(key.split("/")[:2]), []).append(key)
    out = []
    for title, of_group in groups.items():
        series = [(key, *zip(*[(i + 1, v[key]) for i, v in enumerate(values) if key in v])) for key in of_group]
        out.append(f"<h3>{escape(title)}</h3>" + svg.lines(title, series, "run", "ratio"))
    runs_told = [[_number(i + 1), _cell(run.get("time", "")), _cell(run.get("machine", {}).get("commit", "")),
                  _cell(run.get("profile", ""))] for i, run in enumerate(runs)]
    return "".join(out) + _table(("run", "time", "commit", "profile"), runs_told)


def page(runs):
    """`runs`: files of perf/run; the newest is what the page is about."""
    runs = sorted(runs, key=lambda run: run.get("time", ""))
    run = runs[-1]
    facts = [[_cell(key), _cell(value)] for key, value in run.get("machine", {}).items()]
    ran = [[_cell(name), _number(how.get("exit_code")), _number(how.get("seconds")), _number(how.get("load_before")),
            _number(how.get("steal_percent"))] for name, how in run.get("runs", {}).items()]
    gaps = [[_cell(gap["key"]), _cell(gap["reason"])] for gap in run.get("skipped", [])]
    is_cdf, is_loss = (lambda name: "latency" in name), (lambda name: "loss" in name)
    sections = (("Goals", _goals(run)), ("Cost of each feature level", _ladder(run)),
                ("Latency: how many transactions took at most so long", _series(run, is_cdf, logarithmic_x=True)),
                ("Loss by offered rate", _series(run, is_loss)),
                ("Further series", _series(run, lambda name: not is_cdf(name) and not is_loss(name))),
                ("History", _history(runs)), ("Not measured", _table(("figure", "reason"), gaps)),
                ("All figures", _figures(run)),
                ("Programs", _table(("program", "exit code", "seconds", "load before", "steal %"), ran)),
                ("Machine", _table(("", ""), facts)))
    body = "".join(f"<h2>{escape(title)}</h2>{text}" for title, text in sections)
    profile, when = escape(run.get("profile", "")), escape(run.get("time", ""))
    return (f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>postern: performance</title><style>{STYLE}'
            f"</style></head><body><h1>postern: performance</h1><p>Run of {when}, {profile} profile.</p>{body}</body></html>\n")
