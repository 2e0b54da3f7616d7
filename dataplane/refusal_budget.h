// SPDX-License-Identifier: Apache-2.0
// How many flows that the policy refuses get a record of their own: so many a second, and of these only a
// share for sources that fall into one cell, so that one scanner does not hide the others. What comes beyond
// it is refused without a record. One worker.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "base/address.h"
#include "base/time.h"
#include "dataplane/flow_key.h"

namespace postern::dataplane {

class RefusalBudget {
 public:
  static constexpr uint32_t kShares = 16;  // of a second's records, for one cell at most

  // `seed` unknown to peers.
  RefusalBudget(uint32_t per_second, uint64_t seed) noexcept : per_second_(per_second), seed_(seed) {}

  void spend(const IpAddress& source, Timestamp now) noexcept {
    of_second(all_, now).spent += 1;
    of_second(cell(source), now).spent += 1;
  }
  bool used_up(const IpAddress& source, Timestamp now) noexcept {
    if (of_second(all_, now).spent >= per_second_) return true;
    return of_second(cell(source), now).spent > (per_second_ - 1) / kShares;
  }

 private:
  static constexpr size_t kCells = 1024;
  struct Cell {
    uint32_t second = 0, spent = 0;
  };

  static Cell& of_second(Cell& cell, Timestamp now) noexcept {
    const auto second = static_cast<uint32_t>(now / kSecond);
    if (cell.second != second) cell = {second, 0};
    return cell;
  }
  Cell& cell(const IpAddress& source) noexcept {
    uint64_t halves[2];
    std::memcpy(halves, source.bytes.data(), sizeof halves);
    const uint64_t hash =
        fold_multiply(halves[0] ^ 0xa0761d6478bd642full ^ seed_, halves[1] ^ 0xe7037ed1a0b428dbull);
    return cells_[hash % kCells];
  }

  uint32_t per_second_;
  uint64_t seed_;
  Cell all_;
  std::array<Cell, kCells> cells_{};
};

}  // namespace postern::dataplane
