// SPDX-License-Identifier: Apache-2.0
// Numbers for the names of flowbits, xbits and flowints. They live as long as the process and no name is ever
// given another number, so what flows remember stays true when other rules are loaded. Control thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace postern::profiles::ips {

class Names {
 public:
  explicit Names(uint32_t most) : most_(most) {}

  std::optional<uint32_t> number_of(std::string_view name) {  // nothing: too many names
    if (const auto known = numbers_.find(name); known != numbers_.end()) return known->second;
    if (numbers_.size() >= most_) return std::nullopt;
    const uint32_t number = static_cast<uint32_t>(numbers_.size());
    numbers_.emplace(name, number);
    return number;
  }
  size_t size() const noexcept { return numbers_.size(); }

 private:
  uint32_t most_;
  std::map<std::string, uint32_t, std::less<>> numbers_;
};

struct StateNames {
  Names flowbits{8192};  // one bit each in every inspected flow
  Names flowints{64};
  Names xbits{8192};
};

}  // namespace postern::profiles::ips
