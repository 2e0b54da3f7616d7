// SPDX-License-Identifier: Apache-2.0
// What `posternctl show tls` is answered with (docs/tls.md). Control thread.
#pragma once

#include "control/show.h"

namespace postern::control {

// Sums over the TLS threads since the start.
Reply show_tls(const Running& running);

// `show tls suggestions`: servers that an operator may want to exclude.
Reply show_tls_suggestions(const Running& running);

}  // namespace postern::control
