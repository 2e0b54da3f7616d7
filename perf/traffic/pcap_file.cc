// SPDX-License-Identifier: Apache-2.0
#include "perf/traffic/pcap_file.h"

#include <cerrno>
#include <cstring>

namespace postern::perf {

namespace {
constexpr size_t kBuffer = 1 << 20;
constexpr uint32_t kNanosecondMagic = 0xa1b23c4d, kSnapLength = 65535, kEthernet = 1;
}  // namespace

Result<PcapFile> PcapFile::create(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) return Error{std::strerror(errno), path};
  std::setvbuf(file, nullptr, _IOFBF, kBuffer);
  const uint32_t header[] = {kNanosecondMagic, 4u << 16 | 2u, 0, 0, kSnapLength, kEthernet};
  std::fwrite(header, sizeof header, 1, file);
  return PcapFile(path, file);
}

void PcapFile::write(Timestamp time, Bytes frame) noexcept {
  const auto length = static_cast<uint32_t>(frame.size());
  const uint32_t header[] = {static_cast<uint32_t>(time / kSecond), static_cast<uint32_t>(time % kSecond),
                             length, length};
  std::fwrite(header, sizeof header, 1, file_.get());
  std::fwrite(frame.data(), 1, frame.size(), file_.get());
}

Status PcapFile::close() {
  std::FILE* file = file_.release();
  const bool failed = std::ferror(file) != 0;
  if (std::fclose(file) != 0 || failed)
    return Error{"not all of it could be written; is the disk full?", path_};
  return Ok{};
}

}  // namespace postern::perf
