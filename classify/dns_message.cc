// SPDX-License-Identifier: Apache-2.0
#include "classify/dns_message.h"

#include <algorithm>

namespace postern::classify {
namespace {

constexpr size_t kHeader = 12;
constexpr size_t kShortestQuestion = 5;  // the root, type and class
constexpr size_t kLongestName = 255;
constexpr uint16_t kMostMulticastQuestions = 64;
constexpr uint8_t kOpQuery = 0, kOpStatus = 2, kOpNotify = 4, kOpUpdate = 5;

struct Header {
  uint16_t flags, questions, answers, authorities, additionals;
  bool response() const noexcept { return flags & 0x8000; }
  bool truncated() const noexcept { return flags & 0x0200; }
  uint8_t opcode() const noexcept { return flags >> 11 & 0xf; }
};

bool is_header_sane(const Header& h, DnsRole role) noexcept {
  if (role == DnsRole::Query && h.response()) return false;
  if (role == DnsRole::Response && !h.response()) return false;
  if (h.flags & 0x0040) return false;  // the one bit still reserved
  if (role == DnsRole::Either)
    return h.opcode() == kOpQuery && h.questions <= kMostMulticastQuestions && h.questions + h.answers > 0;
  const uint8_t op = h.opcode();
  if (op != kOpQuery && op != kOpStatus && op != kOpNotify && op != kOpUpdate) return false;
  if (h.response()) return h.questions <= 1;
  if (h.questions != 1 || (h.flags & 0x000f) != 0) return false;
  if (op == kOpUpdate) return true;
  // A notify may carry the new SOA, an incremental transfer names the old one; EDNS and a signature come
  // last.
  return h.answers <= (op == kOpNotify ? 1 : 0) && h.authorities <= 1 && h.additionals <= 2;
}

// Walks a message of which perhaps only the start is here.
class Walk {
 public:
  Walk(Bytes message, size_t length, DnsRole role) noexcept
      : message_(message), length_(length), role_(role) {}

  size_t at() const noexcept { return at_; }
  bool complete() const noexcept { return message_.size() >= length_; }

  Fit questions(uint16_t count) noexcept {
    at_ = kHeader;
    for (uint16_t i = 0; i < count; ++i) {
      if (const Fit name = skip_name(i == 0 ? Pointers::Refuse : Pointers::Follow); name != Fit::Yes)
        return name;
      if (const Fit fit = have(4); fit != Fit::Yes) return fit;
      const uint16_t type = load_be16(&message_[at_]);
      // Over multicast the top bit asks for a unicast answer (RFC 6762 section 5.4).
      const uint16_t cls = load_be16(&message_[at_ + 2]) & (role_ == DnsRole::Either ? 0x7fff : 0xffff);
      if (type == 0 || !(cls == 1 || cls == 3 || cls == 4 || cls == 254 || cls == 255)) return Fit::No;
      at_ += 4;
    }
    return Fit::Yes;
  }

  Fit records(uint32_t count) noexcept {
    for (uint32_t i = 0; i < count; ++i) {
      if (const Fit name = skip_name(Pointers::Follow); name != Fit::Yes) return name;
      if (const Fit fit = have(10); fit != Fit::Yes) return fit;
      const uint16_t data = load_be16(&message_[at_ + 8]);
      at_ += 10;
      if (const Fit fit = have(data); fit != Fit::Yes) return fit;
      at_ += data;
    }
    return Fit::Yes;
  }

 private:
  enum class Pointers : uint8_t { Follow, Refuse };

  Fit have(size_t count) const noexcept {
    if (at_ + count > length_) return Fit::No;
    return at_ + count > message_.size() ? Fit::More : Fit::Yes;
  }

  // A pointer ends a name and must lead backwards, so no chain of them is endless. Where it leads was walked
  // already or is data of a record; its labels are the reader's business.
  Fit skip_name(Pointers pointers) noexcept {
    size_t name_length = 1;
    const size_t start = at_;
    while (true) {
      if (const Fit fit = have(1); fit != Fit::Yes) return fit;
      const uint8_t length = message_[at_];
      if (length >= 0xc0) {
        if (pointers == Pointers::Refuse) return Fit::No;
        if (const Fit fit = have(2); fit != Fit::Yes) return fit;
        const size_t target = load_be16(&message_[at_]) & 0x3fff;
        at_ += 2;
        return target >= kHeader && target < start ? Fit::Yes : Fit::No;
      }
      if (length > 63) return Fit::No;
      name_length += size_t{length} + 1;
      if (name_length > kLongestName + 1) return Fit::No;
      if (length == 0) {
        ++at_;
        return Fit::Yes;
      }
      if (const Fit fit = have(size_t{length} + 1); fit != Fit::Yes) return fit;
      at_ += size_t{length} + 1;
    }
  }

  Bytes message_;
  size_t length_;
  DnsRole role_;
  size_t at_ = 0;
};

// `length` bytes make the message, of which `message` is here. More: the question is not all here.
Fit is_message(Bytes message, size_t length, DnsRole role) noexcept {
  if (length < kHeader) return Fit::No;
  if (message.size() < kHeader) return Fit::More;
  const Header header{load_be16(&message[2]), load_be16(&message[4]), load_be16(&message[6]),
                      load_be16(&message[8]), load_be16(&message[10])};
  if (!is_header_sane(header, role)) return Fit::No;
  Walk walk(message, length, role);
  if (const Fit fit = walk.questions(header.questions); fit != Fit::Yes) return fit;
  const Fit records = walk.records(uint32_t{header.answers} + header.authorities + header.additionals);
  if (records == Fit::More) return Fit::Yes;
  // A truncated answer may end before all the records it counts.
  if (records == Fit::No)
    return header.response() && header.truncated() && walk.at() == length ? Fit::Yes : Fit::No;
  return walk.at() == length ? Fit::Yes : Fit::No;
}

}  // namespace

Fit is_dns_datagram(Bytes datagram, DnsRole role) noexcept {
  const Fit fit = is_message(datagram, datagram.size(), role);
  return fit == Fit::Yes ? Fit::Yes : Fit::No;
}

Fit is_dns_stream(Bytes stream, DnsRole role) noexcept {
  if (stream.size() < 2) return Fit::More;
  const size_t length = load_be16(stream.data());
  if (length < kHeader + (role == DnsRole::Query ? kShortestQuestion : 0)) return Fit::No;
  const Bytes message = stream.subspan(2, std::min(length, stream.size() - 2));
  // The counts of a query leave no room for text: refuse before the whole header is here.
  if (message.size() >= 6 && message.size() < kHeader && role == DnsRole::Query) {
    const Header partial{load_be16(&message[2]), load_be16(&message[4]), 0, 0, 0};
    if (!is_header_sane(partial, role)) return Fit::No;
  }
  return is_message(message, length, role);
}

}  // namespace postern::classify
