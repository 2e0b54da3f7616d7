// SPDX-License-Identifier: Apache-2.0
// What a worker does per handshake takes no memory, but for the state of each digest inside OpenSSL 3.0.
#include <gtest/gtest.h>
#include <malloc.h>
#include <openssl/crypto.h>

#include <cstdlib>

#include "classify/tls_fingerprint.h"
#include "classify/tls_text.h"
#include "handshake_pair.h"
#include "quic_packets.h"
#include "tests/classify/allocation_count.h"
#include "tests/classify/tls_chrome_hello.h"
#include "tls/certificate_facts.h"
#include "tls/quic_initial.h"

namespace {

size_t allocations = 0;  // of OpenSSL

void* counted(size_t size, const char*, int) {
  ++allocations;
  return std::malloc(size);
}
void* counted_again(void* old, size_t size, const char*, int) {
  ++allocations;
  return std::realloc(old, size);
}
void counted_free(void* old, const char*, int) { std::free(old); }

// OpenSSL takes these only before its first allocation.
const bool kCounts = CRYPTO_set_mem_functions(counted, counted_again, counted_free) == 1;

}  // namespace

namespace postern::tls {
namespace {

template <typename Work>
size_t allocations_of(Work work) {
  work();  // what is made at first use is made
  const size_t before = allocations + classify::allocation_count();
  work();
  return allocations + classify::allocation_count() - before;
}

constexpr size_t kDigestsOfHello = 3;        // JA3, and both parts of JA4
constexpr size_t kDigestsOfCertificate = 2;  // SHA-1 and SHA-256

TEST(NoAllocation, IsCountedAtAll) {
  ASSERT_TRUE(kCounts);
  EXPECT_GT(allocations_of([] { EVP_MD_CTX_free(EVP_MD_CTX_new()); }), 0u);
  EXPECT_GT(allocations_of([] { delete new std::string("a text that is longer than a small one"); }), 0u);
}

TEST(NoAllocation, BeyondDigestsInHelloFingerprintAndText) {
  Result<Digests> digests = Digests::make();
  const std::string stream =
      classify::in_records(classify::handshake(classify::chrome_body("a.example")), 700);
  classify::TlsHandshakeStorage storage;
  EXPECT_LE(allocations_of([&] {
              const auto found = classify::find_tls_client_hello(as_bytes(stream), storage);
              const auto hello = classify::view_tls_client_hello(found.body);
              classify::TlsFacts facts;
              facts.note(hello);
              facts.ja3.append_hex(Bytes(digests->md5(as_bytes(classify::ja3_text(hello).text.view()))));
              const auto texts = classify::ja4_texts(hello, classify::Transport::Tcp);
              facts.ja4 = classify::join_ja4(texts, digests->sha256(as_bytes(texts.ciphers.view())),
                                             digests->sha256(as_bytes(texts.extensions.view())));
              if (classify::tls_text(facts).empty()) std::abort();
            }),
            kDigestsOfHello);
}

TEST(NoAllocation, BeyondDigestsInFlightAndCertificate) {
  Result<Digests> digests = Digests::make();
  HandshakePair pair;
  SSL_CTX_set_max_proto_version(pair.server_settings.get(), TLS1_2_VERSION);
  pair.run();
  classify::TlsHandshakeStorage storage;
  EXPECT_LE(allocations_of([&] {
              const auto flight = classify::parse_tls_server_flight(as_bytes(pair.to_client), storage);
              if (!read_certificate(flight.leaf, *digests).readable) std::abort();
            }),
            kDigestsOfCertificate);
}

TEST(NoAllocation, InOpeningQuicPacketsOnceKeysAreMade) {
  Result<QuicProtection> protection = QuicProtection::make();
  QuicPacketBuilder builder;
  const std::string datagram =
      builder.seal(*protection, crypto_frame(0, std::string("\1\0\3\xe8", 4)) + std::string(900, '\0'));
  QuicInitial initial;
  EXPECT_EQ(allocations_of([&] {
              if (initial.take(as_bytes(datagram), *protection) != QuicInitial::State::Partial) std::abort();
            }),
            0u);
}

}  // namespace
}  // namespace postern::tls
