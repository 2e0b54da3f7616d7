# SPDX-License-Identifier: Apache-2.0
"""What OpenSSL's own benchmark says of the operations of a session, on the core that decrypts."""
from labkit import process

RECORD = 16384
ALGORITHMS = {"rsa": "rsa2048", "ecdsa": "ecdsap256"}
AGREEMENTS = 4  # a key pair and a shared secret, with each of the two peers


def speeds(seconds, core, keys):
    """Operations a second by name, of these kinds of keys; of aes_128_gcm MB a second, in pieces of a record."""
    def speed(*words):
        return process.run("taskset", "-c", str(core), "openssl", "speed", "-mr", "-seconds", str(seconds), *words,
                           timeout=seconds * 20 + 30).stdout.splitlines()

    def fields(lines, mark):
        return next(line.split(":") for line in lines if line.startswith(mark))

    # +F:number:name:bytes a second; +F2 and +F4: signatures and verifications a second; +F5: agreements, and seconds of one.
    found = {"aes_128_gcm": float(fields(speed("-bytes", str(RECORD), "-evp", "aes-128-gcm"), "+F:")[3]) * 1e-6}
    for name in keys:
        found[f"{name}_sign"], found[f"{name}_verify"] = map(float, fields(speed(ALGORITHMS[name]), "+F")[-2:])
    found["x25519"] = float(fields(speed("ecdhx25519"), "+F")[-2])
    return found


def handshakes(speed, key):
    """Sessions a second if nothing but this had to be done: one signature made for the client, the server's checked, and
    a secret agreed on with both."""
    return 1 / (1 / speed[f"{key}_sign"] + 1 / speed[f"{key}_verify"] + AGREEMENTS / speed["x25519"])
