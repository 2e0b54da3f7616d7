# SPDX-License-Identifier: Apache-2.0
"""The file that every measuring program writes: rows with stable keys, series for plots, and what was skipped."""
import json
import os
import statistics


class Results:
    def __init__(self):
        self.rows, self.series, self.skipped = [], {}, []

    def add(self, key, samples, unit, better="higher", **more):
        """One row from its samples: their median, least and most. `more`: goal, yardstick, note, as far as known."""
        self.rows.append({"key": key, "value": rounded(statistics.median(samples)), "unit": unit,
                          "least": rounded(min(samples)), "most": rounded(max(samples)), "samples": len(samples),
                          "better": better, **{k: v for k, v in more.items() if v not in (None, "")}})

    def plot(self, name, x, y, x_unit, y_unit):
        self.series[name] = {"x": x, "y": y, "x_unit": x_unit, "y_unit": y_unit}

    def skip(self, key, reason):
        self.skipped.append({"key": key, "reason": reason})

    def write(self, path):
        write(path, {"rows": self.rows, "series": self.series, "skipped": self.skipped})


def rounded(value):
    """Four significant digits: more would be noise, and files are compared by people too."""
    return float(f"{value:.4g}")


def write(path, what):
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(what, file, indent=1)
        file.write("\n")
    os.replace(path + ".new", path)


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)
