// SPDX-License-Identifier: Apache-2.0
// Where dispatch puts packets: live ports, or the capture a replay writes. Called once per burst and port.
#pragma once

#include <rte_mbuf.h>

#include "dataplane/burst.h"

namespace postern::dataplane {

class Output {
 public:
  virtual ~Output() = default;
  // Takes the first packets it can; returns how many. The rest stay with the caller.
  virtual unsigned send(PortIndex port, rte_mbuf** packets, unsigned count, Timestamp now) noexcept = 0;
  virtual bool link_up(PortIndex port) const noexcept = 0;
};

}  // namespace postern::dataplane
