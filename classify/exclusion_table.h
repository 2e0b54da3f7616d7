// SPDX-License-Identifier: Apache-2.0
// The site's exclusions, found by the name that a client asks for and by the server's address. Immutable once
// built; lookups allocate nothing. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "classify/exclusion.h"
#include "classify/value_sets.h"

namespace postern::classify {

class ExclusionTable {
 public:
  ExclusionTable() = default;
  explicit ExclusionTable(const std::vector<ExclusionEntry>& entries);

  // Of a client that asks this server for this host (empty: for none).
  ExclusionSet find(std::string_view host, const IpAddress& server) const noexcept;

 private:
  enum class Reach : uint8_t { Itself, Below };
  struct Host {
    std::string name;  // in lower case
    Reach reach{};
    uint32_t entry = 0;
  };
  struct Entry {
    Exclusion why{};
    PrefixSet servers;
  };
  void add_named(std::string_view name, Reach reach, const IpAddress& server,
                 ExclusionSet& found) const noexcept;

  std::vector<Entry> entries_;
  std::vector<Host> hosts_;         // by name
  std::vector<uint32_t> any_host_;  // entries without hosts
};

}  // namespace postern::classify
