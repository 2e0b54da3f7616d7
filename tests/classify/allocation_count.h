// SPDX-License-Identifier: Apache-2.0
// How often this test program has called operator new.
#pragma once

#include <cstddef>

namespace postern::classify {
size_t allocation_count();
}
