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
PATIENCE = 5  # seconds for one answer
ENOUGH = 200  # failures after which nothing further is tried
REQUEST = b"GET /1k HTTP/1.1\r\nHost: server.lab\r\n\r\n"


class Failures:
    count = 0


async def get(reader, writer):
    writer.write(REQUEST)
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
    if not head.startswith(b"HTTP/1.1 200"):
        raise ConnectionError(head[:20])
    await asyncio.wait_for(reader.readexactly(1024), PATIENCE)


async def attempt(gate, failures, action):
    """What the action returns; None where it fails or is not worth trying any more."""
    async with gate:
        if failures.count >= ENOUGH:
            return None
        try:
            return await action()
        except (OSError, EOFError, asyncio.TimeoutError):
            failures.count += 1
            return None


async def hold(address, port, count, tls):
    gate, failures = asyncio.Semaphore(AT_ONCE), Failures()

    async def opened():
        ends = await asyncio.wait_for(asyncio.open_connection(address, port, ssl=tls), PATIENCE)
        await get(*ends)
        return ends

    async def asked_again(connection):
        await get(*connection)
        return True

    connections = [c for c in await asyncio.gather(*(attempt(gate, failures, opened) for _ in range(count))) if c]
    failures.count = 0
    again = await asyncio.gather(*(attempt(gate, failures, lambda c=c: asked_again(c)) for c in connections))
    for _, writer in connections:
        writer.close()
    return {"opened": len(connections), "answered_again": sum(map(bool, again))}


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
