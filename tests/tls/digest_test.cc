// SPDX-License-Identifier: Apache-2.0
#include "tls/digest.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace postern::tls {
namespace {

template <size_t N>
std::string in_hex(const std::array<uint8_t, N>& bytes) {
  FixedText<64> text;
  text.append_hex(Bytes(bytes));
  return std::string(text.view());
}

TEST(Digests, AreThoseOfTheStandards) {
  Result<Digests> digests = Digests::make();
  ASSERT_TRUE(digests);
  EXPECT_EQ(in_hex(digests->md5(as_bytes("abc"))), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(in_hex(digests->sha1(as_bytes("abc"))), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(in_hex(digests->sha256(as_bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Digests, CanBeTakenInAnyOrderAndOfNothing) {
  Result<Digests> digests = Digests::make();
  ASSERT_TRUE(digests);
  EXPECT_EQ(in_hex(digests->md5({})), "d41d8cd98f00b204e9800998ecf8427e");
  digests->sha256(as_bytes("abc"));
  EXPECT_EQ(in_hex(digests->md5({})), "d41d8cd98f00b204e9800998ecf8427e");
}

}  // namespace
}  // namespace postern::tls
