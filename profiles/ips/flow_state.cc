// SPDX-License-Identifier: Apache-2.0
#include "profiles/ips/flow_state.h"

#include <algorithm>

namespace postern::profiles::ips {

void FlowState::Stream::restart() noexcept {
  position.close();
  window.clear();
  waiting.clear();
  waiting_longer.clear();
  matched.clear();
  end = epoch = 0;
  begun = ended = false;
}

void FlowState::Stream::begin_epoch() noexcept {
  position.restart();
  epoch = end;
  std::swap(waiting, waiting_longer);
  waiting.clear();
}

void FlowState::Stream::keep(Bytes piece) {
  end += piece.size();
  if (piece.size() > kWindow) piece = piece.last(kWindow);
  if (window.capacity() == 0) window.reserve(2 * kWindow);
  if (window.size() + piece.size() > 2 * kWindow)
    window.erase(window.begin(),
                 window.end() - static_cast<ptrdiff_t>(kWindow - std::min(kWindow, piece.size())));
  window.insert(window.end(), piece.begin(), piece.end());
}

Bytes FlowState::Stream::tail() const noexcept {
  const Bytes all(window);
  return all.last(std::min(all.size(), kWindow));
}

void FlowState::reset(uint64_t id) noexcept {
  id_ = id;
  rules_ = 0;
  passed_ = false;
  allowance_ = kMostAllowance;
  std::fill(bits_.begin(), bits_.end(), 0);
  ints_.fill(0);
  ints_set_ = 0;
  for (Lane& lane : lanes_) {
    for (Stream& stream : lane.streams) stream.restart();
    lane.bytes.clear();
    lane.kept.clear();
    lane.waiting.clear();
  }
}

void FlowState::end_message(Direction direction) noexcept {
  Lane& lane = this->lane(direction);
  lane.bytes.clear();
  lane.kept.clear();
  for (const BufferKind body : {BufferKind::HttpRequestBody, BufferKind::FileData})
    lane.streams[stream_slot(body)].restart();
  lane.waiting.clear();
}

uint32_t FlowState::allow(size_t bytes, uint32_t most) noexcept {
  const auto halves = static_cast<uint32_t>(std::min<size_t>(bytes / 2, kMostAllowance));
  const uint32_t earned = std::max(kLeastAllowance, halves);
  allowance_ = std::min(allowance_ + earned, kMostAllowance);
  return std::min(allowance_, most);
}

bool FlowState::bit(uint32_t number) const noexcept {
  return number / 64 < bits_.size() && (bits_[number / 64] >> number % 64 & 1) != 0;
}

void FlowState::set_bit(uint32_t number, bool value) {
  if (number / 64 >= bits_.size()) bits_.resize(number / 64 + 1);
  const uint64_t mask = uint64_t{1} << number % 64;
  bits_[number / 64] = value ? bits_[number / 64] | mask : bits_[number / 64] & ~mask;
}

}  // namespace postern::profiles::ips
