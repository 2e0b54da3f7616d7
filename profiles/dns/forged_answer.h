// SPDX-License-Identifier: Apache-2.0
// Makes the answer to a query that must not leave, from the query itself: same id, question byte for byte
// (resolvers check the case they chose), EDNS where the query has it. Any thread; no allocation.
#pragma once

#include <optional>
#include <span>

#include "base/address.h"
#include "profiles/dns/domain_policy.h"

namespace postern::profiles::dns {

// Where listed names lead. The defaults are documentation addresses, which no network routes (RFC 5737,
// 3849). An answer lives for seconds, so that a name taken off a list works at once.
struct Sinkhole {
  std::optional<IpAddress> v4, v6;  // NODATA for the type of which there is none
  uint32_t ttl = 10;                // seconds

  static Sinkhole documentation() noexcept;
};

enum class Reply : uint8_t {
  Sinkhole,  // its address for A and AAAA, NODATA for other types
  NxDomain,
  NoData,
  Truncated,  // "ask again over TCP"; over TCP the same as NoData
  Local,      // the rule's records
};

struct Forgery {
  Reply reply = Reply::Sinkhole;
  Sinkhole sinkhole;
  const ListRule* local = nullptr;  // of Reply::Local
};

// Room that every answer but one of large local data fits.
inline constexpr size_t kForgedRoom = 2 + 1232;

// To a query read without fault, with length bytes over TCP. Bytes written to `room`; 0: it is too small.
// What does not fit the client's UDP size is left out and the answer marked as truncated.
size_t forge_answer(const Message& query, const Forgery& forgery, Transport transport,
                    std::span<uint8_t> room) noexcept;

}  // namespace postern::profiles::dns
