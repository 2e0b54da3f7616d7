# SPDX-License-Identifier: Apache-2.0
"""Whole strategies against middle boxes: those that programs such as Geneva found, and application bytes in odd pieces."""
from packets.evasions.row import Row
from packets.fragments import pieces
from packets.hosts import with_ip
from packets.payloads import cim_post, client_hello, http_get

STRATEGY_CASE = "evasion_strategies"
BAD = {"checksum": "bad_transport_checksum", "md5": "tcp_md5", "ttl": "same"}


def insertion(kind, c, flags, payload=b"", off=0):
    """A packet the box may believe and the host does not: bad checksum, MD5 option, or too few hops."""
    fields = {"checksum": {"chksum": 0xBEEF}, "md5": {"options": [(19, bytes(16))]}, "ttl": {}}[kind]
    packet = c.probe(flags, payload, off, **fields)
    return with_ip(packet, **{"hlim" if c.v6 else "ttl": 1}) if kind == "ttl" else packet


def strategy(name, why, packets, delivers=b"GOOD", postern="same", **more):
    return Row(name, why, packets, delivers, postern, STRATEGY_CASE, **more)


# flags and payload of the insertion; then what a near host makes of the one with low TTL, which it hears.
INSERTIONS = {
    "reset": ("R", b"", b"", "reset", "same"),
    "reset_ack": ("RA", b"", b"", "reset", "same"),
    "fin": ("FA", b"", b"", "fin", "same"),
    "garbage": ("PA", b"EVIL", b"EVIL", "open", "tcp_overlap_differs"),
    "syn": ("S", b"", b"GOOD", "open", "same"),
    "all_flags": ("FRAPU", b"EVIL", b"", "reset", "bad_tcp_flags"),
}
STRATEGIES = [
    strategy(f"strategy_{name}_{kind}", f"{name} with {kind}, then the data",
             lambda c, kind=kind, flags=flags, payload=payload: [insertion(kind, c, flags, payload), c.send(b"GOOD")],
             delivers=heard if kind == "ttl" else b"GOOD", end=end if kind == "ttl" else "open",
             postern="bad_tcp_flags" if name == "all_flags" and kind != "checksum" else near if kind == "ttl" else BAD[kind])
    for name, (flags, payload, heard, end, near) in INSERTIONS.items() for kind in BAD
]
STRATEGIES += [
    strategy("strategy_reset_corrupt_ack", "a reset that acknowledges nonsense is taken",
        lambda c: [c.probe("RA", ack=(c.next[1] + 2**30) % 2**32), c.send(b"GOOD")], b"", end="reset"),
    strategy("strategy_data_corrupt_ack", "garbage that acknowledges nonsense",
        lambda c: [c.probe("PA", b"EVIL", ack=(c.next[1] + 2**30) % 2**32), c.send(b"GOOD")],
             postern="tcp_out_of_window"),
    strategy("strategy_data_offset", "garbage with a header that is too long",
        lambda c: [c.at(0, b"EVIL", dataofs=12), c.send(b"GOOD")],
             postern="bad_transport_header"),
    strategy("strategy_no_flags", "garbage without flags", lambda c: [c.probe("", b"EVIL"), c.send(b"GOOD")],
        postern="bad_tcp_flags"),
    strategy("strategy_syn_ack", "the client answers its own SYN", lambda c: [c.probe("SA"), c.send(b"GOOD")]),
    strategy("strategy_syn_corrupt_sequence", "another SYN with another number",
        lambda c: [c.probe("S", off=77777), c.send(b"GOOD")]),
    strategy("strategy_halves_reversed", "two segments, last first", lambda c: [c.at(2, b"OD"), c.at(0, b"GO")]),
    strategy("strategy_halves_overlap", "two segments that share bytes", lambda c: [c.at(0, b"GOO"), c.at(1, b"OOD")]),
    strategy("strategy_garbage_ahead", "garbage behind a gap, then the data: the older wins",
        lambda c: [c.at(2, b"XX"), c.at(2, b"OD"), c.at(0, b"GO")], b"GOXX",
             postern="tcp_overlap_differs"),
    strategy("strategy_segment_and_fragments", "segments and fragments together",
        lambda c: [c.send(b"GO"), *pieces(c.send(b"ODGOODGOOD"), 8)[::-1]], b"GOODGOODGOOD"),
]

HELLO, OTHER = client_hello("bmc20.test"), client_hello("other.test")
NAME = HELLO.index(b"bmc20.test")


def tiny(data):
    return lambda c: [c.send(data[n:n + 1]) for n in range(len(data))]


APPLICATION_CASE = "evasion_hello_again"
APPLICATIONS = [
    Row("tiny_client_hello", "one byte each", tiny(HELLO), HELLO, "same", "evasion_tiny_segments"),
    Row("tiny_http", "one byte each", tiny(http_get("/redfish/v1")), http_get("/redfish/v1"), "policy_default",
        "evasion_tiny_segments"),
    Row("tiny_cim_xml", "one byte each", tiny(cim_post()), cim_post(), "policy_default", "evasion_tiny_segments"),
    Row("tiny_client_hello_reversed", "one byte each, last first", lambda c: tiny(HELLO[:40])(c)[::-1], HELLO[:40], "same",
        "evasion_tiny_segments"),
    Row("hello_again_other_name", "a second ClientHello for the same bytes names another server",
        lambda c: [c.at(0, HELLO), c.at(0, OTHER)], HELLO,
        "tcp_overlap_differs", APPLICATION_CASE),
    Row("hello_early_other_name", "another name waits behind a gap", lambda c: [c.at(NAME, OTHER[NAME:]), c.at(0, HELLO)],
        HELLO, "tcp_overlap_differs",
        APPLICATION_CASE),
    Row("hello_name_first", "the name waits, then the name again, different",
        lambda c: [c.at(NAME, HELLO[NAME:]), c.at(NAME, OTHER[NAME:]), c.at(0, HELLO[:NAME])],
        HELLO, "tcp_overlap_differs", APPLICATION_CASE),
    Row("hello_split_in_name", "a border inside the name",
        lambda c: [c.at(0, HELLO[:NAME + 3]), c.at(NAME + 3, HELLO[NAME + 3:])], HELLO, "same", APPLICATION_CASE),
    Row("hello_over_wrap", "sequence numbers pass zero inside the name",
        lambda c: [c.at(NAME, HELLO[NAME:]), c.at(0, HELLO[:NAME])], HELLO, "same",
        "evasion_sequence_wrap", isn=2**32 - NAME - 5),
]

ROWS = [*STRATEGIES, *APPLICATIONS]
