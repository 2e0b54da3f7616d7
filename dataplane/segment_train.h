// SPDX-License-Identifier: Apache-2.0
// TCP segments of one sender that go into the private network as one: data that follows data, as a NIC with
// receive offload would join it, and of bare acknowledgements only the last, which says all that those before
// it said. Views of the segments must stay until the train has left. TLS thread.
#pragma once

#include <sys/uio.h>

#include <array>

#include "base/bytes.h"
#include "dataplane/segment_headers.h"

namespace postern::dataplane {

class SegmentTrain {
 public:
  static constexpr size_t kMostSegments = 44;  // 64 KB of the usual size

  bool empty() const noexcept { return count_ == 0; }
  size_t segments() const noexcept { return count_; }

  // Same addresses and ports, so the order matters.
  bool has_sender_of(Bytes packet, const TcpPlace& place) const noexcept;

  // False: the train has to leave first.
  bool take(Bytes packet, const TcpPlace& place) noexcept;

  // What leaves: headers with the length of all, then the payloads. Valid until `clear`.
  struct Parts {
    const iovec* parts = nullptr;
    size_t count = 0;
    TcpPlace place;
    uint16_t segment_size = 0;  // 0: one segment
  };
  Parts parts() noexcept;
  void clear() noexcept { count_ = 0; }

 private:
  static constexpr size_t kMostHeaders = 120, kLargest = 65535;

  void begin(Bytes packet, const TcpPlace& place) noexcept;
  void append(Bytes packet) noexcept;
  bool joins(Bytes packet, const TcpPlace& place) const noexcept;
  bool outdated_by(Bytes packet, const TcpPlace& place) const noexcept;

  std::array<uint8_t, kMostHeaders> headers_;
  TcpPlace place_;
  size_t bytes_ = 0, count_ = 0, first_ = 0;  // of payload; segments; payload of the first
  uint32_t next_ = 0;                         // sequence number that may follow
  bool open_ = false;                         // data may follow
  std::array<iovec, kMostSegments + 1> parts_;
};

}  // namespace postern::dataplane
