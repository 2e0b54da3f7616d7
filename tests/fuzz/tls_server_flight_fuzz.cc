// SPDX-License-Identifier: Apache-2.0
// A flight says nothing that a longer part of it takes back, and the cut into records changes nothing.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>

#include "classify/tls_facts.h"
#include "classify/tls_fingerprint.h"
#include "classify/tls_server_flight.h"

using namespace postern;
using namespace postern::classify;

namespace {

void expect(bool good) {
  if (!good) __builtin_trap();
}

bool same(const TlsServerFlight& a, const TlsServerFlight& b) {
  return a.version == b.version && a.cipher_suite == b.cipher_suite && as_text(a.leaf) == as_text(b.leaf) &&
         as_text(a.alpn) == as_text(b.alpn) && as_text(a.extensions) == as_text(b.extensions) &&
         a.mutual_auth == b.mutual_auth && a.resumed == b.resumed && a.certificate == b.certificate &&
         a.chain_length == b.chain_length && a.hello_retry == b.hello_retry;
}

std::string in_records(Bytes message, size_t size) {
  std::string out;
  for (size_t at = 0; at < message.size(); at += size) {
    const Bytes piece = message.subspan(at, std::min(size, message.size() - at));
    const char header[] = {22, 3, 3, static_cast<char>(piece.size() >> 8), static_cast<char>(piece.size())};
    out.append(header, sizeof header).append(as_text(piece));
  }
  return out;
}

void grow(Bytes stream) {
  TlsHandshakeStorage whole_storage, part_storage;
  const TlsServerFlight whole = parse_tls_server_flight(stream, whole_storage);
  if (whole.fit != Fit::Yes) return;
  ja3s_text(whole);
  TlsFacts facts;
  facts.note(whole);
  const size_t step = std::max<size_t>(1, stream.size() / 64);
  for (size_t size = 0; size < stream.size(); size += step) {
    const TlsServerFlight part = parse_tls_server_flight(stream.first(size), part_storage);
    expect(part.fit != Fit::No);
    if (part.complete) expect(same(part, whole));
  }
}

void cut(Bytes messages) {
  TlsHandshakeStorage first_storage, second_storage;
  const std::string one = in_records(messages, 16384), many = in_records(messages, 37);
  const TlsServerFlight first = parse_tls_server_flight(as_bytes(one), first_storage);
  const TlsServerFlight second = parse_tls_server_flight(as_bytes(many), second_storage);
  expect(first.fit == second.fit && same(first, second));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes input(data, size);
  grow(input);
  if (size <= 16384) cut(size > 5 && data[0] == 22 ? input.subspan(5) : input);
  return 0;
}
