// SPDX-License-Identifier: Apache-2.0
#include "profiles/dns/forged_answer.h"

#include <algorithm>

namespace postern::profiles::dns {
namespace {

constexpr uint16_t kResponse = 0x8000, kTruncated = 0x0200, kRecursionAvailable = 0x0080;
constexpr uint16_t kKept = 0x7910;  // opcode, recursion desired, checking disabled
constexpr uint16_t kNxDomain = 3;
constexpr uint16_t kQuestionPointer = 0xc000 | classify::kDnsHeaderSize;
constexpr uint16_t kPlainUdp = 512;  // RFC 1035; what a client without EDNS takes
constexpr uint16_t kOurUdp = 1232;   // passes every path without fragments (DNS flag day 2020)
constexpr uint16_t kOptionCookie = 10;
constexpr size_t kClientCookie = 8, kShortestBoth = 16, kLongestBoth = 40;  // RFC 7873 section 4
constexpr size_t kOptRecord = 11;
constexpr uint32_t kBadVersion = 1u << 24;  // the upper bits of response code 16

class Writer {
 public:
  explicit Writer(std::span<uint8_t> room) noexcept : room_(room) {}
  bool ok() const noexcept { return ok_; }
  size_t size() const noexcept { return at_; }
  void be16(uint16_t value) noexcept {
    if (uint8_t* to = take(2)) store_be16(to, value);
  }
  void be32(uint32_t value) noexcept {
    if (uint8_t* to = take(4)) store_be32(to, value);
  }
  void bytes(Bytes from) noexcept {
    uint8_t* to = take(from.size());
    if (to != nullptr && !from.empty()) std::memcpy(to, from.data(), from.size());
  }
  // Back to where it was when it was well.
  void cut(size_t size) noexcept {
    at_ = size;
    ok_ = true;
  }
  void put_be16(size_t at, uint16_t value) noexcept { store_be16(&room_[at], value); }

 private:
  uint8_t* take(size_t count) noexcept {
    ok_ = ok_ && room_.size() - at_ >= count;
    if (!ok_) return nullptr;
    at_ += count;
    return &room_[at_ - count];
  }
  std::span<uint8_t> room_;
  size_t at_ = 0;
  bool ok_ = true;
};

// Counts of the sections, and whether something was left out.
struct Sections {
  uint16_t answers = 0, authorities = 0;
  bool truncated = false;
};

// A cookie of a server that the client knows comes back as it is: a client that got one from that server
// mistrusts an answer without. To a client's cookie alone there is no answer of a server that has none but
// to leave it out (RFC 7873 section 5.2).
Bytes cookie_of(const Edns& edns) noexcept {
  static_assert(kClientCookie < kShortestBoth);
  const bool knows_server = edns.cookie.size() >= kShortestBoth && edns.cookie.size() <= kLongestBoth;
  return knows_server ? edns.cookie : Bytes{};
}

size_t edns_size(const Message& query) noexcept {
  if (!query.edns) return 0;
  const size_t cookie = cookie_of(*query.edns).size();
  return kOptRecord + (cookie == 0 ? 0 : 4 + cookie);
}

void write_edns(Writer& writer, const Edns& edns) noexcept {
  const Bytes cookie = cookie_of(edns);
  writer.bytes(as_bytes(std::string_view("\0", 1)));
  writer.be16(kTypeOpt);
  writer.be16(kOurUdp);
  writer.be32((edns.version == 0 ? 0 : kBadVersion) | (edns.dnssec_ok ? 0x8000u : 0u));
  writer.be16(static_cast<uint16_t>(cookie.empty() ? 0 : 4 + cookie.size()));
  if (cookie.empty()) return;
  writer.be16(kOptionCookie);
  writer.be16(static_cast<uint16_t>(cookie.size()));
  writer.bytes(cookie);
}

uint16_t answer_class(const Message& query) noexcept {
  return query.record_class == kClassAny ? kClassIn : query.record_class;
}

void write_record(Writer& writer, const Message& query, uint16_t type, uint32_t ttl, Bytes data) noexcept {
  writer.be16(kQuestionPointer);
  writer.be16(type);
  writer.be16(answer_class(query));
  writer.be32(ttl);
  writer.be16(static_cast<uint16_t>(data.size()));
  writer.bytes(data);
}

// For how long "no" is kept is in an SOA (RFC 2308); ours is of the name's parent.
void write_soa(Writer& writer, const Message& query, uint32_t ttl) noexcept {
  const size_t parent = query.name.is_root() ? 0 : 1 + query.name.label(0).size();
  writer.be16(static_cast<uint16_t>(kQuestionPointer + parent));
  writer.be16(kTypeSoa);
  writer.be16(answer_class(query));
  writer.be32(ttl);
  writer.be16(2 + 20);
  writer.be16(0);  // the root as server and mailbox
  for (const uint32_t number : {1u, ttl, ttl, ttl, ttl}) writer.be32(number);
}

Sections write_no(Writer& writer, const Message& query, uint32_t ttl) noexcept {
  const size_t before = writer.size();
  write_soa(writer, query, ttl);
  if (writer.ok()) return {.authorities = 1};
  writer.cut(before);
  return {};
}

bool asks_for(const Message& query, uint16_t type) noexcept {
  return query.type == type || query.type == kTypeAny;
}

Sections write_sinkhole(Writer& writer, const Message& query, const Sinkhole& sinkhole) noexcept {
  Sections sections;
  const bool internet = answer_class(query) == kClassIn;
  if (internet && sinkhole.v4 && asks_for(query, kTypeA)) {
    write_record(writer, query, kTypeA, sinkhole.ttl, Bytes(sinkhole.v4->bytes).last(4));
    ++sections.answers;
  }
  if (internet && sinkhole.v6 && asks_for(query, kTypeAaaa)) {
    write_record(writer, query, kTypeAaaa, sinkhole.ttl, Bytes(sinkhole.v6->bytes));
    ++sections.answers;
  }
  return sections.answers == 0 ? write_no(writer, query, sinkhole.ttl) : sections;
}

Sections write_local(Writer& writer, const Message& query, const Forgery& forgery) noexcept {
  Sections sections;
  for (const LocalRecord& record : forgery.local->records) {
    if (!asks_for(query, record.type) && record.type != kTypeCname) continue;
    const size_t before = writer.size();
    Name below;
    Bytes data = as_bytes(record.data);
    if (record.below_name) {
      below = query.name;
      ByteReader labels(data);
      bool fits = true;
      for (Bytes label = labels.bytes(labels.u8()); !label.empty(); label = labels.bytes(labels.u8()))
        fits = fits && below.append(label);
      if (!fits) continue;  // such a name does not exist
      data = below.wire();
    }
    write_record(writer, query, record.type, record.ttl, data);
    if (!writer.ok()) {
      writer.cut(before);
      sections.truncated = true;
      break;
    }
    ++sections.answers;
  }
  if (sections.answers == 0 && !sections.truncated) return write_no(writer, query, forgery.sinkhole.ttl);
  return sections;
}

Sections write_reply(Writer& writer, const Message& query, const Forgery& forgery,
                     Transport transport) noexcept {
  switch (forgery.reply) {
    case Reply::Sinkhole:
      return write_sinkhole(writer, query, forgery.sinkhole);
    case Reply::Local:
      return write_local(writer, query, forgery);
    case Reply::Truncated:
      if (transport == Transport::Udp) return {.truncated = true};
      break;
    case Reply::NxDomain:
    case Reply::NoData:
      break;
  }
  return write_no(writer, query, forgery.sinkhole.ttl);
}

size_t most_bytes(const Message& query, Transport transport, size_t room) noexcept {
  if (transport == Transport::Tcp) return std::min<size_t>(room, 0xffff);
  const uint16_t client = query.edns ? std::max(query.edns->udp_size, kPlainUdp) : kPlainUdp;
  return std::min<size_t>(room, std::min(client, kOurUdp));
}

}  // namespace

Sinkhole Sinkhole::documentation() noexcept {
  static constexpr uint8_t kV4[4] = {198, 51, 100, 53};
  static constexpr uint8_t kV6[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x53};
  return {IpAddress::from_v4(kV4), IpAddress::from_v6(kV6)};
}

size_t forge_answer(const Message& query, const Forgery& forgery, Transport transport,
                    std::span<uint8_t> room) noexcept {
  const size_t prefix = transport == Transport::Tcp ? 2 : 0;
  const size_t edns = edns_size(query);
  if (room.size() < prefix + query.question_end + edns) return 0;
  const std::span<uint8_t> whole = room.subspan(prefix);
  const size_t most = most_bytes(query, transport, whole.size());
  if (most < query.question_end + edns) return 0;
  Writer writer(whole.first(most - edns));
  writer.bytes(query.bytes.first(query.question_end));
  Sections sections;
  const bool understood = !query.edns || query.edns->version == 0;
  if (understood) sections = write_reply(writer, query, forgery, transport);
  const uint16_t rcode = understood && forgery.reply == Reply::NxDomain ? kNxDomain : 0;
  writer.put_be16(2, static_cast<uint16_t>((query.header.flags & kKept) | kResponse | kRecursionAvailable |
                                           (sections.truncated ? kTruncated : 0) | rcode));
  const uint16_t counts[] = {1, sections.answers, sections.authorities,
                             query.edns ? uint16_t{1} : uint16_t{0}};
  for (size_t i = 0; i < std::size(counts); ++i) writer.put_be16(4 + 2 * i, counts[i]);
  size_t size = writer.size();
  if (query.edns) {
    Writer end(whole.subspan(size, edns));
    write_edns(end, *query.edns);
    size += edns;
  }
  if (prefix != 0) store_be16(room.data(), static_cast<uint16_t>(size));
  return prefix + size;
}

}  // namespace postern::profiles::dns
