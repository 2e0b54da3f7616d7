# SPDX-License-Identifier: Apache-2.0
"""Service Location Protocol version 2 (RFC 2608): the few messages the lab speaks."""
import struct

PORT = 427
GROUP_V4 = "239.255.255.253"
GROUP_V6 = "ff05::116"  # RFC 3111, site-local scope

SRV_RQST, SRV_RPLY, ATTR_RQST, ATTR_RPLY, SRV_TYPE_RQST, SRV_TYPE_RPLY = 1, 2, 6, 7, 9, 10
MULTICAST_FLAG = 0x2000
HEADER = 14  # without the language tag


def text(value):
    data = value.encode()
    return struct.pack("!H", len(data)) + data


def message(function, transaction, body, flags=0):
    language = text("en")
    length = HEADER - 2 + len(language) + len(body)
    return (struct.pack("!BB", 2, function) + length.to_bytes(3, "big") + struct.pack("!H", flags)
            + b"\0\0\0" + struct.pack("!H", transaction) + language + body)


def open_message(data):
    """Function, transaction and body; ValueError for anything that is not a whole SLPv2 message."""
    if len(data) < HEADER or data[0] != 2 or int.from_bytes(data[2:5], "big") != len(data):
        raise ValueError("not an SLPv2 message")
    transaction, language_length = struct.unpack_from("!HH", data, 10)
    if HEADER + language_length > len(data):
        raise ValueError("language tag runs past the end")
    return data[1], transaction, data[HEADER + language_length:]


def take_text(body):
    length = struct.unpack_from("!H", body)[0] if len(body) >= 2 else len(body)
    if 2 + length > len(body):
        raise ValueError("string runs past the end")
    return body[2:2 + length].decode("utf-8", "replace"), body[2 + length:]


def service_request(transaction, service_type, scope="DEFAULT", flags=0):
    body = text("") + text(service_type) + text(scope) + text("") + text("")
    return message(SRV_RQST, transaction, body, flags)


def service_reply(transaction, urls, lifetime=300):
    entries = b"".join(b"\0" + struct.pack("!H", lifetime) + text(url) + b"\0" for url in urls)
    return message(SRV_RPLY, transaction, struct.pack("!HH", 0, len(urls)) + entries)


def reply_urls(body):
    error, count = struct.unpack_from("!HH", body)
    if error:
        raise ValueError(f"SLP error {error}")
    urls, rest = [], body[4:]
    for _ in range(count):
        url, rest = take_text(rest[3:])
        authenticators, rest = rest[0], rest[1:]
        if authenticators:
            raise ValueError("authentication blocks are not read")
        urls.append(url)
    return urls
