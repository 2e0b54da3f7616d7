#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Inbound inspection on a live wire: real clients and a real server, which must notice nothing but its effects.

The rule infra_mgmt_web of the pack demands ssl_inbound_inspection; the site imports the appliance's certificate.
"""
import concurrent.futures
import hashlib
import os
import re
import sys
import time
import unittest

from lab_client import V4, V6, LogReader, WireTest, setUpModule as lab_up, tearDownModule  # noqa: F401
import lab_client

from labkit import certificates
from labkit.topology import APPLIANCE_VLAN, RESOLVER_VLAN

MEGABYTES = int(os.environ.get("POSTERN_TLS_MEGABYTES", "200"))
NAME = "appliance.lab"


def server_config(folder):
    scratch = f"{folder}/conf/nginx-tls"
    os.makedirs(f"{scratch}/up", exist_ok=True)
    os.chmod(f"{scratch}/up", 0o777)
    paths = " ".join(f"{kind}_temp_path {scratch}/{kind};" for kind in
                     ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    text = f"""user root;
worker_processes 1;
pid {scratch}/nginx.pid;
error_log {folder}/logs/nginx-tls.log;
events {{ worker_connections 4096; }}
http {{
  access_log {folder}/logs/nginx-tls-access.log;
  {paths}
  keepalive_timeout 60;
  server {{
    listen 0.0.0.0:443 ssl http2;
    listen [::]:443 ssl http2;
    ssl_certificate {folder}/certs/{NAME}.crt;
    ssl_certificate_key {folder}/certs/{NAME}.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    client_max_body_size 1g;
    root {folder}/www;
    default_type text/plain;
    location = / {{ return 200 "$remote_addr $remote_port $ssl_protocol $server_protocol\\n"; }}
    location /redfish/ {{ return 200 "{{}}\n"; }}
    location /up/ {{ root {scratch}; dav_methods PUT; }}
  }}
}}
"""
    path = f"{scratch}/nginx.conf"
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return ("nginx", "-e", f"{folder}/logs/nginx-tls.log", "-p", scratch, "-c", path, "-g", "daemon off;")


def decrypting_site(lab):
    with open(lab.site_file, encoding="utf-8") as file:
        text = file.read()
    user = f'    - {{user: carol, address: "{RESOLVER_VLAN}", groups: [oob_admins], posture: compliant}}\n'
    text = text.replace("  users:\n", "  users:\n" + user, 1)
    return text.replace("decryption_unavailable: pass", "decryption_unavailable: drop") + f"""
tls:
  threads: 1
  inbound:
    - {{certificate: "{lab.folder}/certs/{NAME}.crt", key: "{lab.folder}/certs/{NAME}.key"}}
"""


def setUpModule():
    lab_up()
    lab = lab_client._labs[0]
    text = decrypting_site(lab)
    lab.stop("posternd")
    with open(lab.site_file, "w", encoding="utf-8") as file:
        file.write(text)
    lab.stop("nginx-appliance")
    lab.start("nginx-tls", "appliance", server_config(lab.folder))
    lab.start_firewall()


class TlsTest(WireTest):
    def setUp(self):
        self.before = self.ctl_json("show", "tls")
        self.log = LogReader(self.lab)

    def curl(self, path, *more, host="admin", name=NAME, address=V4.appliance, limit=60):
        port_at = f"{name}:443:{f'[{address}]' if ':' in address else address}"
        return self.lab.run(host, "curl", "-sS", "--noproxy", "*", "--fail", "--max-time", str(limit), "--cacert",
                            self.lab.ca_file, "--resolve", port_at, *more, f"https://{name}{path}", timeout=limit + 10)

    def fetch(self, path, *more, **where):
        done = self.curl(path, *more, **where)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def change(self, name):
        """What a number of `show tls` has grown by."""
        return self.ctl_json("show", "tls")[name] - self.before[name]


class Sessions(TlsTest):
    def check_peers(self, address, client, **where):
        told = self.fetch("/", "-w", "%{local_ip} %{local_port} %{http_version}\n%{certs}", address=address, **where)
        server, mine = told.splitlines()[:2]
        self.assertEqual(server.split()[:2], mine.split()[:2], told)
        self.assertEqual(server.split()[0], client)
        with open(f"{self.lab.folder}/certs/{NAME}.crt", encoding="ascii") as own:
            self.assertEqual(certificates.fingerprint(told), certificates.fingerprint(own.read()))
        self.assertEqual(self.change("opened"), 1)
        return server, mine

    def test_the_server_sees_its_client_and_the_client_its_server(self):
        server, mine = self.check_peers(V4.appliance, V4.admin)
        self.assertTrue(server.endswith("TLSv1.3 HTTP/2.0"), server)
        self.assertTrue(mine.endswith(" 2"), mine)

    def test_the_same_over_ipv6(self):
        self.check_peers(V6.appliance, V6.admin)

    def test_the_same_over_mapped_vlans(self):
        self.check_peers(APPLIANCE_VLAN, RESOLVER_VLAN, host="it", name="appliance-vlan.lab")

    def test_tls_1_2_and_http_1_1(self):
        told = self.fetch("/", "--tls-max", "1.2", "--http1.1")
        self.assertTrue(told.strip().endswith("TLSv1.2 HTTP/1.1"), told)
        self.assertEqual(self.change("opened"), 1)

    def test_a_hello_in_small_segments(self):
        """64-byte writes of the hello, as a client with a large one would send it over several segments."""
        script = f"""
import socket, ssl, sys
context = ssl.create_default_context(cafile={self.lab.ca_file!r})
raw = socket.create_connection(({V4.appliance!r}, 443), 10)
raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
tls = context.wrap_bio(inward, outward, server_hostname={NAME!r})
while True:
    try:
        tls.do_handshake()
        break
    except ssl.SSLWantReadError:
        data = outward.read()
        for at in range(0, len(data), 64):
            raw.sendall(data[at:at + 64])
        inward.write(raw.recv(65536))
raw.sendall(outward.read())
tls.write(b"GET / HTTP/1.0\\r\\n\\r\\n")
raw.sendall(outward.read())
while True:
    try:
        print(tls.read().decode())
        break
    except ssl.SSLWantReadError:
        inward.write(raw.recv(65536))
"""
        done = self.lab.run("admin", sys.executable, "-c", script, timeout=30)
        self.assertIn("200 OK", done.stdout, done.stderr)
        self.assertEqual(self.change("opened"), 1)

    def test_the_log_tells_that_it_was_decrypted(self):
        self.fetch("/")
        record = self.seen("tls", lambda r: r["tls"].get("sni") == NAME)
        self.assertEqual(record["decrypt"], {"mode": "ssl_inbound_inspection", "result": "decrypted"})
        self.assertEqual(record["tls"]["version"], "TLS 1.3")
        self.assertEqual(record["tls"]["server_alpns"], ["h2"])
        self.assertIn(NAME, record["tls"]["subjectaltname"])
        flow = self.seen("flow", lambda r: r.get("flow_id") == record["flow_id"] and r["flow"].get("log") == "end")
        self.assertEqual(flow["verdict"], {"action": "allow"})
        self.assertEqual(flow["flow"]["reason"], "tcp_fin")

    def seen(self, kind, fits):
        found = self.log.wait_for(lambda _, record: record.get("event_type") == kind and fits(record))
        self.assertIsNotNone(found, f"no {kind} record")
        return found[1]

    def test_many_connections_at_once(self):
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            done = list(pool.map(lambda _: self.curl("/"), range(200)))
        self.assertEqual([d.stderr for d in done if d.returncode != 0], [])
        self.assertEqual(self.change("opened"), 200)
        self.check_accounting()


class Transfers(TlsTest):
    def setUp(self):
        super().setUp()
        self.image = f"{self.lab.folder}/www/image.bin"
        digest = hashlib.sha256()
        with open(self.image, "wb") as file:
            for _ in range(MEGABYTES):
                part = os.urandom(1 << 20)
                digest.update(part)
                file.write(part)
        self.digest = digest.hexdigest()

    @staticmethod
    def digest_of(path):
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()

    def test_a_large_download(self):
        copy = f"{self.lab.folder}/copy.bin"
        begin = time.monotonic()
        self.fetch("/image.bin", "-o", copy, limit=180)
        print(f"{MEGABYTES} MB down in {time.monotonic() - begin:.1f} s", file=sys.stderr)
        self.assertEqual(self.digest_of(copy), self.digest)
        self.assertEqual(self.change("opened"), 1)
        self.assertGreater(self.change("clear_bytes_to_client"), MEGABYTES << 20)
        self.check_accounting()

    def test_a_large_upload(self):
        begin = time.monotonic()
        self.fetch("/up/image.bin", "-T", self.image, "-H", "Expect:", limit=180)
        print(f"{MEGABYTES} MB up in {time.monotonic() - begin:.1f} s", file=sys.stderr)
        self.assertEqual(self.digest_of(f"{self.lab.folder}/conf/nginx-tls/up/image.bin"), self.digest)
        self.check_accounting()

    def test_a_large_download_over_mapped_vlans(self):
        size = 8 << 20  # the lab's tagged interfaces are programs: a megabyte a second
        copy, part = f"{self.lab.folder}/copy.bin", f"{self.lab.folder}/part.bin"
        self.fetch("/image.bin", "-r", f"0-{size - 1}", "-o", copy, limit=60, host="it", name="appliance-vlan.lab",
                   address=APPLIANCE_VLAN)
        with open(self.image, "rb") as image, open(part, "wb") as file:
            file.write(image.read(size))
        self.assertEqual(self.digest_of(copy), self.digest_of(part))


class Refusals(TlsTest):
    def commit_site(self, text):
        path = f"{self.lab.folder}/candidate.yaml"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        self.addCleanup(self.ctl, "commit", self.lab.site_file)
        self.ctl("commit", path)

    def check_refused(self, reason):
        begin = time.monotonic()
        done = self.curl("/")
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stderr, r"(?i)reset|SSL_ERROR_SYSCALL|Recv failure")
        self.assertLess(time.monotonic() - begin, 5, "a refusal is told, not left to a timeout")
        self.assertEqual(self.ctl_json("show", "tls")["reasons"].get(reason, 0),
                         self.before["reasons"].get(reason, 0) + 1)

    def test_a_server_with_another_key_is_refused(self):
        folder = f"{self.lab.folder}/certs"
        self.lab.run("admin", "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                     "-days", "3", "-subj", "/CN=other", "-addext", f"subjectAltName=DNS:{NAME}", "-keyout",
                     f"{folder}/other.key", "-out", f"{folder}/other.crt")
        os.chmod(f"{folder}/other.key", 0o600)
        with open(self.lab.site_file, encoding="utf-8") as file:
            self.commit_site(file.read().replace(f"certs/{NAME}.", "certs/other."))
        self.check_refused("key_mismatch")

    def test_a_server_without_an_imported_certificate_is_refused(self):
        with open(self.lab.site_file, encoding="utf-8") as file:
            self.commit_site(file.read().replace(f"certs/{NAME}.", "certs/bmc.lab."))
        self.check_refused("no_certificate")

    def test_without_imported_certificates_such_flows_are_dropped(self):
        with open(self.lab.site_file, encoding="utf-8") as file:
            self.commit_site(re.sub(r"(?ms)^  inbound:.*", "", file.read()))
        before = self.drops().get("decryption_unavailable", 0)
        self.assertNotEqual(self.curl("/", limit=3).returncode, 0)
        self.assertGreater(self.drops().get("decryption_unavailable", 0), before)
        self.assertEqual(self.change("adopted"), 0)


class Failures(TlsTest):
    def test_a_client_that_breaks_off_is_not_kept(self):
        script = f"""
import socket, ssl, struct, time
context = ssl.create_default_context(cafile={self.lab.ca_file!r})
tls = context.wrap_socket(socket.create_connection(({V4.appliance!r}, 443), 10), server_hostname={NAME!r})
tls.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
"""
        done = self.lab.run("admin", sys.executable, "-c", script, timeout=30)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.seconds_until(lambda: self.ctl_json("show", "tls")["sessions"] == 0, 5, "the session ends")
        self.assertEqual(self.ctl_json("show", "tls")["reasons"].get("peer_reset", 0),
                         self.before["reasons"].get("peer_reset", 0) + 1)

    def test_a_crash_resets_the_peers_once_it_is_over(self):
        """Clients that wait in silence hear of it, and new ones are served at once."""
        script = f"""
import selectors, socket, ssl, time
context = ssl.create_default_context(cafile={self.lab.ca_file!r})
waiting = selectors.DefaultSelector()
for _ in range(200):
    tls = context.wrap_socket(socket.create_connection(({V4.appliance!r}, 443), 10), server_hostname={NAME!r})
    waiting.register(socket.socket(fileno=tls.detach()), selectors.EVENT_READ)
print("open", flush=True)
reset, deadline = 0, time.monotonic() + 30
while reset < 200 and time.monotonic() < deadline:
    for key, _ in waiting.select(1):
        try:
            if key.fileobj.recv(4096):  # a ticket
                continue
        except ConnectionResetError:
            reset += 1
        waiting.unregister(key.fileobj)
print("reset", reset, flush=True)
"""
        client = self.lab.start("crash", "admin", [sys.executable, "-c", script])
        self.seconds_until(lambda: self.change("opened") == 200, 20, "the sessions open")
        self.lab.kill("posternd")
        time.sleep(0.5)
        self.lab.start_firewall()
        begin = time.monotonic()
        self.before = self.ctl_json("show", "tls")
        self.fetch("/")
        self.seconds_until(lambda: not self.lab.running("crash"), 15, "all clients hear of it")
        print(f"resets within {time.monotonic() - begin:.1f} s of the restart", file=sys.stderr)
        with open(client["log"], encoding="utf-8") as log:
            self.assertIn("reset 200", log.read())

    def test_a_stop_resets_the_peers(self):
        script = f"""
import socket, ssl
context = ssl.create_default_context(cafile={self.lab.ca_file!r})
tls = context.wrap_socket(socket.create_connection(({V4.appliance!r}, 443), 10), server_hostname={NAME!r})
raw = socket.socket(fileno=tls.detach())  # what ssl makes of a reset differs
raw.settimeout(20)
print("open", flush=True)
try:
    while raw.recv(4096):  # a ticket
        pass
    print("end")
except ConnectionResetError:
    print("reset")
"""
        client = self.lab.start("waiting", "admin", [sys.executable, "-c", script])
        self.seconds_until(lambda: self.change("opened") == 1, 10, "the session opens")
        self.lab.stop("posternd")
        self.addCleanup(self.lab.start_firewall)
        self.seconds_until(lambda: not self.lab.running("waiting"), 5, "the client hears of it")
        with open(client["log"], encoding="utf-8") as log:
            self.assertIn("reset", log.read())


if __name__ == "__main__":
    unittest.main(verbosity=2)
