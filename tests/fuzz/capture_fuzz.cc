// SPDX-License-Identifier: Apache-2.0
// Any bytes as a capture file: frames and then an end or an error that stays, never more bytes than the file promises.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "dataplane/capture_reader.h"

using namespace postern;
using namespace postern::dataplane;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const int file = memfd_create("capture", 0);
  if (ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) != static_cast<ssize_t>(size)) std::abort();
  auto reader = CaptureReader::open("/proc/self/fd/" + std::to_string(file));
  if (!reader) return 0;
  uint64_t sum = 0;
  for (;;) {
    const auto frame = reader->next();
    if (!frame) {
      const auto again = reader->next();
      if (again || again.error().text() != frame.error().text()) std::abort();
      return 0;
    }
    if (!frame->has_value()) return 0;
    if ((*frame)->frame.size() > kMaxCapturedBytes + 64) std::abort();
    for (const uint8_t byte : (*frame)->frame) sum += byte;   // every byte must be readable
    for (const char letter : (*frame)->interface) sum += static_cast<unsigned char>(letter);
    [[maybe_unused]] static volatile uint64_t sink;
    sink = sum;
  }
}
