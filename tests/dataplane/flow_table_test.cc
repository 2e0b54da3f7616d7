// SPDX-License-Identifier: Apache-2.0
#include "dataplane/flow_table.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "buffers.h"

namespace postern::dataplane {
namespace {

FlowKey key_of(uint64_t number) {
  FlowKey key;
  std::memcpy(&key.address[0].bytes[8], &number, 8);
  key.address[1] = ip("10.3.0.1");
  key.port[0] = static_cast<uint16_t>(number * 7);
  key.port[1] = 443;
  key.protocol = 6;
  return key;
}

std::string text_of(const FlowKey& key) { return {reinterpret_cast<const char*>(&key), sizeof key}; }

// Those this processor has.
std::vector<FlowHash::Way> ways() {
  std::vector<FlowHash::Way> all = {FlowHash::Way::Multiply};
  if (FlowHash::fastest() != all[0]) all.push_back(FlowHash::fastest());
  return all;
}

// As the product does: a record in use has a state.
uint32_t insert(FlowTable& table, const FlowKey& key) {
  const uint32_t flow = table.insert(key);
  if (flow != kNoFlow) table.hot(flow).state = FlowState::Established;
  return flow;
}

// A table beside the obvious one.
class Compared {
 public:
  Compared(uint32_t capacity, uint64_t seed, FlowHash::Way way = FlowHash::fastest())
      : table_(capacity, seed, way) {}

  bool insert_new(const FlowKey& key) {
    const uint32_t flow = insert(table_, key);
    if (flow == kNoFlow) return false;
    EXPECT_TRUE(in_use_.insert(flow).second) << "record given out twice";
    EXPECT_TRUE(table_.hot(flow).key == key);
    known_[text_of(key)] = flow;
    keys_.push_back(key);
    return true;
  }
  void erase_at(size_t position) {
    const FlowKey key = keys_[position];
    const uint32_t flow = known_.at(text_of(key));
    table_.erase(flow);
    in_use_.erase(flow);
    known_.erase(text_of(key));
    keys_[position] = keys_.back();
    keys_.pop_back();
    ASSERT_EQ(table_.find(key), kNoFlow);
  }
  void check(const FlowKey& key) const {
    const auto found = known_.find(text_of(key));
    ASSERT_EQ(table_.find(key), found == known_.end() ? kNoFlow : found->second);
  }
  void check_all() const {
    ASSERT_EQ(table_.size(), known_.size());
    for (const FlowKey& key : keys_) check(key);
  }
  size_t size() const { return keys_.size(); }
  const FlowTable& table() const { return table_; }

 private:
  FlowTable table_;
  std::unordered_map<std::string, uint32_t> known_;
  std::set<uint32_t> in_use_;
  std::vector<FlowKey> keys_;
};

TEST(FlowTable, DoesWhatAMapDoesUnderRandomUse) {
  std::mt19937_64 random(20240501);
  for (const uint32_t capacity : {64u, 1000u, 4096u}) {
    Compared compared(capacity, random());
    for (int step = 0; step < 40'000; ++step) {
      const uint64_t number = random() % (capacity * 3);
      const FlowKey key = key_of(number);
      const unsigned what = random() % 100;
      // Phases of growth and decay, so that both a full table and an empty one are seen.
      const unsigned inserts = step / 5000 % 2 == 0 ? 70 : 20;
      if (what < inserts) {
        if (compared.table().find(key) == kNoFlow && compared.size() < capacity) {
          ASSERT_TRUE(compared.insert_new(key)) << "at " << compared.size() << " of " << capacity;
        }
      } else if (what < 90) {
        if (compared.size() > 0) compared.erase_at(random() % compared.size());
      } else {
        compared.check(key);
      }
    }
    compared.check_all();
  }
}

TEST(FlowTable, TakesExactlyItsCapacity) {
  for (const FlowHash::Way way : ways()) {
    constexpr uint32_t kCapacity = 100'000;
    Compared compared(kCapacity, 0xdeadbeef, way);
    for (uint64_t i = 0; i < kCapacity; ++i) ASSERT_TRUE(compared.insert_new(key_of(i))) << i;
    EXPECT_FALSE(compared.insert_new(key_of(kCapacity)));
    compared.check_all();
  }
}

TEST(FlowTable, KeepsEveryFlowWhileOthersComeAndGoAtFullLoad) {
  constexpr uint32_t kCapacity = 5000;
  std::mt19937_64 random(7);
  Compared compared(kCapacity, 9);
  uint64_t next = 0;
  while (compared.size() < kCapacity) ASSERT_TRUE(compared.insert_new(key_of(next++)));
  for (int round = 0; round < 50'000; ++round) {
    compared.erase_at(random() % compared.size());
    ASSERT_TRUE(compared.insert_new(key_of(next++)));
  }
  compared.check_all();
}

TEST(FlowTable, SaysNoFlowWhenFull) {
  FlowTable table(64, 1);
  for (uint64_t i = 0; i < 64; ++i) ASSERT_NE(insert(table, key_of(i)), kNoFlow);
  EXPECT_EQ(insert(table, key_of(64)), kNoFlow);
  EXPECT_EQ(table.size(), 64u);
  table.erase(table.find(key_of(5)));
  EXPECT_NE(insert(table, key_of(64)), kNoFlow);
  EXPECT_EQ(insert(table, key_of(65)), kNoFlow);
}

TEST(FlowTable, FindsNothingThatWasErased) {
  FlowTable table(64, 1);
  const uint32_t flow = insert(table, key_of(1));
  EXPECT_EQ(table.find(key_of(1)), flow);
  table.erase(flow);
  EXPECT_EQ(table.find(key_of(1)), kNoFlow);
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(table.hot(flow).state, FlowState::Free);
}

TEST(FlowTable, GivesAFreedRecordAwayEmpty) {
  FlowTable table(64, 1);
  const uint32_t flow = insert(table, key_of(1));
  table.hot(flow).flags = 0xffff;
  table.hot(flow).verdict = FlowVerdict::Allow;
  table.hot(flow).generation = Generation{9};
  table.cold(flow).bytes_to_client = 77;
  table.erase(flow);
  const uint32_t again = insert(table, key_of(2));
  ASSERT_EQ(again, flow) << "the record is used again";
  EXPECT_EQ(table.hot(again).flags, 0);
  EXPECT_EQ(table.hot(again).verdict, FlowVerdict::Pending);
  EXPECT_EQ(table.hot(again).generation, Generation{});
  EXPECT_EQ(table.cold(again).bytes_to_client, 0u);
}

TEST(FlowTable, KeepsTheIndexOfAFlowWhileOthersMove) {
  constexpr uint32_t kCapacity = 2000;
  FlowTable table(kCapacity, 3);
  const uint32_t flow = insert(table, key_of(0));
  for (uint64_t i = 1; i < kCapacity; ++i) {
    ASSERT_NE(insert(table, key_of(i)), kNoFlow);
    ASSERT_EQ(table.find(key_of(0)), flow);
  }
}

void compare_burst_with_single_lookups(FlowHash::Way way) {
  Buffers buffers;
  std::mt19937_64 random(11);
  FlowTable table(3000, 5, way);
  for (uint64_t i = 0; i < 3000; ++i) insert(table, key_of(i));
  // Freed records keep their keys, and places in the index their numbers.
  for (uint64_t i = 0; i < 3000; i += 3) table.erase(table.find(key_of(i)));
  Burst burst;
  for (int round = 0; round < 200; ++round) {
    const unsigned size = 1 + random() % Burst::kCapacity;
    for (unsigned i = 0; i < size; ++i) {
      burst.add(buffers.packet({}), PortIndex{0});
      burst[i].key = key_of(random() % 6000);
      burst[i].kind = static_cast<Kind>(random() % 6);
      burst[i].fate = static_cast<Fate>(random() % 4);
    }
    table.find(burst);
    table.fetch_cold(burst);
    for (unsigned i = 0; i < size; ++i) {
      const bool wanted = burst[i].fate == Fate::Open && burst[i].kind != Kind::Layer2;
      ASSERT_EQ(burst[i].flow, wanted ? table.find(burst[i].key) : kNoFlow);
      burst.take(i);
    }
    burst.clear();
  }
}

TEST(FlowTable, FindsForABurstWhatItFindsOneByOne) {
  for (const FlowHash::Way way : ways()) compare_burst_with_single_lookups(way);
}

TEST(FlowTable, NeedsAtMost128BytesPerFlow) {
  for (const uint32_t capacity : {262'144u, 1'000'000u, 8'000'000u}) {
    const FlowTable table(capacity, 1);
    EXPECT_LE(static_cast<double>(table.memory()) / capacity, 128.0) << capacity;
  }
}

TEST(FlowKey, DiffersInEveryField) {
  const FlowKey base = key_of(1);
  std::vector<FlowKey> others(9, base);
  others[0].address[0].bytes[0] ^= 1;
  others[1].address[1].bytes[15] ^= 1;
  others[2].port[0] ^= 1;
  others[3].port[1] ^= 0x8000;
  others[4].vlan[0] ^= 1;
  others[5].vlan[1] ^= 1;
  others[6].protocol ^= 1;
  others[7].wire ^= 1;
  std::swap(others[8].address[0], others[8].address[1]);
  for (const FlowKey& other : others) {
    EXPECT_FALSE(base == other);
    EXPECT_NE(hash_of(base, 42), hash_of(other, 42));
  }
  EXPECT_TRUE(base == key_of(1));
}

TEST(FlowKey, HashesDifferentlyUnderAnotherSeed) {
  EXPECT_EQ(hash_of(key_of(1), 1), hash_of(key_of(1), 1));
  EXPECT_NE(hash_of(key_of(1), 1), hash_of(key_of(1), 2));
}

// Every bit of the key moves every bit of the hash about half of the time, so no part of it is weak.
void spread_every_bit(const std::function<uint64_t(const FlowKey&)>& hash) {
  std::mt19937_64 random(5);
  constexpr int kRounds = 400;
  for (size_t bit = 0; bit < sizeof(FlowKey) * 8; ++bit) {
    int flips[64] = {};
    for (int round = 0; round < kRounds; ++round) {
      uint8_t raw[sizeof(FlowKey)];
      for (uint8_t& byte : raw) byte = static_cast<uint8_t>(random());
      FlowKey a, b;
      std::memcpy(static_cast<void*>(&a), raw, sizeof raw);
      raw[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
      std::memcpy(static_cast<void*>(&b), raw, sizeof raw);
      const uint64_t change = hash(a) ^ hash(b);
      for (int i = 0; i < 64; ++i) flips[i] += (change >> i) & 1;
    }
    for (const int count : flips) {
      ASSERT_GT(count, kRounds / 4) << "bit " << bit;
      ASSERT_LT(count, kRounds * 3 / 4) << "bit " << bit;
    }
  }
}

TEST(FlowKey, SpreadsEveryBitOverTheWholeHash) {
  spread_every_bit([](const FlowKey& key) { return hash_of(key, 3); });
}

TEST(FlowHash, SpreadsEveryBitOverTheWholeHash) {
  for (const FlowHash::Way way : ways()) {
    const FlowHash hash(3, way);
    spread_every_bit([&](const FlowKey& key) { return hash.of(key); });
  }
}

TEST(FlowHash, SaysTheSameOfASlotAsOfItsKey) {
  Buffers buffers;
  for (const FlowHash::Way way : ways()) {
    const FlowHash hash(77, way);
    Burst burst;
    std::vector<Slot*> slots;
    for (unsigned i = 0; i < Burst::kCapacity; ++i) {
      burst.add(buffers.packet({}), PortIndex{0});
      burst[i].key = key_of(i);
      slots.push_back(&burst[i]);
    }
    const FlowHash::Hashes hashes = hash.of(slots);
    for (unsigned i = 0; i < Burst::kCapacity; ++i) {
      EXPECT_EQ(hashes[i], hash.of(key_of(i)));
      burst.take(i);
    }
  }
}

// An attacker who knows keys that collide in one table knows nothing of another's.
TEST(FlowHash, CollidesForOtherKeysUnderAnotherSeed) {
  constexpr uint64_t kKeys = 200'000;
  for (const FlowHash::Way way : ways()) {
    const FlowHash first(1, way), second(2, way);
    std::unordered_map<uint32_t, uint64_t> seen;
    int colliding = 0, still_colliding = 0;
    for (uint64_t i = 0; i < kKeys; ++i) {
      const auto [at, fresh] = seen.emplace(static_cast<uint32_t>(first.of(key_of(i)) >> 36), i);
      if (fresh) continue;
      ++colliding;
      still_colliding += second.of(key_of(i)) >> 36 == second.of(key_of(at->second)) >> 36;
    }
    EXPECT_NEAR(colliding, 75, 40) << "of 200,000 keys in 2^28 places";
    EXPECT_EQ(still_colliding, 0);
  }
}

}  // namespace
}  // namespace postern::dataplane
