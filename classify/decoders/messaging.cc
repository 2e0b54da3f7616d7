// SPDX-License-Identifier: Apache-2.0
// Directories, queues and field buses: LDAP (RFC 4511, over UDP too), MQTT 3.1 to 5, AMQP, Modbus over TCP,
// Kafka.
#include "classify/decoders/prefix_reader.h"
#include "classify/decoders/stream_decoders.h"
#include "classify/port_range.h"

namespace postern::classify::decoders {
namespace {

using namespace std::string_view_literals;

constexpr uint8_t kInteger = 0x02, kOctets = 0x04, kEnumerated = 0x0a;
constexpr uint32_t kLongestName = 1024;

void tag(PrefixReader& reader, uint8_t expected) noexcept { reader.u8(expected, expected); }

uint32_t ber_number(PrefixReader& reader, uint8_t kind, uint32_t most) noexcept {
  tag(reader, kind);
  const uint32_t width = reader.u8(1, 4);
  reader.require((reader.peek() & 0x80) == 0);
  switch (width) {
    case 1:
      return reader.u8(0, most);
    case 2:
      return reader.be16(0, most);
    case 3:
      return reader.be24(0, most);
    default:
      return reader.be32(0, most);
  }
}

void octets(PrefixReader& reader) noexcept {
  tag(reader, kOctets);
  reader.skip(reader.ber_length(0, kLongestName));
}

void bind_request(PrefixReader& reader) noexcept {
  ber_number(reader, kInteger, 3);
  octets(reader);
  reader.one_of("\x80\xa3\x89\x8a\x8b"sv);  // simple, SASL, and the three of MS-ADTS section 5.1.1.1
}

void search_request(PrefixReader& reader) noexcept {
  octets(reader);
  ber_number(reader, kEnumerated, 3);
  ber_number(reader, kEnumerated, 3);
  ber_number(reader, kInteger, 0x7fffffff);
  ber_number(reader, kInteger, 0x7fffffff);
  reader.literal("\x01\x01"sv);
  reader.one_of("\x00\x01\xff"sv);
  reader.one_of("\xa0\xa1\xa2\xa3\xa4\xa5\xa6\x87\xa8\xa9"sv);
}

void extended_request(PrefixReader& reader) noexcept {
  tag(reader, 0x80);
  const uint32_t length = reader.ber_length(3, 64);
  for (uint32_t i = 0; i < length && reader.ok(); ++i) reader.one_of("0123456789.");
}

void result(PrefixReader& reader) noexcept {
  ber_number(reader, kEnumerated, 4096);
  octets(reader);
  tag(reader, kOctets);
  reader.ber_length(0, 65536);
}

void search_entry(PrefixReader& reader) noexcept {
  octets(reader);
  tag(reader, 0x30);
  reader.ber_length(0, 1 << 24);
}

// The operation's first fields, up to where it is beyond doubt.
void ldap_operation(PrefixReader& reader, uint8_t operation) noexcept {
  switch (operation) {
    case 0x60:
      return bind_request(reader);
    case 0x63:
      return search_request(reader);
    case 0x77:
      return extended_request(reader);
    case 0x64:
      return search_entry(reader);
    case 0x73:
      octets(reader);
      return;
    default:
      return result(reader);
  }
}

// Seven bits per byte, lowest first; no client sends megabytes to begin with.
uint32_t variable_length(PrefixReader& reader) noexcept {
  uint32_t length = 0;
  for (uint32_t shift = 0;; shift += 7) {
    const uint32_t byte = reader.u8();
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) return length;
    reader.require(shift < 14);
  }
}

Fit mqtt_connect(Bytes stream) noexcept {
  static constexpr std::string_view kNames[] = {"\0\x04MQTT"sv, "\0\x06MQIsdp"sv};
  PrefixReader reader(stream);
  tag(reader, 0x10);
  const uint32_t length = variable_length(reader);
  const size_t start = reader.position();
  const bool old = reader.choice(kNames) == 1;
  const uint32_t version = old ? reader.u8(3, 3) : reader.u8(4, 5);
  const uint32_t flags = reader.u8();
  const bool will = flags & 4, password_alone = (flags & 0xc0) == 0x40;
  reader.require((flags & 1) == 0 && (flags & 0x18) != 0x18 && (will || (flags & 0x38) == 0) &&
                 !(password_alone && version < 5));
  reader.skip(2);
  if (version == 5) reader.skip(variable_length(reader));  // properties
  const uint32_t name = reader.be16(0, 1024);
  reader.require(reader.position() - start + name <= length);
  return reader.fit();
}

Fit mqtt_accepted(Bytes stream) noexcept {
  PrefixReader reader(stream);
  tag(reader, 0x20);
  const uint32_t length = reader.u8(2, 127);
  reader.u8(0, 1);
  const uint32_t reason = reader.u8();
  reader.require(reason <= 5 || (reason >= 0x80 && reason <= 0x9f && length > 2));
  if (length > 2) {
    const uint32_t properties = reader.u8();
    reader.require(properties + 3 == length);
  }
  return reader.fit();
}

}  // namespace

Fit ldap(const Evidence& evidence) noexcept {
  PrefixReader reader(evidence.payload);
  tag(reader, 0x30);
  const uint32_t length = reader.ber_length(7, 1 << 24);
  const size_t start = reader.position();
  ber_number(reader, kInteger, 0x7fffffff);
  const uint8_t operation =
      reader.one_of(evidence.direction == Direction::ToServer ? "\x60\x63\x77"sv : "\x61\x64\x65\x73\x78"sv);
  const uint32_t inside = reader.ber_length(2, 1 << 24);
  const size_t header = reader.position() - start;
  // Controls may follow the operation (RFC 4511 section 4.1.11).
  reader.require(header + inside == length || header + inside + 2 <= length);
  ldap_operation(reader, operation);
  reader.require(reader.position() - start <= header + inside);
  return reader.fit() == Fit::More && evidence.protocol == kUdp ? Fit::No : reader.fit();
}

Fit mqtt(const Evidence& evidence) noexcept {
  return evidence.direction == Direction::ToServer ? mqtt_connect(evidence.payload)
                                                   : mqtt_accepted(evidence.payload);
}

Fit amqp(const Evidence& evidence) noexcept {
  // 0-8, 0-9, 0-9-1, 0-10, and 1.0 plain, over TLS and over SASL.
  static constexpr std::string_view kHeaders[] = {
      "AMQP\x01\x01\x08\x00"sv, "AMQP\x01\x01\x09\x00"sv, "AMQP\x01\x01\x00\x09"sv, "AMQP\x00\x00\x09\x01"sv,
      "AMQP\x01\x01\x00\x0a"sv, "AMQP\x00\x01\x00\x00"sv, "AMQP\x02\x01\x00\x00"sv, "AMQP\x03\x01\x00\x00"sv};
  PrefixReader reader(evidence.payload);
  if (evidence.direction == Direction::ToClient && reader.peek() == 1) {
    reader.literal("\x01\0\0"sv);  // a method, on channel 0
    reader.be32(16, 1 << 17);
    reader.literal("\0\x0a\0\x0a\0\x09"sv);  // connection.start of 0-9
    return reader.fit();
  }
  reader.choice(kHeaders);
  return reader.fit();
}

// Seven bytes of header say little, so a signature names the ports.
Fit modbus(const Evidence& evidence) noexcept {
  constexpr uint32_t kException = 0x80;
  PrefixReader reader(evidence.payload);
  reader.skip(2);
  reader.zeros(2);
  const uint32_t length = reader.be16(2, 254);
  reader.skip(1);
  const uint32_t function = reader.u8(1);
  const bool request = evidence.direction == Direction::ToServer;
  if (function > kException) {
    reader.require(!request && length == 3);
    reader.u8(1, 11);
    return reader.fit();
  }
  switch (function) {
    case 1:
    case 2:
    case 3:
    case 4:
      if (request) {
        reader.require(length == 6);
        reader.skip(2);
        reader.be16(1, 2000);
      } else {
        reader.require(reader.u8() + 3 == length);
      }
      break;
    case 5:
    case 6:
      reader.require(length == 6);
      reader.skip(4);
      break;
    case 15:
    case 16:
      reader.require(request ? length >= 8 : length == 6);
      reader.skip(2);
      reader.be16(1, 2000);
      if (request) reader.require(reader.u8() + 7 == length);
      break;
    case 43:  // identification of the device
      reader.u8(13, 14);
      break;
    default:
      reader.require(function == 7 || function == 8 || function == 11 || function == 12 || function == 17 ||
                     (function >= 20 && function <= 24));
  }
  return reader.fit();
}

// Requests alone: an answer is a length and a number.
Fit kafka(const Evidence& evidence) noexcept {
  constexpr uint32_t kKeys = 93, kVersions = 19, kApiVersions = 18, kNull = 0xffff, kHeader = 10;
  if (evidence.direction == Direction::ToClient) return Fit::No;
  PrefixReader reader(evidence.payload);
  const uint32_t length = reader.be32(kHeader, 1 << 20);
  const uint32_t key = reader.be16(0, kKeys - 1);
  reader.be16(0, kVersions - 1);
  reader.be32(0, 0x7fffffff);
  const uint32_t name = reader.be16();
  if (name == kNull) {
    reader.require(key == kApiVersions && length == kHeader);
    return reader.fit();
  }
  reader.require(name > 0 && name <= 255 && kHeader + name <= length);
  reader.visible(name);
  return reader.fit();
}

}  // namespace postern::classify::decoders
