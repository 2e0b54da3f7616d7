// SPDX-License-Identifier: Apache-2.0
// Every fuzz target once, in the sanitized build: its seeds, the beginnings of its seeds, and inputs made of
// them by chance, the same in every run. What it is for: a target that no longer holds is seen without
// --fuzz.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz_targets.h"

namespace postern {
namespace {

constexpr size_t kChanges = 500;     // inputs made by chance
constexpr size_t kBeginnings = 100;  // of each seed
constexpr size_t kLongestByChance = 600;

using Input = std::string;

std::vector<Input> seeds_of(const std::string& name) {
  std::vector<Input> seeds;
  const std::filesystem::path folder =
      std::filesystem::path(POSTERN_SOURCE_ROOT) / "tests/fuzz/corpus" / name;
  if (!std::filesystem::exists(folder)) return seeds;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  std::sort(seeds.begin(), seeds.end());  // folders list in any order
  return seeds;
}

class Chance {
 public:
  size_t below(size_t bound) { return bound == 0 ? 0 : engine_() % bound; }
  char byte() { return static_cast<char>(engine_()); }
  Input bytes(size_t count) {
    Input made(count, '\0');
    std::generate(made.begin(), made.end(), [this] { return byte(); });
    return made;
  }
  Input change(Input input) {
    if (input.empty()) return bytes(below(kLongestByChance));
    const size_t at = below(input.size());
    switch (below(5)) {
      case 0:
        input[at] = static_cast<char>(input[at] ^ 1 << below(8));
        break;
      case 1:
        input[at] = byte();
        break;
      case 2:
        input.insert(at, bytes(1 + below(8)));
        break;
      case 3:
        input.erase(at, 1 + below(8));
        break;
      default:
        input.replace(at, 1, below(2) ? "\xff" : Input(1, '\0'));
        break;
    }
    return input;
  }

 private:
  std::mt19937 engine_{20260101};
};

void feed(const FuzzTarget& target, const Input& input) {
  // A copy of its own, so that a read past the end is seen.
  const std::vector<uint8_t> exact(input.begin(), input.end());
  target.run(exact.data(), exact.size());
}

class FuzzSmoke : public testing::TestWithParam<FuzzTarget> {};

TEST_P(FuzzSmoke, HoldsForSeedsTheirBeginningsAndChanges) {
  const FuzzTarget& target = GetParam();
  const std::vector<Input> seeds = seeds_of(target.name);
  feed(target, "");
  for (const Input& seed : seeds)
    for (size_t i = 0; i <= kBeginnings; ++i) feed(target, seed.substr(0, seed.size() * i / kBeginnings));
  Chance chance;
  for (size_t i = 0; i < kChanges; ++i) {
    Input input = seeds.empty() ? chance.bytes(chance.below(kLongestByChance)) : seeds[i % seeds.size()];
    for (size_t changes = 1 + chance.below(4); changes > 0; --changes)
      input = chance.change(std::move(input));
    feed(target, input);
  }
}

INSTANTIATE_TEST_SUITE_P(, FuzzSmoke, testing::ValuesIn(kFuzzTargets),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace postern
