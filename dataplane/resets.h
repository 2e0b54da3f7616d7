// SPDX-License-Identifier: Apache-2.0
// TCP resets that answer a segment which goes no further, exactly where their receivers expect them
// (RFC 9293 section 3.10.7, RFC 5961): at most 1000 a second, so that forged segments make no flood of ours.
// One worker.
#pragma once

#include "base/time.h"
#include "dataplane/burst.h"
#include "dataplane/tls_link.h"

namespace postern::dataplane {

class Resets {
 public:
  // For who sent the segment: with the number that it acknowledges. Empty for resets, without an
  // acknowledgement, and when there have been too many this second.
  Packet for_sender(const Slot& slot, rte_mempool& pool, Timestamp now) noexcept;
  // For whom it was meant: in its place. Empty when it carried nothing.
  Packet for_receiver(const Slot& slot, rte_mempool& pool, Timestamp now) noexcept;

 private:
  bool may(Timestamp now) noexcept;
  Timestamp since_ = 0;
  unsigned made_ = 0;
};

// As dispatch writes it on the other side of the wire.
EthernetHeader forwarded(const Slot& slot) noexcept;
// Both MAC addresses change places.
EthernetHeader answering(EthernetHeader header) noexcept;

}  // namespace postern::dataplane
