# SPDX-License-Identifier: Apache-2.0
"""Raises a lab, runs every probe through posternd and prints one table. Exit 0 only if every row is as expected."""
import argparse
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from labkit import traffic  # noqa: E402
from labkit.laboratory import PORT_KINDS, Lab  # noqa: E402
from labkit.logs import LogReader, shortened  # noqa: E402
from labkit.process import LabError  # noqa: E402

HEAD = ("rule", "traffic", "expected", "observed", "log line")
LOG_PATIENCE = 25.0  # a flow's record is written when the flow has ended


def say(text):
    print(f"demo: {text}", flush=True)


def show(rows):
    widths = [max(len(row[column]) for row in (HEAD, *rows)) for column in range(len(HEAD) - 1)]
    for row in (HEAD, tuple("-" * width for width in (*widths, 8)), *rows):
        print("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[-1]]))


def measure(lab):
    """One row per probe and the number of rows that are as expected."""
    log = LogReader(lab)
    outcomes = []
    for probe in traffic.probes(lab):
        outcomes.append((probe, traffic.run(lab, probe)))
        say(f"{probe.short}: {outcomes[-1][1].observed}")
    say("waiting for the records of ended flows")
    deadline = time.monotonic() + LOG_PATIENCE
    rows, good = [], 0
    for probe, outcome in outcomes:
        record = log.claim(probe, deadline - time.monotonic())
        fits = outcome.fits(probe) and record is not None
        good += fits
        index = traffic.rule_index(probe.rule)
        rows.append((probe.rule if index is None else f"{index} {probe.rule}", probe.short,
                     "allow: an answer" if probe.allowed else "drop: no answer",
                     outcome.observed + ("" if fits else "  <- WRONG"),
                     shortened(*record) if record else f"MISSING in {traffic.log_file(probe)}"))
    return rows, good


def main():
    words = argparse.ArgumentParser(prog="demo", description=__doc__)
    words.add_argument("--build", required=True)
    words.add_argument("--port-kind", choices=PORT_KINDS)
    words = words.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    lab = Lab("demo")
    try:
        say("raising the lab")
        lab.up(port_kind=words.port_kind, build=words.build)
        say(f"posternd forwards on {lab.state['port_kind']} ports")
        rows, good = measure(lab)
        print()
        show(rows)
        print(f"\n{good} of {len(rows)} rows as expected")
        return 0 if good == len(rows) else 1
    except LabError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        lab.down()


if __name__ == "__main__":
    sys.exit(main())
