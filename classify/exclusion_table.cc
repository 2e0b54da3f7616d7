// SPDX-License-Identifier: Apache-2.0
#include "classify/exclusion_table.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"

namespace postern::classify {
namespace {

constexpr size_t kLongestHost = 253;  // RFC 1035 section 2.3.4, as text
constexpr size_t kLongestLabel = 63;

constexpr std::pair<std::string_view, Exclusion> kCategories[] = {
    {"cert_pinned_app", Exclusion::CertPinnedApp},
    {"finance", Exclusion::Finance},
    {"health", Exclusion::Health}};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), ascii_lower);
  return out;
}

bool is_label(std::string_view label) noexcept {
  const auto fits = [](char c) {
    const char low = ascii_lower(c);
    return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !label.empty() && label.size() <= kLongestLabel && std::all_of(label.begin(), label.end(), fits);
}

}  // namespace

DecryptReason ExclusionSet::reason() const noexcept {
  constexpr std::pair<Exclusion, DecryptReason> kReasons[] = {
      {Exclusion::Host, DecryptReason::ExcludedHost},
      {Exclusion::Address, DecryptReason::ExcludedAddress},
      {Exclusion::CertPinnedApp, DecryptReason::CertPinnedApp},
      {Exclusion::Finance, DecryptReason::Finance},
      {Exclusion::Health, DecryptReason::Health}};
  for (const auto& [one, reason] : kReasons)
    if (has(one)) return reason;
  return DecryptReason::None;
}

std::optional<Exclusion> exclusion_category(std::string_view word) noexcept {
  for (const auto& [name, category] : kCategories)
    if (name == word) return category;
  return std::nullopt;
}

bool is_host_pattern(std::string_view text) noexcept {
  if (text.starts_with("*.")) text.remove_prefix(2);
  if (text.empty() || text.size() > kLongestHost) return false;
  for (;;) {
    const size_t dot = text.find('.');
    if (!is_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

ExclusionTable::ExclusionTable(const std::vector<ExclusionEntry>& entries) {
  for (const ExclusionEntry& entry : entries) {
    const auto number = static_cast<uint32_t>(entries_.size());
    entries_.push_back({entry.why, PrefixSet(entry.servers)});
    if (entry.hosts.empty()) any_host_.push_back(number);
    for (const std::string& pattern : entry.hosts) {
      const bool below = pattern.starts_with("*.");
      hosts_.push_back({lower(pattern).substr(below ? 2 : 0), below ? Reach::Below : Reach::Itself, number});
    }
  }
  std::sort(hosts_.begin(), hosts_.end(), [](const Host& a, const Host& b) { return a.name < b.name; });
}

void ExclusionTable::add_named(std::string_view name, Reach reach, const IpAddress& server,
                               ExclusionSet& found) const noexcept {
  auto at = std::lower_bound(hosts_.begin(), hosts_.end(), name,
                             [](const Host& host, std::string_view n) { return host.name < n; });
  for (; at != hosts_.end() && at->name == name; ++at)
    if (at->reach == reach && entries_[at->entry].servers.matches(server)) found.add(entries_[at->entry].why);
}

ExclusionSet ExclusionTable::find(std::string_view host, const IpAddress& server) const noexcept {
  ExclusionSet found;
  for (const uint32_t entry : any_host_)
    if (entries_[entry].servers.matches(server)) found.add(entries_[entry].why);
  if (host.ends_with('.')) host.remove_suffix(1);  // a name may be written as absolute
  if (host.empty() || host.size() > kLongestHost || hosts_.empty()) return found;
  std::array<char, kLongestHost> room;
  std::transform(host.begin(), host.end(), room.begin(), ascii_lower);
  const std::string_view name(room.data(), host.size());
  add_named(name, Reach::Itself, server, found);
  for (size_t dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.', dot + 1))
    if (dot > 0) add_named(name.substr(dot + 1), Reach::Below, server, found);
  return found;
}

}  // namespace postern::classify
