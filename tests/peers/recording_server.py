#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A plain TCP and UDP server that only records. It prints `ready`, and when its standard input closes one JSON object:
"tcp ADDRESS PORT" -> {"data": hex, "end": open|fin|reset}, "udp ADDRESS PORT" -> {"data": hex, "end": "open"}."""
import argparse
import ipaddress
import json
import os
import selectors
import socket
import sys


def bound(kind, port):
    made = socket.socket(socket.AF_INET6, kind)
    made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    made.bind(("::", port))
    if kind == socket.SOCK_STREAM:
        made.listen(4096)
    made.setblocking(False)
    return made


def name(protocol, peer):
    address = ipaddress.IPv6Address(peer[0])
    return f"{protocol} {address.ipv4_mapped or address} {peer[1]}"


class Recorder:
    def __init__(self, port):
        self.found = {}
        self.selector = selectors.DefaultSelector()
        self.watch(bound(socket.SOCK_STREAM, port), self.accept)
        self.watch(bound(socket.SOCK_DGRAM, port), self.datagram)

    def watch(self, source, action):
        self.selector.register(source, selectors.EVENT_READ, action)

    def note(self, key, data=b"", end=None):
        record = self.found.setdefault(key, {"data": "", "end": "open"})
        record["data"] += data.hex()
        record["end"] = end or record["end"]

    def accept(self, listener):
        connection, peer = listener.accept()
        connection.setblocking(False)
        key = name("tcp", peer)
        self.note(key)
        self.watch(connection, lambda source: self.read(source, key))

    def read(self, connection, key):
        try:
            data = connection.recv(65536)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data, end = b"", "reset"
        else:
            end = None if data else "fin"
        self.note(key, data, end)
        if end:
            self.selector.unregister(connection)  # kept open: closing would answer

    def datagram(self, source):
        data, peer = source.recvfrom(65536)
        self.note(name("udp", peer), data)

    def run(self):
        timeout = None
        while events := self.selector.select(timeout):
            for key, _ in events:
                if key.fileobj is not sys.stdin:
                    key.data(key.fileobj)
                elif not os.read(0, 1024):
                    self.selector.unregister(sys.stdin)
                    timeout = 0  # what has arrived by now still counts


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--port", type=int, default=443)
    recorder = Recorder(words.parse_args().port)
    recorder.watch(sys.stdin, None)
    print("ready", flush=True)
    recorder.run()
    print(json.dumps(recorder.found), flush=True)


if __name__ == "__main__":
    main()
