# SPDX-License-Identifier: Apache-2.0
"""Templates of frames for perf/memory_traffic.h, as hex: what one TLS connection to a BMC looks like, a SYN, and bytes that no
host would accept. Addresses, the client's port and checksums are filled in by the memory ports."""
import os
import ssl
import struct

CLIENT, SERVER = 0, 1  # the port a frame arrives at
FIN, SYN, PSH, ACK = 1, 2, 8, 16
ETHERNET = (bytes.fromhex("020000000002" "020000000001"), bytes.fromhex("020000000001" "020000000002"))
BMC_PORT = 443
IMIX = ((60, 7), (590, 4), (1514, 1))  # lengths without FCS of 64, 594 and 1518 bytes, and how many of twelve


def tcp(side, flags, sequence, acknowledgement, data=b"", options=b"", port=BMC_PORT):
    ports = (20000, port) if side == CLIENT else (port, 20000)
    offset = (20 + len(options)) // 4 << 4
    segment = struct.pack("!HHIIBBHHH", *ports, sequence, acknowledgement, offset, flags, 65535, 0, 0) + options + data
    addresses = bytes(4) + bytes(4)
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 1, 0x4000, 64, 6, 0) + addresses
    return (ETHERNET[side] + b"\x08\x00" + header + segment).ljust(60, b"\0")


def client_hello():
    """Of this machine's OpenSSL, as any client of it would send."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="bmc.example")
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def server_flight(hello):
    """What a TLS 1.3 server shows in clear, and a record that it encrypts."""
    session = hello[44:44 + hello[43]]
    extensions = bytes.fromhex("002b00020304" "00330024001d0020") + os.urandom(32)
    body = b"\x03\x03" + os.urandom(32) + bytes([len(session)]) + session + b"\x13\x01\0" + struct.pack("!H", len(extensions)) + extensions
    handshake = b"\x02" + struct.pack("!I", len(body))[1:] + body
    return b"\x16\x03\x03" + struct.pack("!H", len(handshake)) + handshake + bytes.fromhex("140303000101" "1703030040") + os.urandom(64)


MSS = bytes.fromhex("020405b4")


class Connection:
    """Its opening up to the point where postern owes it nothing, what goes on, and its end; each step is (port, frame)."""

    def __init__(self):
        hello = client_hello()
        flight = server_flight(hello)
        self.sent = (1001 + len(hello), 5001 + len(flight))
        client, server = self.sent
        self.opening = [
            (CLIENT, tcp(CLIENT, SYN, 1000, 0, options=MSS)),
            (SERVER, tcp(SERVER, SYN | ACK, 5000, 1001, options=MSS)),
            (CLIENT, tcp(CLIENT, ACK, 1001, 5001)),
            (CLIENT, tcp(CLIENT, ACK | PSH, 1001, 5001, hello)),
            (SERVER, tcp(SERVER, ACK | PSH, 5001, client, flight)),
            (CLIENT, tcp(CLIENT, ACK, client, server)),
        ]
        self.closing = [
            (SERVER, tcp(SERVER, ACK | FIN, server, client)),
            (CLIENT, tcp(CLIENT, ACK | FIN, client, server + 1)),
            (SERVER, tcp(SERVER, ACK, server + 1, client + 1)),
        ]

    def data(self, side, length):
        """A frame of `length` bytes without FCS; the same bytes of the stream each time."""
        return tcp(side, ACK | PSH, self.sent[side], self.sent[1 - side], b"\x17" * (length - 54))


def syn(port):
    return tcp(CLIENT, SYN, 1000, 0, options=MSS, port=port)


def garbage():
    """Frames that end in `parse`, by what is wrong with them."""
    good = bytearray(syn(BMC_PORT))
    good[26:34] = bytes((10, 64, 1, 1, 10, 4, 0, 1))
    bad_sum, short, version, layer2, flags = (bytearray(good) for _ in range(5))
    short[16:18] = (1200).to_bytes(2, "big")
    version[14] = 0x65
    layer2[12:14] = b"\x12\x34"
    flags[47] = 0
    return {"ip_checksum": bad_sum, "truncated": short, "version": version, "ethertype": layer2, "tcp_flags": flags}
