// SPDX-License-Identifier: Apache-2.0
// Below which names domains are registered: the public suffix list (publicsuffix.org/list, Debian package
// publicsuffix). Immutable once built; any thread may read it.
#pragma once

#include <string>

#include "base/result.h"
#include "profiles/dns/domain_table.h"

namespace postern::profiles::dns {

class PublicSuffixes {
 public:
  PublicSuffixes() : table_(DomainTableBuilder(0).build()) {}  // every last label is one
  static Result<PublicSuffixes> read(std::string_view text, const std::string& file, uint64_t seed);

  struct Domain {
    uint8_t skipped = 0;       // labels of the name before its registered domain
    bool registered = false;   // false: the name is a public suffix itself
    bool by_registry = false;  // the suffix is a registry's, not that of somebody who rents names out
  };
  Domain domain_of(const Name& name) const noexcept;

 private:
  explicit PublicSuffixes(DomainTable table) : table_(std::move(table)) {}
  DomainTable table_;
};

}  // namespace postern::profiles::dns
