// SPDX-License-Identifier: Apache-2.0
#include "profiles/dns/transactions.h"

#include <algorithm>
#include <bit>

#include "profiles/dns/name_hash.h"

namespace postern::profiles::dns {
namespace {

// An answer may leave the question out when the server could not read it (RFC 1035 section 4.1.1; "format
// error" and "not implemented").
bool may_lack_question(const Message& answer) noexcept {
  return answer.header.rcode() == 1 || answer.header.rcode() == 4;
}

}  // namespace

Transactions::Transactions(size_t places, uint64_t seed)
    : entries_(std::bit_ceil(std::max(places, kWays))), seed_(seed) {}

Transactions::Keys Transactions::keys_of(const Exchange& e, uint16_t id) const noexcept {
  std::array<uint8_t, 4 + 2 + 1> rest;
  store_be16(&rest[0], e.client_port);
  store_be16(&rest[2], e.server_port);
  store_be16(&rest[4], id);
  rest[6] = static_cast<uint8_t>(e.transport);
  const uint64_t client = hash_bytes(seed_, Bytes(e.client.bytes));
  const uint64_t pair = hash_bytes(client, Bytes(e.server.bytes));
  return {hash_bytes(pair, Bytes(rest)), static_cast<uint32_t>(client)};
}

uint64_t Transactions::question_of(const Message& m) const noexcept {
  return hash_bytes(seed_ ^ (uint64_t{m.type} << 16 | m.record_class), m.name.wire());
}

std::span<Transactions::Entry> Transactions::places_of(uint64_t key) noexcept {
  const size_t begin = (key & (entries_.size() - 1)) & ~(kWays - 1);
  return std::span(entries_).subspan(begin, kWays);
}

Transactions::Entry& Transactions::place_for(std::span<Entry> places, Timestamp now) noexcept {
  const auto is_free = [&](const Entry& e) { return e.asked == 0 || now - e.asked > kLifetime; };
  if (const auto free = std::find_if(places.begin(), places.end(), is_free); free != places.end())
    return *free;
  const auto of_client = [&](const Entry& e) {
    return std::count_if(places.begin(), places.end(), [&](const Entry& o) { return o.client == e.client; });
  };
  ++given_way_;
  return *std::min_element(places.begin(), places.end(), [&](const Entry& a, const Entry& b) {
    const auto as = of_client(a), bs = of_client(b);
    return as != bs ? as > bs : a.asked < b.asked;
  });
}

void Transactions::ask(const Exchange& exchange, const Message& query, Timestamp now) noexcept {
  const Keys keys = keys_of(exchange, query.header.id);
  const uint64_t question = question_of(query);
  const std::span<Entry> places = places_of(keys.key);
  for (Entry& entry : places) {
    if (entry.asked == 0 || entry.key != keys.key || entry.question != question) continue;
    const bool is_old = now - entry.asked > kLifetime;
    entry.waiting = static_cast<uint16_t>(is_old ? 1 : std::min(entry.waiting + 1, 0xffff));
    entry.asked = now;
    return;
  }
  const bool many = query.type == kTypeAxfr || query.type == kTypeIxfr;
  place_for(places, now) = {now, keys.key, question, keys.client, 1, many};
}

Match Transactions::answer(const Exchange& exchange, const Message& answer, Timestamp now) noexcept {
  const Keys keys = keys_of(exchange, answer.header.id);
  const uint64_t question = question_of(answer);
  Match match = Match::Unsolicited;
  for (Entry& entry : places_of(keys.key)) {
    if (entry.asked == 0 || entry.key != keys.key || now - entry.asked > kLifetime) continue;
    const bool lacks_question =
        answer.header.questions == 0 && (may_lack_question(answer) || entry.many_messages);
    if (!lacks_question && (answer.header.questions == 0 || entry.question != question)) {
      match = Match::WrongQuestion;
      continue;
    }
    if (!entry.many_messages && --entry.waiting == 0) entry.asked = 0;
    return Match::Expected;
  }
  return match;
}

}  // namespace postern::profiles::dns
