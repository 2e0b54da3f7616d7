// SPDX-License-Identifier: Apache-2.0
// Fixed memory for the bytes of many streams: chains of blocks that grow at the end and shrink at the front.
// Nothing allocates after construction. One worker.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/bytes.h"

namespace postern::dataplane {

class ByteStore {
 public:
  static constexpr uint32_t kBlock = 2048;  // bytes
  static constexpr uint32_t kNone = 0xffffffff;

  // Belongs to one stream; its bytes are given back with `clear` or `drop_front`.
  struct Chain {
    uint32_t first = kNone, last = kNone;  // blocks
    uint32_t begin = 0;                    // of the bytes in the first block
    uint32_t size = 0;                     // bytes
  };

  explicit ByteStore(uint32_t blocks);

  // False: no room, and nothing was added.
  bool append(Chain& chain, Bytes bytes) noexcept;
  void drop_front(Chain& chain, uint32_t bytes) noexcept;  // at most chain.size
  void clear(Chain& chain) noexcept { drop_front(chain, chain.size); }

  // Whether the bytes from `offset` on are these; offset + bytes.size() is at most chain.size.
  bool holds(const Chain& chain, uint32_t offset, Bytes bytes) const noexcept;

  // The first bytes in one piece: in place when one block holds them, else copied into `room`, as many as
  // fit.
  Bytes front(const Chain& chain, std::span<uint8_t> room) const noexcept;

  uint32_t free_blocks() const noexcept { return free_count_; }

 private:
  uint8_t* block(uint32_t index) const noexcept { return bytes_.get() + size_t{index} * kBlock; }
  uint32_t room_at_end(const Chain& chain) const noexcept;
  void add_block(Chain& chain) noexcept;

  std::unique_ptr<uint8_t[]> bytes_;
  std::vector<uint32_t> next_;
  uint32_t free_ = kNone, free_count_ = 0;
};

}  // namespace postern::dataplane
