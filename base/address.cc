// SPDX-License-Identifier: Apache-2.0
#include "base/address.h"

#include <arpa/inet.h>

#include <charconv>

namespace postern {

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  char buffer[INET6_ADDRSTRLEN];
  // inet_pton would stop at a NUL and not see what follows.
  if (text.empty() || text.size() >= sizeof buffer || text.find('\0') != text.npos) return std::nullopt;
  std::memcpy(buffer, text.data(), text.size());
  buffer[text.size()] = '\0';
  uint8_t raw[16];
  if (inet_pton(AF_INET, buffer, raw) == 1) return from_v4(raw);
  if (inet_pton(AF_INET6, buffer, raw) == 1) return from_v6(raw);
  return std::nullopt;
}

std::string IpAddress::text() const {
  char buffer[INET6_ADDRSTRLEN];
  if (is_v4()) return inet_ntop(AF_INET, &bytes[12], buffer, sizeof buffer);
  return inet_ntop(AF_INET6, bytes.data(), buffer, sizeof buffer);
}

std::optional<Prefix> Prefix::parse(std::string_view text) {
  const size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  // A mapped address written in IPv6 form would silently change family.
  const bool dotted = text.find(':') == std::string_view::npos;
  if (address->is_v4() != dotted) return std::nullopt;
  unsigned length = dotted ? 32 : 128;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (error != std::errc{} || end != digits.data() + digits.size() || digits.empty()) return std::nullopt;
    if (length > (dotted ? 32u : 128u)) return std::nullopt;
  }
  Prefix prefix{*address, static_cast<uint8_t>(dotted ? length + 96 : length)};
  for (unsigned bit = prefix.length; bit < 128; ++bit)
    if (address->bytes[bit / 8] & (0x80u >> (bit % 8))) return std::nullopt;
  return prefix;
}

Prefix Prefix::any_v4() noexcept {
  const uint8_t zero[4] = {};
  return {IpAddress::from_v4(zero), 96};
}

std::string Prefix::text() const {
  const bool v4 = length >= 96 && address.is_v4();
  return address.text() + "/" + std::to_string(v4 ? length - 96 : length);
}

}  // namespace postern
