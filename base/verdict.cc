// SPDX-License-Identifier: Apache-2.0
#include "base/verdict.h"

#include <array>

namespace postern {
namespace {

struct Row {
  DropReason reason;
  std::string_view name;
  std::string_view meaning;
};

constexpr std::array<Row, kDropReasons> kRows = {{
    {DropReason::None, "none", "not dropped"},
    {DropReason::Truncated, "truncated", "a header runs past the end of the frame"},
    {DropReason::VlanStack, "vlan_stack",
     "more than two VLAN tags, or a tag before one that vlan_map changes"},
    {DropReason::VlanUnmapped, "vlan_unmapped", "VLAN that the wire's vlan_map uses only on the other side"},
    {DropReason::L2Policy, "l2_policy", "layer 2 control traffic that the wire's l2 policy drops"},
    {DropReason::BadIpHeader, "bad_ip_header", "IP version, header length or total length is wrong"},
    {DropReason::BadIpChecksum, "bad_ip_checksum", "IPv4 header checksum is wrong"},
    {DropReason::IpSourceRoute, "ip_source_route",
     "IPv4 source route or IPv6 routing header with segments left"},
    {DropReason::BadIpOption, "bad_ip_option", "IPv4 or IPv6 option that hosts refuse"},
    {DropReason::BadExtensionHeader, "bad_extension_header",
     "IPv6 extension headers out of order, repeated or unfinished"},
    {DropReason::BadAddress, "bad_address",
     "source is multicast, broadcast, loopback or equal to the destination"},
    {DropReason::BadTransportHeader, "bad_transport_header", "TCP, UDP or ICMP header or length is wrong"},
    {DropReason::BadTransportChecksum, "bad_transport_checksum", "TCP, UDP or ICMP checksum is wrong"},
    {DropReason::BadTcpFlags, "bad_tcp_flags", "TCP flags that no host accepts, or data in a SYN"},
    {DropReason::FragmentOverlap, "fragment_overlap", "fragments overlap with partly different extent"},
    {DropReason::FragmentBad, "fragment_bad", "fragment too long, unaligned, nested or inconsistent"},
    {DropReason::FragmentsFull, "fragments_full", "reassembly memory is used up"},
    {DropReason::FragmentTimeout, "fragment_timeout", "datagram was not complete in time"},
    {DropReason::FlowTableFull, "flow_table_full", "flow table has no room for another flow"},
    {DropReason::HalfOpenFull, "half_open_full", "no room for another flow that nobody answered yet"},
    {DropReason::Midstream, "midstream", "TCP segment of a connection whose start was not seen"},
    {DropReason::TcpOutOfWindow, "tcp_out_of_window",
     "TCP segment that the receiver would ignore: outside its window or acknowledging what was not sent"},
    {DropReason::TcpMd5, "tcp_md5", "TCP MD5 signature on a connection that did not negotiate it"},
    {DropReason::TcpOldTimestamp, "tcp_old_timestamp",
     "TCP data older than what came before it, which the receiver would ignore"},
    {DropReason::TcpOverlapDiffers, "tcp_overlap_differs",
     "TCP segment with other bytes than were seen for the same sequence numbers"},
    {DropReason::TcpDuplicateHeld, "tcp_duplicate_held",
     "TCP segment with nothing but bytes that wait for an earlier segment already"},
    {DropReason::TcpGap, "tcp_gap", "TCP segment that waited for an earlier one until its flow ended"},
    {DropReason::StreamFull, "stream_full", "no room to put another TCP segment in order"},
    {DropReason::StreamFragments, "stream_fragments",
     "TCP segment in IP fragments that came before its turn"},
    {DropReason::IcmpUnrelated, "icmp_unrelated", "ICMP error that belongs to no known flow"},
    {DropReason::NoZone, "no_zone", "source or destination address belongs to no zone"},
    {DropReason::PolicyRule, "policy_rule", "a rule says drop"},
    {DropReason::PolicyDefault, "policy_default", "no rule matched"},
    {DropReason::ApplicationUnknown, "application_unknown",
     "pending budget used up and still no application"},
    {DropReason::DecryptionUnavailable, "decryption_unavailable",
     "the rule demands decryption and no engine can do it"},
    {DropReason::DecryptionFailed, "decryption_failed",
     "the rule demands decryption and this session could not be decrypted, or not any longer"},
    {DropReason::ContentBlocked, "content_blocked", "decrypted bytes that a profile blocks"},
    {DropReason::InspectionUnavailable, "inspection_unavailable",
     "the rule demands a profile whose engine is absent or down"},
    {DropReason::MtuExceeded, "mtu_exceeded", "longer than the outgoing port may send"},
    {DropReason::PortDown, "port_down", "the outgoing port has no link"},
    {DropReason::TxFull, "tx_full", "the outgoing port did not take the packet"},
    {DropReason::HandoffFull, "handoff_full", "the ring to the owning worker is full"},
    {DropReason::TlsQueueFull, "tls_queue_full", "the ring to the TLS core is full"},
    {DropReason::NoBuffer, "no_buffer", "no packet buffer was free"},
}};

constexpr bool in_order() {
  for (size_t i = 0; i < kRows.size(); ++i)
    if (kRows[i].reason != static_cast<DropReason>(i)) return false;
  return true;
}
static_assert(in_order(), "one row per reason, in the order of the enum");

}  // namespace

std::string_view drop_reason_name(DropReason reason) noexcept {
  return kRows[static_cast<size_t>(reason)].name;
}

std::string_view drop_reason_meaning(DropReason reason) noexcept {
  return kRows[static_cast<size_t>(reason)].meaning;
}

}  // namespace postern
