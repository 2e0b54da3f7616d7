#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What posternd does with the clear bytes of flows that it decrypts: it names what runs inside and the rules say
what of it passes. Real clients and a real server, which must not see what was refused.
"""
import concurrent.futures
import ctypes
import json
import os
import subprocess
import sys
import time
import unittest

from lab_client import LogReader, V4, setUpModule as lab_up, tearDownModule  # noqa: F401
import lab_client
import tls_test
from tls_test import NAME, TlsTest

from labkit.site import PACK

EVERYWHERE = lab_client.EVERYWHERE
NO_POWER = (f"{{rule: no_power, action: drop, zones: {EVERYWHERE}, application: redfish_power, service: any, "
            f"logging: {{forwarding: siem_default, log_start: true}}}}")
SYSTEM = "/redfish/v1/Systems/1"
RESET = f"{SYSTEM}/Actions/ComputerSystem.Reset"


def setUpModule():
    lab_up()
    lab = lab_client._labs[0]
    text = tls_test.decrypting_site(lab)
    lab.stop("posternd")
    with open(lab.site_file, "w", encoding="utf-8") as file:
        file.write(text)
    lab.stop("nginx-appliance")
    lab.start("nginx-tls", "appliance", tls_test.server_config(lab.folder))
    lab.start_firewall()


class DecryptedTest(TlsTest):
    def commit_text(self, change):
        """Commits the lab's site after `change`; reverts when the test ends."""
        with open(self.lab.site_file, encoding="utf-8") as file:
            text = change(file.read())
        path = f"{self.lab.folder}/candidate.yaml"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        self.addCleanup(self.ctl, "commit", self.lab.site_file)
        self.ctl("commit", path)

    def commit_rules(self, *rules):
        lines = "".join(f"    - {rule}\n" for rule in rules)
        self.commit_text(lambda text: text.replace("\nlogging:", f"\nrules:\n  before:\n{lines}\nlogging:", 1))

    def commit_reading_only(self):
        """A pack whose one rule decrypts what goes to the appliance and allows Redfish reading of it."""
        with open(PACK, encoding="utf-8") as file:
            pack = json.load(file)
        rule = next(r for r in pack["rules"] if r["application"]["app_id"] == "infra_mgmt_web")
        rule["application"]["app_id"] = "redfish_read"
        rule["security_profiles"] = {"antivirus": {"action": "alert"}}
        pack["rules"] = [rule]
        pack["id"] = "reading_only"
        path = f"{self.lab.folder}/reading_only.json"
        with open(path, "w", encoding="utf-8") as file:
            json.dump(pack, file)
        self.commit_text(lambda text: text.replace(PACK, path))

    @staticmethod
    def text_of(path):
        with open(path, encoding="utf-8") as file:
            return file.read()

    def reason(self, name):
        """How many sessions have ended so since the test began."""
        return self.ctl_json("show", "tls")["reasons"].get(name, 0) - self.before["reasons"].get(name, 0)

    def arrived(self, what):
        """Whether the server saw such a request."""
        with open(f"{self.lab.logs}/nginx-tls-access.log", encoding="utf-8") as log:
            return what in log.read()

    def flow_end(self, **fields):
        def fits(record):
            return record.get("event_type") == "flow" and record["flow"].get("log") == "end" and all(
                record.get(key) == value for key, value in fields.items())
        found = self.log.wait_for(lambda _, record: fits(record))
        self.assertIsNotNone(found, f"no flow record with {fields}")
        return found[1]

    def h1(self, path, *more, **where):
        return self.curl(path, "--http1.1", *more, **where)


class Inside(DecryptedTest):
    def test_redfish_over_https_is_named_in_the_log(self):
        self.assertEqual(self.h1(SYSTEM).returncode, 0)
        record = self.flow_end(app_proto="redfish_read", app_id="infra_mgmt_web")
        self.assertEqual(record["decrypt"]["result"], "decrypted")
        self.assertEqual(record["verdict"], {"action": "allow"})

    def test_http_2_is_named_in_the_log(self):
        told = self.fetch("/")
        self.assertTrue(told.strip().endswith("HTTP/2.0"), told)
        self.flow_end(app_proto="http2")

    def test_a_power_action_is_refused_and_reading_is_not(self):
        self.commit_rules(NO_POWER)
        self.assertEqual(self.h1(SYSTEM).returncode, 0)
        done = self.h1(f"{RESET}?a", "-d", '{"ResetType": "ForceOff"}')
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stderr, r"(?i)reset|SSL_ERROR_SYSCALL|Recv failure|Empty reply")
        self.assertFalse(self.arrived(f"{RESET}?a"), "the server saw it")
        self.assertEqual(self.reason("application_denied"), 1)
        found = self.log.wait_for(lambda _, r: r.get("event_type") == "drop" and r.get("app_proto") == "redfish_power")
        self.assertIsNotNone(found, "no drop record")
        self.assertEqual(found[1]["policy"]["rule"], "no_power")
        self.assertEqual(found[1]["verdict"], {"action": "drop", "reason": "policy_rule"})
        self.check_accounting()

    def test_each_request_of_a_connection_is_judged(self):
        self.commit_rules(NO_POWER)
        done = self.h1(SYSTEM, f"https://{NAME}{SYSTEM}?b", "--next", "-sS", "--cacert", self.lab.ca_file, "--http1.1",
                       "--resolve", f"{NAME}:443:{V4.appliance}", "-d", "{}", f"https://{NAME}{RESET}?b")
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertTrue(self.arrived(f"{SYSTEM}?b"))
        self.assertFalse(self.arrived(f"{RESET}?b"))

    def test_a_rule_that_allows_reading_refuses_everything_else(self):
        self.commit_reading_only()
        self.assertEqual(self.h1(SYSTEM).returncode, 0)
        self.flow_end(app_proto="redfish_read", app_id="redfish_read")
        for path in (f"{RESET}?c", "/?c"):
            self.assertNotEqual(self.h1(path, "-d", "{}").returncode, 0, path)
            self.assertFalse(self.arrived(path))
        self.assertNotEqual(self.curl(SYSTEM).returncode, 0, "HTTP/2, whose requests nobody has read")
        self.check_accounting()

    def test_a_new_policy_judges_what_runs_inside(self):
        go = f"{self.lab.folder}/go"
        script = f"""
import os, socket, ssl, time
context = ssl.create_default_context(cafile={self.lab.ca_file!r})
tls = context.wrap_socket(socket.create_connection(({V4.appliance!r}, 443), 10), server_hostname={NAME!r})
tls.settimeout(20)
request = b"GET {SYSTEM} HTTP/1.1\\r\\nHost: {NAME}\\r\\n\\r\\n"
tls.sendall(request)
print(len(tls.recv(4096)) > 0, flush=True)
while not os.path.exists({go!r}):
    time.sleep(0.05)
try:
    tls.sendall(request)
    print("answered" if tls.recv(4096) else "refused")
except OSError:
    print("refused")
"""
        client = self.lab.start("waiting", "admin", [sys.executable, "-c", script])
        self.seconds_until(lambda: "True" in self.text_of(client["log"]), 10, "the first answer")
        self.commit_rules(NO_POWER.replace("redfish_power", "redfish_read"))
        with open(go, "w", encoding="ascii"):
            pass
        self.seconds_until(lambda: not self.lab.running("waiting"), 30, "the client ends")
        self.assertIn("refused", self.text_of(client["log"]))


class Many(DecryptedTest):
    def test_five_hundred_connections_at_once(self):
        script = f"""
import selectors, socket, ssl, time
context = ssl.create_default_context(cafile={self.lab.ca_file!r})
open_ones = [context.wrap_socket(socket.create_connection(({V4.appliance!r}, 443), 20), server_hostname={NAME!r})
             for _ in range(500)]
for tls in open_ones:
    tls.sendall(b"GET {SYSTEM} HTTP/1.1\\r\\nHost: {NAME}\\r\\nConnection: close\\r\\n\\r\\n")
print(sum(b"200 OK" in tls.recv(4096) for tls in open_ones))
"""
        done = self.lab.run("admin", sys.executable, "-c", script, timeout=120)
        self.assertEqual(done.stdout.strip(), "500", done.stderr)
        self.assertEqual(self.change("opened"), 500)
        self.check_accounting()

    def test_requests_of_many_clients_are_judged_apart(self):
        self.commit_rules(NO_POWER)

        def one(number):
            if number % 2 == 0:
                return self.h1(SYSTEM).returncode == 0
            return self.h1(RESET, "-d", "{}").returncode != 0
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            self.assertTrue(all(pool.map(one, range(60))))
        self.check_accounting()

    def test_an_end_of_one_direction_leaves_the_other(self):
        """The client says that it has no more to say, and gets its answer all the same."""
        script = f"""
import socket, ssl
context = ssl.create_default_context(cafile={self.lab.ca_file!r})
raw = socket.create_connection(({V4.appliance!r}, 443), 10)
inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
tls = context.wrap_bio(inward, outward, server_hostname={NAME!r})

def pump():
    raw.sendall(outward.read())
    data = raw.recv(65536)
    inward.write(data) if data else inward.write_eof()

while True:
    try:
        tls.do_handshake()
        break
    except ssl.SSLWantReadError:
        pump()
tls.write(b"GET {SYSTEM} HTTP/1.0\\r\\n\\r\\n")
raw.sendall(outward.read())
raw.shutdown(socket.SHUT_WR)
heard = b""
while b"200 OK" not in heard:
    try:
        heard += tls.read()
    except ssl.SSLWantReadError:
        inward.write(raw.recv(65536))
print("answered")
"""
        done = self.lab.run("admin", sys.executable, "-c", script, timeout=30)
        self.assertIn("answered", done.stdout, done.stderr)


EICAR = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS" + "-TEST-FILE!$H+H*"


class Antivirus(DecryptedTest):
    """The rule infra_mgmt_web asks for antivirus with action block."""

    def setUp(self):
        super().setUp()
        self.put("clean.bin", b"x" * 100000)
        self.put("eicar.bin", b"y" * 70000 + EICAR.encode() + b"z" * 1000)

    def put(self, name, content):
        with open(f"{self.lab.folder}/www/{name}", "wb") as file:
            file.write(content)

    def check_alert(self, direction, action="blocked", **fields):
        def fits(record):
            return (record.get("event_type") == "alert" and record["direction"] == direction and
                    all(record.get(key) == value for key, value in fields.items()))
        found = self.log.wait_for(lambda _, record: fits(record))
        self.assertIsNotNone(found, "no alert record")
        self.assertEqual(found[1]["alert"]["signature"], "Eicar-Test-Signature")
        self.assertEqual(found[1]["alert"]["action"], action)
        return found[1]

    def check_download_blocked(self, *more):
        copy = f"{self.lab.folder}/copy.bin"
        self.assertEqual(self.curl("/clean.bin", *more, "-o", copy).returncode, 0)
        done = self.curl("/eicar.bin", *more, "-o", copy)
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr, r"(?i)reset|SSL_ERROR_SYSCALL|Recv failure|not closed cleanly")
        with open(copy, "rb") as file:
            self.assertNotIn(EICAR[-20:].encode(), file.read())
        self.assertEqual(self.reason("content_blocked"), 1)
        self.check_alert("to_client")
        self.check_accounting()

    def test_a_download_over_https_is_blocked(self):
        self.check_download_blocked("--http1.1")

    def test_a_download_over_http_2_is_blocked(self):
        self.check_download_blocked()

    def test_an_upload_over_https_is_blocked_and_never_arrives(self):
        up = f"{self.lab.folder}/conf/nginx-tls/up/eicar.bin"
        done = self.curl("/up/eicar.bin", "--http1.1", "-T", f"{self.lab.folder}/www/eicar.bin", "-H", "Expect:")
        self.assertNotEqual(done.returncode, 0)
        self.assertFalse(os.path.exists(up))
        self.assertEqual(self.reason("content_blocked"), 1)
        record = self.check_alert("to_server")
        self.assertEqual(record["verdict"], {"action": "drop", "reason": "content_blocked"})
        self.assertEqual(record["policy"]["rule"], "infra_mgmt_web")
        self.assertEqual(record["decrypt"]["result"], "decrypted")

    def test_it_is_found_in_records_of_one_byte(self):
        script = f"""
import socket, ssl
context = ssl.create_default_context(cafile={self.lab.ca_file!r})
raw = socket.create_connection(({V4.appliance!r}, 443), 10)
raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
tls = context.wrap_socket(raw, server_hostname={NAME!r})
text = {EICAR!r}.encode()
tls.sendall(b"POST /redfish/ HTTP/1.1\\r\\nHost: {NAME}\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(text))
try:
    for byte in text:
        tls.sendall(bytes([byte]))
    while tls.recv(4096):  # the server answers before it has read all
        pass
    print("ended")
except OSError:
    print("refused")
"""
        done = self.lab.run("admin", sys.executable, "-c", script, timeout=30)
        self.check_alert("to_server")
        self.assertEqual(self.reason("content_blocked"), 1, done.stdout + done.stderr)

    def test_a_rule_that_only_alerts_lets_it_pass(self):
        with open(PACK, encoding="utf-8") as file:
            text = file.read().replace('"antivirus": {\n          "action": "block"', '"antivirus": {\n          "action": "alert"')
        path = f"{self.lab.folder}/alerting.json"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        self.commit_text(lambda site: site.replace(PACK, path))
        copy = f"{self.lab.folder}/copy.bin"
        self.assertEqual(self.curl("/eicar.bin", "-o", copy).returncode, 0)
        with open(copy, "rb") as file:
            self.assertIn(EICAR.encode(), file.read())
        self.check_alert("to_client", action="allowed")

    def test_clear_http_is_blocked_in_the_same_way(self):
        """A rule of a pack for clear HTTP to the vendor's server, which asks for antivirus."""
        with open(PACK, encoding="utf-8") as file:
            pack = json.load(file)
        rule = next(r for r in pack["rules"] if r["application"]["app_id"] == "infra_mgmt_web")
        rule["application"]["app_id"] = "web_browsing"
        rule["security_profiles"] = {"antivirus": {"action": "block"}}
        rule["decryption"] = {"mode": "none"}
        rule["zones"] = {"source": ["management"], "destination": ["internet"]}
        rule.pop("identity", None)
        pack.update(rules=[rule], id="clear_http")
        path = f"{self.lab.folder}/clear_http.json"
        with open(path, "w", encoding="utf-8") as file:
            json.dump(pack, file)
        self.commit_text(lambda site: site.replace(f'packs: ["{PACK}"]', f'packs: ["{path}", "{PACK}"]'))
        copy = f"{self.lab.folder}/clear.bin"

        def fetch(name):
            return self.lab.run("appliance", "curl", "-sS", "--noproxy", "*", "--max-time", "20", "-o", copy,
                                f"http://{V4.vendor}/{name}", timeout=30)
        self.assertEqual(fetch("clean.bin").returncode, 0)
        begin = time.monotonic()
        done = fetch("eicar.bin")
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr, "(?i)reset")
        self.assertLess(time.monotonic() - begin, 5)
        with open(copy, "rb") as file:
            self.assertNotIn(EICAR[-20:].encode(), file.read())
        record = self.check_alert("to_client", app_id="web_browsing")
        self.assertEqual(record["verdict"], {"action": "drop", "reason": "content_blocked"})
        self.seconds_until(lambda: not self.lab.run("it", "ss", "-Htn", "sport", "=", ":80", "state",
                                                    "established").stdout.strip(), 5, "the server hears of it")
        self.check_accounting()


class Limits(DecryptedTest):
    def pid(self):
        found = subprocess.run(["pgrep", "-f", f"posternd run --site {self.lab.site_file}"], capture_output=True,
                               text=True, check=True).stdout.split()
        return int(found[0])

    def test_a_client_that_does_not_finish_its_handshake_is_reset(self):
        script = f"""
import socket, ssl, time
context = ssl.create_default_context(cafile={self.lab.ca_file!r})
raw = socket.create_connection(({V4.appliance!r}, 443), 10)
inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
tls = context.wrap_bio(inward, outward, server_hostname={NAME!r})
try:
    tls.do_handshake()
except ssl.SSLWantReadError:
    raw.sendall(outward.read())
raw.settimeout(30)
begin = time.monotonic()
try:
    while raw.recv(65536):
        pass
    print("end")
except ConnectionResetError:
    print("reset", round(time.monotonic() - begin))
"""
        done = self.lab.run("admin", sys.executable, "-c", script, timeout=60)
        self.assertRegex(done.stdout, r"reset (9|1[0-3])", done.stderr)
        self.assertEqual(self.reason("handshake_timeout"), 1)

    def test_without_sockets_new_sessions_are_refused_and_old_ones_go_on(self):
        go = f"{self.lab.folder}/go"
        script = f"""
import os, socket, ssl, time
context = ssl.create_default_context(cafile={self.lab.ca_file!r})
tls = context.wrap_socket(socket.create_connection(({V4.appliance!r}, 443), 10), server_hostname={NAME!r})
print("open", flush=True)
while not os.path.exists({go!r}):
    time.sleep(0.05)
tls.sendall(b"GET {SYSTEM} HTTP/1.1\\r\\nHost: {NAME}\\r\\n\\r\\n")
print("answered" if b"200 OK" in tls.recv(4096) else "refused")
"""
        client = self.lab.start("asks-later", "admin", [sys.executable, "-c", script])
        self.seconds_until(lambda: "open" in self.text_of(client["log"]), 10, "the session opens")
        pid = self.pid()
        allowed = subprocess.run(["prlimit", "--pid", str(pid), "--nofile", "-o", "SOFT", "--noheadings"],
                                 capture_output=True, text=True, check=True).stdout.strip()
        used = max(int(number) for number in os.listdir(f"/proc/{pid}/fd"))
        subprocess.run(["prlimit", "--pid", str(pid), f"--nofile={used + 1}:"], check=True)
        try:
            self.assertNotEqual(self.curl("/", limit=3).returncode, 0)
            with open(go, "w", encoding="ascii"):
                pass
            self.seconds_until(lambda: not self.lab.running("asks-later"), 10, "the client ends")
            self.assertIn("answered", self.text_of(client["log"]))
        finally:
            subprocess.run(["prlimit", "--pid", str(pid), f"--nofile={allowed}:"], check=True)
        os.remove(go)
        self.assertGreaterEqual(self.reason("full"), 1)
        self.fetch("/")

    def test_a_thread_that_hangs_is_noticed_and_the_data_path_goes_on(self):
        """The TLS thread is stopped by a tracer, as a debugger would; its clients are reset when they speak."""
        pid = self.pid()
        thread = next(int(task) for task in os.listdir(f"/proc/{pid}/task")
                      if self.text_of(f"/proc/{pid}/task/{task}/comm").strip() == "tls-0")
        ptrace = ctypes.CDLL(None, use_errno=True).ptrace
        ptrace.argtypes = (ctypes.c_ulong, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
        seize, interrupt, detach = 0x4206, 0x4207, 17
        script = f"""
import socket, ssl, time
context = ssl.create_default_context(cafile={self.lab.ca_file!r})
tls = context.wrap_socket(socket.create_connection(({V4.appliance!r}, 443), 10), server_hostname={NAME!r})
print("open", flush=True)
try:
    while True:
        tls.sendall(b"x")
        time.sleep(0.5)
except OSError:
    print("reset")
"""
        client = self.lab.start("old", "admin", [sys.executable, "-c", script])
        self.seconds_until(lambda: "open" in self.text_of(client["log"]), 10, "the session opens")
        self.assertEqual(ptrace(seize, thread, None, None), 0, os.strerror(ctypes.get_errno()))
        try:
            self.assertEqual(ptrace(interrupt, thread, None, None), 0)
            os.waitpid(thread, 0x40000000)  # __WALL
            self.seconds_until(lambda: "does not come round" in self.text_of(f"{self.lab.logs}/posternd.log"), 8,
                               "the alarm")
            self.seconds_until(lambda: "reset" in self.text_of(client["log"]), 5, "the client is reset")
            self.assertNotEqual(self.curl("/", limit=3).returncode, 0)
            self.check_ping(V4.bmc)
        finally:
            ptrace(detach, thread, None, None)
        self.seconds_until(lambda: "comes round again" in self.text_of(f"{self.lab.logs}/posternd.log"), 8, "the end")
        self.fetch("/")
        self.check_accounting()


class KeyLog(DecryptedTest):
    def test_a_key_log_shows_in_every_status(self):
        with open(self.lab.site_file, encoding="utf-8") as file:
            text = file.read()
        path = f"{self.lab.folder}/keys.log"
        self.lab.stop("posternd")
        self.addCleanup(self.restart_with, text)
        self.restart_with(text.replace("tls:\n", f"tls:\n  key_log: {path}\n"))
        self.before = self.ctl_json("show", "tls")
        self.fetch("/")
        self.assertEqual(self.text_of(path).count("CLIENT_TRAFFIC_SECRET_0"), 2)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        for what in ("tls", "stats", "generation"):
            self.assertIn(path, self.ctl("show", what))
        self.assertIn("the secrets of TLS sessions are written", self.text_of(f"{self.lab.logs}/posternd.log"))

    def restart_with(self, text):
        if self.lab.running("posternd"):
            self.lab.stop("posternd")
        with open(self.lab.site_file, "w", encoding="utf-8") as file:
            file.write(text)
        self.lab.start_firewall()


if __name__ == "__main__":
    unittest.main(verbosity=2)
