// SPDX-License-Identifier: Apache-2.0
#include "classify/dns_walk.h"

namespace postern::classify {
namespace {

constexpr uint16_t kMostMulticastQuestions = 64;
constexpr uint8_t kOpQuery = 0, kOpStatus = 2, kOpNotify = 4, kOpUpdate = 5;

DnsFault multicast_fault(const DnsHeader& h) noexcept {
  if (h.opcode() != kOpQuery) return DnsFault::BadOpcode;
  if (h.questions > kMostMulticastQuestions) return DnsFault::ManyQuestions;
  return h.questions + h.answers == 0 ? DnsFault::NoQuestion : DnsFault::None;
}

DnsFault query_fault(const DnsHeader& h) noexcept {
  if (h.questions != 1) return h.questions == 0 ? DnsFault::NoQuestion : DnsFault::ManyQuestions;
  if (h.rcode() != 0) return DnsFault::QueryWithError;
  if (h.opcode() == kOpUpdate) return DnsFault::None;
  // A notify may carry the new SOA, an incremental transfer names the old one; EDNS and a signature come
  // last.
  const uint16_t most_answers = h.opcode() == kOpNotify ? 1 : 0;
  if (h.answers > most_answers || h.authorities > 1 || h.additionals > 2) return DnsFault::QueryWithRecords;
  return DnsFault::None;
}

}  // namespace

DnsFault DnsHeader::fault(DnsRole role) const noexcept {
  if ((role == DnsRole::Query && response()) || (role == DnsRole::Response && !response()))
    return DnsFault::WrongDirection;
  if (flags & 0x0040) return DnsFault::ReservedBit;  // the one bit still reserved
  if (role == DnsRole::Either) return multicast_fault(*this);
  const uint8_t op = opcode();
  if (op != kOpQuery && op != kOpStatus && op != kOpNotify && op != kOpUpdate) return DnsFault::BadOpcode;
  if (!response()) return query_fault(*this);
  return questions <= 1 ? DnsFault::None : DnsFault::ManyQuestions;
}

DnsFault DnsWalk::have(size_t count, DnsFault otherwise) const noexcept {
  if (at_ + count > length_) return otherwise;
  return at_ + count > message_.size() ? DnsFault::Incomplete : DnsFault::None;
}

// A pointer ends a name and must lead backwards, so no chain of them is endless. Where it leads was walked
// already or is data of a record; its labels are the reader's business.
DnsFault DnsWalk::skip_name(Pointers pointers) noexcept {
  size_t name_length = 1;
  const size_t start = at_;
  while (true) {
    if (const DnsFault fault = have(1, DnsFault::TruncatedName); fault != DnsFault::None) return fault;
    const uint8_t length = message_[at_];
    if (length >= 0xc0) {
      if (pointers == Pointers::Refuse) return DnsFault::PointerInQuestion;
      if (const DnsFault fault = have(2, DnsFault::TruncatedName); fault != DnsFault::None) return fault;
      const size_t target = load_be16(&message_[at_]) & 0x3fff;
      at_ += 2;
      if (target < kDnsHeaderSize) return DnsFault::PointerIntoHeader;
      return target < start ? DnsFault::None : DnsFault::PointerNotBackwards;
    }
    if (length > 63) return DnsFault::BadLabel;
    name_length += size_t{length} + 1;
    if (name_length > kDnsLongestName + 1) return DnsFault::NameTooLong;
    if (length == 0) {
      ++at_;
      return DnsFault::None;
    }
    if (const DnsFault fault = have(size_t{length} + 1, DnsFault::TruncatedName); fault != DnsFault::None)
      return fault;
    at_ += size_t{length} + 1;
  }
}

DnsFault DnsWalk::question() noexcept {
  record_ = {.owner = at_};
  const Pointers pointers = at_ == kDnsHeaderSize ? Pointers::Refuse : Pointers::Follow;
  if (const DnsFault fault = skip_name(pointers); fault != DnsFault::None) return fault;
  if (const DnsFault fault = have(4, DnsFault::TruncatedQuestion); fault != DnsFault::None) return fault;
  record_.type = load_be16(&message_[at_]);
  // Over multicast the top bit asks for a unicast answer (RFC 6762 section 5.4).
  record_.record_class = load_be16(&message_[at_ + 2]) & (role_ == DnsRole::Either ? 0x7fff : 0xffff);
  if (record_.type == 0) return DnsFault::BadType;
  const uint16_t c = record_.record_class;
  if (!(c == 1 || c == 3 || c == 4 || c == 254 || c == 255)) return DnsFault::BadClass;
  at_ += 4;
  return DnsFault::None;
}

DnsFault DnsWalk::next_record() noexcept {
  record_ = {.owner = at_};
  // Where nothing is left it is the count that is wrong, not a name.
  if (at_ == length_) return DnsFault::TruncatedRecord;
  if (const DnsFault fault = skip_name(Pointers::Follow); fault != DnsFault::None) return fault;
  if (const DnsFault fault = have(10, DnsFault::TruncatedRecord); fault != DnsFault::None) return fault;
  record_.type = load_be16(&message_[at_]);
  record_.record_class = load_be16(&message_[at_ + 2]);
  record_.ttl = load_be32(&message_[at_ + 4]);
  record_.size = load_be16(&message_[at_ + 8]);
  at_ += 10;
  record_.data = at_;
  if (const DnsFault fault = have(record_.size, DnsFault::TruncatedRecord); fault != DnsFault::None)
    return fault;
  at_ += record_.size;
  return DnsFault::None;
}

DnsFault DnsWalk::whole() noexcept {
  if (length_ < kDnsHeaderSize) return DnsFault::ShortHeader;
  if (message_.size() < kDnsHeaderSize) return DnsFault::Incomplete;
  const DnsHeader header = DnsHeader::read(message_);
  if (const DnsFault fault = header.fault(role_); fault != DnsFault::None) return fault;
  for (uint16_t i = 0; i < header.questions; ++i)
    if (const DnsFault fault = question(); fault != DnsFault::None) return fault;
  for (uint32_t i = header.records(); i > 0; --i) {
    const DnsFault fault = next_record();
    if (fault == DnsFault::Incomplete) return DnsFault::None;  // the records so far fit
    if (fault != DnsFault::None) return ends_truncated(header) ? DnsFault::None : fault;
  }
  return at_ == length_ ? DnsFault::None : DnsFault::TrailingBytes;
}

}  // namespace postern::classify
