// SPDX-License-Identifier: Apache-2.0
// Why a site leaves a TLS flow end to end although a rule wants it decrypted, and the words of a site about
// it. Values; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/decrypt_reason.h"

namespace postern::classify {

// The last three are categories: they count for rules that name them.
enum class Exclusion : uint8_t { Host, Address, CertPinnedApp, Finance, Health };

class ExclusionSet {
 public:
  constexpr ExclusionSet() = default;
  constexpr void add(Exclusion one) noexcept { bits_ = static_cast<uint8_t>(bits_ | bit(one)); }
  constexpr bool has(Exclusion one) const noexcept { return (bits_ & bit(one)) != 0; }
  constexpr bool empty() const noexcept { return bits_ == 0; }
  // What of it counts for a rule that names these categories.
  constexpr ExclusionSet for_rule(ExclusionSet categories) const noexcept {
    categories.add(Exclusion::Host);
    categories.add(Exclusion::Address);
    categories.bits_ &= bits_;
    return categories;
  }
  DecryptReason reason() const noexcept;  // of the first of them; None when empty

 private:
  static constexpr unsigned bit(Exclusion one) noexcept { return 1u << static_cast<unsigned>(one); }

  uint8_t bits_ = 0;
};

// "finance"; nullopt for what is no category.
std::optional<Exclusion> exclusion_category(std::string_view word) noexcept;

// "bmc.example", or "*.example" for every host below it. Letters of any case; names in other scripts as the
// wire has them ("xn--...").
bool is_host_pattern(std::string_view text) noexcept;

// Meets a flow that meets both lists.
struct ExclusionEntry {
  Exclusion why{};
  std::vector<std::string> hosts;  // patterns; empty: any
  std::vector<Prefix> servers;     // empty: any
};

}  // namespace postern::classify
