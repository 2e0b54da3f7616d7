// SPDX-License-Identifier: Apache-2.0
// A network namespace of one thread's own, in which the kernel's TCP speaks for the two peers of every
// adopted connection: whatever comes in through its one interface is for this host, and whatever this host
// sends leaves there. It has no name, no address and no other member; it goes when its thread and sockets go.
#pragma once

#include "base/result.h"
#include "base/unique_fd.h"

namespace postern::dataplane {

// Moves the calling thread into a new namespace for the rest of its life. The interface behind the result
// carries IP packets, each after a virtio-net header, in segments of up to 64 KB (TUN, IFF_VNET_HDR). `mtu`
// is of layer 3. Needs CAP_SYS_ADMIN, CAP_NET_ADMIN and /dev/net/tun; the error says what was refused.
Result<UniqueFd> enter_private_network(uint16_t mtu);

}  // namespace postern::dataplane
