// SPDX-License-Identifier: Apache-2.0
#include "profiles/dns/tunnel_detector.h"

#include <algorithm>
#include <bit>
#include <optional>

#include "profiles/dns/decayed.h"
#include "profiles/dns/name_hash.h"

namespace postern::profiles::dns {
namespace {

constexpr size_t kLongName = 90, kCarryingName = 40;
constexpr Timestamp kSeenLife = 60 * kSecond;
constexpr uint16_t kSeenFull = 256;
constexpr uint16_t kFirstPrivate = 65280;

// Which of the sums of types that carry much; nothing for others.
std::optional<size_t> carrier_of(uint16_t type) noexcept {
  switch (type) {
    case kTypeTxt:
      return 0;
    case kTypeCname:
      return 1;
    case kTypeMx:
      return 2;
    case kTypeSrv:
      return 3;
    default:
      return std::nullopt;
  }
}

bool is_rare(uint16_t type) noexcept { return type == kTypeNull || type >= kFirstPrivate; }

// The labels below the registered domain.
Bytes labels_below(const Name& name, uint8_t skipped) noexcept {
  return name.wire().first(name.wire().size() - name.from_label(skipped).size());
}

}  // namespace

void TunnelDetector::Sums::decay(float left) noexcept {
  for (float* sum :
       {&queries, &fresh, &encoded_bytes, &encoded_long, &rare, &up, &up_carriers, &down_carriers, &length})
    *sum *= left;
  for (float& sum : carriers) sum *= left;
}

bool TunnelDetector::Sums::is_tunnel(const TunnelThresholds& limits) const noexcept {
  if (rare >= limits.rare_types) return true;
  if (fresh < limits.new_ratio * queries || encoded_bytes < limits.encoded_ratio * length) return false;
  float by_carriers = 0, most = 0;
  for (const float sum : carriers) {
    by_carriers += sum;
    most = std::max(most, sum);
  }
  // One type may be a service that looks hashes up; a mix of them is a tunnel that tries to look varied.
  if (by_carriers >= limits.mixed_types && most < 0.8f * by_carriers) return true;
  if (up_carriers + down_carriers >= limits.carrier_bytes) return true;
  if (up >= limits.any_bytes && length >= static_cast<float>(kCarryingName) * fresh) return true;
  return encoded_long >= limits.long_names;
}

bool TunnelDetector::Seen::add(uint64_t hash, Timestamp now) noexcept {
  if (count >= kSeenFull || now > since + kSeenLife) *this = {.since = now};
  uint64_t& word = bits[hash >> 6 & 7];
  const uint64_t bit = uint64_t{1} << (hash & 63);
  if (word & bit) return false;
  word |= bit;
  ++count;
  return true;
}

TunnelDetector::TunnelDetector(size_t places, uint64_t seed)
    : entries_(std::bit_ceil(std::max(places, kWays))), seed_(seed) {}

TunnelDetector::Keys TunnelDetector::keys_of(const IpAddress& client, Bytes domain) const noexcept {
  const uint64_t hash = hash_bytes(seed_, Bytes(client.bytes));
  return {hash_bytes(hash, domain), static_cast<uint32_t>(hash)};
}

TunnelDetector::Entry* TunnelDetector::find(const Keys& keys) noexcept {
  const size_t begin = (keys.key & (entries_.size() - 1)) & ~(kWays - 1);
  for (Entry& entry : std::span(entries_).subspan(begin, kWays))
    if (entry.last != 0 && entry.key == keys.key) return &entry;
  return nullptr;
}

TunnelDetector::Entry& TunnelDetector::find_or_take(const Keys& keys, Timestamp now) noexcept {
  if (Entry* known = find(keys)) return *known;
  const size_t begin = (keys.key & (entries_.size() - 1)) & ~(kWays - 1);
  const std::span<Entry> places = std::span(entries_).subspan(begin, kWays);
  const auto of_client = [&](const Entry& e) {
    return std::count_if(places.begin(), places.end(), [&](const Entry& o) { return o.client == e.client; });
  };
  const auto sooner = [&](const Entry& a, const Entry& b) {
    if ((a.last == 0) != (b.last == 0)) return a.last == 0;
    if ((a.held_until > now) != (b.held_until > now)) return a.held_until <= now;
    const auto as = of_client(a), bs = of_client(b);
    return as != bs ? as > bs : a.last < b.last;
  };
  Entry& taken = *std::min_element(places.begin(), places.end(), sooner);
  if (taken.last != 0 && now - taken.last < 2 * kHalfLife) ++given_way_;
  taken = {.key = keys.key, .client = keys.client, .last = now};
  return taken;
}

bool TunnelDetector::judge(Entry& entry, const TunnelThresholds& limits, Timestamp now) noexcept {
  if (entry.held_until > now || entry.sums.is_tunnel(limits)) {
    entry.held_until = now + limits.hold;
    return true;
  }
  return false;
}

bool TunnelDetector::query(const IpAddress& client, const Message& query, uint8_t skipped,
                           const TunnelThresholds& limits, Timestamp now) noexcept {
  if (skipped == 0) return false;
  Entry& entry = find_or_take(keys_of(client, query.name.from_label(skipped)), now);
  Sums& sums = entry.sums;
  sums.decay(left_after(entry.last, now, kHalfLife));
  entry.last = std::max(now, entry.last);
  ++sums.queries;
  const Bytes labels = labels_below(query.name, skipped);
  if (!entry.seen.add(hash_bytes(seed_, labels), now)) return judge(entry, limits, now);
  ++sums.fresh;
  if (is_rare(query.type)) ++sums.rare;
  const NameShape shape = shape_of(labels);
  sums.length += shape.length;
  const std::optional<size_t> carrier = carrier_of(query.type);
  if (shape.entropy >= limits.entropy && shape.surprise >= limits.surprise) {
    sums.encoded_bytes += shape.length;
    sums.up += shape.information();
    if (shape.length >= kLongName) ++sums.encoded_long;
    if (carrier) {
      ++sums.carriers[*carrier];
      sums.up_carriers += shape.information();
    }
  }
  return judge(entry, limits, now);
}

bool TunnelDetector::answer(const IpAddress& client, const Message& answer, uint8_t skipped,
                            const TunnelThresholds& limits, Timestamp now) noexcept {
  if (skipped == 0) return false;
  Entry* entry = find(keys_of(client, answer.name.from_label(skipped)));
  if (entry == nullptr) return false;
  if (!carrier_of(answer.type)) return entry->held_until > now;
  for (Records records(answer); records.next() && records.section() == Records::Section::Answer;)
    if (records.record().type == answer.type)
      entry->sums.down_carriers += static_cast<float>(records.record().size);
  return judge(*entry, limits, now);
}

}  // namespace postern::profiles::dns
