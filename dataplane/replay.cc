// SPDX-License-Identifier: Apache-2.0
#include "dataplane/replay.h"

#include <rte_errno.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <numeric>

#include "dataplane/owner.h"

namespace postern::dataplane {
namespace {

constexpr uint16_t kBuffer = 65535;                             // headroom and a frame
constexpr uint16_t kHeldFragments = 1536, kHeldSegments = 512;  // per worker
constexpr size_t kTalkers = 1 << 20;

struct Addresses {
  bool ok = false;
  IpAddress source, destination;
};

Addresses addresses_of(Bytes frame) noexcept {
  ByteReader reader(frame);
  reader.skip(12);
  uint16_t ethertype = reader.be16();
  while (reader.ok() && (ethertype == 0x8100 || ethertype == 0x88a8)) {
    reader.skip(2);
    ethertype = reader.be16();
  }
  const Bytes packet = reader.rest();
  if (ethertype == 0x0800 && packet.size() >= 20)
    return {true, IpAddress::from_v4(&packet[12]), IpAddress::from_v4(&packet[16])};
  if (ethertype == 0x86dd && packet.size() >= 40)
    return {true, IpAddress::from_v6(&packet[8]), IpAddress::from_v6(&packet[24])};
  return {};
}

}  // namespace

Replay::Replay(const ReplaySetup& setup, const classify::PolicySnapshot& snapshot, CaptureWriter* writer,
               Sink sink)
    : setup_(setup),
      pipeline_setup_(PipelineSetup::from(setup.wires)),
      snapshot_(snapshot),
      writer_(writer),
      sink_(std::move(sink)),
      questions_(setup.workers) {
  pipeline_setup_.flows = setup.flows;
  pipeline_setup_.hash_seed = 0;
  pipeline_setup_.max_frame = 0xffffffff;
  pipeline_setup_.fragments.fragments = kHeldFragments;
  pipeline_setup_.streams.held = kHeldSegments;
  pipeline_setup_.packet_drops_per_second = 0xffffffff;
  pipeline_setup_.refused_flows_per_second = 0xffffffff;
  Output& output = *this;  // a private base, known only in here
  for (unsigned n = 0; n < setup.workers; ++n) {
    lanes_.push_back(std::make_unique<Lane>());
    Lane& lane = *lanes_.back();
    lane.pipeline =
        std::make_unique<Pipeline>(pipeline_setup_, output, lane.log_ring, lane.counters, questions_, n);
  }
  for (const Wire& wire : setup_.wires) {
    for (const Side side : {Side::First, Side::Second}) {
      const std::string name = wire.name + ":" + wire.sides[static_cast<size_t>(side)];
      ports_[name] = PortIndex::of(wire.id, side);
      interfaces_.push_back(writer_ != nullptr ? writer_->interface(name) : 0);
    }
  }
}

Replay::~Replay() {
  lanes_.clear();  // fragments still held go back before their pool
  rte_mempool_free(pool_);
}

Result<std::unique_ptr<Replay>> Replay::create(const ReplaySetup& setup,
                                               const classify::PolicySnapshot& snapshot,
                                               CaptureWriter* writer, Sink sink) {
  if (const Status possible = Identifier::possible(); !possible) return possible.error();
  std::unique_ptr<Replay> replay(new Replay(setup, snapshot, writer, std::move(sink)));
  const unsigned buffers = setup.workers * (kHeldFragments + kHeldSegments) + 512;
  replay->pool_ = rte_pktmbuf_pool_create("replay", buffers, 0, 0, kBuffer, SOCKET_ID_ANY);
  if (replay->pool_ == nullptr)
    return Error{std::string("no memory for packet buffers: ") + rte_strerror(rte_errno)};
  return replay;
}

void Replay::follow(const TraceTarget& target, TraceSink sink) {
  trace_sink_ = std::move(sink);
  constexpr size_t kEvents = 256;  // of one packet: its own and those of segments that waited for it
  for (const auto& lane : lanes_) {
    lane->trace_ring = std::make_unique<TraceRing>(kEvents);
    lane->pipeline->trace().follow(target, *lane->trace_ring);
  }
}

uint64_t Replay::trace_events_lost() const {
  return std::accumulate(lanes_.begin(), lanes_.end(), uint64_t{0},
                         [](uint64_t sum, const auto& lane) { return sum + lane->pipeline->trace().lost(); });
}

Status Replay::play(CaptureReader& capture) {
  for (;;) {
    const Result<std::optional<CapturedFrame>> frame = capture.next();
    if (!frame) return frame.error();
    if (!frame->has_value()) return Ok{};
    feed(**frame);
  }
}

void Replay::feed(const CapturedFrame& frame) {
  advance(frame.time);
  ++packets_;
  const PortIndex port = port_of(frame);
  const unsigned owner = owner_of_frame(frame.frame, setup_.workers, 0);
  Lane& lane = *lanes_[owner];
  lane.counters.received.add(1);
  lane.counters.ports[port.value].received_packets.add(1);
  lane.counters.ports[port.value].received_bytes.add(frame.frame.size());
  Packet packet(rte_pktmbuf_alloc(pool_));
  uint8_t* room = nullptr;
  if (packet && frame.frame.size() <= rte_pktmbuf_tailroom(packet.get()))
    room = reinterpret_cast<uint8_t*>(
        rte_pktmbuf_append(packet.get(), static_cast<uint16_t>(frame.frame.size())));
  if (room == nullptr) {
    lane.counters.drop(DropReason::NoBuffer);
    return;
  }
  std::memcpy(room, frame.frame.data(), frame.frame.size());
  lane.pipeline->trace().at_packet(packets_);
  lane.burst.now = now_;
  lane.burst.add(std::move(packet), port);
  lane.pipeline->process(lane.burst, snapshot_);
  drain(lane);
}

// Captures may step back in time; flows then live a little longer, they never end early.
void Replay::advance(Timestamp time) {
  if (time <= now_) return;
  const bool alive = std::any_of(lanes_.begin(), lanes_.end(), [](const auto& lane) {
    return lane->pipeline->flows().size() > 0 || lane->pipeline->held() > 0;
  });
  const Timestamp last = time / kSecond;
  for (Timestamp second = now_ / kSecond + 1; alive && second <= last; ++second) {
    for (const auto& lane : lanes_) {
      lane->pipeline->age_all(second * kSecond, snapshot_);
      drain(*lane);
    }
    const bool empty = std::all_of(lanes_.begin(), lanes_.end(), [](const auto& lane) {
      return lane->pipeline->flows().size() == 0 && lane->pipeline->held() == 0;
    });
    if (empty) break;
  }
  now_ = time;
}

PortIndex Replay::port_of(const CapturedFrame& frame) {
  const auto named = ports_.find(std::string(frame.interface));
  return named != ports_.end() ? named->second : guess(frame.frame);
}

// How well a packet fits as one that enters here: a zone that names its addresses says more than one for all
// addresses.
int Replay::fit(WireId wire, Side side, const IpAddress& source, const IpAddress& destination) const {
  const auto best = [&](Side where, const IpAddress& address) {
    int score = 0;
    for (const classify::ZoneBinding& zone : snapshot_.policy().zones) {
      if (zone.wire != wire || zone.side != where) continue;
      if (zone.prefixes.empty()) score = std::max(score, 1);
      for (const Prefix& prefix : zone.prefixes)
        if (prefix.contains(address)) score = std::max(score, 2 + prefix.length);
    }
    return score;
  };
  const int from = best(side, source), to = best(other(side), destination);
  return from == 0 || to == 0 ? 0 : from + to;
}

PortIndex Replay::guess(Bytes frame) {
  const Addresses addresses = addresses_of(frame);
  if (!addresses.ok) return {0};
  const std::string forth = addresses.source.text() + ">" + addresses.destination.text();
  const std::string back = addresses.destination.text() + ">" + addresses.source.text();
  if (const auto known = talkers_.find(forth); known != talkers_.end()) return known->second;
  if (const auto known = talkers_.find(back); known != talkers_.end()) return known->second.opposite();
  PortIndex best{0};
  int best_fit = 0;
  for (const Wire& wire : setup_.wires) {
    for (const Side side : {Side::First, Side::Second}) {
      const int score = fit(wire.id, side, addresses.source, addresses.destination);
      if (score <= best_fit) continue;
      best_fit = score;
      best = PortIndex::of(wire.id, side);
    }
  }
  if (talkers_.size() >= kTalkers) talkers_.clear();
  talkers_[forth] = best;
  return best;
}

Output::Taken Replay::send(PortIndex port, rte_mbuf** packets, unsigned count, Timestamp now) noexcept {
  for (unsigned i = 0; i < count; ++i) {
    if (writer_ != nullptr) {
      const Bytes frame{rte_pktmbuf_mtod(packets[i], const uint8_t*), rte_pktmbuf_data_len(packets[i])};
      writer_->write(interfaces_[port.value], now, frame);
    }
    rte_pktmbuf_free(packets[i]);
  }
  return {count, count};
}

void Replay::drain(Lane& lane) {
  while (const size_t count = lane.log_ring.read(events_))
    for (const LogEvent& event : std::span(events_).first(count)) sink_(event);
  std::array<TraceEvent, 4> events;
  while (lane.trace_ring != nullptr) {
    const size_t count = lane.trace_ring->read(events);
    for (size_t i = 0; i < count; ++i) trace_sink_(events[i]);
    if (count == 0) break;
  }
}

void Replay::finish() {
  for (const auto& lane : lanes_) {
    // In portions, so that the ring to the sink does not overflow.
    while (lane->pipeline->flows().size() > 0) {
      const size_t fit = lane->log_ring.room() / FlowLog::kMostSlotsOfAnEnd;
      lane->pipeline->tracker().end_some(fit, EndReason::Shutdown, now_);
      drain(*lane);
    }
  }
}

WorkerStats Replay::stats() const {
  WorkerStats total;
  total.ports.resize(setup_.wires.size() * 2);
  for (const auto& lane : lanes_) {
    const Counters& counters = lane->counters;
    for (size_t i = 0; i < kDropReasons; ++i) total.dropped[i] += counters.dropped[i].value();
    for (size_t i = 0; i < total.ports.size(); ++i) {
      total.ports[i].received_packets += counters.ports[i].received_packets.value();
      total.ports[i].received_bytes += counters.ports[i].received_bytes.value();
      total.ports[i].sent_packets += counters.ports[i].sent_packets.value();
      total.ports[i].sent_bytes += counters.ports[i].sent_bytes.value();
    }
    total.received += counters.received.value();
    total.sent += counters.sent.value();
    total.held += lane->pipeline->held();
    total.flows_created += counters.flows_created.value();
    total.flows_ended += counters.flows_ended.value();
    total.half_open_evicted += counters.half_open_evicted.value();
    total.log_records_lost += counters.log_records_lost.value();
  }
  total.generation = snapshot_.generation().value;
  return total;
}

}  // namespace postern::dataplane
