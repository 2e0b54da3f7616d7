// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "classify/decoders/decoders.h"
#include "classify/decoders/stream_decoders.h"

namespace postern::classify::decoders {

std::span<const NamedDecoder> databases() noexcept {
  static constexpr auto kDecoders = std::to_array<NamedDecoder>({
      {"postgres", postgres},
      {"mysql", mysql},
      {"tds", tds},
      {"oracle_tns", oracle_tns},
      {"redis", redis},
      {"memcached", memcached},
      {"mongodb", mongodb},
      {"cassandra", cassandra},
  });
  return kDecoders;
}

}  // namespace postern::classify::decoders
