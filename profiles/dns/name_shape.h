// SPDX-License-Identifier: Apache-2.0
// How much a name, or the labels of one, looks like an encoding or like something that people chose: length,
// entropy, and how surprising its letters are after each other. Any thread.
#pragma once

#include "base/bytes.h"

namespace postern::profiles::dns {

struct NameShape {
  uint16_t length = 0;  // bytes of the labels
  float entropy = 0;    // bits per byte, of the bytes' frequencies
  float surprise = 0;   // bits per byte, of pairs, by a model of names that people made

  // What the bytes could carry at most.
  float information() const noexcept { return static_cast<float>(length) * entropy / 8; }
};

// Of labels in wire form, without a root at the end.
NameShape shape_of(Bytes labels) noexcept;

inline constexpr size_t kNameModelSide = 38;  // a to z, 0 to 9, hyphen, the ends of a label
// Sixteenths of a bit, by the character before and the character.
extern const uint8_t kNameModel[kNameModelSide][kNameModelSide];

}  // namespace postern::profiles::dns
