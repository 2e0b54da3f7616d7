# SPDX-License-Identifier: Apache-2.0
"""posternd, testpmd and l3fwd on memory ports (perf/memory_ports.cc), all on one core, where one of them runs at a time:
each sleeps in its port until it is its turn. Mistakes are exceptions of subprocess and OSError, or Failed."""
import collections
import os
import select
import subprocess
import time

import l3fwd_rules
import site_of_bench

REPO = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
EXAMPLES = "/usr/share/dpdk/examples"  # package dpdk-doc
START_SECONDS, TURN_SECONDS = 180, 30
PORTS = ("net_null0,no-rx=1", "net_null1,no-rx=1")
HUGE_PAGES = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
WANTED_PAGES = 1280  # of 2 MB; l3fwd's exact-match tables take 900 MB of them

Turn = collections.namedtuple("Turn", "received sent cycles")  # cycles of its own time


class Failed(Exception):
    pass


class Hugepages:
    """As many as the programs want, for as long as they run; `granted` says whether the kernel had them."""

    def __enter__(self):
        with open(HUGE_PAGES, encoding="ascii") as file:
            self.before = int(file.read())
        self.granted = self._set(self.before + WANTED_PAGES) >= self.before + WANTED_PAGES
        return self

    def __exit__(self, *_):
        self._set(self.before)

    @staticmethod
    def _set(pages):
        try:
            with open(HUGE_PAGES, "w", encoding="ascii") as file:
                file.write(str(pages))
        except OSError:
            pass
        with open(HUGE_PAGES, encoding="ascii") as file:
            return int(file.read())


class Program:
    """One process; `turn` lets it run and says what it did."""

    def __init__(self, name, words, folder, traffic, preload):
        self.name = name
        self.path = f"{folder}/{name}"
        for suffix in ("ask", "tell"):
            os.mkfifo(f"{self.path}.{suffix}")
        self.ask = os.open(f"{self.path}.ask", os.O_RDWR)
        self.tell = os.open(f"{self.path}.tell", os.O_RDWR)
        environment = {**os.environ, "LD_PRELOAD": preload, "POSTERN_MEMORY_TRAFFIC": traffic,
                       "POSTERN_MEMORY_TURNS": self.path}
        with open(f"{self.path}.log", "wb") as log:  # the process ends when `ask` is closed
            self.process = subprocess.Popen(words, env=environment, stdin=subprocess.PIPE, stdout=log,
                                            stderr=subprocess.STDOUT)

    def wait(self):
        """Until its traffic has opened all flows."""
        if self._line(START_SECONDS) != "ready":
            raise Failed(f"{self.name}: expected \"ready\"; see {self.path}.log")
        return self

    def _line(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self.tell], [], [], 0.2)[0]:
                return os.read(self.tell, 256).decode().strip()
            if self.process.poll() is not None:
                break
        with open(f"{self.path}.log", encoding="utf-8", errors="replace") as log:
            raise Failed(f"{self.name} gave no answer (exit code {self.process.poll()}):\n{log.read()[-2000:]}")

    def turn(self, warm_ms, measure_ms):
        os.write(self.ask, f"{warm_ms} {measure_ms}\n".encode())
        return Turn(*(int(word) for word in self._line(TURN_SECONDS).split()))

    def stop(self):
        """Its port ends it when nobody asks any more."""
        os.close(self.ask)
        self.process.stdin.close()
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.tell)


class Bench:
    """Starts programs for one traffic file in `folder` and stops them at the end."""

    def __init__(self, build, folder, traffic, huge, core):
        self.build, self.folder, self.traffic, self.huge, self.core = build, folder, traffic, huge, core
        self.programs = []

    def __enter__(self):
        os.makedirs(self.folder)
        return self

    def __exit__(self, *_):
        for program in self.programs:
            program.stop()

    def _start(self, name, words):
        preload = f"{self.build}/perf/libmemory_ports.so"
        self.programs.append(Program(name, words, self.folder, self.traffic, preload))
        return self.programs[-1].wait()

    def _eal(self, name, lcores):
        # As posternd does it.
        memory = ["--in-memory"] if self.huge else ["--no-huge", "--no-shconf", "-m", "1536", "--file-prefix",
                                                    f"{name}{os.getpid()}"]
        ports = [word for port in PORTS for word in ("--vdev", port)]
        return [*lcores, "--no-pci", "--no-telemetry", "--log-level", "*:4", *memory, *ports, "--"]

    def testpmd(self, mode):
        eal = self._eal(f"testpmd_{mode}", ["--lcores", f"0@0,1@{self.core}", "--main-lcore", "0"])
        return self._start(f"testpmd_{mode}", ["dpdk-testpmd", *eal, f"--forward-mode={mode}", "--nb-cores=1",
                                               "--total-num-mbufs=8192", "--no-mlockall", "--no-flush-rx"])

    def l3fwd(self, lookup, flows):
        rules = l3fwd_rules.write(self.folder, lookup, flows)
        eal = self._eal(f"l3fwd_{lookup}", ["--lcores", f"1@{self.core}"])
        return self._start(f"l3fwd_{lookup}", [build_l3fwd(self.build), *eal, "-p", "3", "-P", "--config=(0,0,1),(1,0,1)",
                                               f"--lookup={lookup}", f"--rule_ipv4={rules[0]}", f"--rule_ipv6={rules[1]}"])

    def postern(self, flows, more_rules=0, name="postern", daemon=None):
        site = site_of_bench.write(f"{self.folder}/{name}", PORTS, flows, self.core, more_rules)
        return self._start(name, [daemon or f"{self.build}/posternd", "run", "--site", site])


def build_l3fwd(build):
    """From the source that Debian ships, out of tree; about ten seconds, once."""
    program = f"{build}/l3fwd"
    if os.path.exists(program):
        return program
    source = f"{EXAMPLES}/l3fwd"
    if not os.path.isdir(source):
        raise Failed(f"no {source}: install dpdk-doc (deploy/install-deps perf)")
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libdpdk"], check=True, capture_output=True, text=True).stdout
    # Two of its files are included by others. The processor is the one that libdpdk and posternd are built for.
    sources = [f"{source}/{name}" for name in sorted(os.listdir(source))
               if name.endswith(".c") and not name.endswith("_route_parse.c")]
    words = ["cc", "-O3", "-DALLOW_EXPERIMENTAL_API", "-w", f"-I{EXAMPLES}/common", *sources, "-o", program, *flags.split()]
    made = subprocess.run(words, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise Failed(f"l3fwd does not build:\n{made.stderr[-2000:]}")
    return program
