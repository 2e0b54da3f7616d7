// SPDX-License-Identifier: Apache-2.0
// Whether a buffer has what one part of a rule asks for: contents, numbers and expressions one behind the
// other, going back to earlier matches where later ones fail. Work is bounded by a budget that all rules of
// one call share. One worker.
#pragma once

#include <array>
#include <vector>

#include "profiles/ips/regex.h"
#include "profiles/ips/signature.h"

namespace postern::profiles::ips {

// Bytes that a rule may look at, in the counting of the whole buffer: they begin at `base`.
struct View {
  Bytes bytes;
  uint64_t base = 0;
  enum class End : uint8_t { Known, NotYet } end = End::Known;
};

// Units of work: about the cost of comparing 64 bytes.
class Budget {
 public:
  explicit Budget(uint32_t units) : units_(units), left_(units) {}
  bool spend(uint64_t units) noexcept {
    if (units > left_) {
      left_ = 0;
      return false;
    }
    left_ -= static_cast<uint32_t>(units);
    return true;
  }
  bool empty() const noexcept { return left_ == 0; }
  uint32_t spent() const noexcept { return units_ - left_; }
  uint32_t left() const noexcept { return left_; }

 private:
  uint32_t units_, left_;
};

class ContentMatcher {
 public:
  static constexpr size_t kMostTransformed =
      16 * 1024;                                    // bytes of a buffer; behind them transforms see nothing
  static constexpr size_t kMostDecoded = 4 * 1024;  // of base64_data

  ContentMatcher();

  bool matches(const Part& part, View view, Budget& budget) noexcept;
  uint64_t regexes_given_up() const noexcept { return regexes_given_up_; }

 private:
  // No: perhaps after an earlier match elsewhere. Never: whatever the earlier matches are.
  enum class Answer : uint8_t { Yes, No, Never };
  struct Run;
  friend struct Run;

  Bytes transformed(const std::vector<TransformStep>& steps, Bytes bytes) noexcept;

  RegexRoom regex_room_;
  std::array<uint64_t, kMostVariables> variables_{};
  std::vector<uint8_t> transform_room_, decode_room_;
  uint64_t regexes_given_up_ = 0;
};

}  // namespace postern::profiles::ips
