// SPDX-License-Identifier: Apache-2.0
// What the profiles of a policy look for in the bytes of flows, and what they remember of one flow. The one
// place where both ways to clear bytes meet: a worker's stream and a TLS core's session show every byte, in
// order, before it goes on. The engine is immutable and shared; a flow's inspection belongs to the thread
// that has its bytes.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/text.h"
#include "profiles/byte_signatures.h"

namespace postern::profiles {

class ContentEngine {
 public:
  struct Setup {
    std::vector<ByteSignature> antivirus;
    unsigned readers = 1;  // threads that inspect
  };
  // Errors name file and line of the signature.
  static Result<std::shared_ptr<const ContentEngine>> compile(Setup setup, classify::PatternCache& cache);

  // The name of a signature that ends in `bytes`, which follow `before`; empty: none.
  std::string_view find(Bytes before, Bytes bytes, unsigned reader) const noexcept;
  size_t signatures() const noexcept { return names_.size(); }

 private:
  ContentEngine() = default;
  std::vector<std::string> names_;  // by pattern
  classify::PatternSet antivirus_;
  mutable std::vector<classify::ScanScratch> scratches_;  // by reader, each written by that thread alone
};

// Of one flow: the last bytes of each direction, so that what a signature spans may come in pieces of any
// size, and another policy may go on where the one before ended. (Hyperscan's own stream state would be bound
// to one database, of a size that the operator's signatures choose.)
class ContentInspection {
 public:
  // The next bytes of a direction. The name of a signature that they complete; empty: none.
  std::string_view inspect(Direction direction, Bytes bytes, const ContentEngine& engine,
                           unsigned reader) noexcept;

  // Found while nobody knows yet which rule the flow has.
  FixedText<64> unruled;
  Direction unruled_direction{};

 private:
  struct Tail {
    std::array<uint8_t, classify::PatternSet::kLongestJoined - 1> bytes;
    uint16_t size = 0;
    void append(Bytes more) noexcept;
  };
  std::array<Tail, 2> tails_;  // by Direction
};

inline FixedText<64> as_fixed(std::string_view name) noexcept {
  FixedText<64> text;
  text.append(name);
  return text;
}

}  // namespace postern::profiles
