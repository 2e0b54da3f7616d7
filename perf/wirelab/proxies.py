# SPDX-License-Identifier: Apache-2.0
"""Programs that decrypt and encrypt again where posternd does. They have the server's address towards the client and go on
to the server by a route: no address is rewritten, nothing is tracked."""
import os
import sys

from labkit import process
from labkit.process import LabError
from wirelab.middles import Middle
from wirelab.stand import CLIENT, HTTPS, HTTPS_TEN, PORTS, SERVER, TLS_PORTS

MINE = "10.79.0.3"  # towards the server
TABLE = "100"
SERVED = {HTTPS: ("ecdsa", ""), HTTPS_TEN: ("ecdsa", ""), **{port: what for what, port in TLS_PORTS.items()}}
ANY_VERSION = ("1.2", "1.3")
SUITE, CIPHERS = "TLS_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"
# For programs without a word of their own for the suites of TLS 1.3.
OPENSSL_CONF = f"""openssl_conf = it
[it]
ssl_conf = ssl
[ssl]
system_default = all
[all]
Ciphersuites = {SUITE}
CipherString = {CIPHERS}
"""


class Proxy(Middle):
    """On one core."""
    probe = f"https://{SERVER}:{TLS_PORTS['ecdsa', '1.3']}/1k"

    def __init__(self, name, core):
        super().__init__(name)
        self.core = core

    def up(self, stand):
        self._route(stand)
        with open(f"{stand.folder}/openssl.cnf", "w", encoding="ascii") as file:
            file.write(OPENSSL_CONF)
        child = stand.start("middle", self.name, ["env", f"OPENSSL_CONF={stand.folder}/openssl.cnf", "taskset", "-c",
                                                  str(self.core), *self.command(stand)])

        def listens():
            told = stand.run("middle", "ss", "-Hlnt").stdout
            return child.poll() is not None or all(f":{port} " in told for port in self.listening())
        if not process.wait_until(listens, 15) or child.poll() is not None:
            raise LabError(f"{self.name} does not listen; see {stand.folder}/{self.name}.log")

    def command(self, stand):
        raise NotImplementedError

    def listening(self):
        return SERVED

    def carries(self, case):
        return case.startswith("https/")

    def speaks(self, protocol):
        return protocol in self.listening().values()

    def _route(self, stand):
        """Frames on the wire stay what a NIC carries; the kernel joins and cuts them as late as it can, as for a NIC."""
        run = lambda *words: stand.run("middle", *words)
        for port in PORTS:
            run("ethtool", "-K", port, "sg", "on", "gso", "on", "gro", "on")
        run("sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0", f"net.ipv4.conf.{PORTS[1]}.rp_filter=0",
            f"net.ipv4.conf.{PORTS[1]}.accept_local=1", "net.core.somaxconn=16384", "net.ipv4.tcp_tw_reuse=1",
            "net.ipv4.ip_local_port_range=10000 65000")
        run("ip", "addr", "add", f"{SERVER}/32", "dev", PORTS[0])
        run("ip", "addr", "add", f"{MINE}/32", "dev", PORTS[1])
        run("ip", "route", "add", CLIENT, "dev", PORTS[0], "src", SERVER)
        run("ip", "route", "add", SERVER, "dev", PORTS[1], "src", MINE, "table", TABLE)
        run("ip", "rule", "add", "pref", "100", "iif", "lo", "to", SERVER, "lookup", TABLE)
        run("ip", "rule", "add", "pref", "200", "lookup", "local")
        run("ip", "rule", "del", "pref", "0")


class Nginx(Proxy):
    """Relays bytes (stream), so that it does no work of HTTP that the others do not do."""

    def command(self, stand):
        servers = "".join(f"""
  server {{ listen {port} ssl backlog=16384; proxy_pass {SERVER}:{port};
    ssl_certificate {stand.shared}/{key}.crt; ssl_certificate_key {stand.shared}/{key}.key;
    ssl_protocols {_nginx_versions(version)}; proxy_ssl_protocols {_nginx_versions(version)}; }}"""
                          for port, (key, version) in SERVED.items())
        path = f"{stand.folder}/proxy.conf"
        with open(path, "w", encoding="ascii") as file:
            file.write(f"""{_stream_module()}daemon off; worker_processes 1; 
pid {stand.folder}/proxy.pid; error_log {stand.folder}/proxy-errors.log;
events {{ worker_connections 16000; multi_accept on; }}
stream {{
  tcp_nodelay on; proxy_buffer_size 64k; proxy_ssl on; proxy_ssl_session_reuse off;
  ssl_session_cache off; ssl_session_tickets off; ssl_conf_command Ciphersuites {SUITE};
  ssl_ciphers {CIPHERS};{servers}
}}
""")
        return ["nginx", "-e", f"{stand.folder}/proxy-errors.log", "-c", path]


def _nginx_versions(version):
    return " ".join(f"TLSv{one}" for one in ([version] if version else ANY_VERSION))


def _stream_module():
    module = "/usr/lib/nginx/modules/ngx_stream_module.so"
    if not os.path.exists(module):
        raise LabError(f"{module} is not there; run deploy/install-deps perf")
    return f"load_module {module};\n"


class Haproxy(Proxy):
    def command(self, stand):
        parts = []
        for port, (key, version) in SERVED.items():
            pem = f"{stand.folder}/{key}.pem"
            with open(pem, "w", encoding="ascii") as file:
                for kind in ("crt", "key"):
                    with open(f"{stand.shared}/{key}.{kind}", encoding="ascii") as part:
                        file.write(part.read())
            bounds = f"ssl-min-ver TLSv{version} ssl-max-ver TLSv{version}" if version else ""
            parts.append(f"""
listen on_{port}
  bind :{port} ssl crt {pem} no-tls-tickets {bounds}
  server it {SERVER}:{port} ssl verify none no-ssl-reuse {bounds}""")
        path = f"{stand.folder}/haproxy.conf"
        with open(path, "w", encoding="ascii") as file:
            file.write(f"""global
  nbthread 1
  maxconn 8000
  tune.ssl.cachesize 0
  tune.bufsize 65536
  ssl-default-bind-ciphersuites {SUITE}
  ssl-default-server-ciphersuites {SUITE}
  ssl-default-bind-ciphers {CIPHERS}
  ssl-default-server-ciphers {CIPHERS}
defaults
  mode tcp
  maxconn 8000
  timeout connect 5s
  timeout client 60s
  timeout server 60s
{"".join(parts)}
""")
        return ["haproxy", "-db", "-f", path]


class Sslsplit(Proxy):
    """With the server's own certificate, and where the client meant to go told by the socket (tproxy)."""

    def command(self, stand):
        specs = []
        folder = f"{stand.folder}/leaves"
        os.makedirs(folder)
        with open(f"{folder}/server.pem", "w", encoding="ascii") as file:
            for kind in ("crt", "key"):
                with open(f"{stand.shared}/ecdsa.{kind}", encoding="ascii") as part:
                    file.write(part.read())
        for port in self.listening():
            specs += ["https", "0.0.0.0", str(port), SERVER, str(port)]
        return ["sslsplit", "-D", "-u", "root", "-Z", "-A", f"{folder}/server.pem", *specs]

    def listening(self):  # it finds leaves by name, so there can be one kind of key; and takes any version
        return {port: what for port, what in SERVED.items() if what == ("ecdsa", "1.3") or not what[1]}


class Squid(Proxy):
    """Bumps: it mints a leaf that mirrors the server's, as its users have it."""

    def command(self, stand):
        folder, listeners = stand.folder, ""
        process.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                    "2", "-subj", "/CN=perf CA", "-keyout", f"{folder}/ca.pem", "-out", f"{folder}/ca.crt")
        with open(f"{folder}/ca.crt", encoding="ascii") as crt, open(f"{folder}/ca.pem", "a", encoding="ascii") as both:
            both.write(crt.read())
        process.run("/usr/lib/squid/security_file_certgen", "-c", "-s", f"{folder}/leaves", "-M", "4MB")
        process.run("chown", "-R", "proxy:proxy", folder)
        for port in self.listening():
            listeners += (f"https_port {port} tproxy ssl-bump generate-host-certificates=on dynamic_cert_mem_cache_size=4MB "
                          f"tls-cert={folder}/ca.pem options=NO_TICKET,NO_SSLv3\n")
        path = f"{folder}/squid.conf"
        with open(path, "w", encoding="ascii") as file:
            file.write(f"""{listeners}http_port 3128
acl step1 at_step SslBump1
ssl_bump peek step1
ssl_bump bump all
spoof_client_ip deny all
sslproxy_cert_error allow all
tls_outgoing_options flags=DONT_VERIFY_PEER
sslcrtd_program /usr/lib/squid/security_file_certgen -s {folder}/leaves -M 4MB
http_access allow all
cache deny all
cache_mem 0
access_log none
cache_log {folder}/squid-cache.log
pid_filename {folder}/squid.pid
shutdown_lifetime 0 seconds
max_filedescriptors 20000
visible_hostname perf
host_verify_strict off
""")
        return ["squid", "-N", "-f", path]

    def listening(self):
        return {port: what for port, what in SERVED.items() if what == ("ecdsa", "1.3") or not what[1]}


def everyone(core):
    return {kind.__name__.lower(): kind(kind.__name__.lower(), core) for kind in (Nginx, Haproxy, Sslsplit, Squid)}
