// SPDX-License-Identifier: Apache-2.0
// One direction of a TCP flow through a StreamTable, as the inspector drives it: what was scanned, what went
// out in which order, and receivers that make a stream of what reached them in the ways hosts do.
#pragma once

#include <map>
#include <vector>

#include "dataplane/flow.h"
#include "dataplane/stream.h"
#include "packets.h"

namespace postern::dataplane {

struct SentSegment {
  uint32_t sequence = 0;
  Octets data;
};

// A host's reassembly: bytes that are not delivered yet are kept by first or by last arrival.
enum class Keeps : uint8_t { First, Last };
class NaiveReceiver {
 public:
  NaiveReceiver(uint32_t first, Keeps keeps) : next_(first), keeps_(keeps) {}
  void receive(const SentSegment& segment) {
    for (size_t i = 0; i < segment.data.size(); ++i) {
      const uint32_t at = segment.sequence + static_cast<uint32_t>(i);
      if (sequence_before(at, next_)) continue;
      if (keeps_ == Keeps::Last || !waiting_.contains(at)) waiting_[at] = segment.data[i];
    }
    for (auto byte = waiting_.find(next_); byte != waiting_.end(); byte = waiting_.find(++next_)) {
      delivered.push_back(byte->second);
      waiting_.erase(byte);
    }
  }
  uint32_t next() const { return next_; }
  Octets delivered;

 private:
  uint32_t next_;
  Keeps keeps_;
  std::map<uint32_t, uint8_t> waiting_;
};

// `Source` makes packets: packet(Bytes).
template <typename Source>
class StreamBench {
 public:
  static constexpr uint32_t kFlow = 7;

  StreamBench(Source& source, StreamTable& table, uint32_t first) : source_(source), table_(table) {
    stream_ = table_.open(kFlow, first, 1);
  }
  ~StreamBench() { table_.close(kFlow); }
  StreamBench(const StreamBench&) = delete;
  StreamBench& operator=(const StreamBench&) = delete;

  struct Result {
    Fate fate{};
    DropReason reason{};
    std::vector<SentSegment> sent;  // in order
  };
  Result send(uint32_t sequence, const Octets& data, const Octets& options = {}) {
    Tcp fields{.sequence = sequence, .acknowledgement = 1, .flags = kAck, .options = options};
    fields.payload.assign(data.begin(), data.end());
    const Octets frame = tcp_frame(ip("10.1.0.5"), ip("10.3.0.1"), fields);
    Slot slot;
    slot.packet = source_.packet(frame);
    slot.fate = Fate::Open;
    slot.kind = Kind::Tcp;
    slot.segment = slot.packet.bytes().subspan(34);
    slot.payload = slot.segment.subspan(20 + options.size());
    return walk(slot);
  }
  bool acknowledge(uint32_t next) { return table_.acknowledge(*stream_, Direction::ToServer, next); }
  void forget_front() { table_.forget_front(*stream_, Direction::ToServer); }
  void stop() { table_.stop(*stream_); }

  Stream& stream() { return *stream_; }
  Octets scanned;

 private:
  Result walk(Slot& slot) {
    scan(table_.admit(*stream_, slot, Direction::ToServer));
    while (slot.fate == Fate::Open && stream_->scanning) {
      const Bytes released = table_.release(*stream_, slot, Direction::ToServer);
      if (released.empty()) break;
      scan(released);
    }
    if (slot.fate == Fate::Open && !stream_->scanning) table_.flush(*stream_, slot, Direction::ToServer);
    Result result{slot.fate, slot.reason, {}};
    if (slot.fate != Fate::Open) return result;
    result.sent.push_back(as_sent(slot.packet));
    while (const Packet next = table_.take_next(slot.released)) result.sent.push_back(as_sent(next));
    return result;
  }
  void scan(Bytes bytes) { scanned.insert(scanned.end(), bytes.begin(), bytes.end()); }
  static SentSegment as_sent(const Packet& packet) {
    const Bytes segment = packet.bytes().subspan(34);
    const Bytes data = segment.subspan(size_t{segment[12]} / 16 * 4);
    return {load_be32(&segment[4]), Octets(data.begin(), data.end())};
  }

  Source& source_;
  StreamTable& table_;
  Stream* stream_ = nullptr;
};

}  // namespace postern::dataplane
