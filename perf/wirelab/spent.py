# SPDX-License-Identifier: Apache-2.0
"""CPU time by thread, in seconds, as the scheduler counts it (what interrupts do on a thread's core while it runs is
charged to it)."""
import os

from labkit import process

NANOSECOND = 1e-9


def of_stand(stand):
    """Of all threads in the middle, by (process, thread): name and seconds."""
    found = {}
    for pid in process.run("ip", "netns", "pids", stand.names["middle"]).stdout.split():
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/comm", encoding="utf-8") as file:
                    name = file.read().strip()
                with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
                    found[pid, task] = name, int(file.read().split()[0]) * NANOSECOND
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def by_part(before, after):
    """Seconds of the part that decrypts (`tls`), of posternd's `worker` and of the `rest`. Other programs decrypt with
    all they have."""
    parts = {"tls": 0.0, "worker": 0.0, "rest": 0.0}
    is_ours = any(name.startswith("tls-") for name, _ in after.values())
    for task, (name, seconds) in after.items():
        part = "tls" if not is_ours or name.startswith("tls-") else "worker" if "worker" in name else "rest"
        parts[part] += seconds - before.get(task, (name, 0.0))[1]
    return parts
