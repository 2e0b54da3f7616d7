# SPDX-License-Identifier: Apache-2.0
"""Cuts packets into IP fragments at chosen bytes, and makes fragments that do not fit together."""
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment
from scapy.packet import Raw

IDENTIFICATION = 0x1234


def piece(packet, begin, end=None, fill=None, more=None, number=IDENTIFICATION):
    """The fragment with bytes [begin, end) of what follows the IP header (IPv4 without options); `fill` is a byte that
    replaces the data, `more` overrides the flag. Pieces of one datagram have one number."""
    v6 = isinstance(packet, IPv6)
    rest = bytes(packet)[40 if v6 else 20:]
    last = end is None or end >= len(rest)
    data = rest[begin:end] if fill is None else bytes([fill]) * ((len(rest) if end is None else end) - begin)
    more = (not last) if more is None else more
    if v6:
        header = IPv6ExtHdrFragment(nh=packet.nh, offset=begin // 8, m=int(more), id=number)
        return IPv6(src=packet.src, dst=packet.dst) / header / Raw(data)
    protocol = IP(bytes(packet)).proto
    return IP(src=packet.src, dst=packet.dst, proto=protocol, id=number, frag=begin // 8,
              flags="MF" if more else 0) / Raw(data)


def pieces(packet, *cuts, number=IDENTIFICATION):
    """All fragments of the packet, cut at these multiples of eight."""
    edges = [0, *cuts, None]
    return [piece(packet, begin, end, number=number) for begin, end in zip(edges, edges[1:])]
