// SPDX-License-Identifier: Apache-2.0
// Any bytes as a datagram and as a stream, in every role. libldns reads the same: the question of each query
// that we take, and what it reads to the last byte we take.
//
// needs: base classify
//
// links: ldns
#include <cstddef>
#include <cstdint>
#include <optional>

#include "classify/dns_message.h"

// Last, for it defines true and false.
#include <ldns/ldns.h>

using namespace postern;
using namespace postern::classify;

namespace {

constexpr size_t kHeader = 12;

void demand(bool condition) {
  if (!condition) __builtin_trap();
}

uint16_t field(Bytes message, size_t number) { return load_be16(&message[2 * number]); }

struct Record {
  size_t end;  // where the next one starts
  uint16_t type, record_class;
};

// The record at `at` as ldns reads it; nothing when it refuses.
std::optional<Record> read_record(Bytes message, size_t at, ldns_pkt_section section) {
  ldns_rr* record = nullptr;
  if (ldns_wire2rr(&record, message.data(), message.size(), &at, section) != LDNS_STATUS_OK)
    return std::nullopt;
  const Record read{at, static_cast<uint16_t>(ldns_rr_get_type(record)),
                    static_cast<uint16_t>(ldns_rr_get_class(record))};
  ldns_rr_free(record);
  return read;
}

bool is_common(const Record& question) {
  const uint16_t cls = question.record_class;
  return question.type != 0 && (cls == 1 || cls == 3 || cls == 4 || cls == 254 || cls == 255);
}

// ldns reads every record that the header counts, none asks for what we refuse, and nothing is left.
bool ldns_reads_all(Bytes message) {
  static constexpr ldns_pkt_section kSections[] = {LDNS_SECTION_QUESTION, LDNS_SECTION_ANSWER,
                                                   LDNS_SECTION_AUTHORITY, LDNS_SECTION_ADDITIONAL};
  size_t at = kHeader;
  for (size_t section = 0; section < std::size(kSections); ++section)
    for (uint16_t i = 0; i < field(message, 2 + section); ++i) {
      const std::optional<Record> record = read_record(message, at, kSections[section]);
      if (!record || (section == 0 && !is_common(*record))) return false;
      at = record->end;
    }
  return at == message.size();
}

// A pointer may lead anywhere for ldns; ours must lead back.
bool may_have_pointers(Bytes message) {
  for (const uint8_t byte : message.subspan(kHeader))
    if (byte >= 0xc0) return true;
  return false;
}

// A query for one name, or its answer, with nothing in the flags but "recursion".
bool has_plain_header(Bytes message) {
  const bool response = field(message, 1) & 0x8000;
  if ((field(message, 1) & 0x7e7f) != 0 || field(message, 2) != 1) return false;
  return response || (field(message, 3) == 0 && field(message, 4) <= 1 && field(message, 5) <= 2);
}

void compare_with_ldns(Bytes message) {
  if (message.size() < kHeader) return;
  if (is_dns_datagram(message, DnsRole::Query) == Fit::Yes) {
    const std::optional<Record> question = read_record(message, kHeader, LDNS_SECTION_QUESTION);
    demand(question && is_common(*question));
  }
  const DnsRole role = field(message, 1) & 0x8000 ? DnsRole::Response : DnsRole::Query;
  if (has_plain_header(message) && !may_have_pointers(message) && ldns_reads_all(message))
    demand(is_dns_datagram(message, role) == Fit::Yes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes(data, size);
  for (const DnsRole role : {DnsRole::Query, DnsRole::Response, DnsRole::Either}) {
    demand(is_dns_datagram(bytes, role) != Fit::More);
    // What half of a stream can not be, the whole is not.
    if (is_dns_stream(bytes.first(size / 2), role) == Fit::No) demand(is_dns_stream(bytes, role) == Fit::No);
  }
  compare_with_ldns(bytes);
  return 0;
}
