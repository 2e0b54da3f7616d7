// SPDX-License-Identifier: Apache-2.0
// Walks the questions and records of a DNS message (RFC 1035 section 4) of which perhaps only the start is
// here. Names are skipped, not read. Any thread.
#pragma once

#include "base/bytes.h"
#include "classify/dns_fault.h"

namespace postern::classify {

enum class DnsRole : uint8_t {
  Query,
  Response,
  Either,  // multicast DNS, where both sides announce (RFC 6762)
};

inline constexpr size_t kDnsHeaderSize = 12;
inline constexpr size_t kDnsLongestName = 255;  // with the length bytes and the root

struct DnsHeader {
  uint16_t id, flags, questions, answers, authorities, additionals;

  static DnsHeader read(Bytes message) noexcept {  // kDnsHeaderSize bytes at least
    return {load_be16(&message[0]), load_be16(&message[2]), load_be16(&message[4]),
            load_be16(&message[6]), load_be16(&message[8]), load_be16(&message[10])};
  }
  bool response() const noexcept { return flags & 0x8000; }
  bool truncated() const noexcept { return flags & 0x0200; }
  uint8_t opcode() const noexcept { return flags >> 11 & 0xf; }
  uint8_t rcode() const noexcept { return flags & 0xf; }
  uint32_t records() const noexcept { return uint32_t{answers} + authorities + additionals; }
  DnsFault fault(DnsRole role) const noexcept;
};

// Offsets are from the start of the message. A question has neither ttl nor data.
struct DnsRecord {
  size_t owner = 0, data = 0;
  uint16_t type = 0, record_class = 0, size = 0;
  uint32_t ttl = 0;
};

class DnsWalk {
 public:
  // `length` bytes make the message, of which `message` is here.
  DnsWalk(Bytes message, size_t length, DnsRole role) noexcept
      : message_(message), length_(length), role_(role) {}

  size_t at() const noexcept { return at_; }
  size_t length() const noexcept { return length_; }
  const DnsRecord& record() const noexcept { return record_; }  // the last one
  void skip_to(size_t at) noexcept { at_ = at; }                // for who has walked the questions before

  // Each goes on behind the last question or record.
  DnsFault question() noexcept;
  DnsFault next_record() noexcept;

  // The message from its header to its last record.
  DnsFault whole() noexcept;
  // After a record that is missing: whether a truncated answer may end here.
  bool ends_truncated(const DnsHeader& header) const noexcept {
    return header.response() && header.truncated() && record_.owner == length_;
  }

 private:
  enum class Pointers : uint8_t { Follow, Refuse };
  DnsFault have(size_t count, DnsFault otherwise) const noexcept;
  DnsFault skip_name(Pointers pointers) noexcept;

  Bytes message_;
  size_t length_;
  DnsRole role_;
  size_t at_ = kDnsHeaderSize;
  DnsRecord record_;
};

}  // namespace postern::classify
