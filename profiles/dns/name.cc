// SPDX-License-Identifier: Apache-2.0
#include "profiles/dns/name.h"

#include "base/ascii.h"

namespace postern::profiles::dns {
namespace {

constexpr size_t kLongestLabel = 63;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct Character {
  size_t used = 0;  // of the text; 0: none
  uint8_t value = 0;
};

Character escaped(std::string_view text) noexcept {
  if (text.size() < 2) return {};
  if (!is_digit(text[1])) return {2, static_cast<uint8_t>(text[1])};
  if (text.size() < 4 || !is_digit(text[2]) || !is_digit(text[3])) return {};
  const int value = (text[1] - '0') * 100 + (text[2] - '0') * 10 + (text[3] - '0');
  if (value > 255) return {};
  return {4, static_cast<uint8_t>(value)};
}

}  // namespace

bool Name::append(Bytes label) noexcept {
  if (label.empty() || label.size() > kLongestLabel) return false;
  if (size_ + label.size() + 1 > bytes_.size()) return false;
  starts_[labels_++] = static_cast<uint8_t>(size_ - 1);
  uint8_t* to = &bytes_[size_ - 1u];
  *to++ = static_cast<uint8_t>(label.size());
  for (const uint8_t byte : label) *to++ = static_cast<uint8_t>(ascii_lower(static_cast<char>(byte)));
  *to = 0;
  size_ = static_cast<uint8_t>(size_ + label.size() + 1);
  return true;
}

bool Name::append(const Name& rest) noexcept {
  for (size_t i = 0; i < rest.labels(); ++i)
    if (!append(rest.label(i))) return false;
  return true;
}

std::optional<Name> Name::parse(std::string_view text) noexcept {
  Name name;
  if (text == ".") return name;
  std::array<uint8_t, kLongestLabel> label;
  size_t size = 0;
  for (size_t at = 0; at < text.size();) {
    if (text[at] == '.') {
      if (!name.append({label.data(), size})) return std::nullopt;
      size = 0;
      ++at;
      continue;
    }
    const Character c =
        text[at] == '\\' ? escaped(text.substr(at)) : Character{1, static_cast<uint8_t>(text[at])};
    if (c.used == 0 || size == label.size()) return std::nullopt;
    label[size++] = c.value;
    at += c.used;
  }
  if (size == 0) return name.is_root() ? std::nullopt : std::optional<Name>(name);
  if (!name.append({label.data(), size})) return std::nullopt;
  return name;
}

Name Name::parent(size_t skipped) const noexcept {
  Name name;
  const Bytes rest = from_label(skipped);
  std::memcpy(name.bytes_.data(), rest.data(), rest.size());
  name.size_ = static_cast<uint8_t>(rest.size());
  for (size_t i = skipped; i < labels_; ++i)
    name.starts_[name.labels_++] = static_cast<uint8_t>(starts_[i] - starts_[skipped]);
  return name;
}

bool Name::ends_with(const Name& end) const noexcept {
  if (end.labels_ > labels_) return false;
  const Bytes tail = from_label(labels_ - end.labels_);
  return tail.size() == end.size_ && std::memcmp(tail.data(), end.bytes_.data(), tail.size()) == 0;
}

std::string Name::text() const { return name_text(wire()); }

std::string name_text(Bytes wire) {
  std::string out;
  ByteReader reader(wire);
  for (uint8_t length = reader.u8(); length != 0; length = reader.u8()) {
    if (!out.empty()) out += '.';
    for (const uint8_t byte : reader.bytes(length)) {
      if (byte == '.' || byte == '\\') out += '\\';
      if (byte > 0x20 && byte < 0x7f) {
        out += static_cast<char>(byte);
        continue;
      }
      out += '\\';
      for (const int digit : {byte / 100, byte / 10 % 10, byte % 10}) out += static_cast<char>('0' + digit);
    }
  }
  return out.empty() ? "." : out;
}

NameRead read_name(Bytes message, size_t at) noexcept {
  NameRead read;
  size_t segment = at;  // where the labels before the next pointer begin
  while (true) {
    if (at >= message.size()) return {Fault::TruncatedName};
    const uint8_t length = message[at];
    if (length >= 0xc0) {
      if (at + 2 > message.size()) return {Fault::TruncatedName};
      const size_t target = load_be16(&message[at]) & 0x3fff;
      if (read.end == 0) read.end = at + 2;
      if (target < classify::kDnsHeaderSize) return {Fault::PointerIntoHeader};
      if (target >= segment) return {Fault::PointerNotBackwards};
      at = segment = target;
      continue;
    }
    if (length > kLongestLabel) return {Fault::BadLabel};
    if (length == 0) {
      if (read.end == 0) read.end = at + 1;
      return read;
    }
    if (at + 1 + length > message.size()) return {Fault::TruncatedName};
    if (!read.name.append(message.subspan(at + 1, length))) return {Fault::NameTooLong};
    at += 1 + size_t{length};
  }
}

}  // namespace postern::profiles::dns
