# SPDX-License-Identifier: Apache-2.0
"""Where figures were taken, and how much time the host's other guests took away meanwhile."""
import os
import platform
import subprocess

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MOST_STEAL = 2.0  # percent of all time; above, the host's other guests decide what is measured


def cpu_times():
    """Jiffies of all cores: user nice system idle iowait irq softirq steal."""
    with open("/proc/stat", encoding="ascii") as file:
        return [int(word) for word in file.readline().split()[1:9]]


def steal_percent(before, after):
    spent = [b - a for a, b in zip(before, after)]
    return 100.0 * spent[7] / max(sum(spent), 1)


def _word_of(path, key):
    with open(path, encoding="utf-8") as file:
        return next((line.split(":", 1)[1].strip() for line in file if line.startswith(key)), "unknown")


def _first_line(path):
    with open(path, encoding="utf-8") as file:
        return file.readline().strip()


def _output_of(*words):
    try:
        return subprocess.run(words, cwd=REPO, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:
        return ""


def fingerprint():
    return {
        "cpu": _word_of("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count(),
        "memory_gb": round(int(_word_of("/proc/meminfo", "MemTotal").split()[0]) / 2**20),
        "kernel": platform.release(),
        "tcp": _first_line("/proc/sys/net/ipv4/tcp_congestion_control"),
        "compiler": _output_of("c++", "--version").split("\n")[0],
        "hyperscan": _output_of("pkg-config", "--modversion", "libhs"),
        "dpdk": _output_of("pkg-config", "--modversion", "libdpdk"),
        "commit": _output_of("git", "describe", "--always", "--dirty"),
    }
