// SPDX-License-Identifier: Apache-2.0
#include "classify/decoders/decoders.h"

namespace postern::classify::decoders {

std::span<const NamedDecoder> streams() noexcept { return {}; }

}  // namespace postern::classify::decoders
