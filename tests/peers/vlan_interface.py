#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An 802.1Q interface in user space, for kernels without one: a TAP device whose frames travel tagged over another
interface. Ends when that interface goes away."""
import argparse
import fcntl
import os
import select
import socket
import struct
import subprocess

TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000
ETH_P_ALL, ETH_P_8021Q = 0x0003, 0x8100
SOL_PACKET, PACKET_AUXDATA = 263, 8
AUXDATA = struct.Struct("IIIHHHH")
TP_STATUS_VLAN_VALID = 1 << 4
FRAME = 65536


def open_tap(name):
    tap = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TAP | IFF_NO_PI))
    return tap


def open_wire(parent):
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    wire.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    wire.bind((parent, ETH_P_ALL))
    return wire


def untagged(wire, vlan):
    """The next frame of this VLAN without its tag (the kernel has taken it off already); None for other frames."""
    frame, extra, _, address = wire.recvmsg(FRAME, socket.CMSG_SPACE(AUXDATA.size))
    if address[2] == socket.PACKET_OUTGOING:
        return None
    for level, kind, data in extra:
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
            status, _, _, _, _, tci, _ = AUXDATA.unpack_from(data)
            if status & TP_STATUS_VLAN_VALID and tci & 0xFFF == vlan:
                return frame
    return None


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--parent", required=True)
    words.add_argument("--vlan", type=int, required=True)
    words.add_argument("--address", action="append", default=[], help="with prefix length")
    words = words.parse_args()
    name = f"{words.parent}.{words.vlan}"
    tap, wire = open_tap(name), open_wire(words.parent)
    with open(f"/sys/class/net/{words.parent}/address", encoding="ascii") as mac:
        subprocess.run(["ip", "link", "set", name, "address", mac.read().strip(), "up"], check=True)
    for address in words.address:
        subprocess.run(["ip", "addr", "add", address, "dev", name], check=True)
    tag = struct.pack("!HH", ETH_P_8021Q, words.vlan)
    while True:
        for ready in select.select([tap, wire], [], [])[0]:
            try:
                if ready == tap:
                    frame = os.read(tap, FRAME)
                    wire.send(frame[:12] + tag + frame[12:])
                else:
                    frame = untagged(wire, words.vlan)
                    if frame:
                        os.write(tap, frame)
            except OSError:
                if not os.path.exists(f"/sys/class/net/{words.parent}"):
                    return


if __name__ == "__main__":
    main()
