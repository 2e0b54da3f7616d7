// SPDX-License-Identifier: Apache-2.0
// What the transforms of the rule language make of a buffer. Any thread, each with room of its own.
#pragma once

#include <cstdint>
#include <span>

#include "profiles/ips/signature.h"

namespace postern::profiles::ips {

// Changes the first `size` bytes of `room`; returns how many there are now, at most the room.
size_t transform(const TransformStep& step, std::span<uint8_t> room, size_t size) noexcept;

}  // namespace postern::profiles::ips
