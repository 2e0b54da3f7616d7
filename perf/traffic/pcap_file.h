// SPDX-License-Identifier: Apache-2.0
// Writes a classic pcap file (nanoseconds, Ethernet) that every tool and DPDK's pcap port can read; several
// million frames per second. One thread.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace postern::perf {

class PcapFile {
 public:
  // Truncates an existing file. Errors: the path cannot be written.
  static Result<PcapFile> create(const std::string& path);

  void write(Timestamp time, Bytes frame) noexcept;
  Status close();  // tells whether all of it was written

 private:
  struct Close {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };
  PcapFile(std::string path, std::FILE* file) : path_(std::move(path)), file_(file) {}

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace postern::perf
