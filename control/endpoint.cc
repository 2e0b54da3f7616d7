// SPDX-License-Identifier: Apache-2.0
#include "control/endpoint.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "classify/policy.h"

namespace postern::control {
namespace {

template <typename Integer>
std::optional<Integer> whole_number(std::string_view text) {
  Integer value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

struct Split {
  std::string_view address;
  std::optional<std::string_view> port;
};

Split split(std::string_view text) {
  if (text.starts_with('[')) {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) return {text, {}};
    const std::string_view rest = text.substr(close + 1);
    if (rest.empty()) return {text.substr(1, close - 1), {}};
    if (!rest.starts_with(':')) return {text, {}};
    return {text.substr(1, close - 1), rest.substr(1)};
  }
  const size_t colon = text.find(':');
  // More than one colon is an IPv6 address without a port.
  if (colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos)
    return {text, {}};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view text) {
  const Split parts = split(text);
  const auto address = IpAddress::parse(parts.address);
  const auto port = parts.port ? whole_number<uint16_t>(*parts.port) : std::nullopt;
  // Brackets are for IPv6 alone.
  const bool bracketed_v4 = text.starts_with('[') && address && address->is_v4();
  if (!address || bracketed_v4 || (parts.port && !port))
    return Error{.message = "found \"" + std::string(text) +
                            "\"; expected ADDRESS or ADDRESS:PORT, IPv6 with a port as [ADDRESS]:PORT",
                 .file = {}};
  return Endpoint{*address, port};
}

Result<uint8_t> parse_protocol(std::string_view text) {
  struct Word {
    std::string_view word;
    uint8_t number;
  };
  static constexpr Word kWords[] = {{"tcp", classify::kTcp},
                                    {"udp", classify::kUdp},
                                    {"sctp", classify::kSctp},
                                    {"icmp", classify::kIcmp},
                                    {"icmpv6", classify::kIcmpV6},
                                    {"esp", 50},
                                    {"gre", 47}};
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  for (const Word& word : kWords)
    if (word.word == lower) return uint8_t{word.number};
  const auto number = whole_number<uint8_t>(text);
  if (!number || *number == 0)
    return Error{.message = "protocol \"" + std::string(text) +
                            "\"; expected tcp, udp, sctp, icmp, icmpv6, esp, gre or a number from 1 to 255",
                 .file = {}};
  return uint8_t{*number};
}

bool has_ports(uint8_t protocol) {
  return protocol == classify::kTcp || protocol == classify::kUdp || protocol == classify::kSctp;
}

}  // namespace postern::control
