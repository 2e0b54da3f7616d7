#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Much data and large datagrams arrive whole."""
import hashlib
import os
import unittest

from lab_client import ALLOW_PING, V4, V6, WireTest, setUpModule, tearDownModule  # noqa: F401

MEGABYTES = 20


class Transfers(WireTest):
    def setUp(self):
        image = os.urandom(MEGABYTES << 20)
        self.digest = hashlib.sha256(image).hexdigest()
        self.image = f"{self.lab.folder}/www/image.bin"
        with open(self.image, "wb") as file:
            file.write(image)

    def curl(self, host, name, address, path, *more):
        port_at = f"{name}:443:{f'[{address}]' if ':' in address else address}"
        done = self.lab.run(host, "curl", "-sS", "--fail", "--max-time", "120", "--cacert", self.lab.ca_file,
                            "--resolve", port_at, *more, f"https://{name}{path}", timeout=130)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def check_download(self, host, name, address, path="/image.bin"):
        copy = f"{self.lab.folder}/copy.bin"
        self.curl(host, name, address, path, "-o", copy)
        with open(copy, "rb") as file:
            self.assertEqual(hashlib.sha256(file.read()).hexdigest(), self.digest)
        self.check_accounting()

    def test_an_image_from_the_vendor(self):
        self.check_download("appliance", "vendor.lab", V4.vendor)

    def test_an_image_from_the_vendor_over_ipv6(self):
        self.check_download("appliance", "vendor.lab", V6.vendor)

    def test_an_image_from_the_appliance(self):
        self.check_download("admin", "appliance.lab", V4.appliance)

    def test_an_image_from_the_bmc(self):
        self.check_download("appliance", "bmc.lab", V4.bmc, "/firmware/image.bin")

    def test_an_image_pushed_to_the_bmc(self):
        for address in (V4.bmc, V6.bmc):
            with self.subTest(address):
                answer = self.curl("appliance", "bmc.lab", address, "/redfish/v1/UpdateService/update",
                                   "-H", "Content-Type: application/octet-stream", "-H", "Expect:",
                                   "--data-binary", f"@{self.image}")
                self.assertIn(self.digest, answer)


class Fragments(WireTest):
    def check_large_pings(self, *paths):
        for host, address in paths:
            with self.subTest(f"{host} to {address}"):
                if self.lab.state["port_kind"] == "af_packet" and ":" not in address:
                    # The driver joins a fanout group with PACKET_FANOUT_FLAG_DEFRAG: the kernel puts IPv4 fragments
                    # together, and the result does not fit into a ring frame.
                    self.skipTest("af_packet ports do not deliver IPv4 fragments")
                self.check_ping(address, "-s", "60000", host=host)
        self.check_accounting()

    def test_large_pings_pass_wire_back(self):
        self.check_large_pings(("appliance", V4.bmc), ("appliance", V6.bmc))

    def test_large_pings_pass_wire_front_both_ways(self):
        self.commit(*ALLOW_PING)
        self.check_large_pings(("admin", V4.appliance), ("admin", V6.appliance),
                               ("appliance", V4.admin), ("appliance", V6.admin))


if __name__ == "__main__":
    unittest.main(verbosity=2)
