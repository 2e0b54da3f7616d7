// SPDX-License-Identifier: Apache-2.0
// Datagrams as they are, payloads sealed with the right keys, and a hello in pieces whose order the input
// chooses: it is whole when a naive count of its bytes says so, and the same.
// needs: base tls
#include <algorithm>
#include <cstdint>

#include "tests/tls/quic_packets.h"
#include "tls/quic_initial.h"

using namespace postern;
using namespace postern::tls;

namespace {

void expect(bool good) {
  if (!good) __builtin_trap();
}

QuicProtection& protection() {
  static Result<QuicProtection> made = QuicProtection::make();
  return *made;
}

void check(const QuicInitial& initial) {
  const bool whole = initial.state() == QuicInitial::State::Whole;
  expect(whole || initial.client_hello().empty());
  expect(!whole || initial.version());
}

void take_as_sent(Bytes input) {
  QuicInitial initial;
  ByteReader reader(input);
  while (reader.remaining() > 2) {
    const size_t size = std::min<size_t>(reader.be16(), reader.remaining());
    const Bytes datagram = reader.bytes(size);
    QuicInitial::can_start(datagram);
    initial.take(datagram, protection());
    check(initial);
  }
}

void take_sealed(Bytes input) {
  QuicInitial initial;
  QuicPacketBuilder builder;
  builder.number = 0;
  ByteReader reader(input);
  while (reader.remaining() > 2) {
    const size_t size = std::min<size_t>(reader.be16() % 2048, reader.remaining());
    std::string payload(as_text(reader.bytes(size)));
    payload.resize(std::max<size_t>(payload.size(), 20));
    const std::string datagram = builder.seal(protection(), payload);
    initial.take(as_bytes(datagram), protection());
    ++builder.number;
    expect(initial.state() != QuicInitial::State::Nothing);
    check(initial);
  }
}

void take_pieces(Bytes input) {
  std::string hello = classify::hex("01 000200");
  for (size_t i = 0; i < 512; ++i) hello += static_cast<char>(i * 7 + i / 256);
  std::string missing(hello.size(), 'x');
  QuicInitial initial;
  QuicPacketBuilder builder;
  ByteReader reader(input);
  for (builder.number = 0; reader.remaining() >= 3 && builder.number < 64; ++builder.number) {
    const size_t offset = reader.be16() % hello.size();
    const size_t size = std::min<size_t>(reader.u8(), hello.size() - offset);
    const std::string frame = crypto_frame(offset, hello.substr(offset, size)) + std::string(20, '\0');
    const std::string datagram = builder.seal(protection(), frame);
    initial.take(as_bytes(datagram), protection());
    std::fill_n(missing.begin() + static_cast<std::ptrdiff_t>(offset), size, '.');
    const bool whole = missing.find('x') == std::string::npos;
    expect(initial.state() == (whole ? QuicInitial::State::Whole : QuicInitial::State::Partial));
    if (whole) expect(as_text(initial.client_hello()) == hello.substr(4));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Bytes rest(data + 1, size - 1);
  if (data[0] % 3 == 0) take_as_sent(rest);
  if (data[0] % 3 == 1) take_sealed(rest);
  if (data[0] % 3 == 2) take_pieces(rest);
  return 0;
}
