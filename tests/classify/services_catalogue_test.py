#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks deploy/catalogue/services.yaml against the decoders of classify/decoders and the samples of
stream_samples.txt: every name exists, every decoder is used, and every sample meets a signature whose pattern fits
within its min_bytes. Ends with "Ran N tests"."""
import os
import re
import unittest

import yaml

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KEYS = {"layer", "sender", "pattern", "nocase", "decoder", "min_bytes", "confidence", "ports", "bound_hosts"}


def read(name):
    with open(os.path.join(REPO, name), encoding="utf-8") as file:
        return file.read()


def catalogue(name):
    return yaml.safe_load(read(f"deploy/catalogue/{name}"))["applications"]


def decoders():
    """Names in the lists of streams.cc and databases.cc."""
    text = read("classify/decoders/streams.cc") + read("classify/decoders/databases.cc")
    return set(re.findall(r'\{"(\w+)", \w+\}', text))


def samples():
    """(decoder, layer, sender, bytes), of decoders that are ours."""
    known = decoders()
    for line in read("tests/classify/stream_samples.txt").splitlines():
        if line and not line.startswith("#"):
            decoder, layer, sender, text = line.split(" ", 3)
            if decoder in known:
                yield decoder, layer, sender, text.encode("ascii").decode("unicode_escape").encode("latin-1")


class Services(unittest.TestCase):
    def setUp(self):
        self.applications = catalogue("services.yaml")
        self.signatures = [(entry["app_id"], signature) for entry in self.applications for signature in entry["signatures"]]

    def fitting(self, layer, sender):
        for app_id, signature in self.signatures:
            if signature["layer"] == layer and signature["sender"] in (sender, "either"):
                yield app_id, signature

    def test_every_decoder_exists_and_is_used(self):
        self.assertGreater(len(decoders()), 40)
        self.assertEqual({signature["decoder"] for _, signature in self.signatures}, decoders())

    def test_signatures_have_the_form(self):
        for app_id, signature in self.signatures:
            self.assertLessEqual(set(signature), KEYS, app_id)
            self.assertIn(signature["layer"], ("tcp", "udp"), app_id)
            self.assertIn(signature["sender"], ("client", "server", "either"), app_id)
            self.assertIn(signature.get("confidence", "high"), ("low", "medium", "high"), app_id)
            self.assertEqual("pattern" in signature, "min_bytes" in signature, app_id)

    def test_what_is_believed_on_ports_alone_names_them(self):
        for app_id, signature in self.signatures:
            if signature.get("confidence") == "low":
                self.assertTrue(signature.get("ports"), app_id)

    def test_every_sample_has_a_signature_whose_pattern_fits_in_time(self):
        seen = 0
        for decoder, layer, sender, data in samples():
            ours = [s for _, s in self.fitting(layer, sender) if s["decoder"] == decoder]
            self.assertTrue(ours, f"{decoder} {layer} {sender}")
            for signature in ours:
                flags = re.S | (re.I if signature.get("nocase") else 0)
                head = data[:signature.get("min_bytes", 0)]
                self.assertTrue(re.search(signature.get("pattern", "").encode(), head, flags), f"{signature} {data[:16]}")
            seen += 1
        self.assertGreater(seen, 200)


if __name__ == "__main__":
    unittest.main()
