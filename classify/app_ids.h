// SPDX-License-Identifier: Apache-2.0
// Identified applications that code knows by name have fixed ids; all others get theirs from the catalogue,
// from kFirstCatalogueApp on. Any thread.
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "base/ids.h"

namespace postern::classify::app {

inline constexpr AppId kTls{2}, kHttp{3}, kDns{4}, kQuic{5}, kIcmpEcho{6}, kIcmpOther{7};
inline constexpr uint16_t kFirstCatalogueApp = 64;
// A flow's record has 12 bits for what it was identified as.
inline constexpr uint16_t kLastCatalogueApp = 4095;

inline constexpr std::array<std::pair<AppId, std::string_view>, 6> kFixed = {{
    {kTls, "tls"},
    {kHttp, "http"},
    {kDns, "dns"},
    {kQuic, "quic"},
    {kIcmpEcho, "icmp_echo"},
    {kIcmpOther, "icmp_other"},
}};

// Empty for ids that are not fixed.
constexpr std::string_view fixed_name(AppId id) noexcept {
  for (const auto& [fixed, name] : kFixed)
    if (fixed == id) return name;
  return {};
}

}  // namespace postern::classify::app
