# SPDX-License-Identifier: Apache-2.0
"""What a measurement says, in the shape that perf/run gathers: rows with stable keys, series for plots, what was skipped."""
import json
import statistics
import time

MOST_STEAL = 1.0  # percent of all time within one turn; above, its pair does not count


def steal_jiffies():
    with open("/proc/stat", encoding="ascii") as file:
        spent = [int(word) for word in file.readline().split()[1:9]]
    return spent[7], sum(spent)


class StealGuard:
    """Percent of the machine's time that its host took away inside the `with`."""

    def __enter__(self):
        self.before = steal_jiffies()
        return self

    def __exit__(self, *_):
        after = steal_jiffies()
        self.percent = 100.0 * (after[0] - self.before[0]) / max(after[1] - self.before[1], 1)
        return False


class Results:
    def __init__(self):
        self.rows, self.series, self.skipped = [], {}, []

    def row(self, key, values, unit, better, **more):
        """`values`: one number or several, of which the median counts; None are left out."""
        many = [value for value in (values if isinstance(values, list) else [values]) if value is not None]
        if not many:
            self.skip(key, "nothing was measured")
            return None
        row = {"key": key, "value": statistics.median(many), "unit": unit, "samples": len(many), "better": better,
               **{name: value for name, value in more.items() if value not in (None, "")}}
        if len(many) > 1:
            row["least"], row["most"] = min(many), max(many)
        self.rows.append(row)
        spread = f"  ({row['least']:.4g} to {row['most']:.4g}, {len(many)})" if len(many) > 1 else ""
        print(f"{key:58} {row['value']:12.5g} {unit}{spread}", flush=True)
        return row["value"]

    def plot(self, name, x, y, x_unit, y_unit):
        self.series[name] = {"x": x, "y": y, "x_unit": x_unit, "y_unit": y_unit}

    def skip(self, key, reason):
        self.skipped.append({"key": key, "reason": reason})
        print(f"{key:58} skipped: {reason}", flush=True)

    def write(self, path):
        if not path:
            return
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"rows": self.rows, "series": self.series, "skipped": self.skipped,
                       "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}, file, indent=1)
            file.write("\n")
