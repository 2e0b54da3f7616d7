// SPDX-License-Identifier: Apache-2.0
#include "profiles/dns/list_files.h"

#include <algorithm>
#include <array>

namespace postern::profiles::dns {
namespace {

// What every hosts file has, and no list means.
constexpr std::array<std::string_view, 10> kOwnNames = {
    "localhost",    "localhost.localdomain", "local",           "broadcasthost", "ip6-localhost",
    "ip6-loopback", "ip6-localnet",          "ip6-mcastprefix", "ip6-allnodes",  "ip6-allrouters"};
constexpr size_t kMostShown = 60;  // bytes of a wrong word in an error

bool is_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\r'; }

std::string shown(std::string_view word) {
  std::string out = "\"";
  for (const char c : word.substr(0, kMostShown)) out += c >= 0x20 && c < 0x7f ? c : '?';
  return out + (word.size() > kMostShown ? "...\"" : "\"");
}

// Lines without their comments, one after the other.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}
  bool next() {
    if (rest_.empty()) return false;
    const size_t end = std::min(rest_.find('\n'), rest_.size());
    line_ = rest_.substr(0, end);
    line_ = line_.substr(0, line_.find('#'));
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    ++number_;
    return true;
  }
  uint32_t number() const { return number_; }
  // The next word of the line; empty at its end.
  std::string_view word() {
    while (!line_.empty() && is_space(line_.front())) line_.remove_prefix(1);
    const auto end = std::find_if(line_.begin(), line_.end(), is_space);
    const std::string_view word = line_.substr(0, static_cast<size_t>(end - line_.begin()));
    line_.remove_prefix(word.size());
    return word;
  }

 private:
  std::string_view rest_, line_;
  uint32_t number_ = 0;
};

// Names in lists are those of hosts and services: letters, digits, hyphens and underscores.
std::optional<Name> listed_name(std::string_view word) {
  const auto odd = [](char c) {
    return !(c == '.' || c == '-' || c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
             (c >= 'A' && c <= 'Z'));
  };
  if (word == "." || std::any_of(word.begin(), word.end(), odd)) return std::nullopt;
  return Name::parse(word);
}

RuleRef rule_of_all(const ListSource& source, DomainPolicyBuilder& builder) {
  return builder.rule_of({source.action.value_or(ListAction::Block), {}});
}

}  // namespace

Status read_plain_list(const ListSource& source, DomainPolicyBuilder& builder) {
  const RuleRef rule = rule_of_all(source, builder);
  for (Lines lines(source.text); lines.next();) {
    std::string_view word = lines.word();
    if (word.empty()) continue;
    const bool only_below = word.starts_with("*.");
    if (only_below) word.remove_prefix(2);
    const std::optional<Name> name = listed_name(word);
    if (!name)
      return builder.wrong(lines.number(), "found " + shown(word) +
                                               ", expected a domain name (xn-- for one that is not ASCII)");
    if (const std::string_view more = lines.word(); !more.empty())
      return builder.wrong(lines.number(),
                           "found " + shown(more) + " after a name, expected one name per line");
    const Reach reach = only_below ? Reach::Below : Reach::Both;
    if (const Status added = builder.add_name(Trigger::Name, *name, reach, rule, lines.number()); !added)
      return added;
  }
  return Ok{};
}

Status read_hosts_file(const ListSource& source, DomainPolicyBuilder& builder) {
  const RuleRef rule = rule_of_all(source, builder);
  for (Lines lines(source.text); lines.next();) {
    std::string_view address = lines.word();
    if (address.empty()) continue;
    // "fe80::1%lo0" is in the files of one system.
    address = address.substr(0, address.find('%'));
    if (!IpAddress::parse(address))
      return builder.wrong(lines.number(), "found " + shown(address) + ", expected an address and names");
    std::string_view word = lines.word();
    if (word.empty())
      return builder.wrong(lines.number(), "found nothing after " + shown(address) + ", expected a name");
    for (; !word.empty(); word = lines.word()) {
      if (std::find(kOwnNames.begin(), kOwnNames.end(), word) != kOwnNames.end()) continue;
      if (IpAddress::parse(word)) continue;  // "0.0.0.0 0.0.0.0" begins many lists
      const std::optional<Name> name = listed_name(word);
      if (!name) return builder.wrong(lines.number(), "found " + shown(word) + ", expected a host's name");
      if (const Status added = builder.add_name(Trigger::Name, *name, Reach::Exact, rule, lines.number());
          !added)
        return added;
    }
  }
  return Ok{};
}

}  // namespace postern::profiles::dns
