// SPDX-License-Identifier: Apache-2.0
// The way of IP packets into a private network and out of it, in large pieces both ways: segments that follow
// each other go in as one of up to 64 KB, and what the kernel sends as one is cut into frames for the wire.
// Carrying segments merged is worth 2.5 times the bytes per CPU second of the TCP stack behind it. TLS
// thread.
#pragma once

#include <sys/uio.h>

#include <array>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/unique_fd.h"
#include "dataplane/segment_train.h"

namespace postern::dataplane {

// What goes before every packet (VIRTIO 1.2 section 5.1.6, without num_buffers; the kernel's own header is
// not C++). Numbers are of the machine's byte order.
struct VirtioHeader {
  uint8_t flags = 0, segmentation = 0;
  uint16_t headers = 0, segment_size = 0, checksum_start = 0, checksum_offset = 0;
};
static_assert(sizeof(VirtioHeader) == 10);

class ExceptionPort {
 public:
  explicit ExceptionPort(UniqueFd interface);

  int descriptor() const noexcept { return interface_.get(); }

  // Towards the private network. The packet must have been checked, checksums included, and must stay where
  // it is until the next `flush`. What the kernel does not take is lost, as on any wire.
  void put(Bytes ip_packet) noexcept;
  void flush() noexcept;

  // From the private network, valid until the next call; nullopt: nothing waits.
  struct Outgoing {
    Bytes packet;
    uint16_t segment_size = 0;  // 0: one segment
  };
  std::optional<Outgoing> take() noexcept;

  uint64_t refused() const noexcept { return refused_; }  // packets

 private:
  static constexpr size_t kLargest = 65535;
  static constexpr size_t kTrains = 8;  // senders whose segments come in turns

  SegmentTrain& train_of(Bytes packet, const TcpPlace& place) noexcept;
  void flush(SegmentTrain& train) noexcept;
  void send(VirtioHeader header, const iovec* parts, size_t count, size_t packets) noexcept;

  UniqueFd interface_;
  std::array<SegmentTrain, kTrains> trains_;
  size_t evicted_ = 0;  // train, when all were needed
  std::unique_ptr<std::array<uint8_t, sizeof(VirtioHeader) + kLargest + 1>> room_;
  uint64_t refused_ = 0;
};

// Cuts what the kernel sent as one into frames: Ethernet header and tags, then IP with its own lengths, ids
// and checksums (what a NIC with TSO does).
class FrameCutter {
 public:
  // Both views outlive the cutter.
  FrameCutter(const ExceptionPort::Outgoing& outgoing, const TcpPlace& place, Bytes ethernet) noexcept
      : outgoing_(outgoing), place_(place), ethernet_(ethernet) {}

  bool done() const noexcept { return done_; }
  size_t next_size() const noexcept;  // bytes of the next frame
  void write_next(uint8_t* frame) noexcept;

 private:
  size_t next_payload() const noexcept;

  const ExceptionPort::Outgoing& outgoing_;
  TcpPlace place_;
  Bytes ethernet_;
  size_t offset_ = 0;  // of payload
  uint16_t number_ = 0;
  bool done_ = false;
};

}  // namespace postern::dataplane
