# SPDX-License-Identifier: Apache-2.0
"""Two network namespaces and the cable between them, for one capture: serve() at one end, run() at the other."""
import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
import zlib

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
PEERS = f"{REPO}/tests/peers"
# A frame must look as it would leave a NIC: whole checksums, no super-segments.
OFFLOADS_OFF = "tx off rx off sg off tso off gso off gro off lro off tx-udp-segmentation off".split()
QUIET = [f"net.ipv6.conf.{scope}.{key}=0" for scope in ("all", "default")
         for key in ("accept_ra", "accept_dad", "router_solicitations")]
MACS = {"client": "02:00:00:00:0c:01", "server": "02:00:00:00:05:01"}


class SceneError(Exception):
    """What the person who makes captures has to be told."""


class Lab:
    def __init__(self, name):
        # Every capture has addresses of its own, so that replaying all of them together is many pairs of hosts.
        number = zlib.crc32(name.encode()) % 65000 + 100
        high, low = divmod(number, 250)
        net = f"10.{high % 60 + 100}.{low}"
        self.name = name
        self.client, self.server = f"{net}.10", f"{net}.20"
        self.client6, self.server6 = f"fd81:{number:x}::10", f"fd81:{number:x}::20"
        self.folder = tempfile.mkdtemp(prefix=f"{name}-", dir="/tmp")
        os.chmod(self.folder, 0o755)
        self.pcap = f"{self.folder}/frames.pcap"
        self.python = "/usr/bin/python3 -B"
        self._spaces = {end: f"caps-{os.getpid()}-{end}" for end in MACS}
        self._processes = []

    def __enter__(self):
        for space in self._spaces.values():
            sh("ip", "netns", "add", space)
            os.makedirs(f"/etc/netns/{space}")  # `ip netns exec` puts these over /etc
            with open(f"/etc/netns/{space}/resolv.conf", "w", encoding="ascii") as resolver:
                resolver.write("nameserver 127.0.0.1\n")  # refuses at once, so that nobody waits for names
            sh("ip", "netns", "exec", space, "sysctl", "-qw", *QUIET, "net.ipv4.ping_group_range=0 0")
            sh("ip", "-n", space, "link", "set", "lo", "up")
        sh("ip", "link", "add", "eth0", "netns", self._spaces["client"], "address", MACS["client"], "type", "veth",
           "peer", "name", "eth0", "netns", self._spaces["server"], "address", MACS["server"])
        for end, (v4, v6) in {"client": (self.client, self.client6), "server": (self.server, self.server6)}.items():
            space = self._spaces[end]
            sh("ip", "netns", "exec", space, "ethtool", "-K", "eth0", *OFFLOADS_OFF)
            sh("ip", "-n", space, "addr", "add", f"{v4}/24", "brd", "+", "dev", "eth0")
            sh("ip", "-n", space, "addr", "add", f"{v6}/64", "dev", "eth0", "nodad")
            sh("ip", "-n", space, "link", "set", "eth0", "up")
            sh("ip", "-n", space, "route", "add", "default", "dev", "eth0")
            sh("ip", "-n", space, "route", "add", "224.0.0.0/4", "dev", "eth0")
        return self

    def __exit__(self, *_):
        for process in reversed(self._processes):
            stop(process)
        for space in self._spaces.values():
            for pid in output("ip", "netns", "pids", space).split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            sh("ip", "netns", "del", space, check=False)
            shutil.rmtree(f"/etc/netns/{space}", ignore_errors=True)

    def file(self, name, text):
        path = f"{self.folder}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w" if isinstance(text, str) else "wb") as out:
            out.write(text)
        os.chmod(path, 0o644)
        return path

    def folder_of(self, name, owner=None):
        path = f"{self.folder}/{name}"
        os.makedirs(path, exist_ok=True)
        if owner:
            sh("chown", "-R", owner, path)
        return path

    def serve(self, command, ready=None, at="server", seconds=20, env=None):
        """Starts `command` and waits until something listens on `ready` ("tcp/80")."""
        log = open(f"{self.folder}/service-{len(self._processes)}.log", "w+b")
        process = subprocess.Popen(self._command(at, command), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   start_new_session=True, env={**os.environ, **(env or {})}, cwd=self.folder)
        self._processes.append(process)
        for one in ready.split() if ready else ():
            transport, port = one.split("/", 1)
            if not wait(lambda: self._listens(at, transport, port), seconds):
                log.seek(0)
                raise SceneError(f"nothing listens on {one}: {command}\n{log.read().decode(errors='replace')[-2000:]}")
        return process

    def run(self, command, at="client", ok=(0,), seconds=30, text=None, env=None):
        """Runs `command` to its end; an exit code outside `ok` (None: any) is a SceneError."""
        try:
            done = subprocess.run(self._command(at, command), input=text, stdin=subprocess.DEVNULL if text is None else None,
                                  capture_output=True, text=True, errors="replace", timeout=seconds, check=False,
                                  env={**os.environ, **(env or {})}, cwd=self.folder)
        except subprocess.TimeoutExpired as late:
            if ok is None:
                return subprocess.CompletedProcess(command, 124, "", "")
            raise SceneError(f"{command}: not done in {seconds} s: {late.stdout} {late.stderr}") from late
        if ok is not None and done.returncode not in ok:
            raise SceneError(f"{command}: exit {done.returncode}\n{done.stdout[-1500:]}{done.stderr[-1500:]}")
        return done

    @contextlib.contextmanager
    def recording(self, settle=0.3):
        recorder = subprocess.Popen(
            self._command("server", ["tcpdump", "-n", "-U", "--immediate-mode", "-Z", "root", "-i", "eth0", "-s", "0", "-w", self.pcap]),
            stderr=subprocess.PIPE, start_new_session=True)
        self._processes.append(recorder)
        if b"listening on" not in recorder.stderr.readline():
            raise SceneError("tcpdump does not listen")
        yield
        time.sleep(settle)  # for the last acknowledgements
        recorder.send_signal(signal.SIGINT)
        recorder.wait(10)

    def certificate(self, *options):
        """Self-signed, for this server; returns (certificate, key)."""
        crt, key = f"{self.folder}/server.crt", f"{self.folder}/server.key"
        sh("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650",
           "-subj", "/O=postern lab/CN=server.lab", "-keyout", key, "-out", crt, "-addext",
           f"subjectAltName=DNS:server.lab,IP:{self.server}", *options)
        os.chmod(key, 0o644)
        return crt, key

    def logs(self):
        """The last words of every service, for the person who has to find out why a scene failed."""
        texts = []
        for number in range(len(self._processes)):
            path = f"{self.folder}/service-{number}.log"
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as log:
                    texts.append(f"{path}: {log.read()[-1000:].strip()}")
        return "\n".join(texts)

    def _command(self, at, command):
        words = shlex.split(command) if isinstance(command, str) else list(command)
        return ["ip", "netns", "exec", self._spaces[at], *words]

    def _listens(self, at, transport, port):
        if transport == "unix":
            return os.path.exists(port)
        listed = output("ip", "netns", "exec", self._spaces[at], "ss", "-Hlan", f"--{transport}")
        return re.search(rf"[:\]]{port}\s", listed)


def sh(*words, check=True):
    done = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if check and done.returncode:
        raise SceneError(f"{' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
    return done


def output(*words):
    return subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False).stdout


def wait(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def stop(process):
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(3)
            return
