# SPDX-License-Identifier: Apache-2.0
"""The lab's own certificate authority and one server certificate per name."""
import hashlib
import os
import ssl

from labkit.process import run
from labkit.topology import NAMES

SERVERS = {"appliance.lab": ("appliance-vlan.lab",), "bmc.lab": ("bmc-vlan.lab",), "vendor.lab": ()}


def issue(folder):
    os.makedirs(folder, mode=0o700)
    key = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30")
    run("openssl", *key, "-subj", "/O=postern lab/CN=postern lab CA", "-keyout", f"{folder}/ca.key",
        "-out", f"{folder}/ca.crt", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    for server, more in SERVERS.items():
        names = (server, *more)
        subject_names = [f"DNS:{name}" for name in names] + [f"IP:{a}" for name in names for a in NAMES[name]]
        run("openssl", *key, "-subj", f"/O=postern lab/CN={server}", "-keyout", f"{folder}/{server}.key",
            "-out", f"{folder}/{server}.crt", "-CA", f"{folder}/ca.crt", "-CAkey", f"{folder}/ca.key",
            "-addext", "basicConstraints=critical,CA:FALSE", "-addext", "extendedKeyUsage=serverAuth",
            "-addext", f"subjectAltName={','.join(subject_names)}")


def fingerprint(pem_text):
    """SHA-256 of the first certificate in a PEM text; empty if there is none."""
    begin = pem_text.find(ssl.PEM_HEADER)
    stop = pem_text.find(ssl.PEM_FOOTER)
    if begin < 0 or stop < 0:
        return ""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem_text[begin:stop + len(ssl.PEM_FOOTER)])).hexdigest()
