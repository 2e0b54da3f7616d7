// SPDX-License-Identifier: Apache-2.0
#include "perf/traffic/generator.h"

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <algorithm>

#include "perf/traffic/datagrams.h"
#include "perf/traffic/flow_ends.h"

namespace postern::perf {
namespace {

constexpr size_t index_of(Side side) { return static_cast<size_t>(side); }

uint64_t cycles_of(double seconds) {
  return static_cast<uint64_t>(seconds * static_cast<double>(rte_get_tsc_hz()));
}

double seconds_of(uint64_t cycles) {
  return static_cast<double>(cycles) / static_cast<double>(rte_get_tsc_hz());
}

}  // namespace

double TrialResult::loss() const {
  const uint64_t offered = sent() + refused();
  return offered == 0 ? 0 : static_cast<double>(lost() + refused()) / static_cast<double>(offered);
}

uint32_t FlowLoss::flows_with_loss() const {
  uint32_t flows = 0;
  for (size_t i = 0; i < sent.size(); ++i) flows += received[i] < sent[i];
  return flows;
}

Generator::Generator(std::vector<uint16_t> ports, rte_mempool* pool, FrameSource& source, uint32_t flows)
    : ports_(std::move(ports)),
      pool_(pool),
      source_(source),
      nanoseconds_per_cycle_(1e9 / static_cast<double>(rte_get_tsc_hz())) {
  flow_loss_.sent.resize(flows);
  flow_loss_.received.resize(flows);
}

TrialResult Generator::run(const Trial& trial) noexcept {
  TrialResult result;
  Sending sending;
  const LatencyHistogram before = progress_.latency;
  run_ = static_cast<uint8_t>((run_ + 1) % Tag::kRuns);
  const uint64_t begun = rte_rdtsc();
  uint64_t ended = begun;
  for (const Phase& phase : trial.phases) {
    const uint64_t start = rte_rdtsc(), end = start + cycles_of(phase.seconds);
    // 100 us of absence are made good, but never less than a burst.
    const auto backlog = std::max<uint64_t>(kBurst, static_cast<uint64_t>(phase.packets_per_second * 1e-4));
    Pacer pacer(phase.packets_per_second, rte_get_tsc_hz(), start, backlog);
    sending.phase_begin = sending.next;
    sending.phase_start = start;
    for (std::vector<uint64_t>& moments : sending.moments) {
      moments.clear();
      moments.reserve(1 << 20);  // 67 million packets before anything must grow
    }
    for (uint64_t now = start; now < end && !stop_.load(std::memory_order_relaxed); now = rte_rdtsc()) {
      if (dry_ || sending.frames >= trial.frames) break;
      const uint64_t due = std::min<uint64_t>({pacer.due(now), kBurst, trial.frames - sending.frames});
      if (due > 0) {
        pacer.give(due);
        send(sending, result, static_cast<unsigned>(due));
      }
      receive(sending);
    }
    const bool whole = !dry_ && sending.frames < trial.frames && !stop_.load(std::memory_order_relaxed);
    if (whole && phase.packets_per_second > 0) result.skipped += pacer.due(end);
    result.skipped += pacer.skipped();
    ended = rte_rdtsc();
  }
  result.seconds = seconds_of(ended - begun);
  for (uint64_t quiet_since = rte_rdtsc(); rte_rdtsc() - quiet_since < cycles_of(trial.linger);)
    if (receive(sending) > 0) quiet_since = rte_rdtsc();
  for (size_t side = 0; side < 2; ++side) sending.windows[side].end(sending.next[side]);
  settle(sending, result);
  result.latency = progress_.latency.since(before);
  return result;
}

void Generator::send(Sending& sending, TrialResult& result, unsigned count) noexcept {
  rte_mbuf* packets[kBurst];
  if (rte_pktmbuf_alloc_bulk(pool_, packets, count) != 0) {  // all of them wait in ports that do not move
    result.sides[0].refused += count;
    progress_.refused.add(count);
    return;
  }
  Frame frames[kBurst];
  for (unsigned i = 0; i < count; ++i) frames[i].room = rte_pktmbuf_mtod(packets[i], uint8_t*);
  const size_t made = source_.make(std::span(frames, count));
  if (made < count) {
    dry_ = true;
    rte_pktmbuf_free_bulk(packets + made, count - static_cast<unsigned>(made));
  }
  sending.frames += made;
  for (const Side side : {Side::First, Side::Second}) {
    rte_mbuf* theirs[kBurst];
    Frame shapes[kBurst];
    size_t n = 0;
    for (size_t i = 0; i < made; ++i)
      if (frames[i].side == side) {
        theirs[n] = packets[i];
        shapes[n++] = frames[i];
      }
    if (n > 0) transmit(sending, result, side, std::span(theirs, n), std::span(shapes, n));
  }
}

void Generator::transmit(Sending& sending, TrialResult& result, Side side, std::span<rte_mbuf*> packets,
                         std::span<Frame> frames) noexcept {
  const size_t at = index_of(side);
  uint64_t sequence = sending.next[at];
  const uint64_t now = rte_rdtsc();
  for (size_t i = 0; i < frames.size(); ++i) {
    packets[i]->data_len = frames[i].length;
    packets[i]->pkt_len = frames[i].length;
    if (frames[i].tag_at == 0) continue;
    tag_frame(frames[i], {.run = run_, .side = side, .sequence = sequence++, .sent_at = now});
    if (!flow_loss_.sent.empty()) count_flow(flow_loss_.sent, Bytes(frames[i].room, frames[i].length), side);
  }
  size_t sent = 0;
  while (sent < packets.size()) {  // virtual ports take a burst in parts
    const uint16_t taken = rte_eth_tx_burst(port_of(side), 0, packets.data() + sent,
                                            static_cast<uint16_t>(packets.size() - sent));
    if (taken == 0) break;
    sent += taken;
  }
  for (size_t i = 0; i < frames.size(); ++i) {
    const bool tagged = frames[i].tag_at != 0;
    if (i < sent) {
      if (!tagged)
        ++sending.untagged_sent[at % ports_.size()];  // of one port nobody can tell which side returned
      else if ((sending.next[at]++ - sending.phase_begin[at]) % kBetweenMoments == 0)
        sending.moments[at].push_back(now);
      progress_.sent_bytes.add(frames[i].length + 4u);
    } else if (tagged && !flow_loss_.sent.empty()) {
      count_flow(flow_loss_.received, Bytes(frames[i].room, frames[i].length), side);  // was not offered
    }
  }
  const size_t refused = packets.size() - sent;
  if (refused > 0) rte_pktmbuf_free_bulk(packets.data() + sent, static_cast<unsigned>(refused));
  result.sides[at].refused += refused;
  progress_.refused.add(refused);
  progress_.sent[at].add(sent);
}

unsigned Generator::receive(Sending& sending) noexcept {
  unsigned all = 0;
  for (size_t i = 0; i < ports_.size(); ++i) {
    rte_mbuf* packets[kBurst];
    const uint16_t count = rte_eth_rx_burst(ports_[i], 0, packets, kBurst);
    if (count == 0) continue;
    const uint64_t now = rte_rdtsc();
    const Side by_port = ports_.size() == 2 && i == 0 ? Side::Second : Side::First;
    for (uint16_t n = 0; n < count; ++n)
      take(sending, by_port, Bytes(rte_pktmbuf_mtod(packets[n], const uint8_t*), packets[n]->data_len), now);
    rte_pktmbuf_free_bulk(packets, count);
    all += count;
  }
  return all;
}

void Generator::take(Sending& sending, Side by_port, Bytes frame, uint64_t now) noexcept {
  const auto tag = read_tag(frame);
  progress_.received_bytes.add(frame.size() + kFcs);
  if (!tag) {
    ++sending.untagged_received[index_of(by_port)];
    progress_.received[index_of(by_port)].add(1);
    return;
  }
  if (tag->run != run_ || tag->sequence >= Tag::kSequences) return;  // of an earlier trial
  sending.windows[index_of(tag->side)].see(tag->sequence);
  progress_.received[index_of(tag->side)].add(1);
  progress_.latency.record(static_cast<uint64_t>(
      static_cast<double>(now > tag->sent_at ? now - tag->sent_at : 0) * nanoseconds_per_cycle_));
  if (!flow_loss_.received.empty()) count_flow(flow_loss_.received, frame, tag->side);
}

void Generator::count_flow(std::vector<uint32_t>& of, Bytes frame, Side side) noexcept {
  const Bytes payload = datagram_of(frame);
  if (payload.empty()) return;
  const uint8_t* udp = payload.data() - 8;
  const bool asks = side == Side::First;
  const uint32_t flow = FlowEnds::flow_of(load_be32(udp - (asks ? 8 : 4)), load_be16(udp + (asks ? 0 : 2)));
  if (flow < of.size()) ++of[flow];
}

void Generator::settle(const Sending& sending, TrialResult& result) const noexcept {
  for (size_t at = 0; at < 2; ++at) {
    const SequenceWindow& window = sending.windows[at];
    SideResult& side = result.sides[at];
    const uint64_t untagged = sending.untagged_sent[at], returned = sending.untagged_received[at];
    side.sent = sending.next[at] + untagged;
    side.received = window.received() + returned;
    side.lost = window.lost() + (untagged > returned ? untagged - returned : 0);
    side.duplicated = window.duplicated();
    side.reordered = window.reordered();
    side.late = window.late();
    result.untagged_sent += untagged;
    result.untagged_received += returned;
    const uint64_t begin = sending.phase_begin[at], last = window.last_lost();
    if (last == SequenceWindow::kNone || last < begin) continue;
    const uint64_t moment = sending.moments[at][(last - begin) / kBetweenMoments];
    result.last_loss_seconds =
        std::max(result.last_loss_seconds, seconds_of(moment - std::min(moment, sending.phase_start)));
  }
}

}  // namespace postern::perf
