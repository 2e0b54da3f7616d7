// SPDX-License-Identifier: Apache-2.0
#include "profiles/dns/generated_names.h"

#include <algorithm>
#include <bit>
#include <span>

#include "profiles/dns/decayed.h"
#include "profiles/dns/name_hash.h"
#include "profiles/dns/name_shape.h"

namespace postern::profiles::dns {
namespace {

constexpr uint8_t kNoError = 0, kNxDomain = 3;
constexpr std::string_view kPunycode = "xn--";  // looks made by chance, and is another script

}  // namespace

GeneratedNames::GeneratedNames(size_t places, uint64_t seed)
    : entries_(std::bit_ceil(std::max(places, kWays))), seed_(seed) {}

bool GeneratedNames::looks_generated(Bytes domain, const GeneratedThresholds& limits) noexcept {
  if (domain.size() < limits.shortest || as_text(domain).starts_with(kPunycode)) return false;
  std::array<uint8_t, 64> label;
  label[0] = static_cast<uint8_t>(domain.size());
  std::memcpy(&label[1], domain.data(), domain.size());
  return shape_of(Bytes(label).first(domain.size() + 1)).surprise >= limits.surprise;
}

size_t GeneratedNames::place_of(const IpAddress& client) const noexcept {
  return (hash_bytes(seed_, Bytes(client.bytes)) & (entries_.size() - 1)) & ~(kWays - 1);
}

GeneratedNames::Entry* GeneratedNames::find(const IpAddress& client) noexcept {
  for (Entry& entry : std::span(entries_).subspan(place_of(client), kWays))
    if (entry.last != 0 && entry.client == client) return &entry;
  return nullptr;
}

GeneratedNames::Entry& GeneratedNames::find_or_take(const IpAddress& client) noexcept {
  if (Entry* known = find(client)) return *known;
  const std::span<Entry> places = std::span(entries_).subspan(place_of(client), kWays);
  Entry& taken = *std::min_element(places.begin(), places.end(),
                                   [](const Entry& a, const Entry& b) { return a.last < b.last; });
  taken = {.client = client};
  return taken;
}

bool GeneratedNames::query(const IpAddress& client, Bytes domain, const GeneratedThresholds& limits,
                           Timestamp now) noexcept {
  Entry* entry = find(client);
  if (entry == nullptr || entry->held_until <= now || !looks_generated(domain, limits)) return false;
  entry->last = entry->last < now ? now : entry->last;
  entry->held_until = now + limits.hold;
  return true;
}

void GeneratedNames::answer(const IpAddress& client, Bytes domain, uint8_t rcode,
                            const GeneratedThresholds& limits, Timestamp now) noexcept {
  if ((rcode != kNoError && rcode != kNxDomain) || !looks_generated(domain, limits)) return;
  Entry& entry = find_or_take(client);
  const auto hash = static_cast<uint32_t>(hash_bytes(seed_, domain));
  if (std::find(entry.domains.begin(), entry.domains.end(), hash) != entry.domains.end()) return;
  entry.domains[entry.next] = hash;
  entry.next = static_cast<uint8_t>((entry.next + 1) % kRemembered);
  const float left = left_after(entry.last, now, kHalfLife);
  entry.missing = entry.missing * left + (rcode == kNxDomain ? 1 : 0);
  entry.existing = entry.existing * left + (rcode == kNoError ? 1 : 0);
  entry.last = std::max(entry.last, now);
  const float answered = entry.missing + entry.existing;
  if (entry.missing >= limits.missing && entry.missing >= limits.missing_ratio * answered)
    entry.held_until = now + limits.hold;
}

}  // namespace postern::profiles::dns
