#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The smallest inline program: what comes in on one interface goes out of the other. For `perf/lab --peer`.
Usage: packet_bridge.py INTERFACE INTERFACE"""
import select
import socket
import sys

ALL_PROTOCOLS, LARGEST = 3, 65535


def opened(interface):
    one = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS))
    one.bind((interface, 0))
    one.setblocking(False)
    return one


def main():
    ports = [opened(name) for name in sys.argv[1:3]]
    across = dict(zip(ports, reversed(ports)))
    while True:
        for port in select.select(ports, [], [])[0]:
            try:
                frame, where = port.recvfrom(LARGEST)
                if where[2] != socket.PACKET_OUTGOING:
                    across[port].send(frame)
            except OSError:
                continue  # a full queue loses the frame, as a bridge does


if __name__ == "__main__":
    main()
