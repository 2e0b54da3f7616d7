// SPDX-License-Identifier: Apache-2.0
// Where dispatch puts packets: live ports, or the capture a replay writes. Called once per burst and port.
#pragma once

#include <rte_mbuf.h>

#include "dataplane/burst.h"

namespace postern::dataplane {

class Output {
 public:
  virtual ~Output() = default;
  // Takes the first packets it can; the rest stay with the caller. Taken packets that are not sent yet are on
  // their way to the worker that sends on this port, which counts them then.
  struct Taken {
    unsigned taken = 0, sent = 0;
  };
  virtual Taken send(PortIndex port, rte_mbuf** packets, unsigned count, Timestamp now) noexcept = 0;
  virtual bool link_up(PortIndex port) const noexcept = 0;
};

}  // namespace postern::dataplane
