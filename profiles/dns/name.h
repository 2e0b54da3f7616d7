// SPDX-License-Identifier: Apache-2.0
// A domain name as in a message without compression, in lower case, with the places of its labels: what lists
// and detectors compare. At most 255 bytes, 127 labels. Any thread.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "classify/dns_walk.h"

namespace postern::profiles::dns {

using Fault = classify::DnsFault;

class Name {
 public:
  Name() noexcept { bytes_[0] = 0; }  // the root

  // "www.example.com", with or without the last dot; \DDD and \. as in zone files. Nothing for what is no
  // name.
  static std::optional<Name> parse(std::string_view text) noexcept;

  Bytes wire() const noexcept { return {bytes_.data(), size_}; }
  size_t labels() const noexcept { return labels_; }  // without the root
  bool is_root() const noexcept { return labels_ == 0; }
  Bytes label(size_t number) const noexcept {  // from the left, from 0
    return {&bytes_[starts_[number] + 1u], bytes_[starts_[number]]};
  }
  // The name without its first `skipped` labels.
  Bytes from_label(size_t skipped) const noexcept {
    const size_t at = skipped < labels_ ? starts_[skipped] : size_ - 1u;
    return {&bytes_[at], size_ - at};
  }
  Name parent(size_t skipped) const noexcept;  // the same as a name
  bool ends_with(const Name& end) const noexcept;
  std::string text() const;  // without the last dot; "." for the root

  // Appends a label of 1 to 63 bytes; false when there is no room.
  bool append(Bytes label) noexcept;
  bool append(const Name& rest) noexcept;

  bool operator==(const Name& other) const noexcept {
    return size_ == other.size_ && std::memcmp(bytes_.data(), other.bytes_.data(), size_) == 0;
  }

 private:
  // Not set to zero: only size_ bytes are ever read.
  std::array<uint8_t, classify::kDnsLongestName> bytes_;
  std::array<uint8_t, 127> starts_;
  uint8_t size_ = 1, labels_ = 0;
};

struct NameRead {
  Fault fault = Fault::None;
  size_t end = 0;  // behind the name as it stands in the message
  Name name;
};

// Compression pointers are followed; each must lead before the labels that it ends, so none is endless.
NameRead read_name(Bytes message, size_t at) noexcept;

// Wire form to text, as in zone files.
std::string name_text(Bytes wire);

}  // namespace postern::profiles::dns
