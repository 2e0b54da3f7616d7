# SPDX-License-Identifier: Apache-2.0
"""Random segments of many connections: early, late, overlapping, urgent, with true and false bytes; and a naive receiver."""
import random

from packets import hosts
from packets.capture import Frame
from packets.conversation import Tcp
from packets.payloads import client_hello

CONNECTIONS, SEGMENTS, FIRST_PORT = 200, 10, 20000
START = 1_767_225_600 * 10**9
HELLO = client_hello("bmc20.test")
FALSE = bytes(255 - byte for byte in HELLO)


def soup(rng, conversation):
    """Handshake, random segments, then the true bytes once more in order."""
    packets = conversation.handshake()
    for _ in range(rng.randrange(SEGMENTS)):
        begin = rng.choice((0, rng.randrange(len(HELLO)), rng.randrange(len(HELLO))))
        end = rng.randint(begin + 1, len(HELLO))
        urgent = {"flags": "PAU", "urgptr": rng.randrange(20)} if rng.random() < 0.1 else {"flags": "PA"}
        packets.append(conversation.probe(payload=(FALSE if rng.random() < 0.2 else HELLO)[begin:end], off=begin, **urgent))
    cuts = sorted({0, len(HELLO), *(rng.randrange(1, len(HELLO)) for _ in range(rng.randrange(4)))})
    return packets + [conversation.at(begin, HELLO[begin:end]) for begin, end in zip(cuts, cuts[1:])]


def frames(seed):
    """All connections, interleaved; the same for the same seed."""
    rng, time, queues = random.Random(seed), START, []
    for n in range(CONNECTIONS):
        isn = rng.choice((1000, 2**32 - rng.randrange(1, 150)))
        queues.append(soup(rng, Tcp(hosts.appliance, hosts.bmc, 443, sport=FIRST_PORT + n, isn=isn)))
    while queues:
        queue = rng.choice(queues)
        packet = queue.pop(0)
        time += 1000
        yield Frame(hosts.place_of(packet), time, bytes(hosts.framed(packet)))
        if not queue:
            queues.remove(queue)


class Receiver:
    """What a naive host makes of the client's segments; `wrong` says what it should never have seen."""

    def __init__(self):
        self.first, self.data, self.wrong = None, bytearray(), []

    def take(self, segment, payload):
        if "S" in segment.flags:
            self.first = (segment.seq + 1) % 2**32
            return
        if "U" in segment.flags:
            self.wrong.append("urgent data: a host takes a byte out of the stream")
        begin = (segment.seq - self.first) % 2**32
        if begin > len(self.data):
            self.wrong.append(f"gap: bytes at {begin}, {len(self.data)} arrived")
            return
        known = self.data[begin:begin + len(payload)]
        if known != payload[:len(known)]:
            self.wrong.append(f"second opinion about bytes {begin} to {begin + len(known)}")
        self.data += payload[len(known):]
