# SPDX-License-Identifier: Apache-2.0
"""This kernel as the endpoint: two namespaces, raw frames enter from one, a plain server reads in the other. Needs root."""
import ctypes
import json
import os
import select
import socket
import subprocess
import sys
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS), str(TESTS.parent / "deploy")]

from labkit.process import run  # noqa: E402
from packets.hosts import appliance, bmc, framed  # noqa: E402
from scapy.layers.inet import TCP  # noqa: E402
from scapy.layers.l2 import Ether  # noqa: E402

PORT = 443
BATCH = 40  # handshakes at a time: fewer than any backlog holds before it makes cookies
SETTLED = 1.0
NAMES = [f"truth{os.getpid()}{end}" for end in ("c", "s")]
LINK = "wire0"
CLONE_NEWNET = 0x40000000


def in_namespace(name, action):
    """What `action` returns, done inside the namespace; a socket stays there."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/self/ns/net", "rb") as home, open(f"/run/netns/{name}", "rb") as there:
        if libc.setns(there.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {name}")
        try:
            return action()
        finally:
            libc.setns(home.fileno(), CLONE_NEWNET)


def make_namespaces():
    client, server = NAMES
    for name in NAMES:
        run("ip", "netns", "add", name)
    # What hosts outside a laboratory leave at its default is left here too, source routes included.
    run("ip", "-n", client, "link", "add", LINK, "type", "veth", "peer", "name", LINK, "netns", server)
    for name in NAMES:
        in_namespace(name, lambda: [Path(f"/proc/sys/net/ipv6/conf/{end}/accept_dad").write_text("0") for end in ("all", LINK)])
        run("ip", "-n", name, "link", "set", LINK, "up")
    run("ip", "netns", "exec", client, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
    run("ip", "-n", server, "link", "set", LINK, "address", bmc.mac)
    for address, prefix, peer in ((bmc, 32, appliance), (bmc.v6, 128, appliance.v6)):
        family = "-6" if ":" in address else "-4"
        run("ip", "-n", server, family, "address", "add", f"{address}/{prefix}", "dev", LINK)
        run("ip", "-n", server, family, "route", "add", peer, "dev", LINK)
        # The client is raw frames: nobody would answer ARP or neighbour discovery for it.
        run("ip", "-n", server, family, "neighbour", "add", peer, "lladdr", appliance.mac, "dev", LINK, "nud", "permanent")


def remove_namespaces():
    for name in NAMES:
        run("ip", "netns", "del", name, check=False)


class Wire:
    """Raw frames into the client's end of the link."""

    def __init__(self):
        self.socket = in_namespace(NAMES[0], lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)))
        self.socket.bind((LINK, 0))
        self.socket.setblocking(False)

    def send(self, packet):
        self.socket.send(packet if isinstance(packet, bytes) else bytes(framed(packet)))

    def tcp_answers(self, seconds):
        """TCP segments that the server sends, as (client port, segment), until the time is over or the receiver stops."""
        deadline = time.monotonic() + seconds
        while select.select([self.socket], [], [], max(0, deadline - time.monotonic()))[0]:
            frame = Ether(self.socket.recv(65536))
            if TCP in frame and frame[TCP].sport == PORT:
                yield frame[TCP].dport, frame[TCP]


class Server:
    def __init__(self):
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", NAMES[1], sys.executable, "-B", str(TESTS / "peers" / "recording_server.py"), "--port",
                str(PORT)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError("recording_server.py did not start")

    def found(self):
        return json.loads(self.process.communicate(timeout=30)[0])


def set_up(case_module_cleanup):
    """Both namespaces; how to undo it all goes to `case_module_cleanup`."""
    # Frames that enter a veth wait in the queue of the sender's core: moving to another core would reorder them.
    everywhere = os.sched_getaffinity(0)
    case_module_cleanup(os.sched_setaffinity, 0, everywhere)
    os.sched_setaffinity(0, {min(everywhere)})
    case_module_cleanup(remove_namespaces)
    make_namespaces()
