// SPDX-License-Identifier: Apache-2.0
#include "profiles/dns/sinkholed_names.h"

#include <algorithm>
#include <bit>

#include "profiles/dns/name_hash.h"

namespace postern::profiles::dns {
namespace {

constexpr uint64_t kSeed = 0x9e3779b97f4a7c15;  // a client only ever loses its own names by choosing

using AddressWords = std::array<uint64_t, 2>;

AddressWords words_of(const IpAddress& address) noexcept {
  return std::bit_cast<AddressWords>(address.bytes);
}

// Workers' clocks differ by a round: what another one wrote may be later than now.
bool is_old(Timestamp asked, Timestamp now) noexcept {
  return now > asked && now - asked > SinkholedNames::kLifetime;
}

// From bytes with zeros behind the root.
Name name_of(Bytes wire) noexcept {
  Name name;
  ByteReader reader(wire);
  for (uint8_t length = reader.u8(); length != 0; length = reader.u8())
    if (!name.append(reader.bytes(length))) break;
  return name;
}

}  // namespace

struct SinkholedNames::Copy {
  AddressWords client;
  Found found;
};

SinkholedNames::SinkholedNames(size_t places) : places_(std::bit_ceil(std::max<size_t>(places, 1))) {
  entries_ = std::make_unique<Entry[]>(places_);
}

size_t SinkholedNames::memory() const noexcept { return places_ * sizeof(Entry) + sizeof *this; }

SinkholedNames::Entry& SinkholedNames::place_of(const IpAddress& client) const noexcept {
  return entries_[hash_bytes(kSeed, Bytes(client.bytes)) & (places_ - 1)];
}

void SinkholedNames::write(Entry& entry, const IpAddress& client, const Name& name, Timestamp now) noexcept {
  std::array<uint64_t, kNameWords> words{};
  std::memcpy(words.data(), name.wire().data(), name.wire().size());
  const AddressWords address = words_of(client);
  const uint32_t version = entry.version.load(std::memory_order_relaxed);
  entry.version.store(version + 1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  entry.asked.store(now, std::memory_order_relaxed);
  for (size_t i = 0; i < address.size(); ++i) entry.client[i].store(address[i], std::memory_order_relaxed);
  for (size_t i = 0; i < kNameWords; ++i) entry.name[i].store(words[i], std::memory_order_relaxed);
  entry.version.store(version + 2, std::memory_order_release);
}

std::optional<SinkholedNames::Copy> SinkholedNames::copy_of(const Entry& entry) noexcept {
  const uint32_t version = entry.version.load(std::memory_order_acquire);
  if (version % 2 != 0 || version == 0) return std::nullopt;
  Copy copy;
  std::array<uint64_t, kNameWords> words;
  copy.found.asked = entry.asked.load(std::memory_order_relaxed);
  for (size_t i = 0; i < copy.client.size(); ++i)
    copy.client[i] = entry.client[i].load(std::memory_order_relaxed);
  for (size_t i = 0; i < kNameWords; ++i) words[i] = entry.name[i].load(std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_acquire);
  if (entry.version.load(std::memory_order_relaxed) != version) return std::nullopt;
  copy.found.name = name_of({reinterpret_cast<const uint8_t*>(words.data()), sizeof words});
  return copy;
}

void SinkholedNames::remember(const IpAddress& client, const Name& name, Timestamp now) noexcept {
  write(place_of(client), client, name, now);
  write(last_, client, name, now);
}

std::optional<SinkholedNames::Found> SinkholedNames::find(const IpAddress& client,
                                                          Timestamp now) const noexcept {
  const std::optional<Copy> copy = copy_of(place_of(client));
  if (!copy || copy->client != words_of(client) || is_old(copy->found.asked, now)) return std::nullopt;
  return copy->found;
}

std::optional<SinkholedNames::Found> SinkholedNames::last(Timestamp now) const noexcept {
  const std::optional<Copy> copy = copy_of(last_);
  if (!copy || is_old(copy->found.asked, now)) return std::nullopt;
  return copy->found;
}

}  // namespace postern::profiles::dns
