# SPDX-License-Identifier: Apache-2.0
"""Evasions below TCP: VLAN tags and frames, IP options, fragments, IPv6 header chains."""
from packets.evasions.row import Row
from packets.fragments import piece, pieces
from packets.hosts import behind, in_llc, in_mpls, tagged, to_mac, with_ip
from scapy.layers.inet import IPOption_LSRR, IPOption_NOP, IPOption_RR, IPOption_Router_Alert, IPOption_SSRR
from scapy.layers.inet6 import (HBHOptUnknown, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop,
                                IPv6ExtHdrRouting, PadN, RouterAlert)

LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123"
FAMILIES = (("", False), ("_v6", True))
NOBODY = "fd04::99"


def both(name, why, packets, delivers, postern, case, **more):
    """The same for both families, as datagrams."""
    return [Row(name + end, why, packets, delivers, postern, case, v6=v6, udp=True, **more) for end, v6 in FAMILIES]


def of_tcp(rows):
    """The same with a TCP segment in place of the datagram; a connection that hears nothing stays open."""
    def segments(row):
        return lambda c: row.packets(TcpAsDatagram(c))
    return [row._replace(name=f"tcp_{row.name}", udp=False, packets=segments(row)) for row in rows]


class TcpAsDatagram:
    def __init__(self, conversation):
        self.conversation = conversation

    def datagram(self, payload):
        return self.conversation.at(0, payload)


def wrapped(change, payload=b"EVIL"):
    return lambda talk: [change(talk.datagram(payload))]


AD = 0x88A8
VLAN_CASE = "evasion_vlan"
VLAN = [
    *both("untagged", "the plain datagram", wrapped(lambda p: p), b"EVIL", "same", VLAN_CASE),
    *both("vid_0", "a priority tag (VU#855201)", wrapped(lambda p: tagged(p, 0)), b"EVIL", "same", VLAN_CASE),
    *both("vid_0_twice", "two of them", wrapped(lambda p: tagged(p, 0, 0)), b"EVIL", "same", VLAN_CASE),
    *both("ad_vid_0", "in 802.1ad", wrapped(lambda p: tagged(p, 0, tpids=[AD])), b"EVIL", "same", VLAN_CASE),
    *both("ad_and_q_vid_0", "802.1ad, then 802.1Q", wrapped(lambda p: tagged(p, 0, 0, tpids=[AD, 0x8100])), b"EVIL", "same",
        VLAN_CASE),
    *both("vid_0_thrice", "one more than postern looks through", wrapped(lambda p: tagged(p, 0, 0, 0)), b"EVIL", "vlan_stack",
        VLAN_CASE),
    *both("vid_5", "a VLAN the host is not in", wrapped(lambda p: tagged(p, 5)), b"", "same", VLAN_CASE),
    *both("vid_0_then_5", "hidden behind a priority tag", wrapped(lambda p: tagged(p, 0, 5)), b"", "same", VLAN_CASE),
    *both("llc_snap", "IP in 802.3 with SNAP (RFC 1042)", wrapped(in_llc), b"", "l2_policy", VLAN_CASE),
    *both("mpls", "a label before IP", wrapped(in_mpls), b"", "l2_policy", VLAN_CASE),
]
BROADCAST = [Row("tcp_broadcast_mac", "a segment to the broadcast MAC",
    lambda c: [to_mac(c.at(0, b"EVIL"), "ff:ff:ff:ff:ff:ff"), c.send(b"GOOD")], b"GOOD",
                 "same", VLAN_CASE),
             Row("tcp_other_mac", "a segment to another host's MAC",
                 lambda c: [to_mac(c.at(0, b"EVIL"), "02:00:00:00:04:99"), c.send(b"GOOD")], b"GOOD",
                 "same", VLAN_CASE)]

OPTIONS_CASE = "evasion_ip_options"


def v4(name, why, packets, delivers, postern, case=OPTIONS_CASE):
    return Row(name, why, packets, delivers, postern, case, udp=True)


def with_options(*options):
    return wrapped(lambda p: with_ip(p, options=list(options)))


IP_HEADER = [
    v4("loose_source_route", "packets that choose their way", with_options(IPOption_LSRR(routers=["10.9.9.9"])), b"",
        "ip_source_route"),
    v4("strict_source_route", "the same, strictly", with_options(IPOption_SSRR(routers=["10.9.9.9"])), b"", "ip_source_route"),
    v4("source_route_after_nop", "hidden behind padding", with_options(IPOption_NOP(), IPOption_LSRR(routers=["10.9.9.9"])),
        b"", "ip_source_route"),
    v4("record_route", "odd but lawful", with_options(IPOption_RR(routers=["0.0.0.0", "0.0.0.0"])), b"EVIL", "same"),
    v4("router_alert", "odd but lawful", with_options(IPOption_Router_Alert()), b"EVIL", "same"),
    v4("evil_bit", "RFC 3514", wrapped(lambda p: with_ip(p, flags="evil")), b"EVIL", "same"),
    v4("low_ttl", "hosts do not count hops", wrapped(lambda p: with_ip(p, ttl=1)), b"EVIL", "same"),
    v4("ttl_zero", "hosts do not count hops even then", wrapped(lambda p: with_ip(p, ttl=0)), b"EVIL", "same"),
]

FRAGMENT_CASE = "evasion_fragments"
WHOLE = [
    ("fragments_in_order", "the plain way", lambda p: pieces(p, 24, 40), LETTERS, "same"),
    ("fragments_reversed", "last first", lambda p: pieces(p, 24, 40)[::-1], LETTERS, "same"),
    ("fragments_tiny_first", "eight bytes: no whole TCP header", lambda p: pieces(p, 8), LETTERS, "same"),
    ("fragments_all_tiny", "eight bytes each", lambda p: pieces(p, *range(8, 56, 8)), LETTERS, "same"),
    ("fragment_twice", "exactly the same piece again", lambda p: [piece(p, 0, 24), piece(p, 0, 24), piece(p, 24)], LETTERS,
        "fragment_overlap"),
    ("fragment_twice_different", "the same range, other bytes",
        lambda p: [piece(p, 0, 24), piece(p, 24, 40), piece(p, 24, 40, fill=0x58), piece(p, 40)],
     LETTERS, "fragment_overlap"),
    ("fragment_inside", "a piece inside an older one",
        lambda p: [piece(p, 0, 40), piece(p, 24, 32, fill=0x58, more=True), piece(p, 40)], LETTERS,
     "fragment_overlap"),
    ("fragment_overlap_right", "a piece begins inside an older one", lambda p: [piece(p, 0, 32), piece(p, 24)], b"",
        "fragment_overlap"),
    ("fragment_overlap_left", "a piece reaches into an older one", lambda p: [piece(p, 24), piece(p, 0, 32)], b"",
        "fragment_overlap"),
    ("fragment_covers", "a piece covers an older one",
        lambda p: [piece(p, 24, 32), piece(p, 16, 40, fill=0x58), piece(p, 0, 16), piece(p, 40)], b"",
     "fragment_overlap"),
]
# What stays behind of these would meet the pieces of the next datagram: they have a case of their own.
BROKEN = ("fragment_overlap_left", "fragment_covers")
FRAGMENTS = [row for name, why, cut, delivers, postern in WHOLE
             for row in both(name, why, lambda talk, cut=cut: cut(talk.datagram(LETTERS)), delivers, postern,
                 FRAGMENT_CASE + "_broken" * (name in BROKEN))]
TCP_FRAGMENTS = [row._replace(case="evasion_tcp_in_fragments" + "_v6" * row.v6) for row in of_tcp(FRAGMENTS)]
# Eight bytes are a whole UDP header, but no TCP header: over IPv6 hosts refuse that (RFC 8200 section 4.5).
REFUSED = ("tcp_fragments_tiny_first_v6", "tcp_fragments_all_tiny_v6")
TCP_FRAGMENTS = [row._replace(delivers=b"", postern="fragment_bad") if row.name in REFUSED else row for row in TCP_FRAGMENTS]

HEADER_CASE = "evasion_ipv6_headers"
MANY = [IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(4))]) for _ in range(64)]


def atomic():
    return IPv6ExtHdrFragment(offset=0, m=0, id=9)


CHAINS = [
    ("hop_by_hop_first", "where it belongs", [IPv6ExtHdrHopByHop()], b"EVIL", "same"),
    ("hop_by_hop_router_alert", "with an option routers act on", [IPv6ExtHdrHopByHop(options=[RouterAlert(value=0)])], b"EVIL",
        "same"),
    ("destination_options_64", "a walk that stops early sees no ports", MANY, b"EVIL", "same"),
    ("routing_0_done", "type 0, no segments left", [IPv6ExtHdrRouting(type=0, segleft=0, addresses=[NOBODY])], b"EVIL", "same"),
    ("routing_253_done", "unknown type, no segments left", [IPv6ExtHdrRouting(type=253, segleft=0, addresses=[])], b"EVIL",
        "same"),
    ("atomic_fragment", "a fragment header on a whole packet (RFC 6946)", [atomic()], b"EVIL", "same"),
    ("everything_lawful", "all of them", [IPv6ExtHdrHopByHop(), IPv6ExtHdrDestOpt(),
        IPv6ExtHdrRouting(type=253, segleft=0, addresses=[]), atomic(),
                                          IPv6ExtHdrDestOpt()], b"EVIL", "same"),
    ("hop_by_hop_twice", "hosts refuse it", [IPv6ExtHdrHopByHop(), IPv6ExtHdrHopByHop()], b"", "bad_extension_header"),
    ("hop_by_hop_late", "hosts refuse it", [IPv6ExtHdrDestOpt(), IPv6ExtHdrHopByHop()], b"", "bad_extension_header"),
    ("routing_0_left", "a source route (RFC 5095)", [IPv6ExtHdrRouting(type=0, segleft=1, addresses=[NOBODY])], b"",
        "ip_source_route"),
    ("routing_253_left", "unknown type with segments left", [IPv6ExtHdrRouting(type=253, segleft=1, addresses=[])], b"",
        "ip_source_route"),
    ("option_discard", "an unknown option that says discard",
        [IPv6ExtHdrDestOpt(options=[HBHOptUnknown(otype=0x5E, optdata=b"ab")])], b"", "bad_ip_option"),
    ("option_skip", "an unknown option that says skip",
        [IPv6ExtHdrDestOpt(options=[HBHOptUnknown(otype=0x1E, optdata=b"ab")])], b"EVIL", "same"),
    ("fragment_in_fragment", "two fragment headers", [atomic(), atomic()], b"", "fragment_bad"),
]
HEADERS = [Row(name, why, wrapped(lambda p, headers=headers: behind(p, *headers)), delivers, postern, HEADER_CASE, v6=True,
    udp=True)
           for name, why, headers, delivers, postern in CHAINS]
HEADERS += [
    Row("chain_over_fragments", "RFC 7112 forbids it, this kernel delivers what is cut inside the extension headers",
        lambda talk: pieces(behind(talk.datagram(LETTERS), IPv6ExtHdrDestOpt(), IPv6ExtHdrDestOpt()), 8), LETTERS,
            "fragment_bad", HEADER_CASE, v6=True, udp=True),
    Row("chain_ends_before_ports", "the transport header is not in the first fragment",
        lambda talk: pieces(behind(talk.datagram(LETTERS), IPv6ExtHdrDestOpt()), 8), b"", "fragment_bad", HEADER_CASE, v6=True,
            udp=True),
    Row("udp_without_checksum", "IPv6 demands one", lambda talk: [talk.datagram(b"EVIL", chksum=0)], b"",
        "bad_transport_checksum", HEADER_CASE, v6=True, udp=True),
]
TCP_HEADERS = [row._replace(case="evasion_ipv6_headers_tcp") for row in of_tcp(HEADERS[:-1])]  # the last is of UDP alone

# Fragments and the games of TCP together.
MIXED_CASE = "evasion_tcp_in_fragments"
MIXED = [row for end, v6 in FAMILIES for row in (
    Row("fragments_out_of_order" + end, "an early segment in pieces",
        lambda c: [*pieces(c.at(4, LETTERS), 24), c.at(0, b"AAAA")], b"AAAA" + LETTERS,
        "stream_fragments", MIXED_CASE + end, v6=v6),
    Row("fragments_overlap_stream" + end, "pieces of a segment that overlaps an older one",
        lambda c: [c.at(0, b"AAAA"), *pieces(c.at(0, b"XXXX" + LETTERS), 24)], b"AAAA" + LETTERS, "tcp_overlap_differs",
            MIXED_CASE + end, v6=v6),
    Row("fragments_bad_checksum" + end, "the sum is wrong over all pieces",
        lambda c: [*pieces(c.at(0, LETTERS, chksum=0xBEEF), 24), c.send(b"GOOD")], b"GOOD",
        "bad_transport_checksum", MIXED_CASE + end, v6=v6),
    Row("fragments_reset" + end, "an exact reset in pieces", lambda c: [*pieces(c.probe("R"), 8)], b"",
        "fragment_bad" if v6 else "same", MIXED_CASE + end,
        end="open" if v6 else "reset", v6=v6),
    Row("fragments_urgent" + end, "an urgent byte in pieces", lambda c: [*pieces(c.probe("PAU", LETTERS, urgptr=2), 24)],
        LETTERS[:1] + LETTERS[2:],
        "cleared", MIXED_CASE + end, v6=v6))]

ROWS = [*VLAN, *of_tcp(VLAN), *BROADCAST, *IP_HEADER, *of_tcp(IP_HEADER), *FRAGMENTS, *TCP_FRAGMENTS, *HEADERS, *TCP_HEADERS,
    *MIXED]
