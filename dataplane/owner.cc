// SPDX-License-Identifier: Apache-2.0
#include "dataplane/owner.h"

#include "dataplane/parse_ip.h"

namespace postern::dataplane {

unsigned owner_of_frame(Bytes frame, unsigned workers, unsigned otherwise) noexcept {
  constexpr uint16_t kIpV4 = 0x0800, kIpV6 = 0x86dd, kVlan = 0x8100, kServiceVlan = 0x88a8;
  ByteReader reader(frame);
  reader.skip(12);
  uint16_t ethertype = reader.be16();
  for (unsigned tags = 0; tags < 2 && (ethertype == kVlan || ethertype == kServiceVlan); ++tags) {
    reader.skip(2);
    ethertype = reader.be16();
  }
  if (!reader.ok() || (ethertype != kIpV4 && ethertype != kIpV6)) return otherwise;
  const Bytes packet = reader.rest();
  const bool v4 = ethertype == kIpV4;
  if (packet.size() < (v4 ? 20u : 40u)) return otherwise;
  const IpAddress source = v4 ? IpAddress::from_v4(&packet[12]) : IpAddress::from_v6(&packet[8]);
  const IpAddress destination = v4 ? IpAddress::from_v4(&packet[16]) : IpAddress::from_v6(&packet[24]);

  const uint8_t protocol = v4 ? packet[9] : packet[6];
  if (protocol == (v4 ? 1 : 58)) {
    const size_t header = v4 ? (packet[0] & 0x0f) * 4u : 40u;
    // An error in fragments is reassembled by the owner of its own addresses: only the first part quotes
    // anything.
    const bool whole = !v4 || (load_be16(&packet[6]) & 0x3fff) == 0;
    if (whole && packet.size() >= header + 8) {
      const uint8_t type = packet[header];
      const bool error = v4 ? type == 3 || type == 4 || type == 11 || type == 12 : type >= 1 && type <= 4;
      const QuotedPacket quoted = error ? read_quoted_packet(packet.subspan(header + 8), v4) : QuotedPacket{};
      if (quoted.ok) return owner_of(quoted.source, quoted.destination, workers);
    }
  }
  return owner_of(source, destination, workers);
}

}  // namespace postern::dataplane
