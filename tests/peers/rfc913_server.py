#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Simple File Transfer Protocol (RFC 913) on TCP 115: enough of it to log in, list and leave."""
import argparse
import socket
import socketserver

ANSWERS = {"USER": b"+ok, send password", "ACCT": b"+ok, send password", "PASS": b"!logged in",
           "LIST": b"+lab:\r\nimage.bin\r\n", "DONE": b"+bye"}


class Session(socketserver.StreamRequestHandler):
    timeout = 30

    def handle(self):
        try:
            self.talk()
        except (TimeoutError, ConnectionError):
            pass

    def talk(self):
        self.wfile.write(b"+postern-lab SFTP Service\0")
        command = b""
        while len(command) < 1024:
            byte = self.rfile.read(1)
            if not byte:
                return
            if byte != b"\0":
                command += byte
                continue
            verb = command[:4].decode("ascii", "replace").upper()
            self.wfile.write(ANSWERS.get(verb, b"-unknown command") + b"\0")
            if verb == "DONE":
                return
            command = b""


class Server(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6
    allow_reuse_address = True
    daemon_threads = True

    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--port", type=int, default=115)
    Server(("::", words.parse_args().port), Session).serve_forever()


if __name__ == "__main__":
    main()
