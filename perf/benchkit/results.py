# SPDX-License-Identifier: Apache-2.0
"""What a measurement says, told as it comes, and whether the host left it alone."""
import statistics
import time

from suite import rows
from suite.machine import cpu_times, steal_percent

MOST_STEAL = 1.0  # percent of all time within one turn; above, its pair does not count


class StealGuard:
    """Percent of the machine's time that its host took away inside the `with`."""

    def __enter__(self):
        self.before = cpu_times()
        return self

    def __exit__(self, *_):
        self.percent = steal_percent(self.before, cpu_times())
        return False


class Results(rows.Results):
    failed = False  # a program that ought to run did not: no measurement, however noisy, says that

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

    def skip(self, key, reason):
        super().skip(key, reason)
        print(f"{key:58} skipped: {reason}", flush=True)

    def fail(self, key, reason):
        self.failed = True
        self.skip(key, reason)

    def write(self, path):
        if path:
            rows.write(path, {"rows": self.rows, "series": self.series, "skipped": self.skipped,
                              "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())})
