// SPDX-License-Identifier: Apache-2.0
// A fixed number of objects that come and go with flows. Nothing allocates after construction. One worker.
#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <vector>

namespace postern::dataplane {

template <typename T>
class Pool {
 public:
  static constexpr uint32_t kNone = 0xffffffff;

  // The objects are not touched before they are taken.
  explicit Pool(uint32_t count) : room_(new Room[count]), next_(count), free_count_(count) {
    for (uint32_t i = count; i-- > 0;) {
      next_[i] = free_;
      free_ = i;
    }
  }

  // A new object; kNone: all are taken.
  uint32_t take() noexcept {
    if (free_ == kNone) return kNone;
    const uint32_t index = free_;
    free_ = next_[index];
    --free_count_;
    new (room_[index].bytes) T();
    return index;
  }
  void give(uint32_t index) noexcept {
    static_assert(std::is_trivially_destructible_v<T>);
    next_[index] = free_;
    free_ = index;
    ++free_count_;
  }
  T& operator[](uint32_t index) noexcept { return *std::launder(reinterpret_cast<T*>(room_[index].bytes)); }

  uint32_t free() const noexcept { return free_count_; }

 private:
  struct Room {
    alignas(T) unsigned char bytes[sizeof(T)];
  };
  std::unique_ptr<Room[]> room_;
  std::vector<uint32_t> next_;
  uint32_t free_ = kNone, free_count_ = 0;
};

}  // namespace postern::dataplane
