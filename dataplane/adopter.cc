// SPDX-License-Identifier: Apache-2.0
#include "dataplane/adopter.h"

#include <unistd.h>

#include "dataplane/tcp_flags.h"
#include "dataplane/tcp_options.h"

namespace postern::dataplane {
namespace {

// What became of the decryption shows in the flow's record from now on.
DropReason drop_reason_for(DecryptReason reason) noexcept {
  if (reason == DecryptReason::ContentBlocked) return DropReason::ContentBlocked;
  if (reason == DecryptReason::NoCertificate || reason == DecryptReason::NoEngine ||
      reason == DecryptReason::Full)
    return DropReason::DecryptionUnavailable;
  return DropReason::DecryptionFailed;
}

}  // namespace

Adopter::Adopter(const TlsLinks* links, FlowTable& flows, FlowLog& log, Counters& counters, unsigned worker)
    : links_(links),
      flows_(flows),
      log_(log),
      counters_(counters),
      worker_(static_cast<uint8_t>(worker)),
      stages_(links == nullptr ? 0 : links->cores.size()) {}

Adopter::~Adopter() {
  for (Stage& stage : stages_) rte_pktmbuf_free_bulk(stage.messages.data(), stage.count);
}

size_t Adopter::core_of(uint32_t flow) const noexcept {
  return hash_of(flows_.hot(flow).key, 0) % links_->cores.size();
}

TlsTag Adopter::tag_of(TlsMessage kind, uint32_t flow) const noexcept {
  return {.kind = kind,
          .worker = worker_,
          .port = {},
          .flow = flow,
          .stamp = static_cast<uint32_t>(flows_.cold(flow).start_us)};
}

// The client waits for an answer to its first bytes, and the server has heard none of them.
AdoptionRequest Adopter::request_for(const Stream& stream, const Slot& slot) const noexcept {
  const FlowHot& hot = flows_.hot(slot.flow);
  const FlowCold& cold = flows_.cold(slot.flow);
  const auto client = static_cast<size_t>(hot.opener());
  const Stream::Half &up = stream.half(Direction::ToServer), &down = stream.half(Direction::ToClient);
  const uint32_t client_next = up.first(), server_next = down.first();
  const auto scale = [](unsigned offered) {
    return offered == kNoScale ? uint8_t{0} : static_cast<uint8_t>(offered);
  };
  const HandshakeOptions options = HandshakeOptions::unpack(cold.asked_port);

  AdoptionRequest request;
  TcpLeg& to_client = request.to_client;
  to_client.local = {hot.key.address[1 - client], hot.key.port[1 - client]};
  to_client.remote = {hot.key.address[client], hot.key.port[client]};
  to_client.send_next = server_next;
  to_client.receive_next = client_next;
  to_client.local_scale = scale(cold.scale_to_client);
  to_client.remote_scale = scale(cold.scale_to_server);
  to_client.send_window = uint32_t{load_be16(slot.segment.data() + 14)} << to_client.remote_scale;
  to_client.receive_window = cold.window_end[0] - client_next;
  to_client.mss = options.client_mss;
  to_client.sack = options.sack;
  if (stream.timestamps) to_client.clock = down.timestamp + 1;

  TcpLeg& to_server = request.to_server;
  to_server.local = to_client.remote;
  to_server.remote = to_client.local;
  to_server.send_next = client_next;
  to_server.receive_next = server_next;
  to_server.local_scale = to_client.remote_scale;
  to_server.remote_scale = to_client.local_scale;
  to_server.send_window = to_client.receive_window;
  to_server.receive_window = to_client.send_window;
  to_server.mss = options.server_mss;
  to_server.sack = options.sack;
  if (stream.timestamps) to_server.clock = up.timestamp;

  request.for_client = answering(ethernet_of(slot.packet.bytes()));
  request.for_server = forwarded(slot);
  request.client_port = slot.port;
  request.mode = static_cast<classify::DecryptionMode>(cold.decryption_mode);
  request.generation = hot.generation;
  request.rule = hot.rule;
  return request;
}

DecryptReason Adopter::adopt(const Stream& stream, const Slot& slot, const classify::TlsFacts& facts,
                             Timestamp now) noexcept {
  if (stream.half(Direction::ToClient).passed > 0) return DecryptReason::ServerSpokeFirst;
  if (stuck(slot.flow)) return DecryptReason::ThreadStuck;
  rte_mbuf* message = rte_pktmbuf_alloc(links_->pool);
  if (message == nullptr) return DecryptReason::Full;
  AdoptionRequest request = request_for(stream, slot);
  request.asked = now;
  request.facts = facts;
  write_body(*message, request);
  write_tag(*message, tag_of(TlsMessage::Adopt, slot.flow));
  const size_t core = core_of(slot.flow);
  flush(core);
  if (send(core, message)) return DecryptReason::None;
  rte_pktmbuf_free(message);
  return DecryptReason::Full;
}

bool Adopter::send(size_t core, rte_mbuf* message) noexcept {
  TlsCoreLink& link = *links_->cores[core];
  if (rte_ring_enqueue(link.inbox, message) != 0) return false;
  wake(link);
  return true;
}

// The fence stands between putting in and looking at the flag, as the core's between the flag and its look
// into the ring: one of both sees the other.
void Adopter::wake(TlsCoreLink& core) noexcept {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!core.asleep.load(std::memory_order_relaxed) || !core.asleep.exchange(false)) return;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t put = ::write(core.wake.get(), &one, sizeof one);
}

void Adopter::divert(const Packet& packet, uint32_t flow, PortIndex from) noexcept {
  TlsTag tag = tag_of(TlsMessage::Packet, flow);
  tag.port = from;
  const size_t core = core_of(flow);
  const Bytes frame = packet.bytes();
  rte_mbuf* message = rte_pktmbuf_alloc(links_->pool);
  if (message == nullptr || frame.size() > rte_pktmbuf_tailroom(message)) {
    rte_pktmbuf_free(message);
    return counters_.drop(DropReason::TlsQueueFull);
  }
  std::memcpy(rte_pktmbuf_append(message, static_cast<uint16_t>(frame.size())), frame.data(), frame.size());
  write_tag(*message, tag);
  Stage& stage = stages_[core];
  stage.messages[stage.count++] = message;
  if (stage.count == kStage) flush(core);
}

void Adopter::flush(size_t core) noexcept {
  Stage& stage = stages_[core];
  if (stage.count == 0) return;
  TlsCoreLink& link = *links_->cores[core];
  const unsigned taken = rte_ring_enqueue_burst(link.inbox, reinterpret_cast<void**>(stage.messages.data()),
                                                stage.count, nullptr);
  if (taken < stage.count) {
    rte_pktmbuf_free_bulk(stage.messages.data() + taken, stage.count - taken);
    counters_.drop(DropReason::TlsQueueFull, stage.count - taken);
  }
  counters_.terminated.add(taken);
  stage.count = 0;
  wake(link);
}

void Adopter::flush() noexcept {
  for (size_t core = 0; core < stages_.size(); ++core) flush(core);
}

// A message that is lost here leaves a session that the core's own sweep ends.
void Adopter::tell(TlsMessage kind, uint32_t flow) noexcept {
  rte_mbuf* message = rte_pktmbuf_alloc(links_->pool);
  if (message == nullptr) return;
  write_tag(*message, tag_of(kind, flow));
  const size_t core = core_of(flow);
  flush(core);
  if (!send(core, message)) rte_pktmbuf_free(message);
}

// One that is lost here ends the session when its core has waited long enough.
void Adopter::rule(uint32_t flow, const ClearRuling& ruling) noexcept {
  rte_mbuf* message = rte_pktmbuf_alloc(links_->pool);
  if (message == nullptr) return;
  write_body(*message, ruling);
  write_tag(*message, tag_of(TlsMessage::Ruling, flow));
  const size_t core = core_of(flow);
  flush(core);
  if (!send(core, message)) rte_pktmbuf_free(message);
}

void Adopter::abort(uint32_t flow) noexcept { tell(TlsMessage::Abort, flow); }
void Adopter::forget(uint32_t flow) noexcept { tell(TlsMessage::Forget, flow); }

Packet Adopter::reset_for(const Slot& slot, const classify::Policy& policy, Timestamp now) noexcept {
  return serves(policy) ? resets_.for_sender(slot, *links_->pool, now) : Packet();
}

void Adopter::give_up(uint32_t flow) noexcept {
  FlowHot& hot = flows_.hot(flow);
  FlowCold& cold = flows_.cold(flow);
  hot.state = FlowState::Closed;
  hot.verdict = FlowVerdict::Drop;
  hot.reason = DropReason::DecryptionFailed;
  hot.flags |= kLogStart;
  cold.decrypt_result = static_cast<unsigned>(DecryptResult::Failed) & 7;
}

bool Adopter::owns(const TlsTag& tag) const noexcept {
  const FlowHot& hot = flows_.hot(tag.flow);
  return hot.state != FlowState::Free && (hot.flags & kAdopted) != 0 &&
         static_cast<uint32_t>(flows_.cold(tag.flow).start_us) == tag.stamp;
}

void Adopter::take_report(const rte_mbuf& message, Timestamp now) noexcept {
  const TlsTag tag = read_tag(message);
  if (!owns(tag)) return;
  FlowHot& hot = flows_.hot(tag.flow);
  FlowCold& cold = flows_.cold(tag.flow);
  const auto report = read_body<SessionReport>(message);
  if (report.event == SessionReport::Event::Opened) return log_.tls(hot, cold, report.facts, now);
  hot.state = FlowState::Closed;
  const bool parted = report.reason == DecryptReason::None || report.reason == DecryptReason::PeerReset;
  if (report.reason == DecryptReason::None) hot.flags |= kFinToServer | kFinToClient;
  if (!parted && hot.verdict != FlowVerdict::Drop) {
    hot.verdict = FlowVerdict::Drop;
    hot.reason = drop_reason_for(report.reason);
    hot.flags |= kLogStart;  // no rule asked for it, so it is told at once
    cold.decrypt_result = static_cast<unsigned>(DecryptResult::Failed) & 7;
  }
  if (!report.was_open) log_.tls(hot, cold, report.facts, now);
}

}  // namespace postern::dataplane
