// SPDX-License-Identifier: Apache-2.0
// Up to 16 rules side by side, a column per field, so that a packet is compared with all of them at once.
// Built on the control thread, read by workers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "classify/address_bits.h"
#include "classify/port_range.h"

namespace postern::classify {

class RuleColumns {
 public:
  static constexpr size_t kRules = 16;

  // What covers a rule: one prefix of IPv4 each, one range.
  struct Line {
    V4Bits source, source_mask, destination, destination_mask;
    PortRange ports;
    uint8_t protocol = kAnyProtocol;
  };
  void set(size_t place, const Line& line) noexcept;  // place < kRules

  // Bit n: the packet is within line n. Places that were not set have bits of no meaning.
  uint32_t fitting(V4Bits source, V4Bits destination, uint8_t protocol, uint16_t port) const noexcept {
    return kWide ? fitting_wide(source, destination, protocol, port)
                 : fitting_narrow(source, destination, protocol, port);
  }
  // The same without a look at addresses.
  uint32_t fitting(uint8_t protocol, uint16_t port) const noexcept;

  // The two ways: with AVX-512, and on every processor.
  static const bool kWide;
  uint32_t fitting_wide(V4Bits source, V4Bits destination, uint8_t protocol, uint16_t port) const noexcept;
  uint32_t fitting_narrow(V4Bits source, V4Bits destination, uint8_t protocol, uint16_t port) const noexcept;

 private:
  alignas(64) std::array<uint32_t, kRules> source_{}, source_mask_{}, destination_{}, destination_mask_{};
  alignas(32) std::array<uint16_t, kRules> first_port_{}, more_ports_{};
  alignas(16) std::array<uint8_t, kRules> protocol_{}, protocol_mask_{};
};

}  // namespace postern::classify
