// SPDX-License-Identifier: Apache-2.0
// The decoders a catalogue may name, one function per protocol (classify/evidence.h says what they promise).
// Any thread.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "classify/evidence.h"

namespace postern::classify::decoders {

struct NamedDecoder {
  std::string_view name;  // as `decoder:` of a signature
  Decoder decode;
};

// Each list is in the file that holds its decoders.
std::span<const NamedDecoder> management() noexcept;  // management.cc: rmcp family, slp, cim, rfc913, ssh ...
std::span<const NamedDecoder> datagrams() noexcept;   // datagrams.cc: what runs over UDP
std::span<const NamedDecoder> streams() noexcept;     // streams.cc: what runs over TCP
std::span<const NamedDecoder> databases() noexcept;   // databases.cc: postgres, mysql, mongodb, kafka ...

std::vector<NamedDecoder> all();

// nullptr: no such decoder.
Decoder find(std::string_view name) noexcept;

}  // namespace postern::classify::decoders
