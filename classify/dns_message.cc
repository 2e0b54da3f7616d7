// SPDX-License-Identifier: Apache-2.0
#include "classify/dns_message.h"

#include <algorithm>

namespace postern::classify {
namespace {

constexpr size_t kShortestQuestion = 5;  // the root, type and class

// `length` bytes make the message, of which `message` is here. More: the question is not all here.
Fit is_message(Bytes message, size_t length, DnsRole role) noexcept {
  const DnsFault fault = DnsWalk(message, length, role).whole();
  if (fault == DnsFault::Incomplete) return Fit::More;
  return fault == DnsFault::None ? Fit::Yes : Fit::No;
}

}  // namespace

Fit is_dns_datagram(Bytes datagram, DnsRole role) noexcept {
  const Fit fit = is_message(datagram, datagram.size(), role);
  return fit == Fit::Yes ? Fit::Yes : Fit::No;
}

Fit is_dns_stream(Bytes stream, DnsRole role) noexcept {
  if (stream.size() < 2) return Fit::More;
  const size_t length = load_be16(stream.data());
  if (length < kDnsHeaderSize + (role == DnsRole::Query ? kShortestQuestion : 0)) return Fit::No;
  const Bytes message = stream.subspan(2, std::min(length, stream.size() - 2));
  // The counts of a query leave no room for text: refuse before the whole header is here.
  if (message.size() >= 6 && message.size() < kDnsHeaderSize && role == DnsRole::Query) {
    const DnsHeader partial{load_be16(&message[0]), load_be16(&message[2]), load_be16(&message[4]), 0, 0, 0};
    if (partial.fault(role) != DnsFault::None) return Fit::No;
  }
  return is_message(message, length, role);
}

}  // namespace postern::classify
