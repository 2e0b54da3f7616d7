# SPDX-License-Identifier: Apache-2.0
"""One way to make a middle box and a host read different bytes: what arrives, what a host makes of it, what postern does."""
from typing import Callable, NamedTuple


class Row(NamedTuple):
    """`packets(talk)` are scapy packets or frames in order of arrival; `talk` is a Tcp after its handshake, or a Udp."""
    name: str
    why: str
    packets: Callable
    delivers: bytes         # what a Linux application reads, measured by tests/wire/endpoint_truth_test.py
    postern: str            # `same`: they pass and are judged; `cleared`: as ordinary data; else the reason why a piece is dropped
    case: str               # the golden case, tests/golden/CASE.case
    end: str = "open"       # how the application finds its connection: open, fin, reset; none: there is no connection
    opening: str = "plain"  # handshake; stamped (from 1000 on), syn_data (EVIL in the SYN), unacked (no third ACK)
    v6: bool = False
    isn: int = 1000
    udp: bool = False
