// SPDX-License-Identifier: Apache-2.0
// The ClientHello parser against OpenSSL's server: what that takes is read the same.
#include "openssl_hello.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "classify/tls_client_hello.h"
#include "real_hellos.h"
#include "tests/classify/tls_chrome_hello.h"

namespace postern::tls {
namespace {

using classify::hex;

void expect_same(const OpensslHello& theirs, const std::string& body) {
  const classify::TlsClientHelloView ours = classify::view_tls_client_hello(as_bytes(body));
  ASSERT_EQ(ours.fit, classify::Fit::Yes);
  EXPECT_EQ(ours.legacy_version, theirs.legacy_version);
  EXPECT_EQ(as_text(ours.cipher_suites), theirs.suites);
  EXPECT_EQ(as_text(ours.server_name), theirs.server_name);
  EXPECT_EQ(as_text(ours.alpn), theirs.alpn);
  std::vector<int> types;
  classify::for_each_extension(ours.extensions, [&](uint16_t type, Bytes) {
    if (std::find(theirs.extensions.begin(), theirs.extensions.end(), type) != theirs.extensions.end())
      types.push_back(type);
  });
  EXPECT_EQ(types, theirs.extensions);
}

const std::string& real_body(size_t i) {
  static const std::string kBodies[] = {hex(kCurlHello).substr(9), hex(kOpensslHello).substr(9),
                                        hex(kOpensslTls12Hello).substr(9),
                                        classify::chrome_body("a.example")};
  return kBodies[i];
}
constexpr size_t kRealBodies = 4;

TEST(OpensslHello, RealHellosAreReadAsOpensslReadsThem) {
  OpensslReader reader;
  for (size_t i = 0; i < kRealBodies; ++i) {
    const OpensslHello theirs = reader.read(classify::record(classify::handshake(real_body(i))));
    ASSERT_TRUE(theirs.taken) << i;
    expect_same(theirs, real_body(i));
  }
}

TEST(OpensslHello, WhatOpensslTakesOfDamagedHellosIsReadTheSame) {
  OpensslReader reader;
  std::mt19937 random(7);
  size_t taken = 0;
  for (int round = 0; round < 6000; ++round) {
    std::string body = real_body(random() % kRealBodies);
    for (size_t damage = 1 + random() % 3; damage > 0; --damage)
      body[random() % body.size()] = static_cast<char>(random());
    const OpensslHello theirs = reader.read(classify::in_records(classify::handshake(body), 700));
    if (!theirs.taken) continue;
    ++taken;
    expect_same(theirs, body);
    if (HasFailure()) break;
  }
  EXPECT_GT(taken, 1000u);
}

}  // namespace
}  // namespace postern::tls
