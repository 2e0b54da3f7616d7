# SPDX-License-Identifier: Apache-2.0
"""Reads and writes pcapng with interface names and nanoseconds, and writes classic pcap of any link type."""
import struct
from typing import NamedTuple

SECTION, INTERFACE, PACKET = 0x0A0D0D0A, 1, 6
ETHERNET, RAW, LINUX_COOKED, LINUX_COOKED_2, NULL = 1, 101, 113, 276, 0


class Frame(NamedTuple):
    interface: str
    time: int  # nanoseconds
    data: bytes


def _padded(data):
    return data + bytes(-len(data) % 4)


def _block(kind, body):
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def _option(code, value):
    return struct.pack("<HH", code, len(value)) + _padded(value)


def write_pcapng(path, frames, link=ETHERNET):
    """Writes `frames` (Frame) to `path`, one interface per name in order of appearance."""
    known = {}
    with open(path, "wb") as out:
        out.write(_block(SECTION, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)))
        for frame in frames:
            if frame.interface not in known:
                known[frame.interface] = len(known)
                options = _option(9, b"\x09") + _option(2, frame.interface.encode()) + bytes(4)
                out.write(_block(INTERFACE, struct.pack("<HHI", link, 0, 0) + options))
            out.write(_block(PACKET, struct.pack("<IIIII", known[frame.interface], frame.time >> 32,
                                                 frame.time & 0xFFFFFFFF, len(frame.data), len(frame.data))
                             + _padded(frame.data)))


def read_pcapng(path):
    """The Frames of a little-endian pcapng file with nanosecond times; ValueError for anything else."""
    with open(path, "rb") as file:
        data = file.read()
    names, frames, at = [], [], 0
    while at < len(data):
        if len(data) - at < 12:
            raise ValueError(f"{path}: block header is cut at byte {at}")
        kind, length = struct.unpack_from("<II", data, at)
        if length < 12 or length % 4 or at + length > len(data) or data[at + length - 4:at + length] != data[at + 4:at + 8]:
            raise ValueError(f"{path}: block at byte {at} is damaged")
        body = data[at + 8:at + length - 4]
        at += length
        if kind == INTERFACE:
            names.append(_interface_name(path, body))
        elif kind == PACKET:
            interface, high, low, captured, original = struct.unpack_from("<IIIII", body)
            if captured != original:
                raise ValueError(f"{path}: a packet is cut to {captured} of {original} bytes")
            frames.append(Frame(names[interface], high << 32 | low, body[20:20 + captured]))
    return frames


def _interface_name(path, body):
    options, at = {}, 8
    while at + 4 <= len(body):
        code, length = struct.unpack_from("<HH", body, at)
        options[code] = body[at + 4:at + 4 + length]
        at += 4 + length + -length % 4
    if options.get(9) != b"\x09":
        raise ValueError(f"{path}: times are not in nanoseconds")
    return options.get(2, b"").decode()


def write_pcap(path, frames, link=ETHERNET, nanoseconds=False):
    """Writes classic pcap; interface names are lost, `data` must suit the link type."""
    unit = 1 if nanoseconds else 1000
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B23C4D if nanoseconds else 0xA1B2C3D4, 2, 4, 0, 0, 262144, link))
        for frame in frames:
            seconds, rest = divmod(frame.time, 10**9)
            out.write(struct.pack("<IIII", seconds, rest // unit, len(frame.data), len(frame.data)) + frame.data)
