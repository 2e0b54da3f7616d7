// SPDX-License-Identifier: Apache-2.0
// What happens to a packet, and the one list of reasons for which a packet is not forwarded. Every reason has
// a counter, this name in logs and CLI, and a test that reaches it (tests/dataplane/drop_reasons_test.cc).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postern {

enum class Action : uint8_t { Allow, Drop };

enum class DropReason : uint8_t {
  None,
  Truncated,
  VlanStack,
  VlanUnmapped,
  L2Policy,
  BadIpHeader,
  BadIpChecksum,
  IpSourceRoute,
  BadIpOption,
  BadExtensionHeader,
  BadAddress,
  BadTransportHeader,
  BadTransportChecksum,
  BadTcpFlags,
  FragmentOverlap,
  FragmentBad,
  FragmentsFull,
  FragmentTimeout,
  FlowTableFull,
  HalfOpenFull,
  Midstream,
  TcpOutOfWindow,
  TcpMd5,
  TcpOldTimestamp,
  TcpOverlapDiffers,
  TcpDuplicateHeld,
  TcpGap,
  StreamFull,
  StreamFragments,
  IcmpUnrelated,
  NoZone,
  PolicyRule,
  PolicyDefault,
  ApplicationUnknown,
  DecryptionUnavailable,
  DecryptionFailed,
  ContentBlocked,
  InspectionUnavailable,
  MtuExceeded,
  PortDown,
  TxFull,
  HandoffFull,
  TlsQueueFull,
  NoBuffer,
  Count,
};
inline constexpr size_t kDropReasons = static_cast<size_t>(DropReason::Count);

std::string_view drop_reason_name(DropReason reason) noexcept;     // as in logs, counters and CLI
std::string_view drop_reason_meaning(DropReason reason) noexcept;  // one sentence for operators

}  // namespace postern
