// SPDX-License-Identifier: Apache-2.0
#include "profiles/ips/keyword_readers.h"
#include "profiles/ips/text.h"

namespace postern::profiles::ips {
namespace {

Status read_number(uint32_t& into, std::string_view value) {
  const auto read = number<uint32_t>(value);
  if (!read) return Error{"found '" + valid_utf8(value.substr(0, 40)) + "', expected a number"};
  into = *read;
  return Ok{};
}

}  // namespace

Result<std::string_view> unquoted(std::string_view text) {
  text = trimmed(text);
  if (text.size() < 2 || text.front() != '"' || text.back() != '"')
    return Error{"found '" + valid_utf8(text.substr(0, 40)) + "', expected text in double quotes"};
  return text.substr(1, text.size() - 2);
}

Status read_msg(SignatureBuilder& builder, std::string_view value) {
  Result<std::string_view> text = unquoted(value);
  if (!text) return text.error();
  std::string message;
  for (size_t i = 0; i < text->size(); ++i) {
    if ((*text)[i] == '\\' && i + 1 < text->size()) ++i;
    message += (*text)[i];
  }
  builder.signature().message = valid_utf8(message);
  return Ok{};
}

Status read_sid(SignatureBuilder& builder, std::string_view value) {
  return read_number(builder.signature().sid, value);
}
Status read_rev(SignatureBuilder& builder, std::string_view value) {
  return read_number(builder.signature().rev, value);
}
Status read_gid(SignatureBuilder& builder, std::string_view value) {
  return read_number(builder.signature().gid, value);
}

// A class that is not in the table is no reason to lose the rule; Suricata too gives it priority 3.
Status read_classtype(SignatureBuilder& builder, std::string_view value) {
  Signature& signature = builder.signature();
  signature.classtype = valid_utf8(value);
  const auto& table = builder.site().classifications;
  const auto known = table.find(value);
  if (known == table.end()) return Ok{};
  signature.category = known->second.description;
  bool own_priority = false;
  for (const Option& option : signature.text.options) own_priority |= option.keyword == "priority";
  if (!own_priority) signature.priority = known->second.priority;
  return Ok{};
}

Status read_priority(SignatureBuilder& builder, std::string_view value) {
  const auto priority = number<uint8_t>(value);
  if (!priority || *priority == 0)
    return Error{"found '" + valid_utf8(value.substr(0, 40)) + "', expected 1 to 255"};
  builder.signature().priority = *priority;
  return Ok{};
}

Status read_metadata(SignatureBuilder& builder, std::string_view value) {
  for (std::string_view item : split(value, ',')) {
    const std::string_view key = take_word(item);
    if (!key.empty()) builder.signature().metadata.emplace_back(valid_utf8(key), valid_utf8(item));
  }
  return Ok{};
}

Status read_reference(SignatureBuilder& builder, std::string_view value) {
  const std::string_view kind = take_until(value, ',');
  builder.signature().references.emplace_back(valid_utf8(kind), valid_utf8(trimmed(value)));
  return Ok{};
}

Status read_target(SignatureBuilder& builder, std::string_view value) {
  if (value != "src_ip" && value != "dest_ip") return Error{"expected src_ip or dest_ip"};
  builder.signature().target = value;
  return Ok{};
}

Status read_noalert(SignatureBuilder& builder, std::string_view) {
  builder.signature().no_alert = true;
  return Ok{};
}

}  // namespace postern::profiles::ips
