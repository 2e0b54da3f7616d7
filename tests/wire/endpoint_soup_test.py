#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Random segments go through `posternd replay`, and what leaves it goes to this kernel: the server must read the very bytes a
naive reader of those frames finds. Environment: POSTERND (default build/posternd), SOUP_SEED. Needs root."""
import os
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True

import kernel_endpoint  # noqa: E402
from kernel_endpoint import BATCH, TESTS, Server, Wire  # noqa: E402
from packets import capture, hosts, soup  # noqa: E402
from scapy.layers.inet import IP, TCP  # noqa: E402
from scapy.layers.l2 import Ether  # noqa: E402

POSTERND = os.environ.get("POSTERND", f"{os.environ.get('POSTERN_BUILD', TESTS.parent / 'build')}/posternd")
SITE = TESTS / "golden" / "sites" / "seed.yaml"
SEED = int(os.environ.get("SOUP_SEED", "21"))


def through_posternd():
    """Client port -> its frames that left, in order."""
    left = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "log").mkdir()
        capture.write_pcapng(folder / "in.pcapng", list(soup.frames(SEED)))
        subprocess.run([POSTERND, "replay", "--site", SITE, "--pcap", folder / "in.pcapng", "--out", folder / "out.pcapng",
                        "--log", folder / "log"], capture_output=True, timeout=300, check=True)
        for frame in capture.read_pcapng(folder / "out.pcapng"):
            packet = Ether(frame.data)
            if packet[IP].src == hosts.appliance:
                left.setdefault(packet[TCP].sport, []).append(packet)
    return left


def rebuilt(packet):
    """With its checksums computed anew."""
    changed = packet.copy()
    del changed[TCP].chksum, changed[IP].chksum
    return Ether(bytes(changed))


class EndpointSoup(unittest.TestCase):
    def setUp(self):
        kernel_endpoint.set_up(self.addCleanup)
        self.left = through_posternd()

    def play(self, wire, ports):
        """Opens these connections, then sends what left of each, acknowledging the numbers of the kernel."""
        for port in ports:
            wire.send(self.left[port][0])
        missing = set(ports)
        for port, answer in wire.tcp_answers(5):
            if port in missing and answer.flags == "SA":
                missing.discard(port)
                for packet in self.left[port][1:]:
                    packet[TCP].ack = (packet[TCP].ack - 500001 + answer.seq + 1) % 2**32
            if not missing:
                break
        self.assertFalse(missing, "no answer to SYN")
        for port in ports:
            for packet in self.left[port][1:]:
                wire.send(bytes(rebuilt(packet)))
        list(wire.tcp_answers(0.05))

    def test_the_kernel_reads_what_a_naive_reader_finds(self):
        readers = {port: soup.Receiver() for port in self.left}
        for port, packets in self.left.items():
            for packet in packets:
                self.assertEqual(packet[TCP].chksum, rebuilt(packet)[TCP].chksum, "checksum of a frame that left")
                readers[port].take(packet[TCP], bytes(packet[TCP].payload)[:packet[IP].len - 20 - packet[TCP].dataofs * 4])
        server, wire, ports = Server(), Wire(), sorted(self.left)
        self.addCleanup(wire.socket.close)
        for begin in range(0, len(ports), BATCH):
            self.play(wire, ports[begin:begin + BATCH])
        time.sleep(kernel_endpoint.SETTLED)
        found = server.found()
        read = {port: bytes.fromhex(found.get(f"tcp {hosts.appliance} {port}", {"data": ""})["data"]) for port in ports}
        self.assertEqual(len(read), soup.CONNECTIONS)
        differing = {port: (bytes(readers[port].data), read[port]) for port in ports if readers[port].data != read[port]}
        self.assertFalse(differing, f"SOUP_SEED={SEED}: (naive reader, kernel)")


if __name__ == "__main__":
    unittest.main()
