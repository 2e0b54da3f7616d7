# SPDX-License-Identifier: Apache-2.0
"""Evasions in the TCP header and in the order of segments. Rows tell the same story to a host as golden cases to postern:
EVIL, XX.. is what a box may believe, GOOD what the host reads."""
from packets.evasions.row import Row
from packets.hosts import with_ip, with_trailer

MD5 = [(19, bytes(16))]
BAD_CHECKSUM = {"chksum": 0xBEEF}


def then_good(*packets):
    """The row's packets and the true data, which shows that the connection lives on."""
    return lambda c: [packet(c) for packet in packets] + [c.send(b"GOOD")]


def at(off, data, **fields):
    return lambda c: c.at(off, data, **fields)


def segments(*pairs):
    """Data segments (offset, bytes) in this order."""
    return lambda c: [c.at(off, data) for off, data in pairs]


def overlap(name, why, delivers, postern, *pairs, case="evasion_tcp_overlaps", **more):
    return Row(name, why, segments(*pairs), delivers, postern, case, **more)


DIFFERS = "tcp_overlap_differs"

ORDER = [
    overlap("in_order", "the plain flow", b"AAAABBBB", "same", (0, b"AAAA"), (4, b"BBBB"), case="evasion_tcp_order"),
    overlap("out_of_order", "second segment first", b"AAAABBBB", "same", (4, b"BBBB"), (0, b"AAAA"), case="evasion_tcp_order"),
    overlap("reversed", "all segments in reverse", b"ABCD", "same", (3, b"D"), (2, b"C"), (1, b"B"), (0, b"A"),
        case="evasion_tcp_order"),
    overlap("retransmitted", "the same bytes twice", b"AAAABBBB", "same", (0, b"AAAA"), (0, b"AAAA"), (4, b"BBBB"),
        case="evasion_tcp_order"),
    overlap("retransmitted_longer", "old bytes and new ones in one segment", b"AAAABB", "same", (0, b"AAAA"), (0, b"AAAABB"),
            case="evasion_tcp_order"),
    overlap("held_duplicate", "the same early segment twice", b"AAAABBBB", "tcp_duplicate_held", (4, b"BBBB"), (4, b"BBBB"),
        (0, b"AAAA"),
            case="evasion_tcp_order"),
    overlap("held_equal_overlaps", "early segments overlap with equal bytes", b"ABCDEFGH", "same", (4, b"EFG"), (2, b"CDE"),
        (5, b"FGH"), (0, b"AB"),
            case="evasion_tcp_order"),
]

OVERLAPS = [
    overlap("ooo_same_range", "two early segments, one range", b"AAAAXXXX", DIFFERS, (4, b"XXXX"), (4, b"YYYY"), (0, b"AAAA")),
    overlap("ooo_left", "the newer reaches into the older from the left", b"AACCCCBB", DIFFERS, (4, b"BBBB"), (2, b"CCCC"),
        (0, b"AA")),
    overlap("ooo_right", "the newer begins inside the older", b"AABBBBCC", DIFFERS, (2, b"BBBB"), (4, b"CCCC"), (0, b"AA")),
    overlap("ooo_covers", "the newer covers the older", b"AACCCCCC", DIFFERS, (4, b"BB"), (2, b"CCCCCC"), (0, b"AA")),
    overlap("ooo_covers_same_begin", "the newer is longer at the end", b"AACCCC", DIFFERS, (2, b"BB"), (2, b"CCCC"),
        (0, b"AA")),
    overlap("ooo_covers_same_end", "the newer is longer at the front", b"AACCCC", DIFFERS, (4, b"BB"), (2, b"CCCC"),
        (0, b"AA")),
    overlap("ooo_covers_two", "the newer covers two older ones", b"AACCCCCC", DIFFERS, (2, b"BB"), (6, b"DD"), (2, b"CCCCCC"),
        (0, b"AA")),
    overlap("ooo_bridges", "the newer fills a gap and reaches into both sides", b"AABBBCCCD", DIFFERS, (2, b"BBB"),
        (6, b"DDD"), (4, b"CCCC"), (0, b"AA")),
    overlap("ooo_inside", "the newer lies inside the older", b"AABBBBBB", DIFFERS, (2, b"BBBBBB"), (4, b"CC"), (0, b"AA")),
    overlap("ooo_inside_same_begin", "shorter and newer", b"AABBBB", DIFFERS, (2, b"BBBB"), (2, b"CC"), (0, b"AA")),
    overlap("ooo_inside_same_end", "shorter, newer, at the end", b"AABBBB", DIFFERS, (2, b"BBBB"), (4, b"CC"), (0, b"AA")),
    overlap("filler_reaches_in", "the segment that fills the gap has other bytes for what waits", b"AAAAXXBB", DIFFERS,
            (4, b"BBBB"), (0, b"AAAAXX")),
    overlap("filler_covers", "the segment that fills the gap covers what waits", b"AAAAXXXX", DIFFERS, (4, b"BB"),
        (0, b"AAAAXXXX")),
    overlap("again_longer", "delivered bytes again, different, and new ones", b"AAAABB", DIFFERS, (0, b"AAAA"), (0, b"XXXXBB")),
    overlap("again_different", "delivered bytes again, different", b"AAAABBBB", DIFFERS, (0, b"AAAA"), (0, b"XXXX"),
        (4, b"BBBB")),
    overlap("again_in_the_middle", "different bytes inside delivered ones", b"AAAABBBB", DIFFERS, (0, b"AAAA"), (1, b"XX"),
        (4, b"BBBB")),
    overlap("again_over_a_border", "different bytes over delivered and new range", b"AAAABB", DIFFERS, (0, b"AAAA"),
        (2, b"XXBB")),
]
OVERLAPS += [row._replace(name=f"{row.name}_v6", case="evasion_tcp_overlaps_v6",
    v6=True) for row in OVERLAPS if row.name in ("ooo_same_range", "ooo_left", "ooo_right", "ooo_covers")]

IGNORED_CASE = "evasion_tcp_ignored"


def ignored(name, why, reason, *packets, case=IGNORED_CASE, delivers=b"GOOD", **more):
    return Row(name, why, then_good(*packets), delivers, reason, case, **more)


def probe(flags, payload=b"", off=0, **fields):
    return lambda c: c.probe(flags, payload, off, **fields)


def acknowledging(distance, payload=b"EVIL"):
    return lambda c: c.probe("PA", payload, ack=(c.next[1] + distance) % 2**32)


def stamped(value, payload, off=0, flags="PA"):
    return lambda c: c.probe(flags, payload, off, options=c.stamp(value))


IGNORED = [
    ignored("bad_checksum", "a box that does not check sums takes it", "bad_transport_checksum",
        at(0, b"EVIL", **BAD_CHECKSUM)),
    ignored("bad_checksum_zero", "zero is no absent checksum in TCP", "bad_transport_checksum", at(0, b"EVIL", chksum=0)),
    ignored("no_ack_flag", "data without ACK", "bad_tcp_flags", probe("P", b"EVIL")),
    ignored("no_flags", "data without any flag", "bad_tcp_flags", probe("", b"EVIL")),
    ignored("urgent_only", "flags URG and PSH alone", "bad_tcp_flags", probe("PU", b"EVIL")),
    ignored("fin_without_ack", "would end the connection for a box", "bad_tcp_flags", probe("F")),
    ignored("fin_without_ack_data", "the same with data", "bad_tcp_flags", probe("FP", b"EVIL")),
    ignored("syn_data", "SYN with data inside a connection", "bad_tcp_flags", probe("S", b"EVIL")),
    ignored("syn_ack_data", "SYN and ACK with data inside a connection", "bad_tcp_flags", probe("SA", b"EVIL")),
    ignored("syn_plain", "SYN inside a connection is answered by a challenge (RFC 5961 section 4)", "same", probe("S")),
    ignored("syn_other_sequence", "SYN with another sequence number does not move it", "same", probe("S", off=5000)),
    ignored("syn_fin", "no host accepts both", "bad_tcp_flags", probe("SF")),
    ignored("ack_of_the_future", "acknowledges what was never sent", "tcp_out_of_window", acknowledging(5000)),
    ignored("ack_of_the_future_by_one", "the least of these", "tcp_out_of_window", acknowledging(1)),
    ignored("ack_far_too_old", "older than any window", "tcp_out_of_window", acknowledging(-2**30)),
    ignored("ack_before_connection", "acknowledges less than the handshake did (RFC 5961 section 5)", "tcp_out_of_window",
        acknowledging(-1000), case="evasion_tcp_old_ack"),
    ignored("ack_before_connection_by_one", "the least of these", "tcp_out_of_window", acknowledging(-1),
        case="evasion_tcp_old_ack"),
    ignored("md5_unsolicited", "signature option nobody negotiated (RFC 2385)", "tcp_md5", at(0, b"EVIL", options=MD5)),
    ignored("beyond_window", "sequence number ahead of what the receiver offered", "tcp_out_of_window",
        at(10_000_000, b"EVIL")),
    ignored("before_window", "sequence number far behind", "tcp_out_of_window", at(-(2**30), b"EVIL")),
    ignored("data_offset_too_long", "header ends behind the segment", "bad_transport_header", at(0, b"EVIL", dataofs=15)),
    ignored("data_offset_too_short", "header shorter than a header", "bad_transport_header", at(0, b"EVIL", dataofs=4)),
    ignored("syn_carries_data", "data in the SYN without TCP fast open (RFC 7413)", "bad_tcp_flags", opening="syn_data"),
    ignored("ip_bad_checksum", "routers and hosts drop it", "bad_ip_checksum",
        lambda c: with_ip(c.at(0, b"EVIL"), chksum=0xDEAD)),
    ignored("ip_version_5", "not IP", "bad_ip_header", lambda c: with_ip(c.at(0, b"EVIL"), version=5)),
    ignored("ip_total_length_short", "the segment ends before its header does", "bad_transport_header",
        lambda c: with_ip(c.at(0, b"EVIL"), len=30)),
    ignored("ip_total_length_long", "longer than the frame", "truncated", lambda c: with_ip(c.at(0, b"EVIL"), len=400)),
]

TIMESTAMPS_CASE = "evasion_tcp_timestamps"
TIMESTAMPS = [
    Row("timestamp_old", "protection against wrapped sequence numbers (RFC 7323 section 5)",
        lambda c: [c.at(0, b"EVIL", options=c.stamp(500)), c.send(b"GOOD", options=c.stamp(1001))], b"GOOD",
        "tcp_old_timestamp", TIMESTAMPS_CASE, opening="stamped"),
    Row("timestamp_old_by_two", "the least that Linux refuses",
        lambda c: [c.at(0, b"EVIL", options=c.stamp(998)), c.send(b"GOOD", options=c.stamp(1001))], b"GOOD",
        "tcp_old_timestamp", TIMESTAMPS_CASE, opening="stamped"),
    Row("timestamp_old_by_one", "Linux forgives one tick (TCP_PAWS_WINDOW); who drops the piece has the host read GOOD",
        lambda c: [c.at(0, b"EVIL", options=c.stamp(999)), c.send(b"GOOD", options=c.stamp(1001))], b"EVIL",
        "tcp_old_timestamp", TIMESTAMPS_CASE, opening="stamped"),
    Row("timestamp_old_ahead", "an early segment with an old timestamp is not kept either",
        lambda c: [c.at(4, b"EVIL", options=c.stamp(500)), c.at(0, b"GOOD", options=c.stamp(1001)),
            c.at(4, b"ALSO", options=c.stamp(1002))],
        b"GOODALSO", "tcp_old_timestamp", TIMESTAMPS_CASE, opening="stamped"),
    Row("timestamp_of_early_segment", "the timestamp of a segment behind a gap is not remembered yet",
        lambda c: [c.at(4, b"BBBB", options=c.stamp(5000)), c.at(0, b"AAAA", options=c.stamp(2000))],
        b"AAAABBBB", "same", TIMESTAMPS_CASE, opening="stamped"),
    Row("timestamp_missing", "negotiated, then a segment without: hosts take it although RFC 7323 section 3.2 forbids",
        lambda c: [c.send(b"AAAA", options=c.stamp(1001)), c.send(b"GOOD")], b"AAAAGOOD", "same", TIMESTAMPS_CASE,
            opening="stamped"),
    Row("timestamp_not_negotiated", "a timestamp nobody asked for means nothing",
        lambda c: [c.send(b"AAAA", options=c.stamp(1000)), c.send(b"GOOD", options=c.stamp(500))], b"AAAAGOOD", "same",
            TIMESTAMPS_CASE),
]

ACCEPTED_CASE = "evasion_tcp_accepted"
ACCEPTED = [
    Row("reserved_bits", "bits a strict box would refuse", lambda c: [c.send(b"GOOD", reserved=7)], b"GOOD", "same",
        ACCEPTED_CASE),
    Row("third_ack_carries_data", "the handshake's last segment is already data", lambda c: [c.send(b"GOOD")], b"GOOD", "same",
        ACCEPTED_CASE,
        opening="unacked"),
    Row("handshake_ends_with_data_only", "nothing but early data after the SYN",
        lambda c: [c.at(4, b"ALSO"), c.at(0, b"GOOD")], b"GOODALSO", "same", ACCEPTED_CASE, opening="unacked"),
    Row("ethernet_trailer", "bytes behind the IP packet", lambda c: [with_trailer(c.send(b"GOOD"), b"EVIL")], b"GOOD", "same",
        ACCEPTED_CASE),
    Row("fin_with_data", "data and end in one segment", lambda c: [c.send(b"GOOD", flags="FPA")], b"GOOD", "same",
        ACCEPTED_CASE, end="fin"),
    Row("data_after_fin", "nothing is delivered after the end",
        lambda c: [c.send(b"GOOD"), c.send(flags="FA"), c.send(b"EVIL")],
        b"GOOD", "same", ACCEPTED_CASE, end="fin"),
    Row("window_of_one", "the client's small window says nothing about its own data", lambda c: [c.send(b"GOOD", window=1)],
        b"GOOD", "same",
        ACCEPTED_CASE),
    Row("ack_not_urged", "data without PSH", lambda c: [c.send(b"GOOD", flags="A")], b"GOOD", "same", ACCEPTED_CASE),
    Row("ecn_flags", "ECE and CWR set", lambda c: [c.send(b"GOOD", flags="PAEC")], b"GOOD", "same", ACCEPTED_CASE),
    Row("wrap_around", "sequence numbers pass zero inside the data", segments((0, b"AAAA"), (4, b"BBBB"), (8, b"CCCC")),
        b"AAAABBBBCCCC", "same",
        "evasion_sequence_wrap", isn=2**32 - 7),
    Row("wrap_around_reversed", "early data beyond zero", segments((8, b"CCCC"), (4, b"BBBB"), (0, b"AAAA")), b"AAAABBBBCCCC",
        "same",
        "evasion_sequence_wrap", isn=2**32 - 7),
    Row("wrap_around_overlap", "an overlap across zero", segments((4, b"BBBB"), (2, b"CCCC"), (0, b"AA")), b"AACCCCBB", DIFFERS,
        "evasion_sequence_wrap", isn=2**32 - 6),
]

URGENT_CASE = "evasion_tcp_urgent"
URGENT = [
    Row("urgent_second_byte", "urgent pointer 2 takes B out of the stream", lambda c: [c.send(b"ABCD", flags="PAU", urgptr=2)],
        b"ACD", "cleared", URGENT_CASE),
    Row("urgent_first_byte", "urgent pointer 1", lambda c: [c.send(b"ABCD", flags="PAU", urgptr=1)], b"BCD", "cleared",
        URGENT_CASE),
    Row("urgent_last_byte", "urgent pointer at the end", lambda c: [c.send(b"ABCD", flags="PAU", urgptr=4), c.send(b"EFGH")],
        b"ABCEFGH", "cleared", URGENT_CASE),
    Row("urgent_next_segment", "the urgent byte is in the next segment",
        lambda c: [c.send(b"ABCD", flags="PAU", urgptr=6), c.send(b"EFGH")], b"ABCDEGH",
        "cleared", URGENT_CASE),
    Row("urgent_zero", "pointer 0 is taken as 1", lambda c: [c.send(b"ABCD", flags="PAU", urgptr=0), c.send(b"EFGH")],
        b"BCDEFGH", "cleared", URGENT_CASE),
    Row("urgent_without_data", "a bare acknowledgement announces the urgent byte",
        lambda c: [c.probe("AU", urgptr=6), c.send(b"ABCDEFGH")], b"ABCDEGH", "cleared",
        URGENT_CASE),
    Row("urgent_again", "the urgent pointer comes with a retransmission that reaches further",
        lambda c: [c.at(0, b"ABCD"), c.probe("PAU", b"ABCDEFGH", urgptr=6)],
        b"ABCDEGH", "cleared", URGENT_CASE),
    Row("urgent_pointer_without_flag", "means nothing", lambda c: [c.send(b"ABCD", urgptr=2)], b"ABCD", "same", URGENT_CASE),
    Row("urgent_out_of_order", "an urgent pointer in an early segment",
        lambda c: [c.probe("PAU", b"EFGH", 4, urgptr=2), c.at(0, b"ABCD")], b"ABCDEGH", "cleared",
        URGENT_CASE),
    Row("urgent_out_of_order_again", "the same in a second copy of it",
        lambda c: [c.at(4, b"EFGH"), c.probe("PAU", b"EFGH", 4, urgptr=2), c.at(0, b"ABCD")],
        b"ABCDEGH", "tcp_duplicate_held", URGENT_CASE),
]

RESET_CASE = "evasion_tcp_resets"
RESETS = [
    Row("reset_exact", "the next expected byte", lambda c: [c.probe("R")], b"", "same", RESET_CASE, end="reset"),
    Row("reset_ack_exact", "with ACK", lambda c: [c.probe("RA")], b"", "same", RESET_CASE, end="reset"),
    Row("reset_bad_ack", "a reset is taken whatever it acknowledges",
        lambda c: [c.probe("RA", ack=(c.next[1] + 5000) % 2**32)], b"", "same", RESET_CASE, end="reset"),
    Row("reset_old_timestamp", "timestamps do not guard against resets", lambda c: [c.probe("RA", options=c.stamp(500))], b"",
        "same", RESET_CASE,
        end="reset", opening="stamped"),
    Row("reset_no_timestamp", "nor does their absence", lambda c: [c.probe("R")], b"", "same", RESET_CASE, end="reset",
        opening="stamped"),
    Row("reset_with_data", "data in a reset is not delivered", lambda c: [c.probe("RA", b"EVIL")], b"", "same", RESET_CASE,
        end="reset"),
    Row("reset_syn", "RST and SYN together", lambda c: [c.probe("RS"), c.send(b"GOOD")], b"", "bad_tcp_flags", RESET_CASE,
        end="reset"),
    Row("reset_fin", "RST and FIN together", lambda c: [c.probe("RFA"), c.send(b"GOOD")], b"", "bad_tcp_flags", RESET_CASE,
        end="reset"),
    ignored("reset_in_window", "in the window but not exact: challenged (RFC 5961 section 3)", "same", probe("R", off=500),
        case=RESET_CASE),
    ignored("reset_in_window_by_one", "the least of these", "same", probe("R", off=1), case=RESET_CASE),
    ignored("reset_ack_in_window", "with ACK", "same", probe("RA", off=500), case=RESET_CASE),
    ignored("reset_before", "one byte behind", "same", probe("R", off=-1), case=RESET_CASE),
    ignored("reset_out_of_window", "beyond the window", "tcp_out_of_window", probe("R", off=20_000_000), case=RESET_CASE),
    ignored("reset_bad_checksum", "never arrives", "bad_transport_checksum", probe("R", **BAD_CHECKSUM), case=RESET_CASE),
    ignored("reset_md5", "exact, but signed", "tcp_md5", probe("R", options=MD5), case=RESET_CASE),
    ignored("fin_bad_checksum", "never arrives", "bad_transport_checksum", probe("FA", **BAD_CHECKSUM), case=RESET_CASE),
    ignored("fin_early", "an end behind a gap is no end yet", "same", probe("FA", off=500), case=RESET_CASE),
    Row("fin_early_then_data", "an end behind a gap counts when the gap is filled",
        lambda c: [c.probe("FA", off=4), c.at(0, b"GOOD")], b"GOOD", "same",
        RESET_CASE, end="fin"),
    Row("fin_early_inside_data", "data that reaches over an early end", lambda c: [c.probe("FA", off=4), c.at(0, b"GOODMORE")],
        b"GOODMORE", "same",
        RESET_CASE),
    Row("fin_low_ttl", "one hop short of a host that is further away; here the host is near",
        lambda c: [with_ip(c.send(flags="FA"), ttl=1)], b"", "same",
        RESET_CASE, end="fin"),
    Row("reset_low_ttl", "the same with a reset", lambda c: [with_ip(c.probe("R"), ttl=1)], b"", "same", RESET_CASE,
        end="reset"),
]

ROWS = [*ORDER, *OVERLAPS, *IGNORED, *TIMESTAMPS, *ACCEPTED, *URGENT, *RESETS]
