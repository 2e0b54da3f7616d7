// SPDX-License-Identifier: Apache-2.0
#include "control/community_id.h"

#include <algorithm>
#include <boost/uuid/detail/sha1.hpp>
#include <optional>
#include <span>
#include <utility>

#include "base/bytes.h"
#include "classify/policy.h"

namespace postern::control {
namespace {

using Pair = std::pair<uint8_t, uint8_t>;

// Questions and the answers to them; every other ICMP message is one-way.
constexpr Pair kIcmpPairs[] = {{8, 0}, {10, 9}, {13, 14}, {15, 16}, {17, 18}};
constexpr Pair kIcmpV6Pairs[] = {{128, 129}, {130, 131}, {133, 134}, {135, 136}, {139, 140}, {144, 145}};

std::optional<uint16_t> counterpart(std::span<const Pair> pairs, uint16_t type) {
  for (const auto& [question, answer] : pairs) {
    if (type == question) return answer;
    if (type == answer) return question;
  }
  return std::nullopt;
}

struct Ends {
  uint16_t source_port, destination_port;
  bool has_ports;
  bool one_way;  // never turned round
};

Ends ends_of(const FlowTuple& tuple) {
  switch (tuple.protocol) {
    case classify::kTcp:
    case classify::kUdp:
    case classify::kSctp:
      return {tuple.source_port, tuple.destination_port, true, false};
    case classify::kIcmp:
    case classify::kIcmpV6: {
      const bool v6 = tuple.protocol == classify::kIcmpV6;
      const auto other =
          counterpart(v6 ? std::span<const Pair>(kIcmpV6Pairs) : kIcmpPairs, tuple.source_port);
      return {tuple.source_port, other.value_or(tuple.destination_port), true, !other};
    }
    default:
      return {0, 0, false, false};
  }
}

// Seed, addresses, protocol, a zero, ports: at most 40 bytes.
class HashInput {
 public:
  void address(const IpAddress& a) {
    const size_t skip = a.is_v4() ? 12 : 0;
    std::copy(a.bytes.begin() + skip, a.bytes.end(), bytes_.begin() + size_);
    size_ += a.bytes.size() - skip;
  }
  void u8(uint8_t v) { bytes_[size_++] = v; }
  void be16(uint16_t v) {
    store_be16(&bytes_[size_], v);
    size_ += 2;
  }
  std::array<uint8_t, 20> sha1() const {
    boost::uuids::detail::sha1 hash;
    hash.process_bytes(bytes_.data(), size_);
    boost::uuids::detail::sha1::digest_type words;
    hash.get_digest(words);
    std::array<uint8_t, 20> digest;
    for (size_t i = 0; i < 5; ++i) store_be32(&digest[4 * i], words[i]);
    return digest;
  }

 private:
  std::array<uint8_t, 40> bytes_;
  size_t size_ = 0;
};

CommunityId with_base64(const std::array<uint8_t, 20>& digest) {
  static constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  CommunityId id;
  id.characters[0] = '1';
  id.characters[1] = ':';
  for (size_t from = 0, to = 2; from < 21; from += 3, to += 4) {
    const uint32_t last = from + 2 < digest.size() ? digest[from + 2] : 0;
    const uint32_t group = uint32_t{digest[from]} << 16 | uint32_t{digest[from + 1]} << 8 | last;
    for (size_t i = 0; i < 4; ++i) id.characters[to + i] = kAlphabet[group >> (18 - 6 * i) & 63];
  }
  id.characters.back() = '=';  // 20 bytes always leave two in the last group
  return id;
}

}  // namespace

CommunityId community_id(const FlowTuple& tuple) {
  const Ends ends = ends_of(tuple);
  const bool ordered = ends.one_way || std::pair(tuple.source, ends.source_port) <=
                                           std::pair(tuple.destination, ends.destination_port);
  HashInput input;
  input.be16(0);
  input.address(ordered ? tuple.source : tuple.destination);
  input.address(ordered ? tuple.destination : tuple.source);
  input.u8(tuple.protocol);
  input.u8(0);
  if (ends.has_ports) {
    input.be16(ordered ? ends.source_port : ends.destination_port);
    input.be16(ordered ? ends.destination_port : ends.source_port);
  }
  return with_base64(input.sha1());
}

}  // namespace postern::control
