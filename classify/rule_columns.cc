// SPDX-License-Identifier: Apache-2.0
#include "classify/rule_columns.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace postern::classify {

void RuleColumns::set(size_t place, const Line& line) noexcept {
  source_[place] = line.source.word;
  source_mask_[place] = line.source_mask.word;
  destination_[place] = line.destination.word;
  destination_mask_[place] = line.destination_mask.word;
  first_port_[place] = line.ports.first;
  more_ports_[place] = static_cast<uint16_t>(line.ports.last - line.ports.first);
  protocol_[place] = line.protocol;
  protocol_mask_[place] = line.protocol == kAnyProtocol ? 0 : 0xff;
}

#if defined(__SSE2__)
namespace {

template <typename Column>
__m128i load(const Column& column, size_t place) noexcept {
  return _mm_load_si128(reinterpret_cast<const __m128i*>(&column[place]));
}

}  // namespace

const bool RuleColumns::kWide =
    __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vl") != 0;

[[gnu::target("avx512f,avx512bw,avx512vl")]] uint32_t RuleColumns::fitting_wide(
    V4Bits source, V4Bits destination, uint8_t protocol, uint16_t port) const noexcept {
  const __m512i from =
      _mm512_xor_si512(_mm512_set1_epi32(static_cast<int>(source.word)), _mm512_load_si512(source_.data()));
  const __m512i to = _mm512_xor_si512(_mm512_set1_epi32(static_cast<int>(destination.word)),
                                      _mm512_load_si512(destination_.data()));
  const __mmask16 from_fits = _mm512_testn_epi32_mask(from, _mm512_load_si512(source_mask_.data()));
  const __mmask16 to_fits = _mm512_testn_epi32_mask(to, _mm512_load_si512(destination_mask_.data()));
  const __m256i distance =
      _mm256_sub_epi16(_mm256_set1_epi16(static_cast<short>(port)),
                       _mm256_load_si256(reinterpret_cast<const __m256i*>(first_port_.data())));
  const __mmask16 port_fits = _mm256_cmple_epu16_mask(
      distance, _mm256_load_si256(reinterpret_cast<const __m256i*>(more_ports_.data())));
  const __m128i other = _mm_xor_si128(_mm_set1_epi8(static_cast<char>(protocol)), load(protocol_, 0));
  const __mmask16 protocol_fits = _mm_testn_epi8_mask(other, load(protocol_mask_, 0));
  return static_cast<uint32_t>(from_fits & to_fits & port_fits & protocol_fits);
}

uint32_t RuleColumns::fitting_narrow(V4Bits source, V4Bits destination, uint8_t protocol,
                                     uint16_t port) const noexcept {
  const __m128i zero = _mm_setzero_si128();
  const __m128i from = _mm_set1_epi32(static_cast<int>(source.word));
  const __m128i to = _mm_set1_epi32(static_cast<int>(destination.word));
  const auto four = [&](size_t place) {
    const __m128i a = _mm_and_si128(_mm_xor_si128(from, load(source_, place)), load(source_mask_, place));
    const __m128i b =
        _mm_and_si128(_mm_xor_si128(to, load(destination_, place)), load(destination_mask_, place));
    return _mm_cmpeq_epi32(_mm_or_si128(a, b), zero);
  };
  const __m128i low = _mm_packs_epi32(four(0), four(4)), high = _mm_packs_epi32(four(8), four(12));
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(low, high))) & fitting(protocol, port);
}

uint32_t RuleColumns::fitting(uint8_t protocol, uint16_t port) const noexcept {
  const __m128i zero = _mm_setzero_si128();
  const __m128i number = _mm_set1_epi8(static_cast<char>(protocol));
  const __m128i other = _mm_and_si128(_mm_xor_si128(number, load(protocol_, 0)), load(protocol_mask_, 0));
  const __m128i to = _mm_set1_epi16(static_cast<short>(port));
  // Modulo 2^16 a port below the first is far beyond the last.
  const auto eight = [&](size_t place) {
    const __m128i distance = _mm_sub_epi16(to, load(first_port_, place));
    return _mm_cmpeq_epi16(_mm_subs_epu16(distance, load(more_ports_, place)), zero);
  };
  const __m128i fit = _mm_and_si128(_mm_packs_epi16(eight(0), eight(8)), _mm_cmpeq_epi8(other, zero));
  return static_cast<uint32_t>(_mm_movemask_epi8(fit));
}
#else
const bool RuleColumns::kWide = false;

uint32_t RuleColumns::fitting_wide(V4Bits source, V4Bits destination, uint8_t protocol,
                                   uint16_t port) const noexcept {
  return fitting_narrow(source, destination, protocol, port);
}

uint32_t RuleColumns::fitting_narrow(V4Bits source, V4Bits destination, uint8_t protocol,
                                     uint16_t port) const noexcept {
  uint32_t fit = fitting(protocol, port);
  for (size_t i = 0; i < kRules; ++i) {
    const uint32_t outside = ((source.word ^ source_[i]) & source_mask_[i]) |
                             ((destination.word ^ destination_[i]) & destination_mask_[i]);
    fit &= ~(uint32_t{outside != 0} << i);
  }
  return fit;
}

uint32_t RuleColumns::fitting(uint8_t protocol, uint16_t port) const noexcept {
  uint32_t fit = 0;
  for (size_t i = 0; i < kRules; ++i) {
    const bool same = ((protocol ^ protocol_[i]) & protocol_mask_[i]) == 0;
    const bool within = static_cast<uint16_t>(port - first_port_[i]) <= more_ports_[i];
    fit |= uint32_t{same && within} << i;
  }
  return fit;
}
#endif

}  // namespace postern::classify
