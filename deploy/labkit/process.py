# SPDX-License-Identifier: Apache-2.0
"""Commands and long-running processes inside a lab's network namespaces."""
import os
import signal
import subprocess
import time

# Variables that make clients trust something other than what the command line says.
TRUST_VARIABLES = ("CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


class LabError(Exception):
    """What an operator of the lab has to be told."""


def environment():
    kept = {k: v for k, v in os.environ.items()
            if k not in TRUST_VARIABLES and not k.lower().endswith("_proxy")}
    kept["PATH"] = kept.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"
    kept["LC_ALL"] = "C.UTF-8"
    return kept


def run(*argv, timeout=60, check=True, text_in=None):
    """Runs to the end; standard output and error come back as text. Raises LabError unless check is False."""
    try:
        done = subprocess.run(argv, input=text_in, stdin=None if text_in is not None else subprocess.DEVNULL,
                              capture_output=True, text=True, errors="replace", timeout=timeout, env=environment())
    except FileNotFoundError as missing:
        raise LabError(f"{missing.filename}: not found; run deploy/install-deps") from missing
    except subprocess.TimeoutExpired as late:
        if check:
            raise LabError(f"{' '.join(argv)}: no answer in {timeout} s") from late
        return subprocess.CompletedProcess(argv, 124, _text(late.stdout), _text(late.stderr))
    if check and done.returncode != 0:
        raise LabError(f"{' '.join(argv)}: exit {done.returncode}: {(done.stderr or done.stdout).strip()}")
    return done


def _text(captured):
    return captured.decode(errors="replace") if isinstance(captured, bytes) else captured or ""


def started(pid):
    """Start time in clock ticks, so that a reused process id is not taken for ours. None: gone or a zombie."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            fields = stat.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else int(fields[19])


def is_running(pid, start):
    return pid is not None and start is not None and started(pid) == start


def end(pid, start, patience=5.0):
    """SIGTERM, then SIGKILL for what does not listen. True if SIGTERM was enough."""
    for sign, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 5.0)):
        if not is_running(pid, start):
            return True
        os.kill(pid, sign)
        if wait_until(lambda: not is_running(pid, start), seconds):
            return sign == signal.SIGTERM
    return False


def wait_until(condition, seconds, pause=0.05):
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer or time.monotonic() >= deadline:
            return answer
        time.sleep(pause)
