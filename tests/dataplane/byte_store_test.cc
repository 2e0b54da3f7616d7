// SPDX-License-Identifier: Apache-2.0
#include "dataplane/byte_store.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>

#include "packets.h"

namespace postern::dataplane {
namespace {

Octets numbered(size_t size, uint8_t start = 0) {
  Octets bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(start + i * 7);
  return bytes;
}

TEST(ByteStore, HoldsWhatWasAppendedAcrossBlocks) {
  ByteStore store(4);
  ByteStore::Chain chain;
  const Octets bytes = numbered(5000);
  ASSERT_TRUE(store.append(chain, bytes));
  EXPECT_TRUE(store.holds(chain, 0, bytes));
  EXPECT_TRUE(store.holds(chain, 2047, Bytes(bytes).subspan(2047, 2)));
  Octets other = bytes;
  other[4999] ^= 1;
  EXPECT_FALSE(store.holds(chain, 0, other));
  store.clear(chain);
  EXPECT_EQ(store.free_blocks(), 4u);
}

TEST(ByteStore, AddsNothingWhenNotAllFits) {
  ByteStore store(2);
  ByteStore::Chain chain;
  ASSERT_TRUE(store.append(chain, numbered(2000)));
  EXPECT_FALSE(store.append(chain, numbered(2097)));
  EXPECT_EQ(chain.size, 2000u);
  EXPECT_TRUE(store.append(chain, numbered(2096)));
  EXPECT_EQ(store.free_blocks(), 0u);
  store.clear(chain);
}

TEST(ByteStore, ShowsTheFrontInOnePiece) {
  ByteStore store(4);
  ByteStore::Chain chain;
  const Octets bytes = numbered(3000);
  ASSERT_TRUE(store.append(chain, bytes));
  std::array<uint8_t, 2500> room;
  const Bytes front = store.front(chain, room);
  EXPECT_EQ(Octets(front.begin(), front.end()), Octets(bytes.begin(), bytes.begin() + 2500));
  store.drop_front(chain, 2990);
  const Bytes in_place = store.front(chain, {});
  EXPECT_EQ(Octets(in_place.begin(), in_place.end()), Octets(bytes.end() - 10, bytes.end()));
  store.clear(chain);
}

TEST(ByteStore, IsAQueueOfBytes) {
  ByteStore store(16);
  ByteStore::Chain chain;
  std::string naive;
  std::mt19937 random(5);
  for (int step = 0; step < 20000; ++step) {
    if (random() % 2 == 0) {
      const Octets more = numbered(random() % 3000, static_cast<uint8_t>(random()));
      const bool fits = store.append(chain, more);
      if (fits) naive.append(more.begin(), more.end());
      ASSERT_TRUE(fits || naive.size() + more.size() > 14 * ByteStore::kBlock);
    } else {
      const size_t count = random() % (naive.size() + 1);
      store.drop_front(chain, static_cast<uint32_t>(count));
      naive.erase(0, count);
    }
    ASSERT_EQ(chain.size, naive.size());
    ASSERT_TRUE(store.holds(chain, 0, as_bytes(naive)));
  }
  store.clear(chain);
  EXPECT_EQ(store.free_blocks(), 16u);
}

}  // namespace
}  // namespace postern::dataplane
