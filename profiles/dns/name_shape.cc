// SPDX-License-Identifier: Apache-2.0
#include "profiles/dns/name_shape.h"

#include <array>
#include <cmath>

namespace postern::profiles::dns {
namespace {

constexpr uint8_t kHyphen = 36, kEnd = 37;
// Of bytes that no host name has, the most that the model says: raw encodings are full of them.
constexpr unsigned kOddByte = 160;

constexpr std::array<uint8_t, 256> classes() {
  std::array<uint8_t, 256> out{};
  for (size_t i = 0; i < out.size(); ++i) out[i] = 255;
  for (uint8_t i = 0; i < 26; ++i) out['a' + i] = out['A' + i] = i;
  for (uint8_t i = 0; i < 10; ++i) out['0' + i] = static_cast<uint8_t>(26 + i);
  out['-'] = out['_'] = kHyphen;
  return out;
}
constexpr std::array<uint8_t, 256> kClasses = classes();

// n times log2 n, so that a byte more costs two look-ups and not a walk over all 256 counts.
const std::array<float, 257> kTimesLog = [] {
  std::array<float, 257> out{};
  for (size_t n = 2; n < out.size(); ++n) out[n] = static_cast<float>(n) * std::log2(static_cast<float>(n));
  return out;
}();

unsigned surprise_of(Bytes label) noexcept {
  unsigned sum = 0;
  uint8_t before = kEnd;
  for (const uint8_t byte : label) {
    const uint8_t now = kClasses[byte];
    sum += now == 255 || before == 255 ? kOddByte : kNameModel[before][now];
    before = now;
  }
  return sum;
}

}  // namespace

NameShape shape_of(Bytes labels) noexcept {
  std::array<uint8_t, 256> counts{};  // of a name, so at most 255
  unsigned surprise = 0, length = 0;
  float sum = 0;
  ByteReader reader(labels);
  while (reader.remaining() != 0) {
    const Bytes label = reader.bytes(reader.u8());
    surprise += surprise_of(label);
    length += static_cast<unsigned>(label.size());
    for (const uint8_t byte : label) {
      uint8_t& count = counts[byte];
      sum += kTimesLog[count + 1u] - kTimesLog[count];
      ++count;
    }
  }
  if (length == 0) return {};
  const auto n = static_cast<float>(length);
  return {static_cast<uint16_t>(length), std::log2(n) - sum / n, static_cast<float>(surprise) / (16 * n)};
}

}  // namespace postern::profiles::dns
