# SPDX-License-Identifier: Apache-2.0
"""One stand: a client, a server with nginx and iperf3, and between them the namespace of whatever is measured. All
stands of a run are alike and up at the same time; what is not being measured is stopped and takes no time."""
import os
import signal
import subprocess
import time

from labkit import process
from labkit.topology import OFFLOADS_OFF

CLIENT, SERVER = "10.79.0.1", "10.79.0.2"
HTTP, HTTP_TEN, HTTPS, HTTPS_TEN, STREAM = 80, 8010, 443, 8443, 5201  # _TEN: closed after ten requests
# By key and version: servers that speak nothing else.
TLS_PORTS = {("ecdsa", "1.3"): 4431, ("ecdsa", "1.2"): 4432, ("rsa", "1.3"): 4433, ("rsa", "1.2"): 4434}
UNTOUCHED = 4435  # TLS that nobody decrypts
OBJECTS_KB = (1, 2, 4, 16, 64, 256)
BULK_KB = 16384
PORTS = ("fw-c", "fw-s")  # the middle's interfaces, towards client and server

NGINX = """daemon off; worker_processes 1; worker_rlimit_nofile 200000; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 100000; multi_accept on; }}
http {{
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; root {www}; open_file_cache max=100 inactive=1h;
  keepalive_timeout 300s; keepalive_requests 1000000000; reset_timedout_connection off;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  ssl_certificate {certificates}/ecdsa.crt; ssl_certificate_key {certificates}/ecdsa.key; ssl_session_cache off;
  ssl_session_tickets off; ssl_protocols TLSv1.2 TLSv1.3; ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
  ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256;
  server {{ listen {http} backlog=16384; }}
  server {{ listen {http_ten} backlog=16384; keepalive_requests 10; }}
  server {{ listen {https} ssl backlog=16384; }}
  server {{ listen {https_ten} ssl backlog=16384; keepalive_requests 10; }}
  server {{ listen {untouched} ssl backlog=16384; }}
{tls}}}
"""
TLS_SERVER = """  server {{ listen {port} ssl backlog=16384; ssl_protocols TLSv{version};
    ssl_certificate {certificates}/{key}.crt; ssl_certificate_key {certificates}/{key}.key; }}
"""


def write_content(folder):
    """Objects, and certificates with a key of the elliptic curve P-256 and with one of RSA 2048, once for all stands."""
    os.makedirs(f"{folder}/www")
    for size in (*OBJECTS_KB, BULK_KB):
        with open(f"{folder}/www/{size}k", "wb") as file:
            file.write(os.urandom(512) * (2 * size))
    for name, key in (("ecdsa", ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")), ("rsa", ("rsa:2048",))):
        process.run("openssl", "req", "-x509", "-newkey", *key, "-nodes", "-days", "2", "-subj", "/CN=server.lab",
                    "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.crt")


class Stand:
    """`cores`: the CPUs that a host's programs may run on, by host, in the words of taskset."""

    def __init__(self, run, number, folder, cores=None):
        self.folder = f"{folder}/{number}"
        self.shared = folder
        self.names = {host: f"pf{run}-{number}-{host}" for host in ("client", "middle", "server")}
        self.children = []
        self.cores = cores or {}
        self.middle = None
        os.makedirs(self.folder)

    def command(self, host, argv):
        pinned = ["taskset", "-c", self.cores[host]] if host in self.cores else []
        return ["ip", "netns", "exec", self.names[host], *pinned, *argv]

    def run(self, host, *argv, timeout=60, check=True):
        return process.run(*self.command(host, argv), timeout=timeout, check=check)

    def start(self, host, name, argv):
        with open(f"{self.folder}/{name}.log", "ab") as log:
            child = subprocess.Popen(self.command(host, argv), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                     start_new_session=True, env=process.environment())
        self.children.append(child)
        return child

    def up(self, middle):
        for name in self.names.values():
            process.run("ip", "netns", "add", name)
        for host in self.names:
            self.run(host, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
            self.run(host, "ip", "link", "set", "lo", "up")
        for host in ("client", "server"):
            self.run(host, "sysctl", "-qw", "net.ipv4.ip_local_port_range=10000 65000", "net.ipv4.tcp_tw_reuse=1",
                     "net.ipv4.tcp_max_syn_backlog=16384", "net.core.somaxconn=16384")
        if middle.joins_hosts:
            self._link("client", "eth0", "server", "eth0")
        else:
            self._link("middle", PORTS[0], "client", "eth0")
            self._link("middle", PORTS[1], "server", "eth0")
        for host, address in (("client", CLIENT), ("server", SERVER)):
            self.run(host, "ip", "addr", "add", f"{address}/24", "dev", "eth0")
        self._start_servers()
        self.middle = middle
        middle.up(self)
        answers = lambda: self.run("client", "curl", "-sfk", "-o", "/dev/null", "--max-time", "1", "--noproxy", "*",
                                   middle.probe, check=False).returncode == 0
        if not process.wait_until(answers, 15):
            raise process.LabError(f"{middle.name}: the server does not answer through it; see {self.folder}/*.log")

    def _link(self, host, interface, peer_host, peer):
        one = ("numrxqueues", "1", "numtxqueues", "1")
        process.run("ip", "link", "add", interface, "netns", self.names[host], *one, "type", "veth", "peer", "name",
                    peer, "netns", self.names[peer_host], *one)
        for end, name in ((host, interface), (peer_host, peer)):
            self.run(end, "ethtool", "-K", name, *OFFLOADS_OFF)
            self.run(end, "ip", "link", "set", name, "up")

    def steer(self, masks):
        """On which CPUs a host's kernel takes what arrives, by host, as bits; otherwise it is the sender's."""
        for host, mask in masks.items():
            for port in PORTS if host == "middle" else ("eth0",):
                path = f"/sys/class/net/{port}/queues/rx-0/rps_cpus"
                self.run(host, "sh", "-c", f"echo {mask:x} > {path}")

    def _start_servers(self):
        with open(f"{self.folder}/nginx.conf", "w", encoding="ascii") as file:
            file.write(NGINX.format(folder=self.folder, www=f"{self.shared}/www", certificates=self.shared, http=HTTP,
                                    http_ten=HTTP_TEN, https=HTTPS, https_ten=HTTPS_TEN, untouched=UNTOUCHED, tls="".join(
                                        TLS_SERVER.format(port=port, key=key, version=version, certificates=self.shared)
                                        for (key, version), port in TLS_PORTS.items())))
        self.start("server", "nginx", ["nginx", "-c", f"{self.folder}/nginx.conf"])
        self.start("server", "iperf3", ["iperf3", "-s"])
        listens = lambda: len(self.run("server", "ss", "-Hlnt").stdout.splitlines()) >= 6 + len(TLS_PORTS)
        if not process.wait_until(listens, 10):
            raise process.LabError(f"nginx or iperf3 does not listen; see {self.folder}")

    def signal(self, sign):
        for name in self.names.values():
            for pid in process.run("ip", "netns", "pids", name, check=False).stdout.split():
                try:
                    os.kill(int(pid), sign)
                except ProcessLookupError:
                    pass

    def freeze(self):
        self.signal(signal.SIGSTOP)

    def thaw(self):
        self.signal(signal.SIGCONT)
        time.sleep(0.05)  # pollers drain what came meanwhile

    def down(self):
        self.thaw()
        self.signal(signal.SIGTERM)
        process.wait_until(lambda: all(child.poll() is not None for child in self.children), 3)
        self.signal(signal.SIGKILL)
        for child in self.children:
            child.wait()
        for name in self.names.values():
            process.run("ip", "netns", "del", name, check=False)
