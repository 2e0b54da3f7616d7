// SPDX-License-Identifier: Apache-2.0
#include "classify/decoders/decoders.h"

namespace postern::classify::decoders {

std::vector<NamedDecoder> all() {
  std::vector<NamedDecoder> every;
  for (const auto list : {management(), datagrams(), streams(), databases()})
    every.insert(every.end(), list.begin(), list.end());
  return every;
}

Decoder find(std::string_view name) noexcept {
  for (const auto list : {management(), datagrams(), streams(), databases()})
    for (const NamedDecoder& decoder : list)
      if (decoder.name == name) return decoder.decode;
  return nullptr;
}

}  // namespace postern::classify::decoders
