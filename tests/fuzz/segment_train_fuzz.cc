// SPDX-License-Identifier: Apache-2.0
// What one sender says goes into a private network in the same order, nothing twice and nothing left out but
// acknowledgements that a later one goes beyond; and what leaves is a whole packet by its own lengths.
// needs: base dataplane
#include <cstdlib>
#include <vector>

#include "dataplane/segment_train.h"
#include "dataplane/tcp_flags.h"
#include "tests/fuzz/program.h"

using namespace postern;
using namespace postern::dataplane;

namespace {

using Packet = std::vector<uint8_t>;

void demand(bool condition) {
  if (!condition) std::abort();
}

// Numbers near each other, so that segments often follow each other.
Packet next_packet(Program& program, uint32_t& sequence) {
  Packet packet(kMostBareFrame);
  const uint8_t kind = program.byte(), size = program.byte() % 16;
  if ((kind & 0x80) != 0) sequence += program.byte();
  const uint8_t flags = (kind & 0x40) != 0 ? program.byte() : uint8_t{kAck};
  const IpAddress from = *IpAddress::parse((kind & 0x20) != 0 ? "fd00::1" : "10.1.0.5");
  const IpAddress to = *IpAddress::parse((kind & 0x20) != 0 ? "fd00::2" : "10.3.0.10");
  const BareSegment segment{.from = {from, 40000},
                            .to = {to, 443},
                            .sequence = sequence,
                            .acknowledgement = program.byte() % 8u - 4u,
                            .flags = flags};
  packet.resize(write_frame(segment, {}, packet.data()));
  Bytes options = program.bytes((kind & 3) * size_t{4});
  options = options.first(options.size() / 4 * 4);
  packet[packet.size() - 8] = static_cast<uint8_t>((5 + options.size() / 4) << 4);
  packet.insert(packet.end(), options.begin(), options.end());
  packet.insert(packet.end(), size, static_cast<uint8_t>(sequence));
  write_ip_length(packet.data(), packet.size());
  sequence += size;
  return packet;
}

Packet whole(SegmentTrain& train) {
  const SegmentTrain::Parts parts = train.parts();
  Packet bytes;
  for (size_t i = 0; i < parts.count; ++i) {
    const auto* from = static_cast<const uint8_t*>(parts.parts[i].iov_base);
    bytes.insert(bytes.end(), from, from + parts.parts[i].iov_len);
  }
  return bytes;
}

uint32_t sequence_of(Bytes packet, const TcpPlace& place) { return load_be32(&packet[place.tcp + 4u]); }

// `taken` is what went in since the train was last empty.
void check(SegmentTrain& train, const std::vector<Packet>& taken) {
  const Packet left = whole(train);
  const auto place = find_tcp(left);
  demand(place.has_value());
  demand((is_v4(left) ? load_be16(&left[2]) : size_t{40} + load_be16(&left[4])) == left.size());
  Packet payload;
  for (const Packet& packet : taken) {
    const TcpPlace its = *find_tcp(packet);
    demand(packet.size() == its.payload ||
           static_cast<uint32_t>(payload.size() + sequence_of(left, *place)) == sequence_of(packet, its));
    payload.insert(payload.end(), packet.begin() + its.payload, packet.end());
  }
  demand(Packet(left.begin() + place->payload, left.end()) == payload);
  const Bytes last = taken.back();
  const TcpPlace its = *find_tcp(last);
  demand(load_be32(&last[its.tcp + 8u]) == load_be32(&left[place->tcp + 8u]));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Program program(data, size);
  SegmentTrain train;
  std::vector<Packet> taken;
  taken.reserve(4096);
  uint32_t sequence = 0xffffff00;
  while (!program.ended() && taken.size() < 4096) {
    Packet packet = next_packet(program, sequence);
    const auto place = find_tcp(packet);
    if (!place) continue;
    const bool same = train.empty() || train.has_sender_of(packet, *place);
    taken.push_back(std::move(packet));
    if (same && train.take(taken.back(), *place)) {
      check(train, taken);
      continue;
    }
    Packet refused = std::move(taken.back());
    taken.pop_back();
    train.clear();
    taken.clear();
    taken.push_back(std::move(refused));
    demand(train.take(taken.back(), *place));
    check(train, taken);
  }
  return 0;
}
