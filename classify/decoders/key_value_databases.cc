// SPDX-License-Identifier: Apache-2.0
// Redis (RESP), memcached (text and binary, over UDP too), MongoDB, Cassandra (CQL 1 to 5).
#include "classify/decoders/prefix_reader.h"
#include "classify/decoders/stream_decoders.h"
#include "classify/port_range.h"

namespace postern::classify::decoders {
namespace {

using namespace std::string_view_literals;

uint32_t number_of(std::string_view digits) noexcept {
  uint32_t value = 0;
  for (const char c : digits) value = value * 10 + static_cast<uint32_t>(c - '0');
  return value;
}

// An array of bulk strings whose first names a command.
Fit redis_client(Bytes stream) noexcept {
  PrefixReader reader(stream);
  reader.literal("*");
  const uint32_t count = number_of(reader.digits(6));
  reader.require(count > 0);
  reader.literal("\r\n$");
  const uint32_t length = number_of(reader.digits(2));
  reader.require(length >= 3 && length <= 24);
  reader.literal("\r\n");
  for (uint32_t i = 0; i < length && reader.ok(); ++i) {
    const uint32_t c = reader.u8('.', 'z');
    const uint32_t lower = c | 0x20;
    reader.require((lower >= 'a' && lower <= 'z') || (i > 0 && (c == '.' || c == '_')));
  }
  reader.literal("\r\n");
  if (count > 1) {
    reader.literal("$");
    reader.digits(9);
    reader.literal("\r\n");
  }
  return reader.fit();
}

Fit redis_server(Bytes stream) noexcept {
  static constexpr std::string_view kAnswers[] = {"+OK\r\n",   "+PONG\r\n",   "-ERR ",
                                                  "-NOAUTH ",  "-WRONGPASS ", "-DENIED ",
                                                  "-MISCONF ", "-LOADING ",   "-NOPERM "};
  PrefixReader reader(stream);
  const uint8_t kind = reader.peek();
  if (kind == '+' || kind == '-') {
    reader.choice(kAnswers);
    return reader.fit();
  }
  reader.one_of("$*:%");
  reader.digits(9);
  reader.literal("\r\n");
  return reader.fit();
}

Fit memcached_text(PrefixReader reader, Direction direction) noexcept {
  if (direction == Direction::ToClient) {
    static constexpr std::string_view kAnswers[] = {
        "VALUE ",        "STORED\r\n",    "NOT_STORED\r\n", "END\r\n", "ERROR\r\n",
        "STAT ",         "VERSION ",      "DELETED\r\n",    "OK\r\n",  "NOT_FOUND\r\n",
        "CLIENT_ERROR ", "SERVER_ERROR ", "HD\r\n",         "MN\r\n",  "EXISTS\r\n"};
    reader.choice(kAnswers);
    return reader.fit();
  }
  static constexpr std::string_view kWords[] = {
      "GET",       "GETS", "SET",  "ADD",   "REPLACE", "APPEND", "PREPEND", "CAS",
      "DELETE",    "INCR", "DECR", "TOUCH", "GAT",     "STATS",  "VERSION", "FLUSH_ALL",
      "VERBOSITY", "MG",   "MS",   "MD",    "MN",      "QUIT"};
  reader.word(kWords);
  const std::string_view rest = reader.line(1024);
  // HTTP has GET and DELETE too, and says so at the end of its line.
  reader.require(rest.find(" HTTP/") == std::string_view::npos);
  return reader.fit();
}

Fit memcached_binary(PrefixReader reader, Direction direction) noexcept {
  reader.u8(direction == Direction::ToServer ? 0x80 : 0x81, direction == Direction::ToServer ? 0x80 : 0x81);
  reader.u8(0, 0x48);
  const uint32_t key = reader.be16(0, 250);
  const uint32_t extras = reader.u8(0, 32);
  reader.zeros(1);
  const uint32_t status = reader.be16();
  reader.require(direction == Direction::ToClient || status < 4096);
  reader.be32(key + extras, 64 << 20);
  return reader.fit();
}

void bson(PrefixReader& reader, uint32_t room) noexcept {
  reader.require(room >= 5);
  reader.le32(5, room);
}

void cassandra_server(PrefixReader& reader, uint32_t operation, uint32_t length) noexcept {
  static constexpr std::string_view kSupported[] = {"CQL_VERSION", "COMPRESSION", "PROTOCOL_VERSIONS"};
  switch (operation) {
    case 0:  // error
      reader.require(length >= 6);
      reader.be32(0, 0x2500);
      reader.be16(0, length - 6);
      return;
    case 2:  // ready
      reader.require(length == 0);
      return;
    case 3: {  // authenticate, by this class
      const uint32_t name = reader.be16(1, 256);
      reader.require(name + 2 == length);
      reader.visible(name);
      return;
    }
    default:  // supported
      reader.be16(1, 16);
      reader.be16(11, 17);
      reader.choice(kSupported);
  }
}

}  // namespace

Fit redis(const Evidence& evidence) noexcept {
  return evidence.direction == Direction::ToServer ? redis_client(evidence.payload)
                                                   : redis_server(evidence.payload);
}

Fit memcached(const Evidence& evidence) noexcept {
  PrefixReader reader(evidence.payload);
  if (evidence.protocol == kUdp) {  // number of the request, this datagram and of how many
    reader.skip(4);
    reader.be16(1, 1024);
    reader.zeros(2);
  }
  const bool binary = (reader.peek() & 0x80) != 0;
  const Fit fit =
      binary ? memcached_binary(reader, evidence.direction) : memcached_text(reader, evidence.direction);
  return fit == Fit::More && evidence.protocol == kUdp ? Fit::No : fit;
}

Fit mongodb(const Evidence& evidence) noexcept {
  constexpr uint32_t kReply = 1, kQuery = 2004, kCompressed = 2012, kMessage = 2013;
  constexpr uint32_t kLongest = 48'000'000, kHeader = 16;
  PrefixReader reader(evidence.payload);
  const bool to_server = evidence.direction == Direction::ToServer;
  const uint32_t length = reader.le32(kHeader + 9, kLongest);
  reader.skip(4);
  const uint32_t answers = reader.le32();
  reader.require(!to_server || answers == 0);
  const uint32_t operation = reader.le32(kReply, kMessage);
  if (operation == kMessage) {
    const uint32_t flags = reader.le32();
    reader.require((flags & ~0x10003U) == 0);  // checksum, more to come, exhaust
    reader.u8(0, 1);
    bson(reader, length - kHeader - 5);
    return reader.fit();
  }
  if (operation == kCompressed) {
    const uint32_t original = reader.le32(1, kMessage);
    reader.require(original == kMessage || original == kQuery || original == kReply);
    reader.le32(5, kLongest);
    reader.u8(0, 3);
    return reader.fit();
  }
  if (operation == kQuery) {
    reader.require(to_server);
    reader.le32(0, 0xff);
    const std::string_view collection = reader.text_until('\0', 255);
    reader.require(collection.find('.') != std::string_view::npos);
    reader.skip(8);
    reader.require(reader.position() < length);
    bson(reader, length - static_cast<uint32_t>(reader.position()));
    return reader.fit();
  }
  reader.require(operation == kReply && !to_server);
  reader.le32(0, 0xf);
  reader.skip(8 + 4);
  reader.le32(0, 4096);
  return reader.fit();
}

Fit cassandra(const Evidence& evidence) noexcept {
  constexpr uint32_t kStartup = 1, kAnswer = 0x80, kLongest = 1 << 20;
  PrefixReader reader(evidence.payload);
  const bool to_server = evidence.direction == Direction::ToServer;
  const uint32_t answer = to_server ? 0 : kAnswer;
  const uint32_t version = reader.u8(answer + 1, answer + 5) - answer;
  reader.require((reader.u8() & ~0x1aU) == 0);  // nothing is compressed or traced before STARTUP
  version < 3 ? reader.u8() : reader.be16();
  const uint8_t operation = reader.one_of(to_server ? "\x01\x05"sv : "\x00\x02\x03\x06"sv);
  const uint32_t length = reader.be32(0, kLongest);
  if (!to_server) {
    cassandra_server(reader, operation, length);
  } else if (operation == kStartup) {
    static constexpr std::string_view kOptions[] = {"CQL_VERSION",    "COMPRESSION",      "DRIVER_NAME",
                                                    "DRIVER_VERSION", "CLIENT_ID",        "APPLICATION_NAME",
                                                    "NO_COMPACT",     "THROW_ON_OVERLOAD"};
    reader.be16(1, 16);
    reader.be16(9, 32);
    reader.choice(kOptions);
  } else {
    reader.require(length == 0);
  }
  return reader.fit();
}

}  // namespace postern::classify::decoders
