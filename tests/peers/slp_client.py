#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SLP user agent: asks one address or a multicast group for a service type and prints the URLs that come back.

Exit 0: at least one URL; 1: nothing came back in time; 2: refused.
"""
import argparse
import ipaddress
import os
import socket
import sys

import slp_message as slp


def ask_udp(words, address, request, transaction):
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        if address.is_multicast and words.interface:
            index = socket.if_nametoindex(words.interface)
            if address.version == 6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
            else:
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, b"\0" * 8 + index.to_bytes(4, sys.byteorder))
        sock.settimeout(words.timeout)
        if words.source_port:
            sock.bind(("", words.source_port))
        sock.sendto(request, (str(address), slp.PORT))
        while True:
            urls = read(sock.recv(65535), transaction)
            if urls:
                return urls


def ask_tcp(words, address, request, transaction):
    with socket.create_connection((str(address), slp.PORT), words.timeout) as connection:
        connection.sendall(request)
        data = b""
        while len(data) < 5 or len(data) < int.from_bytes(data[2:5], "big"):
            chunk = connection.recv(4096)
            if not chunk:
                raise ConnectionResetError("closed by the other side")
            data += chunk
        return read(data, transaction)


def read(data, transaction):
    function, number, body = slp.open_message(data)
    return slp.reply_urls(body) if function == slp.SRV_RPLY and number == transaction else []


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("address", type=ipaddress.ip_address, help="unicast address or multicast group")
    words.add_argument("--tcp", action="store_true")
    words.add_argument("--service", default="service:management-hardware.lab")
    words.add_argument("--interface", help="where a multicast request leaves")
    words.add_argument("--source-port", type=int, default=0)
    words.add_argument("--timeout", type=float, default=3)
    words = words.parse_args()
    transaction = os.getpid() & 0xFFFF
    flags = slp.MULTICAST_FLAG if words.address.is_multicast else 0
    request = slp.service_request(transaction, words.service, flags=flags)
    try:
        urls = (ask_tcp if words.tcp else ask_udp)(words, words.address, request, transaction)
    except TimeoutError:
        print("timed out")
        return 1
    except OSError as refused:
        print(refused)
        return 2
    print("\n".join(urls))
    return 0


if __name__ == "__main__":
    sys.exit(main())
