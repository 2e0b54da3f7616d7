// SPDX-License-Identifier: Apache-2.0
#include "dataplane/capture_writer.h"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>

namespace postern::dataplane {
namespace {

// Block types and options of draft-ietf-opsawg-pcapng; the file is in host byte order, as its section header
// says.
constexpr uint32_t kSectionHeader = 0x0a0d0d0a, kInterfaceDescription = 1, kEnhancedPacket = 6;
constexpr uint32_t kByteOrderMagic = 0x1a2b3c4d;
constexpr uint16_t kLinkEthernet = 1, kOptionComment = 1, kOptionName = 2, kOptionTimeResolution = 9;
constexpr size_t kMaxName = 255, kMaxComment = 4096;

constexpr uint32_t padded(size_t count) { return static_cast<uint32_t>((count + 3) & ~size_t{3}); }

struct OptionHeader {
  uint16_t code, length;
};

}  // namespace

CaptureWriter::CaptureWriter(std::string path, std::unique_ptr<std::FILE, Close> file)
    : path_(std::move(path)), file_(std::move(file)) {}

Result<CaptureWriter> CaptureWriter::create(const std::string& path) {
  std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "wbe"));
  if (!file) return Error{std::string("cannot be written: ") + std::strerror(errno), path};
  CaptureWriter writer(path, std::move(file));
  struct {
    uint32_t type = kSectionHeader, length = 28, magic = kByteOrderMagic;
    uint16_t major = 1, minor = 0;
    uint32_t section_length[2] = {0xffffffff, 0xffffffff};  // not known beforehand
    uint32_t length_again = 28;
  } header;
  static_assert(sizeof header == 28);
  writer.put(&header, sizeof header);
  return writer;
}

uint32_t CaptureWriter::interface(std::string_view name) {
  name = name.substr(0, kMaxName);
  const auto next = static_cast<uint32_t>(interfaces_.size());
  const auto [found, added] = interfaces_.try_emplace(std::string(name), next);
  if (!added) return found->second;

  struct {
    uint32_t type = kInterfaceDescription, length = 0;
    uint16_t link = kLinkEthernet, reserved = 0;
    uint32_t snap_length = 0;  // no limit
    OptionHeader resolution{kOptionTimeResolution, 1};
    uint8_t nanoseconds[4] = {9, 0, 0, 0};
    OptionHeader name{kOptionName, 0};
  } block;
  static_assert(sizeof block == 28);
  block.name.length = static_cast<uint16_t>(name.size());
  block.length =
      static_cast<uint32_t>(sizeof block) + padded(name.size()) + sizeof(OptionHeader) + sizeof(uint32_t);
  const OptionHeader end{0, 0};
  put(&block, sizeof block);
  put_padded(name);
  put(&end, sizeof end);
  put(&block.length, sizeof block.length);
  return next;
}

void CaptureWriter::write(uint32_t interface, Timestamp time, std::span<const Bytes> segments,
                          std::string_view comment) noexcept {
  assert(interface < interfaces_.size());
  size_t size = 0;
  for (Bytes segment : segments) size += segment.size();
  comment = comment.substr(0, kMaxComment);

  struct {
    uint32_t type = kEnhancedPacket, length = 0, interface = 0, time_high = 0, time_low = 0, captured = 0,
             original = 0;
  } block;
  block.interface = interface;
  block.time_high = static_cast<uint32_t>(time >> 32);
  block.time_low = static_cast<uint32_t>(time);
  block.captured = block.original = static_cast<uint32_t>(size);
  block.length = static_cast<uint32_t>(sizeof block) + padded(size) + sizeof(uint32_t);
  if (!comment.empty()) block.length += 2 * sizeof(OptionHeader) + padded(comment.size());

  put(&block, sizeof block);
  for (Bytes segment : segments) put(segment.data(), segment.size());
  constexpr uint8_t kZeros[4] = {};
  put(kZeros, padded(size) - size);
  if (!comment.empty()) {
    const OptionHeader head{kOptionComment, static_cast<uint16_t>(comment.size())}, end{0, 0};
    put(&head, sizeof head);
    put_padded(comment);
    put(&end, sizeof end);
  }
  put(&block.length, sizeof block.length);
  ++packets_;
}

Status CaptureWriter::flush() {
  if (file_ && std::fflush(file_.get()) != 0 && failure_ == 0) failure_ = errno;
  return status();
}

Status CaptureWriter::close() {
  if (file_ && std::fclose(file_.release()) != 0 && failure_ == 0) failure_ = errno;
  return status();
}

Status CaptureWriter::status() const {
  if (failure_ == 0) return Ok{};
  return Error{std::string("capture is incomplete: ") + std::strerror(failure_), path_};
}

void CaptureWriter::put(const void* bytes, size_t count) noexcept {
  if (count == 0 || failure_ != 0 || !file_) return;
  if (std::fwrite(bytes, 1, count, file_.get()) != count) failure_ = errno != 0 ? errno : EIO;
}

void CaptureWriter::put_padded(std::string_view text) noexcept {
  constexpr uint8_t kZeros[4] = {};
  put(text.data(), text.size());
  put(kZeros, padded(text.size()) - text.size());
}

}  // namespace postern::dataplane
