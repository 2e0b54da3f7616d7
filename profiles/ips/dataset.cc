// SPDX-License-Identifier: Apache-2.0
#include "profiles/ips/dataset.h"

#include "base/address.h"
#include "profiles/ips/base64.h"
#include "profiles/ips/text.h"

namespace postern::profiles::ips {
namespace {

constexpr size_t kMostValues = 5'000'000;

std::string from_base64(std::string_view text) {
  std::string out(text.size(), '\0');
  out.resize(decode_base64(as_bytes(text), {reinterpret_cast<uint8_t*>(out.data()), out.size()}));
  return out;
}

// Empty: not `size` bytes of hexadecimal digits.
std::string from_hex(std::string_view text, size_t size) {
  std::string out;
  if (text.size() != 2 * size) return out;
  for (size_t i = 0; i < text.size(); i += 2) {
    const auto byte = number<uint8_t>(text.substr(i, 2), 16);
    if (!byte) return {};
    out += static_cast<char>(*byte);
  }
  return out;
}

// The bytes as they stand in a packet.
std::string from_address(std::string_view text) {
  const auto address = IpAddress::parse(text);
  if (!address) return {};
  const std::string all(address->bytes.begin(), address->bytes.end());
  return address->is_v4() ? all.substr(12) : all;
}

std::string value_of(std::string_view type, std::string_view text) {
  if (type == "string") return from_base64(text);
  if (type == "md5") return from_hex(text, 16);
  if (type == "sha256") return from_hex(text, 32);
  return from_address(text);
}

}  // namespace

Result<std::shared_ptr<const Dataset>> Dataset::parse(std::string_view type, std::string_view text) {
  if (type != "string" && type != "md5" && type != "sha256" && type != "ip" && type != "ipv4")
    return Error{"found type '" + std::string(type) + "', expected string, md5, sha256, ip or ipv4"};
  auto set = std::make_shared<Dataset>();
  for (uint32_t line = 1; !text.empty(); ++line) {
    std::string_view row = take_until(text, '\n');
    if (row.empty() || row.front() == '#') continue;
    std::string value = value_of(type, take_until(row, ','));
    if (value.empty()) return Error{"expected a value of type " + std::string(type), "", line};
    if (set->values_.size() == kMostValues) return Error{"the dataset is too long", "", line};
    set->values_.insert(std::move(value));
  }
  return std::shared_ptr<const Dataset>(std::move(set));
}

}  // namespace postern::profiles::ips
