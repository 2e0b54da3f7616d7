// SPDX-License-Identifier: Apache-2.0
#include "control/address_text.h"

#include <algorithm>
#include <charconv>

#include "base/bytes.h"

namespace postern::control {
namespace {

struct Run {
  int first = -1, length = 0;
};

// RFC 5952 section 4.2: the longest run of zero groups, the first of equals, never a single one.
Run longest_zero_run(const uint16_t (&groups)[8]) {
  Run best;
  for (int i = 0; i < 8;) {
    int end = i;
    while (end < 8 && groups[end] == 0) ++end;
    if (end - i > std::max(best.length, 1)) best = {i, end - i};
    i = end + 1;
  }
  return best;
}

char* put_v4(char* at, char* limit, const uint8_t* bytes) {
  for (int i = 0; i < 4; ++i) {
    if (i != 0) *at++ = '.';
    at = std::to_chars(at, limit, bytes[i]).ptr;
  }
  return at;
}

char* put_v6(char* at, char* limit, const uint8_t* bytes) {
  uint16_t groups[8];
  for (int i = 0; i < 8; ++i) groups[i] = load_be16(bytes + 2 * i);
  const Run zeros = longest_zero_run(groups);
  // "::a.b.c.d" keeps its dotted end, as the resolver library writes it.
  const bool dotted_end = zeros.first == 0 && zeros.length == 6;
  for (int i = 0; i < 8;) {
    if (i == zeros.first) {
      *at++ = ':';
      *at++ = ':';
      i += zeros.length;
      if (dotted_end) return put_v4(at, limit, bytes + 12);
      continue;
    }
    if (i != 0 && i != zeros.first + zeros.length) *at++ = ':';
    at = std::to_chars(at, limit, groups[i], 16).ptr;
    ++i;
  }
  return at;
}

}  // namespace

AddressText::AddressText(const IpAddress& address) {
  char* const limit = characters_ + sizeof characters_;
  char* const end = address.is_v4() ? put_v4(characters_, limit, &address.bytes[12])
                                    : put_v6(characters_, limit, address.bytes.data());
  size_ = static_cast<size_t>(end - characters_);
}

}  // namespace postern::control
