# SPDX-License-Identifier: Apache-2.0
"""The hosts of the seed site (tests/golden/sites/seed.yaml) and where their frames enter its two wires."""
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, LLC, SNAP, Dot1Q, Dot3, Ether
from scapy.packet import Raw


class Host(str):
    """An IPv4 address as text, so scapy takes it as it is, that also knows its IPv6 address, MAC and places."""

    def __new__(cls, v4, v6, mac, **places):
        host = super().__new__(cls, v4)
        host.v6, host.mac, host.places = v6, mac, places
        return host


admin = Host("10.1.0.5", "fd01::5", "02:00:00:00:01:05", front="it")          # alice, compliant
contractor = Host("10.1.0.6", "fd01::6", "02:00:00:00:01:06", front="it")     # bob, in the group, not compliant
stranger = Host("10.1.0.77", "fd01::77", "02:00:00:00:01:77", front="it")     # trust zone, nobody known
vcenter = Host("10.1.0.9", "fd01::9", "02:00:00:00:01:09", front="it")        # registered device
resolver = Host("10.2.0.53", "fd02::53", "02:00:00:00:02:53", front="it")     # internal zone
vendor = Host("198.51.100.7", "2001:db8:7::7", "02:00:00:00:05:07", front="it")   # internet zone
router = Host("10.2.0.1", "fd02::1", "02:00:00:00:02:01", front="it")         # internal zone
appliance = Host("10.3.0.10", "fd03::10", "02:00:00:00:03:10", front="management", back="appliance")
bmc = Host("10.4.0.20", "fd04::20", "02:00:00:00:04:20", back="bmc")
bmc2 = Host("10.4.0.21", "fd04::21", "02:00:00:00:04:21", back="bmc")
console = Host("10.4.9.30", "fd04:9::30", "02:00:00:00:04:30", back="bmc")    # management zone, no BMC

HOSTS = [admin, contractor, stranger, vcenter, resolver, vendor, router, appliance, bmc, bmc2, console]
BY_ADDRESS = {str(host): host for host in HOSTS} | {host.v6: host for host in HOSTS}
SIDES = {"front": ("it", "management"), "back": ("appliance", "bmc")}


def opposite(place):
    wire, side = place.split(":")
    first, second = SIDES[wire]
    return f"{wire}:{second if side == first else first}"


def _ends(packet):
    layer = packet.getlayer(IP) or packet.getlayer(IPv6)
    if layer is None:
        return None, None
    return BY_ADDRESS.get(layer.src), BY_ADDRESS.get(layer.dst)


def place_of(packet):
    """Where the packet enters: on the one wire between its two hosts, at its source's side; None if not clear."""
    source, destination = _ends(packet)
    if source is None or destination is None:
        return None
    shared = [wire for wire in source.places if destination.places.get(wire, source.places[wire]) != source.places[wire]]
    return f"{shared[0]}:{source.places[shared[0]]}" if len(shared) == 1 else None


def _fill(layer, **values):
    for name, value in values.items():
        layer.fields.setdefault(name, value)


def framed(packet):
    """The packet with an Ethernet header between the MACs of its hosts, unless it has one. What scapy would ask the
    running machine for (its own MAC, its neighbours') is filled in here, so a case is the same everywhere."""
    source, destination = _ends(packet)
    macs = {"src": source.mac if source else "02:00:00:00:ff:01",
        "dst": destination.mac if destination else "02:00:00:00:ff:02"}
    frame = packet if isinstance(packet, (Ether, Dot3)) else Ether() / packet
    _fill(frame, **macs)
    if ARP in frame:
        _fill(frame[ARP], hwsrc=frame.src, psrc="10.9.9.9", pdst="10.9.9.8")
    return frame


def ip(source, destination, **fields):
    return IP(src=source, dst=destination, **fields)


def ip6(source, destination, **fields):
    return IPv6(src=source.v6, dst=destination.v6, **fields)


def with_ip(packet, **fields):
    """The same packet with these fields of its IP header."""
    changed = packet.copy()
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def behind(packet, *headers):
    """The IPv6 packet with extension headers before its transport header."""
    network = packet.copy()
    inner = network.payload
    network.remove_payload()
    for header in headers:
        network = network / header
    return network / inner


def in_llc(packet):
    """The IP packet in an 802.3 frame with LLC and SNAP headers (RFC 1042)."""
    frame = framed(packet)
    return Dot3(src=frame.src, dst=frame.dst) / LLC(dsap=0xAA, ssap=0xAA, ctrl=3) / SNAP(OUI=0, code=frame.type) / frame.payload


def in_mpls(packet, label=16):
    frame = framed(packet)
    return Ether(src=frame.src, dst=frame.dst,
        type=0x8847) / Raw((label << 12 | 0x1FF).to_bytes(4, "big") + bytes(frame.payload))


def to_mac(packet, mac):
    frame = framed(packet)
    frame.dst = mac
    return frame


def tagged(packet, *ids, tpids=None):
    """The packet inside VLAN tags, outermost first; `tpids` are their ethertypes, 0x8100 where not given."""
    frame = framed(packet)
    types = list(tpids or [0x8100] * len(ids)) + [frame.type]
    inner = frame.payload
    for position in reversed(range(len(ids))):
        inner = Dot1Q(vlan=ids[position], type=types[position + 1]) / inner
    return Ether(src=frame.src, dst=frame.dst, type=types[0]) / inner


def truncated(packet, size):
    """The first `size` bytes of the frame."""
    return Ether(bytes(framed(packet))[:size])


def with_trailer(packet, trailer):
    """The frame with bytes behind its IP packet."""
    return bytes(framed(packet)) + trailer
