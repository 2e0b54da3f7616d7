// SPDX-License-Identifier: Apache-2.0
// What is wrong with bytes that should be a DNS message. Each has this name in logs and a test that reaches
// it. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postern::classify {

enum class DnsFault : uint8_t {
  None,
  Incomplete,  // of a message of which only the start is here: nothing is wrong so far
  ShortHeader,
  WrongDirection,
  ReservedBit,
  BadOpcode,
  NoQuestion,
  ManyQuestions,
  QueryWithError,
  QueryWithRecords,
  TruncatedName,
  BadLabel,
  NameTooLong,
  PointerInQuestion,
  PointerIntoHeader,
  PointerNotBackwards,
  TruncatedQuestion,
  BadType,
  BadClass,
  TruncatedRecord,
  TrailingBytes,
  BadAddressRecord,
  BadNameRecord,
  EdnsRepeated,
  EdnsMisplaced,
  BadEdnsOptions,
  ShortFrame,
  Count,
};
inline constexpr size_t kDnsFaults = static_cast<size_t>(DnsFault::Count);

std::string_view dns_fault_name(DnsFault fault) noexcept;
std::string_view dns_fault_meaning(DnsFault fault) noexcept;  // one sentence for operators

}  // namespace postern::classify
