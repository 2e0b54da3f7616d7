// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"

#include <gtest/gtest.h>

#include <vector>

namespace postern {
namespace {

const std::vector<uint8_t> kBytes = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

TEST(ByteReader, ReadsNumbersInNetworkOrder) {
  ByteReader reader(kBytes);
  EXPECT_EQ(reader.u8(), 0x01);
  EXPECT_EQ(reader.be16(), 0x0203);
  EXPECT_EQ(reader.be24(), 0x040506u);
  EXPECT_EQ(reader.be32(), 0x0708090au);
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(reader.remaining(), 0u);
}

TEST(ByteReader, ReadsHighBytesWithoutSign) {
  const std::vector<uint8_t> high(7, 0xff);
  ByteReader reader(high);
  EXPECT_EQ(reader.be32(), 0xffffffffu);
  EXPECT_EQ(reader.be24(), 0xffffffu);
}

TEST(ByteReader, StaysFailedOnceItRanOut) {
  ByteReader reader(Bytes(kBytes).first(3));
  EXPECT_EQ(reader.be32(), 0u);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.remaining(), 0u);
  EXPECT_EQ(reader.u8(), 0) << "what was left must not be read after a failure";
  EXPECT_EQ(reader.be16(), 0);
  EXPECT_EQ(reader.be24(), 0u);
  EXPECT_TRUE(reader.bytes(1).empty());
  EXPECT_FALSE(reader.ok());
}

TEST(ByteReader, HandsOutViewsAndSkips) {
  ByteReader reader(kBytes);
  reader.skip(2);
  const Bytes view = reader.bytes(3);
  EXPECT_EQ(view.data(), kBytes.data() + 2);
  EXPECT_EQ(view.size(), 3u);
  EXPECT_EQ(reader.rest().data(), kBytes.data() + 5);
  EXPECT_EQ(reader.remaining(), 5u);
  reader.skip(5);
  EXPECT_TRUE(reader.ok()) << "reading up to the end is no failure";
  reader.skip(1);
  EXPECT_FALSE(reader.ok());
}

TEST(ByteReader, ReadsNothingFromNothing) {
  ByteReader reader(Bytes{});
  EXPECT_TRUE(reader.ok());
  EXPECT_TRUE(reader.bytes(0).empty());
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(reader.u8(), 0);
  EXPECT_FALSE(reader.ok());
}

TEST(ByteReader, RefusesHugeCounts) {
  ByteReader reader(kBytes);
  EXPECT_TRUE(reader.bytes(SIZE_MAX).empty());
  EXPECT_FALSE(reader.ok());
}

TEST(Bytes, StoresWhatItLoads) {
  uint8_t room[6] = {};
  store_be16(room, 0xfedc);
  store_be32(room + 2, 0xba987654);
  EXPECT_EQ(load_be16(room), 0xfedc);
  EXPECT_EQ(load_be32(room + 2), 0xba987654u);
  EXPECT_EQ(room[0], 0xfe);
  EXPECT_EQ(room[5], 0x54);
  EXPECT_EQ(as_text(as_bytes("abc")), "abc");
}

}  // namespace
}  // namespace postern
