// SPDX-License-Identifier: Apache-2.0
// A Packet owns one mbuf; it moves and never copies. It is the only place besides Burst that frees one.
// Worker thread that holds it.
#pragma once

#include <rte_mbuf.h>

#include <cassert>
#include <utility>

#include "base/bytes.h"

namespace postern::dataplane {

class Packet {
 public:
  Packet() noexcept = default;
  explicit Packet(rte_mbuf* mbuf) noexcept : mbuf_(mbuf) {}
  Packet(Packet&& from) noexcept : mbuf_(std::exchange(from.mbuf_, nullptr)) {}
  Packet& operator=(Packet&& from) noexcept {
    if (this != &from) {
      reset();
      mbuf_ = std::exchange(from.mbuf_, nullptr);
    }
    return *this;
  }
  Packet(const Packet&) = delete;
  Packet& operator=(const Packet&) = delete;
  ~Packet() { reset(); }

  explicit operator bool() const noexcept { return mbuf_ != nullptr; }
  uint8_t* data() const noexcept { return rte_pktmbuf_mtod(mbuf_, uint8_t*); }
  uint32_t length() const noexcept { return rte_pktmbuf_pkt_len(mbuf_); }  // layer 2, without FCS
  Bytes bytes() const noexcept { return {data(), rte_pktmbuf_data_len(mbuf_)}; }
  bool linear() const noexcept { return mbuf_->nb_segs == 1; }
  uint64_t offload_flags() const noexcept { return mbuf_->ol_flags; }
  rte_mbuf* get() const noexcept { return mbuf_; }

  // Hands the mbuf to a port or ring.
  [[nodiscard]] rte_mbuf* release() noexcept { return std::exchange(mbuf_, nullptr); }

 private:
  void reset() noexcept {
    if (mbuf_ != nullptr) rte_pktmbuf_free(mbuf_);
    mbuf_ = nullptr;
  }

  rte_mbuf* mbuf_ = nullptr;
};

}  // namespace postern::dataplane
