// SPDX-License-Identifier: Apache-2.0
// The frames that memory ports deliver, made from templates. A traffic file has one word and its values per
// line:
//   flows N               flows of the opening and of the loop
//   draw uniform|zipf     which flow a frame of the loop belongs to
//   open PORT HEX         a step of a flow's opening: every flow takes it before the loop begins
//   loop PORT WEIGHT HEX  a frame of the loop; each port repeats its own
//   raw PORT WEIGHT HEX   the same, sent as it stands: no flow, and no sums checked by the port
//   fresh PORT HEX        instead of `loop`: a step of flows that open in turn and are never the same
// Templates are Ethernet, IPv4 without options, TCP or UDP; addresses (10.64.0.0/10 on port 0, 10.4.0.0/16 on
// port 1), the client's port and checksums are filled in. One thread; a file with mistakes ends the program.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace postern::perf {

enum class FrameKind : uint8_t { Tcp, Udp, Raw };

struct Frame {
  const uint8_t* bytes;  // 64 may be read, however short the frame
  uint16_t length;
  FrameKind kind;
  uint8_t epoch;  // to be added to the second byte of the client's address
};

class MemoryTraffic {
 public:
  explicit MemoryTraffic(const std::string& path);

  bool opened() const noexcept { return flow_ == flows_; }
  // How many frames `port` may take now, at most `most`.
  uint16_t ready(uint8_t port, uint16_t most) noexcept;
  // The next one; valid until `ready` is asked again.
  Frame next(uint8_t port) noexcept {
    Part& part = opened() && !in_turn_ ? loops_[port] : sequence_;
    const Entry& entry = part.entries[part.at++];
    return {&part.bytes[size_t{entry.line} * 64], entry.length, entry.kind, opened() ? epoch_ : uint8_t{0}};
  }

 private:
  struct Template {
    uint8_t port;
    FrameKind kind;
    unsigned weight;
    std::vector<uint8_t> bytes;
  };
  struct Entry {
    uint32_t line;  // of 64 bytes in Part::bytes
    uint16_t length;
    uint8_t port;
    FrameKind kind;
  };
  struct Part {
    std::vector<uint8_t> bytes;
    std::vector<Entry> entries;
    size_t at = 0;
  };

  void read(const std::string& path);
  void add(Part& part, const Template& frame, uint32_t flow) const;
  void make_loops();
  void make_fresh();
  void open_some();

  uint32_t flows_ = 0, flow_ = 0;  // flow_: opened so far
  bool zipf_ = false, in_turn_ = false;
  uint8_t epoch_ = 0;
  std::vector<Template> open_, loop_, fresh_;
  Part sequence_;  // of the opening or of fresh flows: one order for both ports
  Part loops_[2];
};

}  // namespace postern::perf
