# SPDX-License-Identifier: Apache-2.0
"""One lab: its run folder, its processes, its firewall."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys

from labkit import certificates, process
from labkit.process import LabError
from labkit.services import REPO, services, vlan_interfaces
from labkit.site import site_text
from labkit.topology import END_HOSTS, HOSTS, INTERFACES, LINKS, NAMES, TAGGED, Network

PORT_KINDS = ("af_xdp", "af_packet")
EXIT_VALIDATION = 3


class SiteRefused(LabError):
    """posternd found the site file or the pack wrong: another kind of port would not help."""


class Lab:
    def __init__(self, name="lab"):
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,31}", name):
            raise LabError(f"lab name {name!r}: expected up to 32 of a-z, 0-9 and -")
        self.name = name
        self.folder = f"{os.environ.get('POSTERN_RUN', '/run/postern-labs')}/{name}"
        self.network = Network(name)
        self.state = {"port_kind": None, "mode": None, "build": f"{REPO}/build", "workers": 1, "services": []}
        self.children = []  # of this process, to be reaped when they end
        if os.path.exists(self._state_file):
            with open(self._state_file, encoding="utf-8") as file:
                self.state = json.load(file)

    @property
    def _state_file(self):
        return f"{self.folder}/state.json"

    @property
    def logs(self):
        return f"{self.folder}/logs"

    @property
    def socket(self):
        return f"{self.folder}/control.sock"

    @property
    def site_file(self):
        return f"{self.folder}/site.yaml"

    @property
    def ca_file(self):
        return f"{self.folder}/ca.crt"

    def exists(self):
        return os.path.exists(self._state_file)

    def up(self, mode="posternd", port_kind=None, build=None, workers=1):
        """Raises the lab. mode: posternd | bridge | unattended. Without a port kind: af_xdp, else af_packet."""
        if os.geteuid() != 0:
            raise LabError("a lab needs root: it makes network namespaces")
        self.down()
        os.makedirs(f"{self.folder}/www")
        os.makedirs(self.logs)
        self.state = {"port_kind": port_kind or PORT_KINDS[0], "mode": mode,
                      "build": os.path.abspath(build or f"{REPO}/build"), "workers": workers, "services": []}
        self._save()
        try:
            certificates.issue(f"{self.folder}/certs")
            shutil.copy(f"{self.folder}/certs/ca.crt", self.ca_file)
            self.network.up()
            self.write_site(self.site_file)
            self._start_peers()
            if mode == "bridge":
                self.network.bridge()
            elif mode == "posternd":
                self._start_firewall_on((port_kind,) if port_kind else PORT_KINDS)
        except BaseException:
            self._stop_and_unnet()  # the folder stays: its logs say why
            raise

    def down(self):
        """Removes all of the lab, also what a failed `up` left."""
        self._stop_and_unnet()
        shutil.rmtree(self.folder, ignore_errors=True)
        try:
            os.rmdir(os.path.dirname(self.folder))
        except OSError:
            pass  # not there, or other labs are

    def _stop_and_unnet(self):
        for service in reversed(self.state["services"]):
            process.end(service["pid"], service["started"])
        self.network.down()
        self._reap()

    def run(self, host, *argv, timeout=60, text_in=None):
        """Runs a client on a host to its end. Never raises for its exit code; 124 means it did not end."""
        return process.run(*self.network.command(host, argv), timeout=timeout, check=False, text_in=text_in)

    def start(self, name, host, argv, address="", ports=()):
        """Starts a long-running process on a host; its output goes to logs/NAME.log."""
        log = f"{self.logs}/{name}.log"
        with open(log, "ab") as output:
            child = subprocess.Popen(self.network.command(host, argv), stdin=subprocess.DEVNULL, stdout=output,
                                     stderr=output, start_new_session=True, env=process.environment())
        self.children.append(child)
        service = {"name": name, "host": host, "address": address, "ports": list(ports), "pid": child.pid,
                   "started": process.started(child.pid), "log": log}
        self.state["services"] = [s for s in self.state["services"] if s["name"] != name] + [service]
        self._save()
        return service

    def service(self, name):
        return next((s for s in self.state["services"] if s["name"] == name), None)

    def running(self, name):
        service = self.service(name)
        return bool(service) and process.is_running(service["pid"], service["started"])

    def stop(self, name):
        """True if the service ended by SIGTERM within seconds."""
        service = self.service(name)
        in_time = process.end(service["pid"], service["started"]) if service else True
        self._reap()
        return in_time

    def kill(self, name):
        service = self.service(name)
        if self.running(name):
            os.kill(service["pid"], signal.SIGKILL)
            process.wait_until(lambda: not self.running(name), 5)
        self._reap()

    def _reap(self):
        self.children = [child for child in self.children if child.poll() is None]

    def write_site(self, path, rules_before=()):
        with open(path, "w", encoding="utf-8") as file:
            file.write(site_text(self.name, self.folder, self.state["port_kind"], self.state["workers"], rules_before))
        return path

    def program(self, name):
        for path in (f"{self.state['build']}/{name}", f"{self.state['build']}/control/{name}"):
            if os.path.isfile(path) and os.access(path, os.X_OK):
                return path
        raise LabError(f"{name} is not in {self.state['build']}: build it, or use --bridge or --no-posternd")

    def start_firewall(self, patience=30):
        """Starts posternd and waits until it forwards."""
        self.start("posternd", "fw", [self.program("posternd"), "run", "--site", self.site_file])
        log = self.service("posternd")["log"]
        with open(log, encoding="utf-8", errors="replace") as lines:
            lines.seek(self.state.get("posternd_log_offset", 0))
            seen = []

            def settled():
                seen.extend(lines.readlines())
                return any("forwarding" in line for line in seen) or not self.running("posternd")

            process.wait_until(settled, patience)
            seen.extend(lines.readlines())
            self.state["posternd_log_offset"] = lines.tell()
            self._save()
        if not self.running("posternd") or not any("forwarding" in line for line in seen):
            error = SiteRefused if self.children[-1].poll() == EXIT_VALIDATION else LabError
            raise error(f"posternd does not forward; {log} ends with:\n" + "".join(seen[-15:]))

    def _start_firewall_on(self, kinds):
        self.program("posternd")
        for kind in kinds:
            self.state["port_kind"] = kind
            self.write_site(self.site_file)
            try:
                self.start_firewall()
                return
            except LabError as refused:
                self.stop("posternd")
                if kind == kinds[-1] or isinstance(refused, SiteRefused):
                    raise
                print(f"lab: no {kind} ports here, trying the next kind. {refused}", file=sys.stderr)

    def ctl(self, *words, timeout=60):
        """posternctl, from outside of every namespace. The finished process, output as text."""
        return process.run(self.program("posternctl"), "--socket", self.socket, *words, timeout=timeout, check=False)

    def status(self):
        services_now = [{**{k: s[k] for k in ("name", "host", "address", "ports", "pid", "log")},
                         "port": int(s["ports"][0].partition("/")[2]) if s["ports"] else None,
                         "running": process.is_running(s["pid"], s["started"])} for s in self.state["services"]]
        files = sorted(os.listdir(self.logs)) if os.path.isdir(self.logs) else []
        return {
            "name": self.name,
            "mode": self.state["mode"],
            "port_kind": self.state["port_kind"],
            "hosts": [{"name": host, "namespace": self.network.namespace(host), "addresses": _addresses(host)}
                      for host in HOSTS],
            "names": {name: list(addresses) for name, addresses in NAMES.items()},
            "services": services_now,
            "pids": {s["name"]: s["pid"] for s in services_now},
            "folder": self.folder,
            "ca_file": self.ca_file,
            "site_file": self.site_file,
            "control_socket": self.socket,
            "build": self.state["build"],
            "logs": {"dir": self.logs, "files": files},
        }

    def replug(self, key):
        """Makes a link that `network.unplug` deleted again, with its addresses and tagged interfaces."""
        link = LINKS[key]
        self.network.replug(key)
        self._start_vlan_interfaces((link.peer_host, link.peer))

    def _start_vlan_interfaces(self, parent=None):
        for vlan in vlan_interfaces(parent):
            self.start(vlan.name, vlan.host, vlan.argv, vlan.address)
            if not process.wait_until(lambda v=vlan: v.address in self.run(v.host, "ip", "addr").stdout, 10, 0.1):
                raise LabError(f"{vlan.name} did not come up; see {self.logs}/{vlan.name}.log")

    def _start_peers(self):
        self._start_vlan_interfaces()
        peers = services(self.folder)
        for peer in peers:
            self.start(peer.name, peer.host, peer.argv, peer.address, peer.ports)
        for host in END_HOSTS:
            wanted = {port: peer.name for peer in peers if peer.host == host for port in peer.ports}
            if wanted and not process.wait_until(lambda h=host, w=wanted: not w.keys() - self._listening(h), 15, 0.2):
                port = min(wanted.keys() - self._listening(host))
                raise LabError(f"{wanted[port]} does not listen on {port}; see {self.logs}/{wanted[port]}.log")

    def _listening(self, host):
        lines = self.run(host, "ss", "-Hlntu").stdout.splitlines()
        return {f"{fields[0]}/{fields[4].rpartition(':')[2]}" for fields in map(str.split, lines) if len(fields) > 4}

    def _save(self):
        with open(self._state_file + ".new", "w", encoding="utf-8") as file:
            json.dump(self.state, file, indent=1)
        os.replace(self._state_file + ".new", self._state_file)


def _addresses(host):
    return [a.partition("/")[0] for interfaces in (INTERFACES, TAGGED) for key, many in interfaces.items()
            if key[0] == host for a in many]
