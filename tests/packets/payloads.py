# SPDX-License-Identifier: Apache-2.0
"""First payloads of the protocols a management network speaks."""
import struct
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "peers"))
import slp_message  # noqa: E402


def _u16(data):
    return struct.pack("!H", len(data)) + data


def _extension(kind, body):
    return struct.pack("!H", kind) + _u16(body)


def _handshake(kind, body):
    message = bytes([kind]) + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + _u16(message)


def client_hello(sni=None, alpn=(), key_share=32):
    """A TLS 1.2/1.3 ClientHello in one record (RFC 8446 section 4.1.2); post-quantum key shares take some 1,200 bytes."""
    extensions = _extension(0x002B, b"\x04\x03\x04\x03\x03") + _extension(0x000A, _u16(b"\x00\x1d\x00\x17"))
    extensions += _extension(0x0033, _u16(b"\x00\x1d" + _u16(bytes(key_share))))
    if sni:
        extensions += _extension(0, _u16(b"\x00" + _u16(sni.encode())))
    if alpn:
        extensions += _extension(16, _u16(b"".join(bytes([len(name)]) + name.encode() for name in alpn)))
    suites = _u16(b"\x13\x01\x13\x02\xc0\x2b\xc0\x2f")
    return _handshake(1, b"\x03\x03" + bytes(range(32)) + b"\x00" + suites + b"\x01\x00" + _u16(extensions))


def server_hello():
    return _handshake(2, b"\x03\x03" + bytes(range(32, 64)) + b"\x00\x13\x01\x00" + _u16(_extension(0x002B, b"\x03\x04")))


def tls_data(size=64):
    return b"\x17\x03\x03" + _u16(bytes(size))


def http_get(path="/", host="example.test"):
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


def http_ok(body=b"{}"):
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def cim_post(host="10.4.0.20"):
    """A CIM-XML operation over HTTP (DSP0200)."""
    body = (b'<?xml version="1.0" encoding="utf-8"?>\n<CIM CIMVERSION="2.0" DTDVERSION="2.0"><MESSAGE ID="1" '
            b'PROTOCOLVERSION="1.0"><SIMPLEREQ/></MESSAGE></CIM>')
    return (f"POST /cimom HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/xml; charset=utf-8\r\n"
            f"CIMOperation: MethodCall\r\nCIMMethod: EnumerateInstances\r\nCIMObject: root/cimv2\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


def _dns_name(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\x00"


def dns_query(name="bmc20.rack.test", kind=1, number=7):
    return struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0) + _dns_name(name) + struct.pack("!HH", kind, 1)


def dns_answer(name="bmc20.rack.test", address="10.4.0.20", number=7):
    record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + bytes(map(int, address.split(".")))
    return struct.pack("!HHHHHH", number, 0x8180, 1, 1, 0, 0) + _dns_name(name) + struct.pack("!HH", 1, 1) + record


def over_tcp(message):
    """A DNS message with its length in front (RFC 1035 section 4.2.2)."""
    return _u16(message)


def slp_request(number=1):
    return slp_message.service_request(number, "service:management-hardware.IBM:management-module",
                                       flags=slp_message.MULTICAST_FLAG)


def slp_reply(number=1, host="10.4.0.20"):
    return slp_message.service_reply(number, [f"service:management-hardware.IBM:management-module://{host}"])


SLP_GROUP = slp_message.GROUP_V4


def ipmi_auth_capabilities():
    """Get Channel Authentication Capabilities in an IPMI 1.5 session header without authentication."""
    message = bytes.fromhex("2018c8" "810038" "8e04b5")
    return bytes.fromhex("0600ff07" "00" "00000000" "00000000") + bytes([len(message)]) + message


def rmcp_plus_open_session():
    """IPMI 2.0 Open Session Request: cipher suite 3 (payloads of authentication, integrity, confidentiality)."""
    body = bytes.fromhex("00000000" "a4a3a2a0" "0000000801000000" "0100000801000000" "0200000801000000")
    return bytes.fromhex("0600ff07" "0610" "00000000" "00000000") + struct.pack("<H", len(body)) + body


def asf_ping():
    return bytes.fromhex("0600ff06" "000011be" "80000000")


def ssh_banner():
    return b"SSH-2.0-OpenSSH_9.2\r\n"


def rfc913_greeting():
    return b"+bmc20 SFTP Service\x00"


def ntp_request():
    return b"\x23" + bytes(47)
