// SPDX-License-Identifier: Apache-2.0
// Copies a Packet when POSTERN_COPIES is defined, which must not compile; moves it otherwise, which must. See
// meson.build.
#include "dataplane/packet.h"

namespace postern::dataplane {

Packet hand_over(Packet& packet) {
#ifdef POSTERN_COPIES
  return Packet(packet);
#else
  return Packet(std::move(packet));
#endif
}

}  // namespace postern::dataplane
