# SPDX-License-Identifier: Apache-2.0
"""The vendor of the forward proxy's tests: one nginx with a server per name, good ones and bad ones, and the
certificate authorities of both sides."""
import os

from labkit.process import run
from labkit.topology import V4, V6

LONG_AGO, NOT_LONG_AGO = ("20250101000000Z", "20250201000000Z"), ("20260101000000Z", "20560101000000Z")
ALWAYS = ("20240101000000Z", "20560101000000Z")
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")

# name: (issuer, names in the certificate, validity)
LEAVES = {
    "good.lab": ("upstream", "DNS:good.lab,DNS:www.good.lab", NOT_LONG_AGO),
    "pinned.lab": ("upstream", "DNS:pinned.lab", NOT_LONG_AGO),
    "bank.lab": ("upstream", "DNS:bank.lab", NOT_LONG_AGO),
    "mutual.lab": ("upstream", "DNS:mutual.lab", NOT_LONG_AGO),
    "address.lab": ("upstream", f"DNS:address.lab,IP:{V4.vendor}", NOT_LONG_AGO),
    "old.lab": ("upstream", "DNS:old.lab", LONG_AGO),
    "wrong.lab": ("upstream", "DNS:right.lab", NOT_LONG_AGO),
    "stranger.lab": ("stranger", "DNS:stranger.lab", NOT_LONG_AGO),
    "revoked.lab": ("upstream", "DNS:revoked.lab", NOT_LONG_AGO),
}


class Authorities:
    """Makes everything below `folder`: upstream (trusted), stranger (not), site and distrusted (of the firewall)."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder)
        for name in ("upstream", "stranger", "site", "distrusted"):
            self._authority(name)
        self._encrypt_site_key()
        for name, (issuer, names, validity) in LEAVES.items():
            self._leaf(name, issuer, names, validity)
        run("openssl", "req", "-x509", *KEY, "-days", "30", "-subj", "/CN=self.lab", "-addext",
            "subjectAltName=DNS:self.lab", "-addext", "basicConstraints=critical,CA:FALSE", "-keyout",
            self.path("self.lab.key"), "-out", self.path("self.lab.crt"))
        self._revoke("revoked.lab")

    def path(self, name):
        return f"{self.folder}/{name}"

    def _write(self, name, text, mode=0o644):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def _authority(self, name):
        self._prepare(name)
        extensions = self._write(f"{name}.ext", """basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
""")
        run("openssl", "req", "-new", *KEY, "-subj", f"/CN={name} CA", "-keyout", self.path(f"{name}.key"), "-out",
            self.path(f"{name}.csr"))
        os.chmod(self.path(f"{name}.key"), 0o600)
        self._sign(name, name, extensions, ALWAYS, "-selfsign", "-keyfile", self.path(f"{name}.key"))

    def _sign(self, name, issuer, extensions, validity, *more):
        begin, end = validity
        run("openssl", "ca", "-batch", "-notext", "-config", self.path(f"{issuer}.conf"), "-startdate", begin, "-enddate",
            end, "-extfile", extensions, "-in", self.path(f"{name}.csr"), "-out", self.path(f"{name}.crt"), *more)

    def _prepare(self, name):
        self._write(f"{name}.index", "")
        self._write(f"{name}.serial", "01\n")
        self._write(f"{name}.number", "01\n")
        self._write(f"{name}.conf", f"""[ca]
default_ca = it
[it]
database = {self.path(name)}.index
serial = {self.path(name)}.serial
crlnumber = {self.path(name)}.number
new_certs_dir = {self.folder}
certificate = {self.path(name)}.crt
private_key = {self.path(name)}.key
default_md = sha256
default_crl_days = 30
policy = any
unique_subject = no
[any]
commonName = supplied
""")

    def _encrypt_site_key(self):
        secret = self._write("site.pass", "of the lab\n", 0o600)
        run("openssl", "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in", self.path("site.key"), "-passout",
            f"file:{secret}", "-out", self.path("site.encrypted"))
        os.chmod(self.path("site.encrypted"), 0o600)

    def _leaf(self, name, issuer, names, validity):
        run("openssl", "req", "-new", *KEY, "-subj", f"/CN={name}", "-keyout", self.path(f"{name}.key"), "-out",
            self.path(f"{name}.csr"))
        extensions = self._write(f"{name}.ext", f"""basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = {names}
""")
        self._sign(name, issuer, extensions, validity)

    def _revoke(self, name):
        config = ("-config", self.path("upstream.conf"))
        run("openssl", "ca", *config, "-revoke", self.path(f"{name}.crt"))
        run("openssl", "ca", *config, "-gencrl", "-out", self.path("upstream.crl"))


def nginx(authorities, folder):
    """The command that serves all names on the vendor's addresses."""
    scratch = f"{folder}/conf/nginx-forward"
    os.makedirs(scratch, exist_ok=True)
    paths = " ".join(f"{kind}_temp_path {scratch}/{kind};" for kind in
                     ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))

    def server(name):
        mutual = f"ssl_client_certificate {authorities.path('upstream.crt')}; ssl_verify_client optional;"
        return f"""  server {{
    listen {V4.vendor}:443 ssl http2{' default_server' if name == 'address.lab' else ''};
    listen [{V6.vendor}]:443 ssl http2;
    server_name {name}{' www.good.lab' if name == 'good.lab' else ''};
    ssl_certificate {authorities.path(name)}.crt;
    ssl_certificate_key {authorities.path(name)}.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    {mutual if name == 'mutual.lab' else ''}
    location = / {{ return 200 "{name} $remote_addr $ssl_protocol $server_protocol $ssl_session_reused.\\n"; }}
  }}
"""
    config = f"""user root;
worker_processes 1;
pid {scratch}/nginx.pid;
error_log {folder}/logs/nginx-forward.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  {paths}
  default_type text/plain;
{''.join(server(name) for name in (*LEAVES, 'self.lab'))}}}
"""
    path = f"{scratch}/nginx.conf"
    with open(path, "w", encoding="utf-8") as file:
        file.write(config)
    return ("nginx", "-e", f"{folder}/logs/nginx-forward.log", "-p", scratch, "-c", path, "-g", "daemon off;")
