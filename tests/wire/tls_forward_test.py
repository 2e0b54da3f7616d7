#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The forward proxy on a live wire. The rule firmware_update of the pack (appliance to the vendor, HTTPS) demands
ssl_forward_proxy; the site has a CA of its own, and the vendor shows good and bad certificates by name."""
import base64
import hashlib
import re
import subprocess
import sys
import time
import unittest

from lab_client import V4, V6, LogReader, WireTest, setUpModule as lab_up, tearDownModule  # noqa: F401
import lab_client
import forward_servers

from labkit.site import PACK

SECTION = """
tls:
  forward:
    ca: {{certificate: "{ca}/site.crt", key: "{ca}/site.encrypted", passphrase_file: "{ca}/site.pass"}}
    untrusted_ca: {{certificate: "{ca}/distrusted.crt", key: "{ca}/distrusted.key"}}
    trust: "{ca}/upstream.crt"
    crls: ["{ca}/upstream.crl"]
    faults: {{untrusted_root: untrusted_leaf, incomplete_chain: untrusted_leaf}}
  exclude: []
"""

authorities = None


def setUpModule():
    global authorities
    lab_up()
    lab = lab_client._labs[0]
    authorities = forward_servers.Authorities(f"{lab.folder}/forward")
    with open(lab.site_file, encoding="utf-8") as file:
        text = file.read().replace("decryption_unavailable: pass", "decryption_unavailable: drop")
    lab.stop("posternd")
    with open(lab.site_file, "w", encoding="utf-8") as file:
        file.write(text + SECTION.format(ca=authorities.folder))
    lab.stop("nginx-vendor")
    lab.start("nginx-forward", "it", forward_servers.nginx(authorities, lab.folder))
    lab.start_firewall()


class ForwardTest(WireTest):
    def setUp(self):
        self.before = self.ctl_json("show", "tls")
        self.log = LogReader(self.lab)

    def curl(self, name, *more, ca="site", address=V4.vendor):
        at = f"[{address}]" if ":" in address else address
        return self.lab.run("appliance", "curl", "-sS", "--noproxy", "*", "--max-time", "8", "--cacert",
                            authorities.path(f"{ca}.crt"), "--resolve", f"{name}:443:{at}", *more, f"https://{name}/",
                            timeout=20)

    def fetch(self, name, *more, **where):
        done = self.curl(name, *more, **where)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def change(self, key, name=None):
        now, before = self.ctl_json("show", "tls")[key], self.before[key]
        return now - before if name is None else now.get(name, 0) - before.get(name, 0)

    def record(self, name):
        found = self.log.wait_for(lambda _, r: r.get("event_type") == "tls" and r["tls"].get("sni") == name)
        self.assertIsNotNone(found, f"no tls record of {name}")
        return found[1]

    def commit_section(self, *replacements):
        with open(self.lab.site_file, encoding="utf-8") as file:
            text = file.read()
        for old, new in replacements:
            self.assertIn(old, text)
            text = text.replace(old, new)
        path = f"{self.lab.folder}/candidate.yaml"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        self.addCleanup(self.ctl, "commit", self.lab.site_file)
        self.ctl("commit", path)

    def check_refused(self, name, *more):
        begin = time.monotonic()
        done = self.curl(name, *more)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertLess(time.monotonic() - begin, 5, "a refusal is told, not left to a timeout")
        return done.stderr


class GoodServers(ForwardTest):
    def test_the_client_sees_a_leaf_of_the_site_that_says_what_the_server_says(self):
        told = self.fetch("good.lab", "-w", "%{certs}")
        self.assertIn(f"good.lab {V4.appliance} TLSv1.3 HTTP/2.0", told)
        shown = subprocess.run(["openssl", "x509", "-noout", "-subject", "-issuer", "-ext", "subjectAltName", "-enddate"],
                               input=told, capture_output=True, text=True, check=True).stdout
        self.assertIn("CN = good.lab", shown)
        self.assertIn("CN = site CA", shown)
        self.assertIn("DNS:good.lab, DNS:www.good.lab", shown)
        self.assertEqual(self.change("opened"), 1)

    def test_the_same_over_ipv6_and_tls_1_2_and_http_1_1(self):
        told = self.fetch("good.lab", "--tls-max", "1.2", "--http1.1", address=V6.vendor)
        self.assertIn(f"good.lab {V6.appliance} TLSv1.2 HTTP/1.1", told)

    def test_a_server_without_a_name_is_verified_by_its_address(self):
        done = self.lab.run("appliance", "curl", "-sS", "--noproxy", "*", "--cacert", authorities.path("site.crt"),
                            f"https://{V4.vendor}/", timeout=20)
        self.assertIn("address.lab", done.stdout, done.stderr)

    def test_python_and_openssl_take_the_leaf(self):
        script = f"""
import socket, ssl
context = ssl.create_default_context(cafile={authorities.path('site.crt')!r})
tls = context.wrap_socket(socket.create_connection(({V4.vendor!r}, 443), 10), server_hostname="good.lab")
tls.sendall(b"GET / HTTP/1.0\\r\\nHost: good.lab\\r\\n\\r\\n")
print(tls.recv(4096).decode())
"""
        done = self.lab.run("appliance", sys.executable, "-c", script, timeout=20)
        self.assertIn("200 OK", done.stdout, done.stderr)
        done = self.lab.run("appliance", "openssl", "s_client", "-connect", f"{V4.vendor}:443", "-servername", "good.lab",
                            "-CAfile", authorities.path("site.crt"), "-verify_return_error", timeout=20, text_in="Q\n")
        self.assertIn("Verify return code: 0 (ok)", done.stdout, done.stderr)

    def test_leaves_are_minted_once(self):
        for _ in range(3):
            self.fetch("www.good.lab")
        self.seconds_until(lambda: self.change("leaves_reused") >= 2, 5, "the cache is counted")
        self.assertLessEqual(self.change("leaves_minted"), 1)

    def test_the_log_tells_that_it_was_decrypted(self):
        self.fetch("good.lab")
        record = self.record("good.lab")
        self.assertEqual(record["decrypt"], {"mode": "ssl_forward_proxy", "result": "decrypted"})
        self.assertEqual(record["tls"]["issuerdn"], "CN=upstream CA")


class BadServers(ForwardTest):
    def check_blocked(self, name, cause):
        self.assertRegex(self.check_refused(name, "-k"), r"(?i)reset|SSL_ERROR_SYSCALL|Recv failure")
        self.assertEqual(self.record(name)["decrypt"],
                         {"mode": "ssl_forward_proxy", "result": "failed", "reason": "upstream_untrusted", "cause": cause})
        self.assertEqual(self.change("reasons", "upstream_untrusted"), 1)
        self.assertEqual(self.change("certificate_faults", cause), 1)

    def test_an_expired_server_is_blocked(self):
        self.check_blocked("old.lab", "expired")

    def test_a_server_of_another_name_is_blocked(self):
        self.check_blocked("wrong.lab", "wrong_name")

    def test_a_self_signed_server_is_blocked(self):
        self.check_blocked("self.lab", "self_signed")

    def test_a_revoked_server_is_blocked(self):
        self.check_blocked("revoked.lab", "revoked")

    def test_a_server_of_a_stranger_gets_a_leaf_that_clients_do_not_trust(self):
        self.assertIn("unable to get local issuer", self.check_refused("stranger.lab"))
        self.assertIn("stranger.lab", self.fetch("stranger.lab", ca="distrusted"))
        record = self.record("stranger.lab")
        self.assertEqual(record["decrypt"]["cause"], "incomplete_chain")
        suggested = self.ctl_json("show", "tls", "suggestions")
        self.assertNotIn("stranger.lab", [row["host"] for row in suggested], "its clients mean the server")

    def test_what_the_site_says_of_a_fault_can_change(self):
        self.check_blocked("old.lab", "expired")
        self.commit_section(("faults: {", "faults: {expired: allow, self_signed: allow, "))
        self.assertIn("certificate has expired", self.check_refused("old.lab"), "the leaf has the days of the original")
        self.assertIn("self.lab", self.fetch("self.lab"))


class Exclusions(ForwardTest):
    def pin(self, name):
        """What a program would have built in: the hash of the server's own key."""
        key = subprocess.run(["openssl", "pkey", "-in", authorities.path(f"{name}.key"), "-pubout", "-outform", "DER"],
                             capture_output=True, check=True).stdout
        return "sha256//" + base64.b64encode(hashlib.sha256(key).digest()).decode()

    def suggestion(self, host):
        def found():
            return next((row for row in self.ctl_json("show", "tls", "suggestions") if row["host"] == host), None)
        self.seconds_until(lambda: found() is not None, 5, f"{host} is suggested")
        return found()

    def test_a_pinned_client_is_refused_and_suggested_and_works_when_excluded(self):
        pin = ("--pinnedpubkey", self.pin("pinned.lab"))
        self.assertIn("pinned", self.check_refused("pinned.lab", *pin))
        row = self.suggestion("pinned.lab")
        self.assertEqual((row["server"], row["port"], row["objection"], row["client"]),
                         (V4.vendor, 443, "client_left", V4.appliance))
        self.check_refused("pinned.lab", *pin)
        self.commit_section(("exclude: []", 'exclude: [{hosts: ["*.lab"], servers: ["10.9.9.9"]}, {hosts: [Pinned.lab]}]'))
        self.assertIn("pinned.lab", self.fetch("pinned.lab", *pin, ca="upstream"))
        record = self.log.wait_for(lambda _, r: r.get("event_type") == "tls" and r["tls"].get("sni") == "pinned.lab"
                                   and r["decrypt"]["result"] == "excluded")
        self.assertIsNotNone(record)
        self.assertEqual(record[1]["decrypt"],
                         {"mode": "ssl_forward_proxy", "result": "excluded", "reason": "excluded_host"})

    def test_a_client_with_a_ca_of_its_own_is_refused_and_suggested(self):
        done = self.curl("bank.lab", ca="upstream")
        self.assertIn("unable to get local issuer", done.stderr)
        self.assertEqual(self.suggestion("bank.lab")["objection"], "unknown_ca")
        self.assertEqual(self.record("bank.lab")["decrypt"]["reason"], "client_refused")

    def test_a_server_is_excluded_by_its_address(self):
        self.commit_section(("exclude: []", f'exclude: [{{servers: ["{V4.vendor}"]}}]'))
        self.assertIn("good.lab", self.fetch("good.lab", ca="upstream"))
        self.assertEqual(self.record("good.lab")["decrypt"]["reason"], "excluded_address")
        self.assertIn("good.lab", self.fetch("good.lab", address=V6.vendor), "another address is decrypted")

    def test_a_category_counts_where_the_rule_names_it(self):
        hosts = f"{self.lab.folder}/finance.txt"
        with open(hosts, "w", encoding="utf-8") as file:
            file.write("# banks\n\nbank.lab\n")
        self.commit_section(("exclude: []", f'exclude: [{{category: finance, hosts_file: "{hosts}"}}]'))
        self.assertIn("bank.lab", self.fetch("bank.lab"), "the pack's rule names no category")
        with open(PACK, encoding="utf-8") as file:
            pack = file.read()
        named = f"{self.lab.folder}/pack.json"
        with open(named, "w", encoding="utf-8") as file:
            file.write(re.sub(r'"mode": "ssl_forward_proxy"',
                              '"exclusions": ["finance"], "mode": "ssl_forward_proxy"', pack))
        self.commit_section(("exclude: []", f'exclude: [{{category: finance, hosts_file: "{hosts}"}}]'),
                            (PACK, named))
        self.assertIn("bank.lab", self.fetch("bank.lab", ca="upstream"))
        found = self.log.wait_for(lambda _, r: r.get("event_type") == "tls" and r["decrypt"].get("reason") == "finance")
        self.assertIsNotNone(found)

    def test_a_server_that_asks_for_a_certificate_is_refused_and_suggested(self):
        self.check_refused("mutual.lab")
        self.assertEqual(self.record("mutual.lab")["decrypt"]["reason"], "mutual_tls")
        self.assertEqual(self.suggestion("mutual.lab")["objection"], "mutual_tls")

    def test_an_old_client_meets_the_exception(self):
        self.assertNotEqual(self.curl("good.lab", "--tlsv1.0", "--tls-max", "1.1", "--ciphers", "ALL:@SECLEVEL=0",
                                      "--max-time", "3").returncode, 0)
        self.assertEqual(self.record("good.lab")["decrypt"]["reason"], "unsupported_version")
        self.assertEqual(self.change("not_decrypted", "unsupported_version"), 1)


class Resumption(ForwardTest):
    def connect(self, version, save, use=None, name="good.lab"):
        """What openssl s_client says of a request over a new or a resumed session."""
        resume = ("-sess_in", use) if use else ()
        script = ["sh", "-c", '(printf "GET / HTTP/1.0\\r\\nHost: $0\\r\\n\\r\\n"; sleep 1) | exec openssl s_client "$@"',
                  name, "-connect", f"{V4.vendor}:443", "-servername", name, "-CAfile", authorities.path("site.crt"),
                  version, "-sess_out", save, *resume]
        return self.lab.run("appliance", *script, timeout=20).stdout

    def check(self, version):
        first, second = f"{self.lab.folder}/first.session", f"{self.lab.folder}/second.session"
        self.assertRegex(self.connect(version, first), r"(?s)New, TLSv1.*200 OK")
        self.assertRegex(self.connect(version, second, first), r"(?s)Reused, TLSv1.*200 OK")
        self.assertEqual(self.change("resumed_by_clients"), 1)
        self.assertGreaterEqual(self.change("resumed_with_servers"), 1)  # the first, too, after another test's
        return first

    def test_sessions_go_on_in_tls_1_3(self):
        self.check("-tls1_3")

    def test_sessions_go_on_in_tls_1_2(self):
        self.check("-tls1_2")

    def test_no_session_goes_on_under_another_policy(self):
        session = self.check("-tls1_3")
        self.ctl("commit")
        self.before = self.ctl_json("show", "tls")
        self.assertRegex(self.connect("-tls1_3", f"{self.lab.folder}/third.session", session), r"(?s)New, TLSv1.*200 OK")
        self.assertEqual(self.change("resumed_with_servers"), 0)

    def test_no_session_goes_on_with_another_server(self):
        session = self.check("-tls1_3")
        told = self.connect("-tls1_3", f"{self.lab.folder}/third.session", session, name="www.good.lab")
        self.assertIn("New, TLSv1", told)


class Reload(ForwardTest):
    def test_a_new_ca_is_taken_up_and_running_sessions_go_on(self):
        script = f"""
import os, socket, ssl, time
context = ssl.create_default_context(cafile={authorities.path('site.crt')!r})
tls = context.wrap_socket(socket.create_connection(({V4.vendor!r}, 443), 10), server_hostname="good.lab")
print("open", flush=True)
while not os.path.exists({self.lab.folder + '/go-on'!r}):
    time.sleep(0.1)
tls.sendall(b"GET / HTTP/1.0\\r\\nHost: good.lab\\r\\n\\r\\n")
print(tls.recv(4096).decode(), flush=True)
"""
        client = self.lab.start("waiting", "appliance", [sys.executable, "-c", script])
        self.seconds_until(lambda: self.change("opened") == 1, 10, "the session opens")
        self.commit_section(("site.crt", "stranger.crt"), ("site.encrypted", "stranger.key"),
                            (f', passphrase_file: "{authorities.folder}/site.pass"', ""))
        self.assertIn("good.lab", self.fetch("good.lab", ca="stranger"))
        with open(f"{self.lab.folder}/go-on", "w", encoding="utf-8"):
            pass
        self.seconds_until(lambda: not self.lab.running("waiting"), 10, "the client ends")
        with open(client["log"], encoding="utf-8") as log:
            self.assertIn("200 OK", log.read())

    def test_without_a_ca_such_flows_are_dropped(self):
        with open(self.lab.site_file, encoding="utf-8") as file:
            text = file.read()
        forward = text[text.index("  forward:\n    ca:"):text.index("  exclude:")]
        self.commit_section((forward, ""))
        self.assertNotEqual(self.curl("good.lab", "--max-time", "3").returncode, 0)
        self.assertEqual(self.record("good.lab")["decrypt"]["reason"], "no_engine")


if __name__ == "__main__":
    unittest.main(verbosity=2)
