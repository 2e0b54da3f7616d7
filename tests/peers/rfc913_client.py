#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Logs in to an RFC 913 server and lists its files.

Exit 0: listed; 1: nothing came back in time; 2: refused or reset.
"""
import argparse
import socket
import sys


def receive(connection):
    answer = b""
    while not answer.endswith(b"\0"):
        chunk = connection.recv(4096)
        if not chunk:
            raise ConnectionResetError("closed by the other side")
        answer += chunk
    return answer.rstrip(b"\0").decode("ascii", "replace")


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("server")
    words.add_argument("--port", type=int, default=115)
    words.add_argument("--timeout", type=float, default=3)
    words = words.parse_args()
    try:
        with socket.create_connection((words.server, words.port), words.timeout) as connection:
            print(receive(connection))
            for command in ("USER lab", "PASS lab", "LIST F", "DONE"):
                connection.sendall(command.encode() + b"\0")
                print(receive(connection))
    except TimeoutError:
        print("timed out")
        return 1
    except OSError as refused:
        print(refused)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
