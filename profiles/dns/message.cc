// SPDX-License-Identifier: Apache-2.0
#include "profiles/dns/message.h"

namespace postern::profiles::dns {
namespace {

using classify::DnsHeader;
using classify::DnsRecord;
using classify::DnsRole;
using classify::DnsWalk;

constexpr uint16_t kOptionCookie = 10;
constexpr size_t kSoaNumbers = 20;

// Bytes of the data before its name; nothing for a type without one.
std::optional<size_t> before_name(uint16_t type) noexcept {
  switch (type) {
    case kTypeNs:
    case kTypeCname:
    case kTypePtr:
    case kTypeDname:
      return 0;
    case kTypeMx:
      return 2;
    case kTypeSrv:
      return 6;
    default:
      return std::nullopt;
  }
}

bool is_soa(Bytes message, const DnsRecord& record) noexcept {
  const NameRead server = read_name(message, record.data);
  if (server.fault != Fault::None) return false;
  const NameRead mailbox = read_name(message, server.end);
  return mailbox.fault == Fault::None && mailbox.end + kSoaNumbers == record.data + record.size;
}

// Only of the class whose types these are; an update's prerequisites (RFC 2136) have other classes and no
// data.
Fault data_fault(Bytes message, const DnsRecord& record) noexcept {
  if (record.record_class != kClassIn) return Fault::None;
  if (record.type == kTypeA) return record.size == 4 ? Fault::None : Fault::BadAddressRecord;
  if (record.type == kTypeAaaa) return record.size == 16 ? Fault::None : Fault::BadAddressRecord;
  // A name in the data ends where the data does.
  const Bytes so_far = message.first(record.data + record.size);
  if (record.type == kTypeSoa) return is_soa(so_far, record) ? Fault::None : Fault::BadNameRecord;
  const std::optional<size_t> skipped = before_name(record.type);
  if (!skipped) return Fault::None;
  if (record.size <= *skipped) return Fault::BadNameRecord;
  const NameRead name = read_name(so_far, record.data + *skipped);
  if (name.fault != Fault::None || name.end != so_far.size()) return Fault::BadNameRecord;
  return Fault::None;
}

Records::Section section_of(const DnsHeader& header, uint32_t number) noexcept {
  if (number < header.answers) return Records::Section::Answer;
  if (number < uint32_t{header.answers} + header.authorities) return Records::Section::Authority;
  return Records::Section::Additional;
}

Fault read_edns(Message& message, const DnsRecord& record, Records::Section section) noexcept {
  if (message.edns) return Fault::EdnsRepeated;
  if (section != Records::Section::Additional || message.bytes[record.owner] != 0)
    return Fault::EdnsMisplaced;
  Edns& edns = message.edns.emplace();
  edns.udp_size = record.record_class;
  edns.version = static_cast<uint8_t>(record.ttl >> 16);
  edns.dnssec_ok = record.ttl & 0x8000;
  ByteReader options(message.bytes.subspan(record.data, record.size));
  while (options.ok() && options.remaining() != 0) {
    const uint16_t code = options.be16();
    const Bytes value = options.bytes(options.be16());
    if (code == kOptionCookie && edns.cookie.empty()) edns.cookie = value;
  }
  return options.ok() ? Fault::None : Fault::BadEdnsOptions;
}

Fault read_questions(Message& message, DnsWalk& walk) noexcept {
  for (uint16_t i = 0; i < message.header.questions; ++i) {
    if (const Fault fault = walk.question(); fault != Fault::None) return fault;
    const NameRead name = read_name(message.bytes, walk.record().owner);
    if (name.fault != Fault::None) return name.fault;
    if (i > 0) continue;  // multicast may have more of them
    message.name = name.name;
    message.type = walk.record().type;
    message.record_class = walk.record().record_class;
  }
  message.question_end = walk.at();
  return Fault::None;
}

Fault read_records(Message& message, DnsWalk& walk) noexcept {
  for (uint32_t i = 0; i < message.header.records(); ++i) {
    const Fault missing = walk.next_record();
    if (missing != Fault::None) return walk.ends_truncated(message.header) ? Fault::None : missing;
    const DnsRecord& record = walk.record();
    if (const Fault fault = read_name(message.bytes, record.owner).fault; fault != Fault::None) return fault;
    const Fault fault = record.type == kTypeOpt ? read_edns(message, record, section_of(message.header, i))
                                                : data_fault(message.bytes, record);
    if (fault != Fault::None) return fault;
  }
  return walk.at() == walk.length() ? Fault::None : Fault::TrailingBytes;
}

}  // namespace

Message read_message(Bytes bytes, DnsRole role) noexcept {
  Message message;
  message.bytes = bytes;
  if (bytes.size() < classify::kDnsHeaderSize) {
    message.fault = Fault::ShortHeader;
    return message;
  }
  message.header = DnsHeader::read(bytes);
  message.fault = message.header.fault(role);
  if (message.fault != Fault::None) return message;
  DnsWalk walk(bytes, bytes.size(), role);
  message.fault = read_questions(message, walk);
  if (message.fault == Fault::None) message.fault = read_records(message, walk);
  return message;
}

Records::Records(const Message& message) noexcept
    : bytes_(message.bytes),
      header_(message.header),
      walk_(message.bytes, message.bytes.size(), DnsRole::Either) {
  walk_.skip_to(message.question_end);
}

bool Records::next() noexcept {
  if (read_ == header_.records() || walk_.next_record() != Fault::None) return false;
  ++read_;
  return true;
}

Records::Section Records::section() const noexcept { return section_of(header_, read_ - 1); }

Frame next_frame(Bytes stream) noexcept {
  if (stream.size() < 2) return {Fault::Incomplete, 2};
  const size_t length = load_be16(stream.data());
  if (length < classify::kDnsHeaderSize) return {Fault::ShortFrame};
  if (stream.size() < 2 + length) return {Fault::Incomplete, 2 + length};
  return {Fault::None, 2 + length, stream.subspan(2, length)};
}

}  // namespace postern::profiles::dns
