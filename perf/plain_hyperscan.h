// SPDX-License-Identifier: Apache-2.0
// The yardstick of the application engine: a Hyperscan database per layer and direction over the same
// patterns with the same flags, its matches only counted. One thread.
#pragma once

#include <hs/hs.h>

#include <array>
#include <vector>

#include "classify/evidence.h"
#include "classify/signature.h"

namespace postern::perf {

class PlainHyperscan {
 public:
  explicit PlainHyperscan(const std::vector<classify::Signature>& signatures);
  PlainHyperscan(const PlainHyperscan&) = delete;
  PlainHyperscan& operator=(const PlainHyperscan&) = delete;
  ~PlainHyperscan();

  // How many patterns match; of the same first bytes that the engine looks at.
  size_t scan(classify::Layer layer, const classify::Evidence& evidence) const;

  // The same, and every decoder that a matching pattern or no pattern at all names is asked, as one does who
  // has a scanner and decoders and no engine; how many say yes.
  size_t scan_and_decode(classify::Layer layer, const classify::Evidence& evidence) const;

  size_t patterns(classify::Layer layer, Direction direction) const;

 private:
  struct Asked {
    classify::Decoder decode = nullptr;              // nullptr: the pattern suffices
    const classify::Signature* signature = nullptr;  // of low confidence: asked on its ports alone
    classify::Fit ask(const classify::Evidence& evidence) const;
  };
  struct Group {
    hs_database_t* database = nullptr;
    std::vector<Asked> by_pattern, without_pattern;
  };
  const Group& group(classify::Layer layer, Direction direction) const {
    return groups_[static_cast<size_t>(layer)][static_cast<size_t>(direction)];
  }
  void compile(Group& group, classify::Layer layer, Direction direction);

  std::vector<classify::Signature> signatures_;
  std::array<std::array<Group, 2>, classify::kLayers> groups_;
  hs_scratch_t* scratch_ = nullptr;
};

}  // namespace postern::perf
