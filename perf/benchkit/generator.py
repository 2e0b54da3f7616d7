# SPDX-License-Identifier: Apache-2.0
"""perf/pktgen as a process that takes trials one by one."""
import json
import select
import subprocess
import time


class GeneratorGone(Exception):
    """pktgen ended or does not answer; the text says what it printed."""


class Pktgen:
    def __init__(self, program, ports, arguments=(), prefix=(), core=0, log="/dev/null"):
        command = [*prefix, program, "--serve", "--core", str(core), *arguments, *ports]
        self.log = log
        with open(log, "ab") as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                                            text=True, bufsize=1)

    def wait_ready(self, seconds=20):
        self._answer(seconds, "ready")
        return self

    def trial(self, *phases, frames=None):
        """Phases are (packets per second or 0 for as fast as possible, seconds)."""
        words = [f"{f'{rate:.3f}' if rate else 'max'} {seconds}" for rate, seconds in phases]
        self.process.stdin.write(" ".join(words) + (f" frames={frames}" if frames else "") + "\n")
        self.process.stdin.flush()
        return self._answer(sum(seconds for _, seconds in phases) + 20, "sent")

    def _answer(self, seconds, expected):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not select.select([self.process.stdout], [], [], 0.2)[0]:
                if self.process.poll() is not None:
                    break
                continue
            line = self.process.stdout.readline()
            if not line:
                break
            if not line.startswith("{"):
                continue  # DPDK talks to standard output, too
            answer = json.loads(line)
            if expected not in answer:
                raise GeneratorGone(f"pktgen: {answer.get('error', line)}")
            return answer
        with open(self.log, encoding="utf-8", errors="replace") as log:
            raise GeneratorGone(f"pktgen does not answer: {log.read()[-2000:]}")

    def close(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
