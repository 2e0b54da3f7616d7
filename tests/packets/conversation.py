# SPDX-License-Identifier: Apache-2.0
"""A TCP connection whose segments are asked for one by one; numbers are kept, checksums are scapy's. And datagrams of one
pair of ports."""
from scapy.layers.inet import TCP, UDP
from scapy.packet import Raw

from packets.hosts import ip, ip6


class Tcp:
    """`send` and `answer` advance the sequence numbers of their side; `probe` and `probe_back` only look at them."""

    def __init__(self, client, server, dport, sport=40000, v6=False, isn=1000):
        self.v6, self.network = v6, ip6 if v6 else ip
        self.ends = [(client, sport), (server, dport)]
        self.next = [isn, 500000]  # sequence number by side
        self.window = 64000
        self.echo = 0  # the server's last timestamp

    def _segment(self, side, flags, payload=b"", **fields):
        (source, sport), (destination, dport) = self.ends[side], self.ends[1 - side]
        fields = {"seq": self.next[side], "ack": self.next[1 - side] if "A" in flags else 0, "window": self.window} | fields
        packet = self.network(source, destination) / TCP(sport=sport, dport=dport, flags=flags, **fields)
        return packet / Raw(payload) if payload else packet

    def _advance(self, side, flags, payload):
        self.next[side] = (self.next[side] + len(payload) + ("S" in flags) + ("F" in flags)) % 2**32

    def send(self, payload=b"", flags="PA", **fields):
        packet = self._segment(0, flags, payload, **fields)
        self._advance(0, flags, payload)
        return packet

    def answer(self, payload=b"", flags="PA", **fields):
        packet = self._segment(1, flags, payload, **fields)
        self._advance(1, flags, payload)
        return packet

    def probe(self, flags="PA", payload=b"", off=0, **fields):
        """From the client, `off` bytes away from its next sequence number; state stays."""
        return self._segment(0, flags, payload, **({"seq": (self.next[0] + off) % 2**32} | fields))

    def probe_back(self, flags="PA", payload=b"", off=0, **fields):
        return self._segment(1, flags, payload, **({"seq": (self.next[1] + off) % 2**32} | fields))

    def at(self, off, payload, **fields):
        """Data from the client, `off` bytes after its next sequence number; state stays."""
        return self.probe("PA", payload, off, **fields)

    def stamp(self, value):
        """TCP options with this timestamp (RFC 7323), for the `options` field of a segment."""
        return [("NOP", None), ("NOP", None), ("Timestamp", (value, self.echo))]

    def syn(self, **fields):
        return self.send(flags="S", **fields)

    def synack(self, **fields):
        return self.answer(flags="SA", **fields)

    def ack(self):
        return self.send(flags="A")

    def ack_back(self):
        return self.answer(flags="A")

    def handshake(self):
        return [self.syn(), self.synack(), self.ack()]

    def close(self):
        return [self.send(flags="FA"), self.answer(flags="FA"), self.ack()]


class Udp:
    def __init__(self, client, server, dport, sport=40000, v6=False):
        self.network = ip6 if v6 else ip
        self.ends, self.ports = (client, server), {"sport": sport, "dport": dport}

    def datagram(self, payload, **fields):
        return self.network(*self.ends) / UDP(**self.ports, **fields) / Raw(payload)


def without_urgent(packet):
    """The same segment with its URG flag and urgent pointer cleared."""
    changed = packet.copy()
    changed[TCP].flags = str(packet[TCP].flags).replace("U", "")
    changed[TCP].urgptr = 0
    return changed
