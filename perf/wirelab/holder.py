#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Opens connections, gets an object over each, and when all are open gets it again: how many answer twice?
Usage: holder.py ADDRESS PORT COUNT clear|tls"""
import asyncio
import json
import resource
import ssl
import sys

AT_ONCE = 100  # handshakes under way
PATIENCE = 10  # seconds for one answer
REQUEST = b"GET /1k HTTP/1.1\r\nHost: server.lab\r\n\r\n"


async def get(reader, writer):
    writer.write(REQUEST)
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
    if not head.startswith(b"HTTP/1.1 200"):
        raise ConnectionError(head[:20])
    await asyncio.wait_for(reader.readexactly(1024), PATIENCE)


async def opened(gate, address, port, tls):
    async with gate:
        try:
            reader, writer = await asyncio.wait_for(asyncio.open_connection(address, port, ssl=tls), PATIENCE)
            await get(reader, writer)
            return reader, writer
        except (OSError, EOFError, asyncio.TimeoutError):
            return None


async def asked_again(gate, connection):
    async with gate:
        try:
            await get(*connection)
            return True
        except (OSError, EOFError, asyncio.TimeoutError):
            return False


async def hold(address, port, count, tls):
    gate = asyncio.Semaphore(AT_ONCE)
    connections = [c for c in await asyncio.gather(*(opened(gate, address, port, tls) for _ in range(count))) if c]
    again = await asyncio.gather(*(asked_again(gate, c) for c in connections))
    for _, writer in connections:
        writer.close()
    return {"opened": len(connections), "answered_again": sum(again)}


def main():
    address, port, count, kind = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_NOFILE, (int(count) + 100,) * 2)
    tls = None
    if kind == "tls":
        tls = ssl.create_default_context()
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    print(json.dumps(asyncio.run(hold(address, int(port), int(count), tls))))


if __name__ == "__main__":
    main()
