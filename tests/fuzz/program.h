// SPDX-License-Identifier: Apache-2.0
// A fuzzer's input as a little program: numbers are taken from its start until nothing is left. Missing bytes are zero.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace postern {

class Program {
 public:
  Program(const uint8_t* data, size_t size) : reader_({data, size}) {}

  bool ended() const { return reader_.remaining() == 0; }
  uint8_t byte() { return ended() ? uint8_t{0} : reader_.u8(); }
  uint16_t word() { return static_cast<uint16_t>(byte() << 8 | byte()); }
  Bytes bytes(size_t count) { return reader_.bytes(count < reader_.remaining() ? count : reader_.remaining()); }

 private:
  ByteReader reader_;
};

}  // namespace postern
