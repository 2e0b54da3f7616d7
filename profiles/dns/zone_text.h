// SPDX-License-Identifier: Apache-2.0
// Reads the records of a zone file (RFC 1035 section 5): $ORIGIN, $TTL, owners left out, parentheses,
// comments, quotes. $INCLUDE and $GENERATE are refused. Views are of the text. Control thread.
#pragma once

#include <span>
#include <vector>

#include "base/result.h"
#include "profiles/dns/name.h"

namespace postern::profiles::dns {

class ZoneText {
 public:
  ZoneText(std::string_view text, std::string file) : text_(text), file_(std::move(file)) {}

  // The next record is there; false at the end.
  Result<bool> next();

  const Name& owner() const { return owner_; }
  uint32_t ttl() const { return ttl_; }
  uint32_t line() const { return record_line_; }
  std::string_view type() const { return type_; }
  std::span<const std::string_view> data() const { return std::span(words_).subspan(data_at_); }
  // A name in a record, as it is written there.
  Result<Name> name_of(std::string_view word) const;
  Error wrong(std::string message) const { return {std::move(message), file_, record_line_}; }

 private:
  Status read_words();
  Status read_quoted();
  Status directive();
  Status record();
  void skip_comment();

  std::string_view text_;
  std::string file_;
  size_t at_ = 0;
  uint32_t line_ = 1, record_line_ = 1;
  std::vector<std::string_view> words_;
  bool owner_left_out_ = false, has_owner_ = false;
  size_t data_at_ = 0;
  std::string_view type_;
  Name owner_, origin_;
  uint32_t ttl_ = 0, default_ttl_ = 3600;
};

}  // namespace postern::profiles::dns
