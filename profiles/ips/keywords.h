// SPDX-License-Identifier: Apache-2.0
// The words of the rule language as a table: what each is for, whether it has a value, and who reads it.
// docs/ips.md is checked against it. Immutable; any thread.
#pragma once

#include <span>
#include <string_view>

#include "profiles/ips/signature_builder.h"

namespace postern::profiles::ips {

enum class KeywordKind : uint8_t {
  About,      // what is said about the alert
  Bytes,      // looks at bytes of the current buffer
  Modifier,   // of the content before it
  Transform,  // of the current buffer
  Packet,     // a field of the packet
  Flow,
  State,     // remembered between packets
  Accepted,  // read and kept, without effect here; the note says why
  Refused,   // the note says why
};
enum class Value : uint8_t { None, Wanted, Optional };

struct Keyword {
  std::string_view name;
  KeywordKind kind;
  Value value;
  Status (*read)(SignatureBuilder& builder, std::string_view value);  // nullptr: Accepted and Refused
  std::string_view note;
};

std::span<const Keyword> keywords();
const Keyword* find_keyword(std::string_view name);
std::string_view keyword_kind_name(KeywordKind kind);

}  // namespace postern::profiles::ips
