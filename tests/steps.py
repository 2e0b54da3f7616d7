#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The steps of tests/run, one after the other; each prints as it goes, and the sum of all is the last line.
Binaries for the wire are built plainly in build/, everything else runs under AddressSanitizer and UBSan in build-asan/,
which is built beside the steps that mostly wait for peers."""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

REPO = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("POSTERN_BUILD", f"{REPO}/build")
SANITIZED = f"{REPO}/build-asan"
PYTHON = "/usr/bin/python3"
FUZZ_SECONDS = 60

SANITIZER_ENVIRONMENT = {
    # DPDK's hugepage memory, its plugins and libfmt's caches live until exit; leaks of ours are found by the unit
    # tests' pool counts. A report is a failure.
    "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
}

COUNTS = (
    re.compile(r"^(?:.*: )?(?P<passed>\d+) passed, (?P<failed>\d+) failed\s*$", re.M),
    re.compile(r"^\[  PASSED  \] (?P<passed>\d+) tests?", re.M),
    re.compile(r"^ ?(?P<failed>\d+) FAILED TESTS?$", re.M),
)


def setup(folder, *options):
    if not os.path.exists(f"{folder}/build.ninja"):
        subprocess.run(["meson", "setup", folder, REPO, *options], check=True, stdout=subprocess.DEVNULL)


def build_product():
    setup(BUILD, "-Dperf=true")  # what measures is built when it is tested
    return ["meson", "compile", "-C", BUILD, "posternd", "posternctl"], {}


def build_sanitized():
    # Not optimised: gcc takes three to ten times as long to optimise what the sanitizers add.
    setup(SANITIZED, "-Db_sanitize=address,undefined", "-Db_lundef=false", "-Doptimization=0", "-Ddebug=true",
          "-Db_ndebug=false")
    return ["meson", "compile", "-C", SANITIZED], {}


def unit(name):
    return lambda: ([f"{SANITIZED}/tests/{name}/{name}_test", "--gtest_brief=1"], SANITIZER_ENVIRONMENT)


def script(path, *words, environment=None):
    return lambda: ([PYTHON, "-B", f"{REPO}/{path}", *words], environment or {"POSTERN_BUILD": BUILD})


def sanitized(path, **environment):
    return script(path, environment={**SANITIZER_ENVIRONMENT, "POSTERND": f"{SANITIZED}/posternd", **environment})


STEPS = {
    "build": build_product,
    "layering": script("tests/layering.py"),
    "catalogue": script("tests/classify/services_catalogue_test.py"),
    "lab": script("tests/lab_peers_test.py"),
    "wire-endpoint-truth": script("tests/wire/endpoint_truth_test.py"),
    "wire-endpoint-soup": script("tests/wire/endpoint_soup_test.py"),
    "wire-rules": script("tests/wire/rules_test.py"),
    "wire-transfer": script("tests/wire/transfer_test.py"),
    "wire-two-workers": script("tests/wire/transfer_test.py", environment={"POSTERN_BUILD": BUILD, "POSTERN_WORKERS": "2"}),
    "wire-tls": script("tests/wire/tls_test.py"),
    "wire-tls-two-workers": script("tests/wire/tls_test.py", environment={
        "POSTERN_BUILD": BUILD, "POSTERN_WORKERS": "2", "POSTERN_TLS_MEGABYTES": "20"}),
    "wire-commit": script("tests/wire/commit_test.py"),
    "wire-failure": script("tests/wire/failure_test.py"),
    "wire-ports": script("tests/wire/ports_test.py"),
    "wire-operator": script("tests/wire/operator_test.py"),
    "golden": script("tests/golden/run.py", environment={"POSTERND": f"{BUILD}/posternd"}),
    "golden-dump": script("tests/golden/dump_test.py", environment={"POSTERND": f"{BUILD}/posternd"}),
    "perf-compare": script("tests/perf/compare_test.py"),
    "perf-report": script("tests/perf/report_test.py"),
    "perf-search": script("tests/perf/search_test.py"),
    "perf-quick": script("tests/perf/quick_test.py", environment={"POSTERN_PERF_BUILD": BUILD}),
    "captures": script("tests/captures/captures_test.py"),
    "build-sanitized": build_sanitized,
    "unit-base": unit("base"),
    "unit-classify": unit("classify"),
    "unit-tls": unit("tls"),
    "unit-profiles": unit("profiles"),
    "unit-dataplane": unit("dataplane"),
    "unit-fuzz": unit("fuzz"),
    "unit-control": unit("control"),
    "unit-perf": unit("perf"),
    "golden-sanitized": sanitized("tests/golden/run.py"),
    "soup-sanitized": sanitized("tests/replay/segment_soup_test.py"),
    "replay-sanitized": sanitized("tests/replay/replay_test.py", GARBAGE_FRAMES="100000"),
}
BESIDE, BESIDE_AFTER = "build-sanitized", "build"
SANITIZED_STEPS = list(STEPS)[list(STEPS).index(BESIDE) + 1:]
CORES = os.cpu_count()
FUZZ = script("tests/fuzz/build_and_run.py", str(FUZZ_SECONDS))


def unittest_counts(output):
    """What python's unittest says, as (passed, failed)."""
    ran = re.search(r"^Ran (\d+) tests? in", output, re.M)
    if not ran:
        return None
    wrong = sum(int(n) for n in re.findall(r"(?:failures|errors)=(\d+)", output))
    skipped = sum(int(n) for n in re.findall(r"skipped=(\d+)", output))
    return max(int(ran[1]) - wrong - skipped, 0), wrong


def counts_of(output, code):
    passed = failed = 0
    counted = unittest_counts(output)
    if counted:
        passed, failed = counted
    for pattern in COUNTS:
        for match in pattern.finditer(output):
            groups = match.groupdict()
            passed += int(groups.get("passed") or 0)
            failed += int(groups.get("failed") or 0)
    # A step that counts nothing (a build) is one test; one that ends badly has failed at least once.
    if passed == failed == 0:
        return (1, 0) if code == 0 else (0, 1)
    return passed, max(failed, 1 if code else 0)


class Step:
    """A step that has been started; what it says waits in a file until somebody looks."""

    def __init__(self, name, *prefix):
        self.name, self.began = name, time.monotonic()
        command, environment = STEPS[name]()
        self.missing = None if shutil.which(command[0]) else command[0]
        self.output = tempfile.TemporaryFile("w+", errors="replace")
        if not self.missing:
            self.process = subprocess.Popen([*prefix, *command], cwd=REPO, stdout=self.output, stderr=subprocess.STDOUT,
                                            env={**os.environ, **environment})

    def lines(self):
        """Lines as they come, until the program ends."""
        with open(f"/proc/self/fd/{self.output.fileno()}", encoding="utf-8", errors="replace") as said:
            rest = ""
            while True:
                ended = self.process.poll() is not None
                rest += said.read()
                *whole, rest = rest.split("\n")
                yield from whole
                if ended:
                    break
                time.sleep(0.1)
            if rest:
                yield rest

    def finish(self):
        """(passed, failed)"""
        print(f"=== {self.name}", flush=True)
        if self.missing:
            print(f"=== {self.name}: {self.missing} is not there; did the build succeed?", flush=True)
            return 0, 1
        lines = []
        for line in self.lines():
            # The sum of a step must not be taken for the sum of all.
            counts = re.fullmatch(r"\d+ passed, \d+ failed\s*", line)
            print(f"{self.name}: {line}" if counts else line, flush=True)
            lines.append(line)
        passed, failed = counts_of("\n".join(lines), self.process.returncode)
        print(f"=== {self.name}: {passed} ok, {failed} not ok, {time.monotonic() - self.began:.0f} s", flush=True)
        return passed, failed


def run_all(names):
    """Step -> (passed, failed)"""
    results, started, rest = {}, {}, list(names)
    while rest:
        name = rest.pop(0)
        step = started.pop(name, None) or Step(name)
        # What runs under sanitizers needs nobody else's time: one per core.
        if name in SANITIZED_STEPS:
            for following in rest[:CORES - 1]:
                if following in SANITIZED_STEPS and following not in started:
                    started[following] = Step(following)
        results[name] = step.finish()
        if name == BESIDE_AFTER and BESIDE in rest:
            started[BESIDE] = Step(BESIDE, "nice", "-n", "19")
    return results


def main():
    parser = argparse.ArgumentParser(prog="tests/run")
    parser.add_argument("--fuzz", action="store_true", help=f"afterwards every fuzz target for {FUZZ_SECONDS} s")
    parser.add_argument("--list", action="store_true", help="names of the steps")
    parser.add_argument("steps", nargs="*", help="only these steps")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(STEPS))
        return 0
    if arguments.fuzz:
        STEPS["fuzz"] = FUZZ
    unknown = [step for step in arguments.steps if step not in STEPS]
    if unknown:
        parser.error(f"no step {', '.join(unknown)}; see tests/run --list")
    results = run_all(list(arguments.steps or STEPS))
    passed = sum(result[0] for result in results.values())
    failed = sum(result[1] for result in results.values())
    broken = [step for step, result in results.items() if result[1]]
    if broken:
        print(f"not ok: {', '.join(broken)}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
