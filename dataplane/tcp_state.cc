// SPDX-License-Identifier: Apache-2.0
#include "dataplane/tcp_state.h"

#include <algorithm>

#include "dataplane/tcp_flags.h"
#include "dataplane/tcp_options.h"

namespace postern::dataplane {
namespace {

constexpr uint32_t kOldest = 1u << 26;  // how far behind a segment or an acknowledgement may be

struct Segment {
  uint32_t sequence, acknowledgement, window;
  uint32_t end;  // after data, SYN and FIN
  uint8_t flags;
  Bytes options;
};

Segment read(const Slot& slot) noexcept {
  const uint8_t* p = slot.segment.data();
  Segment s;
  s.sequence = load_be32(p + 4);
  s.acknowledgement = load_be32(p + 8);
  s.window = load_be16(p + 14);
  s.flags = slot.tcp_flags;
  s.end = s.sequence + static_cast<uint32_t>(slot.payload.size()) + ((s.flags & kSyn) != 0) +
          ((s.flags & kFin) != 0);
  s.options = tcp_options(slot);
  return s;
}

struct End {             // one direction's view of the flow record
  uint32_t& next;        // of what this direction sends
  uint32_t& window_end;  // what this direction may send up to
  uint32_t& peer_next;
  uint32_t& peer_window_end;
};

End end_of(FlowCold& cold, Direction direction) noexcept {
  const auto d = static_cast<size_t>(direction);
  return {cold.next[d], cold.window_end[d], cold.next[1 - d], cold.window_end[1 - d]};
}

uint8_t scale_of(const FlowCold& cold, Direction direction) noexcept {
  return direction == Direction::ToServer ? cold.scale_to_server : cold.scale_to_client;
}

void note_flags(FlowCold& cold, Direction direction, uint8_t flags) noexcept {
  if (direction == Direction::ToServer)
    cold.flags_to_server |= flags & 0x3f;
  else
    cold.flags_to_client |= flags & 0x3f;
}

constexpr TcpOutcome kAccept{};
constexpr TcpOutcome kOutOfWindow{TcpEffect::Refuse, DropReason::TcpOutOfWindow};

TcpOutcome answer_to_syn(FlowHot& hot, FlowCold& cold, const Segment& s) noexcept {
  End server = end_of(cold, Direction::ToClient);
  const bool confirms = (s.flags & kAck) != 0 && s.acknowledgement == server.peer_next;
  if ((s.flags & kRst) != 0) {
    if (!confirms) return kOutOfWindow;
    hot.state = FlowState::Closed;
    hot.flags |= kRstByServer;
    return kAccept;
  }
  // A bare acknowledgement is a host's challenge to a SYN on a connection it still holds (RFC 5961 section
  // 4).
  if ((s.flags & kSyn) == 0) return s.end == s.sequence ? kAccept : kOutOfWindow;
  if (!confirms) return kOutOfWindow;
  const TcpOptions options = read_tcp_options(s.options);
  HandshakeOptions both = HandshakeOptions::unpack(cold.asked_port);
  both.server_mss = options.mss;
  both.sack = both.client_sack && options.sack;
  cold.asked_port = both.pack();
  const bool scaled = options.scale != kNoScale && cold.scale_to_server != kNoScale;
  cold.scale_to_client = scaled ? options.scale : 0;
  if (!scaled) cold.scale_to_server = 0;
  server.next = s.end;
  server.window_end = s.end + 65535;
  server.peer_window_end = s.acknowledgement + s.window;  // RFC 7323 section 2.2: never scaled in a SYN
  hot.state = FlowState::SynReceived;
  return kAccept;
}

TcpOutcome observe_reset(FlowHot& hot, FlowCold& cold, const Segment& s, Direction direction) noexcept {
  const End sender = end_of(cold, direction);
  const bool exact = s.sequence == sender.next;
  // RFC 5961 section 3.2: only the exact sequence number resets; elsewhere in the window a host asks back.
  if (exact) {
    hot.state = FlowState::Closed;
    hot.flags |= direction == Direction::ToServer ? kRstByClient : kRstByServer;
    return kAccept;
  }
  const bool in_window =
      !sequence_before(s.sequence, sender.next - kOldest) && !sequence_before(sender.window_end, s.sequence);
  return in_window ? kAccept : kOutOfWindow;
}

bool both_ended(const FlowHot& hot) noexcept {
  return (hot.flags & (kFinToServer | kFinToClient)) == (kFinToServer | kFinToClient);
}

void observe_fin(FlowHot& hot, Direction direction) noexcept {
  hot.flags |= direction == Direction::ToServer ? kFinToServer : kFinToClient;
  hot.state = both_ended(hot) ? FlowState::Closed : FlowState::Closing;
}

// RFC 9293 section 3.10.7.4, first and fifth: whether an acceptable acknowledgement and a place in the
// window.
bool acceptable(const End& sender, const Segment& s) noexcept {
  if ((s.flags & kAck) != 0 && (s.flags & kRst) == 0) {
    const bool of_unsent = sequence_before(sender.peer_next, s.acknowledgement);
    const bool ancient = sequence_before(s.acknowledgement, sender.peer_next - kOldest);
    if (of_unsent || ancient) return false;
  }
  if ((s.flags & kRst) != 0) return true;  // observe_reset has its own rules
  // One byte beyond the window is a probe of a closed one (RFC 9293 section 3.8.6.1).
  return !sequence_before(sender.window_end + 1, s.end) && !sequence_before(s.end, sender.next - kOldest);
}

void move_on(FlowCold& cold, const End& sender, const Segment& s, Direction direction) noexcept {
  if (sequence_before(sender.next, s.end)) sender.next = s.end;
  const uint32_t offered = s.acknowledgement + (s.window << scale_of(cold, direction));
  if (sequence_before(sender.peer_window_end, offered)) sender.peer_window_end = offered;
  note_flags(cold, direction, s.flags);
}

}  // namespace

void tcp_open(FlowHot& hot, FlowCold& cold, const Slot& slot) noexcept {
  const Segment s = read(slot);
  const TcpOptions options = read_tcp_options(s.options);
  cold.flags_to_server = s.flags & 0x3f;
  cold.next[0] = s.end;
  if ((s.flags & (kSyn | kAck)) == kSyn) {
    hot.state = FlowState::SynSent;
    cold.scale_to_server = options.scale;
    cold.asked_port = HandshakeOptions{.client_mss = options.mss, .client_sack = options.sack}.pack();
    if (options.md5) hot.flags |= kTcpMd5;
    return;
  }
  hot.state = FlowState::Established;
  hot.flags |= kMidstream;
  hot.pay(kOwesApplication);  // its first bytes are gone
  if (options.md5) hot.flags |= kTcpMd5;
  cold.scale_to_server = cold.scale_to_client = kMaxScale;  // what they agreed on was not seen
  cold.window_end[0] = s.end + kOldest;
  cold.next[1] = s.acknowledgement;
  cold.window_end[1] = s.acknowledgement + kOldest;
}

TcpOutcome tcp_observe(FlowHot& hot, FlowCold& cold, const Slot& slot) noexcept {
  const Segment s = read(slot);
  const Direction direction = hot.direction_from(slot.port.side());
  // The middle of a connection, which is nearly all of it.
  const bool plain_options = s.options.empty() || only_timestamps(s.options) || (hot.flags & kTcpMd5) != 0;
  if (hot.state == FlowState::Established && plain_options &&
      (s.flags & (kSyn | kFin | kRst | kAck)) == kAck) {
    const End sender = end_of(cold, direction);
    if (!acceptable(sender, s)) return kOutOfWindow;
    move_on(cold, sender, s, direction);
    return kAccept;
  }
  if ((hot.flags & kTcpMd5) == 0 && !s.options.empty() && !only_timestamps(s.options) &&
      read_tcp_options(s.options).md5)
    return {TcpEffect::Refuse, DropReason::TcpMd5};
  const bool syn = (s.flags & kSyn) != 0;
  if (syn && (s.flags & kAck) == 0 && hot.state == FlowState::Closed) return {TcpEffect::NewFlow};

  if (hot.state == FlowState::SynSent) {
    if (direction == Direction::ToClient) {
      const TcpOutcome outcome = answer_to_syn(hot, cold, s);
      if (outcome.effect == TcpEffect::Accept) note_flags(cold, direction, s.flags);
      return outcome;
    }
    if (syn) cold.next[0] = s.end;  // a retry may come with another sequence number
    if ((s.flags & kRst) != 0) return kAccept;
    return syn ? kAccept : kOutOfWindow;
  }
  // A host answers a SYN on a live connection with a challenge and changes nothing.
  if (syn) return kAccept;

  const End sender = end_of(cold, direction);
  if (!acceptable(sender, s)) return kOutOfWindow;
  if ((s.flags & kRst) != 0) {
    const TcpOutcome outcome = observe_reset(hot, cold, s, direction);
    if (outcome.effect == TcpEffect::Accept) note_flags(cold, direction, s.flags);
    return outcome;
  }
  const bool in_order = !sequence_before(sender.next, s.sequence);
  // Hosts take nothing behind an end that they confirmed, and nobody here would read it any more.
  const bool further = sequence_before(sender.next, s.end);
  if (further && both_ended(hot) && !hot.owes_any(kOwesOrder)) return kOutOfWindow;
  move_on(cold, sender, s, direction);
  if (hot.state == FlowState::SynReceived && direction == Direction::ToServer)
    hot.state = FlowState::Established;
  if ((s.flags & kFin) != 0 && in_order) {
    observe_fin(hot, direction);
  } else if (hot.state == FlowState::Closed && !slot.payload.empty() &&
             (hot.flags & (kRstByClient | kRstByServer)) != 0) {
    // The reset was not taken by its receiver: the connection goes on.
    hot.state = FlowState::Established;
    hot.flags &= static_cast<uint16_t>(~(kRstByClient | kRstByServer));
  }
  return kAccept;
}

bool tcp_quote_plausible(const FlowHot& hot, const FlowCold& cold, Side quoted_sender,
                         uint32_t sequence) noexcept {
  const auto d = static_cast<size_t>(hot.direction_from(quoted_sender));
  return !sequence_before(cold.next[d], sequence) && !sequence_before(sequence, cold.next[d] - kOldest);
}

}  // namespace postern::dataplane
