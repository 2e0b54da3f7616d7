// SPDX-License-Identifier: Apache-2.0
// DNS traffic by shape: tunnels as iodine and dnscat2 make them, generated names, and what machines ask for
// all day that looks odd. The same seed gives the same messages. One thread.
#pragma once

#include <string>
#include <vector>

#include "base/time.h"

namespace postern::perf {

struct DnsTalk {
  Timestamp at = 0;
  uint32_t client = 0;  // number
  std::string query, answer;
};

enum class DnsShapeKind : uint8_t { Benign, Tunnel, Generated };

struct DnsShape {
  std::string name;
  DnsShapeKind kind = DnsShapeKind::Benign;
  std::vector<DnsTalk> talks;  // by time
};

std::vector<DnsShape> tunnel_shapes(uint32_t seed);
std::vector<DnsShape> generated_shapes(uint32_t seed);
// Each shape is that of as many clients.
std::vector<DnsShape> benign_shapes(uint32_t seed, uint32_t clients);

}  // namespace postern::perf
