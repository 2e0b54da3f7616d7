// SPDX-License-Identifier: Apache-2.0
// Walks the lines of headers or trailers up to the empty one and refuses what llhttp 8.1 lets pass or does
// not tell apart: a bare CR (CVE-2023-30589) or LF, a folded line, a name that is no token. Values are left
// to llhttp. One thread at a time.
#pragma once

#include "base/bytes.h"
#include "profiles/http_anomaly.h"

namespace postern::profiles {

class HttpHeadLines {
 public:
  static constexpr size_t kLongest = 65536;  // all lines together

  struct Taken {
    size_t bytes;  // up to the first refused one
    HttpAnomaly anomaly;
    bool ended;  // with the empty line
  };

  void clear() noexcept;
  Taken take(Bytes bytes) noexcept;

 private:
  enum class Place : uint8_t { Start, Name, Value, AfterCr, AfterEmptyCr };
  Taken walk(Bytes bytes) noexcept;
  HttpAnomaly start(uint8_t byte) noexcept;

  uint32_t seen_ = 0;
  Place place_ = Place::Start;
};

}  // namespace postern::profiles
