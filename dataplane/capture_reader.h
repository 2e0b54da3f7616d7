// SPDX-License-Identifier: Apache-2.0
// Reads a capture packet by packet: pcap (through libpcap) and pcapng (own block reader, because libpcap
// hides the interface names). Whatever the link type, frames come out as Ethernet; link types without
// Ethernet header get one with fixed locally administered addresses. One thread; memory is bounded by
// kMaxCapturedBytes and kMaxInterfaces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace postern::dataplane {

inline constexpr uint32_t kMaxCapturedBytes = 262144;  // per packet; what libpcap allows too
inline constexpr uint32_t kMaxInterfaces = 4096;       // per pcapng section
inline constexpr uint8_t kSyntheticSource[6] = {0x02, 0, 0, 0, 0, 0x01};
inline constexpr uint8_t kSyntheticDestination[6] = {0x02, 0, 0, 0, 0, 0x02};

// Views are good until the next call of `next`.
struct CapturedFrame {
  Bytes frame;               // Ethernet without FCS; empty when a cooked header itself was cut
  uint32_t wire_length = 0;  // what `frame` measured before the capture cut it
  Timestamp time = 0;  // as in the file, which need not be ascending; simple packets: that of the one before
  std::string_view interface;  // pcapng if_name; empty when not given
  uint32_t interface_id = 0;   // counted through all sections of the file
  bool truncated() const noexcept { return frame.size() < wire_length; }
};

class CaptureReader {
 public:
  // Errors: not readable, not a capture, link type not supported.
  static Result<CaptureReader> open(const std::string& path);
  CaptureReader(CaptureReader&&) noexcept;
  CaptureReader& operator=(CaptureReader&&) noexcept;
  ~CaptureReader();

  // std::nullopt at the end of the file. An Error (file and packet number) means damage: what came before is
  // good, what follows cannot be found, and every later call returns the same Error.
  Result<std::optional<CapturedFrame>> next();

  uint64_t packets() const noexcept { return packets_; }  // read so far

  class Source;  // one per file format

 private:
  CaptureReader(std::string path, std::unique_ptr<Source> source);
  Error damage(std::string message) const;

  std::string path_;
  std::unique_ptr<Source> source_;
  std::unique_ptr<uint8_t[]> ethernet_;  // where a synthetic header and the packet are put together
  uint64_t packets_ = 0;
  std::optional<Error> failed_;
};

}  // namespace postern::dataplane
