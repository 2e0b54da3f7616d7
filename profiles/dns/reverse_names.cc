// SPDX-License-Identifier: Apache-2.0
#include "profiles/dns/reverse_names.h"

namespace postern::profiles::dns {
namespace {

constexpr size_t kOctets = 4, kDigits = 32;

// Without zeros before it, which would be a choice.
bool is_octet(std::string_view label) noexcept {
  unsigned value = 0;
  if (label.size() > 3 || (label.size() > 1 && label[0] == '0')) return false;
  for (const char c : label) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value <= 255;
}

bool is_digit(std::string_view label) noexcept {
  return label.size() == 1 && std::string_view("0123456789abcdef").find(label[0]) != std::string_view::npos;
}

}  // namespace

bool is_reverse_name(const Name& name) noexcept {
  const size_t labels = name.labels();
  if (labels < 2 || as_text(name.label(labels - 1)) != "arpa") return false;
  const std::string_view kind = as_text(name.label(labels - 2));
  const bool v4 = kind == "in-addr", v6 = kind == "ip6";
  if (!(v4 && labels <= 2 + kOctets) && !(v6 && labels <= 2 + kDigits)) return false;
  for (size_t i = 0; i + 2 < labels; ++i) {
    const std::string_view label = as_text(name.label(i));
    if (v4 ? !is_octet(label) : !is_digit(label)) return false;
  }
  return true;
}

}  // namespace postern::profiles::dns
