#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SLP service agent on UDP and TCP 427, unicast and multicast, IPv4 and IPv6."""
import argparse
import socket
import socketserver
import struct
import threading

import slp_message as slp

SERVICES = {
    "service:management-hardware.lab": ["service:management-hardware.lab:https://bmc.lab"],
    "service:wbem": ["service:wbem:https://bmc.lab:5989"],
}


def answer(data):
    """The reply to one request; None where SLP says to stay silent."""
    try:
        function, transaction, body = slp.open_message(data)
        first, rest = slp.take_text(body)
        second = slp.take_text(rest)[0]
    except (ValueError, struct.error, IndexError):
        return None
    if function == slp.SRV_RQST:
        urls = [url for kind, many in SERVICES.items() if kind.startswith(second) for url in many]
        return slp.service_reply(transaction, urls) if urls else None
    if function == slp.SRV_TYPE_RQST:
        return slp.message(slp.SRV_TYPE_RPLY, transaction, struct.pack("!H", 0) + slp.text(",".join(SERVICES)))
    if function == slp.ATTR_RQST:
        return slp.message(slp.ATTR_RPLY, transaction, struct.pack("!H", 0) + slp.text("(model=lab)") + b"\0")
    return None


def serve_udp(interface):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.bind(("::", slp.PORT))
    index = socket.if_nametoindex(interface)
    membership = struct.pack("4s4si", socket.inet_aton(slp.GROUP_V4), b"\0" * 4, index)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                    socket.inet_pton(socket.AF_INET6, slp.GROUP_V6) + struct.pack("i", index))
    while True:
        data, source = sock.recvfrom(65535)
        reply = answer(data)
        if reply:
            sock.sendto(reply, source)


class Session(socketserver.StreamRequestHandler):
    timeout = 30

    def handle(self):
        head = self.rfile.read(5)
        if len(head) == 5:
            reply = answer(head + self.rfile.read(int.from_bytes(head[2:5], "big") - 5))
            if reply:
                self.wfile.write(reply)


class Server(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6
    allow_reuse_address = True
    daemon_threads = True

    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--interface", default="eth0", help="where the multicast groups are joined")
    words = words.parse_args()
    threading.Thread(target=Server(("::", slp.PORT), Session).serve_forever, daemon=True).start()
    serve_udp(words.interface)


if __name__ == "__main__":
    main()
