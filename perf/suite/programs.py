# SPDX-License-Identifier: Apache-2.0
"""What perf/run runs. A program is perf/NAME (or its file) if there is such a script, else build-perf/perf/NAME if perf/NAME.cc is
there; what is neither is not in the list yet."""
import os
from dataclasses import dataclass

from suite.machine import REPO

BUILD = os.environ.get("POSTERN_PERF_BUILD", f"{REPO}/build-perf")
# How a program tells what it measured, and the words that make it write {file}.
GOOGLE = ("--benchmark_out_format=json", "--benchmark_counters_tabular=true", "--benchmark_out={file}")
ROWS = ("--json", "{file}")


@dataclass(frozen=True)
class Program:
    name: str
    output: tuple = ROWS
    words: tuple = ()  # of the long profile
    quick: tuple = ("--quick",)
    needs: tuple = ()  # further targets of the build
    root: bool = False  # cannot run otherwise
    file: str = ""  # of the script, where that is not the name

    @property
    def script(self):
        return f"{REPO}/perf/{self.file or self.name}"

    def is_script(self):
        return os.access(self.script, os.X_OK)

    def exists(self):
        return self.is_script() or os.path.exists(f"{self.script}.cc")

    def targets(self):
        return self.needs if self.is_script() else (f"perf/{self.name}", *self.needs)

    def command(self, file, is_quick):
        program = [self.script, "--build", BUILD] if self.is_script() else [f"{BUILD}/perf/{self.name}"]
        return [*program, *(self.quick if is_quick else self.words), *(word.format(file=file) for word in self.output)]


REPEATED, BRIEF = ("--benchmark_repetitions=5",), "--benchmark_min_time=0.01"
ALL = (
    Program("application_bench", GOOGLE, quick=("--benchmark_filter=same_work",)),
    Program("verdict_cost", quick=()),
    Program("flow_bench", GOOGLE, quick=("--benchmark_filter=settled",)),
    Program("memory_table", ("{file}",), quick=()),
    Program("classify_bench", GOOGLE, REPEATED, (BRIEF, "--benchmark_filter=/(10|1000)$")),
    Program("http_bench", GOOGLE, REPEATED, (BRIEF,)),
    Program("dns_bench", GOOGLE, REPEATED, (BRIEF, "--benchmark_filter=decisions")),
    Program("dns_detection"),
    Program("ips_bench"),
    Program("tls_bench", GOOGLE, REPEATED, (BRIEF,)),
    Program("micro_bench", GOOGLE, REPEATED, (BRIEF,)),
    Program("table_bench"),
    Program("memory_ports", file="memory_ports.py", needs=("posternd", "perf/libmemory_ports.so"), root=True),
    Program("rfc2544", needs=("posternd", "posternctl", "perf/pktgen"), root=True),
    Program("hot_swap", needs=("posternd", "posternctl", "perf/pktgen"), root=True),
    Program("lab", needs=("posternd", "posternctl"), root=True),
    Program("tls", needs=("posternd",), root=True),
)


def present():
    return {program.name: program for program in ALL if program.exists()}
