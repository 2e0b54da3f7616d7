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
  std::array<uint8_t, 256> counts{};
  unsigned surprise = 0, length = 0;
  ByteReader reader(labels);
  while (reader.remaining() != 0) {
    const Bytes label = reader.bytes(reader.u8());
    surprise += surprise_of(label);
    length += static_cast<unsigned>(label.size());
    for (const uint8_t byte : label) ++counts[byte];
  }
  if (length == 0) return {};
  float sum = 0;
  for (const uint8_t count : counts)
    if (count > 1) sum += static_cast<float>(count) * std::log2(static_cast<float>(count));
  const auto n = static_cast<float>(length);
  return {static_cast<uint16_t>(length), std::log2(n) - sum / n, static_cast<float>(surprise) / (16 * n)};
}

}  // namespace postern::profiles::dns
