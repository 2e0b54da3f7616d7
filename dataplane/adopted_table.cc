// SPDX-License-Identifier: Apache-2.0
#include "dataplane/adopted_table.h"

namespace postern::dataplane {
namespace {

constexpr Direction kDirections[] = {Direction::ToServer, Direction::ToClient};

}  // namespace

size_t AdoptedTable::Hash::operator()(const PacketEnds& ends) const noexcept {
  FlowKey key{};
  key.address[0] = ends.from.address;
  key.address[1] = ends.to.address;
  key.port[0] = ends.from.port;
  key.port[1] = ends.to.port;
  return hash_of(key, 0);
}

Adopted& AdoptedTable::add(std::unique_ptr<Adopted> adopted) {
  if (const auto before = by_flow_.find(key_of(adopted->tag)); before != by_flow_.end())
    erase(*before->second);
  Adopted& entry = *adopted;
  for (const Direction direction : kDirections) by_ends_[entry.ends(direction)] = {&entry, direction};
  by_flow_[key_of(entry.tag)] = std::move(adopted);
  return entry;
}

void AdoptedTable::erase(Adopted& adopted) {
  for (const Direction direction : kDirections) {
    const auto found = by_ends_.find(adopted.ends(direction));
    if (found != by_ends_.end() && found->second.adopted == &adopted) by_ends_.erase(found);
  }
  by_flow_.erase(key_of(adopted.tag));
}

Adopted* AdoptedTable::find(const TlsTag& tag) noexcept {
  const auto found = by_flow_.find(key_of(tag));
  return found != by_flow_.end() && found->second->tag.stamp == tag.stamp ? found->second.get() : nullptr;
}

AdoptedTable::Route AdoptedTable::route(const PacketEnds& ends) noexcept {
  const auto found = by_ends_.find(ends);
  return found == by_ends_.end() ? Route{} : found->second;
}

bool AdoptedTable::owns_addresses(const Adopted& adopted) noexcept {
  return route(adopted.ends(Direction::ToServer)).adopted == &adopted;
}

std::vector<Adopted*> AdoptedTable::all() {
  std::vector<Adopted*> entries;
  for (const auto& [key, entry] : by_flow_) entries.push_back(entry.get());
  return entries;
}

}  // namespace postern::dataplane
