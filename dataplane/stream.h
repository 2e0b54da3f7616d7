// SPDX-License-Identifier: Apache-2.0
// Puts the bytes of TCP flows in order while something still looks at them, so that what is judged is what
// the receiver gets: in-order bytes go on, segments behind a gap wait in their mbufs, the first data wins,
// and a segment that tells another story about bytes the receiver has not acknowledged yet is dropped (Ptacek
// and Newsham 1998). Fixed memory, nothing allocates. One worker.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "classify/tls_facts.h"
#include "dataplane/burst.h"
#include "dataplane/byte_store.h"
#include "dataplane/counters.h"
#include "dataplane/held_packets.h"
#include "dataplane/pool.h"
#include "profiles/content_engine.h"
#include "profiles/http_requests.h"
#include "tls/quic_initial.h"

namespace postern::dataplane {

// Per worker. A direction of a flow keeps at most `kept_per_flow` bytes that the receiver has not
// acknowledged, and `held_per_flow` segments.
struct StreamLimits {
  uint32_t streams = 8192;  // flows in order at once
  uint32_t blocks = 8192;   // of 2 KB, for bytes that were not acknowledged yet
  uint16_t held = 4096;     // segments behind a gap
  uint32_t kept_per_flow = 512 * 1024;
  uint16_t held_per_flow = 64;  // of one direction
  // Readers. A kept-alive HTTP connection may have one as long as it lives, so there are as many as streams.
  uint32_t tls = 4096, http = 8192, quic = 512;
};

// What looks at a stream beyond its first bytes.
enum class Reader : uint8_t { None, Tls, Http, Quic };

struct Stream {
  struct Half {                    // one direction
    uint32_t next = 0;             // sequence number of the first byte not in order yet
    uint32_t acked = 0;            // the receiver has everything before
    uint32_t base = 0;             // of the first kept byte
    uint32_t timestamp = 0;        // newest of the sender that the receiver has surely seen (RFC 7323)
    ByteStore::Chain kept;         // bytes [base, base + kept.size), forwarded
    uint64_t passed = 0;           // in-order bytes so far
    uint16_t held = kNoFragments;  // segments behind the gap, by sequence number
    uint16_t held_count = 0;
    bool keeps_front = true;  // from the first byte on, acknowledged or not
    bool ended = false;       // its end (FIN) was acknowledged
    uint32_t first() const noexcept { return next - static_cast<uint32_t>(passed); }
  };
  std::array<Half, 2> halves;  // by Direction
  uint32_t flow = kNoFlow;
  uint32_t chain = ByteStore::kNone;  // next stream of the same bucket, or next free one
  bool scanning = true;               // new bytes are put in order and kept
  bool timestamps = false;            // negotiated
  uint16_t waiting = kNoFragments,
           waiting_last = kNoFragments;  // packets that wait for the verdict, in order
  uint16_t waiting_count = 0;
  Reader reader = Reader::None;
  uint32_t reader_index = 0;            // in the pool of its kind
  uint32_t content = ByteStore::kNone;  // what profiles remember of it, see StreamTable::content

  Half& half(Direction d) noexcept { return halves[static_cast<size_t>(d)]; }
  const Half& half(Direction d) const noexcept { return halves[static_cast<size_t>(d)]; }
};

class StreamTable {
 public:
  StreamTable(const StreamLimits& limits, Counters& counters);
  StreamTable(const StreamTable&) = delete;
  StreamTable& operator=(const StreamTable&) = delete;

  // Sequence numbers of the first byte of each direction. nullptr: no room for another stream.
  Stream* open(uint32_t flow, uint32_t first_to_server, uint32_t first_to_client) noexcept;
  // Timestamps of the segment that confirmed the handshake: the client's own, and the server's that it
  // echoes.
  static void use_timestamps(Stream& stream, uint32_t of_client, uint32_t of_server) noexcept;
  Stream* find(uint32_t flow) noexcept;
  void close(uint32_t flow) noexcept;  // segments still held are dropped

  // A segment with payload that the receiver's TCP would accept: its bytes that are next in order; ask
  // `release` for what waited for them. Empty when it brings none: the slot is then Open with bytes that were
  // forwarded before, Taken until the gap before it is filled, or dropped.
  Bytes admit(Stream& stream, Slot& slot, Direction direction) noexcept;

  // The next segment that is in order now: follows the slot from here on. Empty: the gap goes on.
  Bytes release(Stream& stream, Slot& slot, Direction direction) noexcept;

  // What a segment without payload says: an end behind a gap waits, too.
  void note(Stream& stream, Slot& slot, Direction direction) noexcept;

  // The slot's packet must not pass before the flow has its verdict. False: no room, or it came in fragments.
  bool wait(Stream& stream, Slot& slot) noexcept;
  // What waited goes before the slot's own packet, which then is the last of what `released` lists.
  void resume(Stream& stream, Slot& slot) noexcept;

  // An acknowledgement of bytes that travel in `direction`. False: of bytes before the connection, which
  // hosts ignore with all that the segment brings.
  bool acknowledge(Stream& stream, Direction direction, uint32_t acknowledgement) noexcept;

  // The first bytes of a direction are not asked for any more: what was acknowledged is given back.
  void forget_front(Stream& stream, Direction direction) noexcept;

  // Nobody looks at new bytes any more: bytes that were looked at stay until they are acknowledged. What a
  // direction still holds follows its next slot, see `flush`.
  void stop(Stream& stream) noexcept;
  void flush(Stream& stream, Slot& slot, Direction direction) noexcept;
  static bool drained(const Stream& stream) noexcept;
  // The receivers have both directions to their ends, the sequence numbers after these.
  static bool over(const Stream& stream, const uint32_t (&ends)[2]) noexcept;

  // All bytes of a direction so far, as long as the stream keeps its front; valid until the next call.
  Bytes front(const Stream& stream, Direction direction) noexcept;

  // A reader of this kind for the stream. False: all are in use.
  bool attach(Stream& stream, Reader reader) noexcept;
  void detach(Stream& stream) noexcept;
  // What profiles remember of the stream, made with the first call: there is one for every stream.
  profiles::ContentInspection& content(Stream& stream) noexcept;
  void forget_content(Stream& stream) noexcept;
  classify::TlsFacts& tls(const Stream& stream) noexcept { return tls_[stream.reader_index]; }
  profiles::HttpRequests& http(const Stream& stream) noexcept { return http_[stream.reader_index]; }
  tls::QuicInitial& quic(const Stream& stream) noexcept { return quic_[stream.reader_index]; }

  // Segments that follow a slot.
  Packet take_next(uint16_t& list) noexcept { return nodes_.take_next(list); }
  uint32_t longest(uint16_t list) const noexcept { return nodes_.longest(list); }  // frame among them, bytes

  uint64_t held() const noexcept { return nodes_.size(); }  // packets
  uint32_t size() const noexcept { return size_; }
  uint32_t free_blocks() const noexcept { return store_.free_blocks(); }

 private:
  using Half = Stream::Half;
  static constexpr uint16_t kNone = kNoFragments;
  static constexpr uint32_t kNoStream = ByteStore::kNone;

  struct Segment {
    uint32_t sequence = 0;
    Bytes data;
    std::optional<uint32_t> timestamp;
    uint32_t end() const noexcept { return sequence + static_cast<uint32_t>(data.size()); }
  };
  struct Node {
    Packet packet;
    Segment segment;  // inside the packet
    uint16_t next = kNone;
  };

  bool differs(const Half& half, const Segment& segment) const noexcept;
  bool held_covers(const Half& half, const Segment& segment) const noexcept;
  static bool too_old(const Stream& stream, const Half& half, const Segment& segment) noexcept;
  void hold(Half& half, Slot& slot, const Segment& segment) noexcept;
  bool advance(Half& half, const Segment& segment, Bytes fresh) noexcept;
  void free_acknowledged(Half& half) noexcept;
  void follow(Slot& slot, uint16_t node) noexcept;
  void drop_held(Half& half) noexcept;

  StreamLimits limits_;
  Counters& counters_;
  ByteStore store_;
  std::vector<Stream> streams_;
  std::vector<uint32_t> buckets_;
  HeldPackets<Node> nodes_;
  std::vector<uint8_t> scratch_;
  Pool<classify::TlsFacts> tls_;
  Pool<profiles::HttpRequests> http_;
  Pool<tls::QuicInitial> quic_;
  Pool<profiles::ContentInspection> content_;
  uint32_t free_stream_ = 0, size_ = 0;
};

}  // namespace postern::dataplane
