// SPDX-License-Identifier: Apache-2.0
// A complete hello has a start that fits, and texts that came from it. The input is also taken as a hello's
// body and given to OpenSSL's server: whatever that takes is read the same.
// needs: base classify tls
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "classify/tls_client_hello.h"
#include "classify/tls_fingerprint.h"
#include "classify/tls_text.h"
#include "tests/classify/tls_hello_builder.h"
#include "tests/tls/openssl_hello.h"

using namespace postern;
using namespace postern::classify;

namespace {

void expect(bool good) {
  if (!good) __builtin_trap();
}

void read_stream(Bytes stream) {
  const TlsClientHello hello = parse_tls_client_hello(stream);
  starts_tls_answer(stream);
  if (hello.fit != Fit::Yes) return;
  expect(starts_tls_client_hello(stream) == Fit::Yes);
  for (size_t i = 0; hello.alpn(i); ++i) expect(!hello.alpn(i)->empty());
  expect(hello.server_name().size() <= stream.size());
  for (size_t size : {stream.size() / 2, stream.size() / 3})
    expect(parse_tls_client_hello(stream.first(size)).fit != Fit::No);
}

// Illegal, though OpenSSL takes it: an empty name, an extension twice that it does not know, 16 KB and more.
bool refused_rightly(Bytes body, const tls::OpensslHello& theirs) {
  const bool named =
      std::find(theirs.extensions.begin(), theirs.extensions.end(), 0) != theirs.extensions.end();
  const uint8_t ech[] = {0xfe, 0x0d};
  const auto first = std::search(body.begin(), body.end(), std::begin(ech), std::end(ech));
  const bool twice =
      first != body.end() && std::search(first + 2, body.end(), std::begin(ech), std::end(ech)) != body.end();
  return (named && theirs.server_name.empty()) || twice || body.size() > TlsClientHello::kLongest;
}

void compare_with_openssl(Bytes body) {
  static tls::OpensslReader reader;
  const tls::OpensslHello theirs =
      reader.read(in_records(handshake(std::string(as_text(body))), 1 + (body.empty() ? 0 : body[0] * 16u)));
  const TlsClientHelloView ours = view_tls_client_hello(body);
  if (!theirs.taken) return;
  if (ours.fit != Fit::Yes) return expect(refused_rightly(body, theirs));
  expect(ours.legacy_version == theirs.legacy_version);
  expect(as_text(ours.cipher_suites) == theirs.suites);
  expect(as_text(ours.server_name) == theirs.server_name);
  expect(as_text(ours.alpn) == theirs.alpn);
  std::vector<int> types;
  expect(for_each_extension(ours.extensions, [&](uint16_t type, Bytes) {
    if (std::find(theirs.extensions.begin(), theirs.extensions.end(), type) != theirs.extensions.end())
      types.push_back(type);
  }));
  expect(types == theirs.extensions);
}

void fingerprint(Bytes body) {
  const TlsClientHelloView view = view_tls_client_hello(body);
  if (view.fit != Fit::Yes) return;
  expect(ja4_texts(view, Transport::Quic).head.size() == 10);
  ja3_text(view);
  TlsFacts facts;
  facts.note(view);
  const TlsText text = tls_text(facts);
  expect(!text.cut());
  for (const char c : text.view()) expect(c == '\n' || (c >= 0x20 && c < 0x7f));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes input(data, size);
  read_stream(input);
  // A seed of the wire has 9 bytes of headers in front of the body.
  const Bytes body = size > 9 && data[0] == 22 ? input.subspan(9) : input;
  if (body.size() <= 60000) compare_with_openssl(body);
  fingerprint(body);
  return 0;
}
