# SPDX-License-Identifier: Apache-2.0
"""The flows of an Ethernet capture as a label names them: who opened it, whom, on which ports."""
import ipaddress
import struct
from typing import NamedTuple

PROTOCOLS = {1: "ICMP", 6: "TCP", 17: "UDP", 50: "ESP", 51: "AH", 58: "IPv6-ICMP", 47: "GRE", 132: "SCTP", 2: "IGMP"}
EXTENSIONS = {0, 43, 60}
ERRORS = {"ICMP": {3, 4, 5, 11, 12}, "IPv6-ICMP": {1, 2, 3, 4}}
LINK_LOCAL_CONTROL = {"IPv6-ICMP": range(130, 138), "IGMP": None}
MLD_V2 = 143
REPLIES = {"ICMP": {0: 8, 14: 13, 16: 15, 18: 17}, "IPv6-ICMP": {129: 128}}


class Packet(NamedTuple):
    proto: str
    src: str
    sport: int   # ICMP: the type of the question; 0 where there are no ports
    dest: str
    dport: int
    payload: bytes
    opens: bool  # a TCP SYN without ACK
    error: bool  # an ICMP error, which is no flow of its own

    def key(self):
        return flow_key(self.proto, self.src, self.sport, self.dest, self.dport)


def flow_key(proto, src, sport, dest, dport):
    """The same for both directions."""
    return proto, *sorted(((src, sport), (dest, dport)))


def parse(frame):
    """Packet of a frame; None when it is no IP, or layer 2's own talk (neighbour discovery, MLD, IGMP)."""
    kind = struct.unpack_from("!H", frame, 12)[0]
    ip = frame[14:]
    if kind == 0x0800:
        size, number = (ip[0] & 15) * 4, ip[9]
        src, dest, body = ip[12:16], ip[16:20], ip[size:struct.unpack_from("!H", ip, 2)[0]]
        if struct.unpack_from("!H", ip, 6)[0] & 0x1FFF:
            return None  # a later fragment has no ports
    elif kind == 0x86DD:
        number, src, dest, body = ip[6], ip[8:24], ip[24:40], ip[40:40 + struct.unpack_from("!H", ip, 4)[0]]
        while number in EXTENSIONS:
            number, body = body[0], body[body[1] * 8 + 8:]
    else:
        return None
    proto = PROTOCOLS.get(number, str(number))
    src, dest = str(ipaddress.ip_address(src)), str(ipaddress.ip_address(dest))
    if proto in ("TCP", "UDP", "SCTP"):
        sport, dport = struct.unpack_from("!HH", body)
        header = (body[12] >> 4) * 4 if proto == "TCP" else 8
        return Packet(proto, src, sport, dest, dport, body[header:], proto == "TCP" and body[13] & 0x12 == 2, False)
    if proto in REPLIES:
        if proto == "IPv6-ICMP" and (body[0] in LINK_LOCAL_CONTROL[proto] or body[0] == MLD_V2):
            return None
        asked = REPLIES[proto].get(body[0], body[0])
        return Packet(proto, src, asked, dest, asked, body, False, body[0] in ERRORS[proto])
    return None if proto == "IGMP" else Packet(proto, src, 0, dest, 0, body, False, False)


def flows_of(frames):
    """First packets of the flows in `frames` (bytes each), in order; a later SYN of the same ports is the same flow."""
    found = {}
    for frame in frames:
        packet = parse(frame)
        if packet and not packet.error:
            found.setdefault(packet.key(), packet)
    return found
