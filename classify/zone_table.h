// SPDX-License-Identifier: Apache-2.0
// Which zone an address seen on a side of a wire belongs to. Immutable; built on the control thread, read by
// workers.
#pragma once

#include <vector>

#include "base/result.h"
#include "classify/address_bits.h"
#include "classify/policy.h"

namespace postern::classify {

class ZoneTable {
 public:
  // Two bindings that claim the same prefix of the same side and VLAN for different zones are an error.
  static Result<ZoneTable> build(const std::vector<ZoneBinding>& bindings);

  Zone find(WireId wire, Side side, uint16_t vlan, const IpAddress& address) const noexcept;

 private:
  // One prefix length of one side. The rows are sorted by address; rows of the same address: named VLANs
  // first.
  struct Row {
    V6Bits value;
    uint32_t vlan;  // kAnyVlan sorts last
    Zone zone;
  };
  struct Level {
    V6Bits mask;
    std::vector<Row> rows;
  };
  static constexpr uint32_t kAnyVlan = 0x10000;

  std::vector<std::vector<Level>> sides_;  // by wire * 2 + side; longest prefix first
};

}  // namespace postern::classify
