// SPDX-License-Identifier: Apache-2.0
// Writes Ethernet frames to a pcapng file: one interface per name, nanosecond times, optional comment per
// packet. One thread. After a failed write (disk full) nothing more is written; `flush` and `close` report
// that failure.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace postern::dataplane {

class CaptureWriter {
 public:
  // Truncates an existing file. Errors: the path cannot be written.
  static Result<CaptureWriter> create(const std::string& path);

  // The same name gives the same id. Names end at 255 bytes.
  uint32_t interface(std::string_view name);

  // `interface` is an id from above. `segments` are the parts of one frame in order.
  void write(uint32_t interface, Timestamp time, std::span<const Bytes> segments,
             std::string_view comment = {}) noexcept;
  void write(uint32_t interface, Timestamp time, Bytes frame, std::string_view comment = {}) noexcept {
    write(interface, time, std::span<const Bytes>(&frame, 1), comment);
  }

  Status flush();
  Status
  close();  // flushes; the writer is done afterwards. Without it the destructor closes and says nothing.

  uint64_t packets() const noexcept { return packets_; }

 private:
  struct Close {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };
  CaptureWriter(std::string path, std::unique_ptr<std::FILE, Close> file);
  void put(const void* bytes, size_t count) noexcept;
  void put_padded(std::string_view text) noexcept;
  Status status() const;

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::unordered_map<std::string, uint32_t> interfaces_;
  uint64_t packets_ = 0;
  int failure_ = 0;  // errno of the first failed write
};

}  // namespace postern::dataplane
