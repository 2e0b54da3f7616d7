// SPDX-License-Identifier: Apache-2.0
// Reads one request line, strictly, from bytes that come in pieces of any size (RFC 9112 section 3). llhttp
// is not asked: it knows no M-POST, and takes two spaces for one. One thread at a time.
#pragma once

#include <array>
#include <string_view>

#include "base/bytes.h"
#include "profiles/http_anomaly.h"

namespace postern::profiles {

class HttpRequestLine {
 public:
  static constexpr size_t kLongestMethod = 24;
  static constexpr size_t kLongestTarget = 8190;  // as nginx and Apache
  static constexpr size_t kKeptTarget = 2048;     // only a query may be longer

  enum class Outcome : uint8_t { More, Done, Http2, Refused };
  struct Taken {
    size_t bytes;
    Outcome outcome;
  };

  void clear() noexcept;

  // Done with the line feed; refused (see anomaly()) at the first byte that cannot be. One empty line before
  // the request is skipped (section 2.2). Http2: the line was the preface of RFC 9113 section 3.4.
  Taken take(Bytes bytes) noexcept;

  std::string_view method() const noexcept { return {method_.data(), method_length_}; }
  std::string_view target() const noexcept;
  bool target_cut() const noexcept { return target_length_ > kKeptTarget; }
  uint8_t minor_version() const noexcept { return minor_; }
  HttpAnomaly anomaly() const noexcept { return anomaly_; }

 private:
  enum class Part : uint8_t { Start, EmptyLine, Method, Target, Version };

  size_t take_target(Bytes bytes) noexcept;
  HttpAnomaly start(uint8_t byte) noexcept;
  HttpAnomaly method_byte(uint8_t byte) noexcept;
  HttpAnomaly target_byte(uint8_t byte) noexcept;
  HttpAnomaly version_byte(uint8_t byte) noexcept;
  HttpAnomaly step(uint8_t byte) noexcept;
  bool is_target_form() const noexcept;

  std::array<char, kKeptTarget> target_;
  std::array<char, kLongestMethod> method_;
  uint16_t target_length_ = 0;
  uint8_t method_length_ = 0, version_length_ = 0, minor_ = 0;
  Part part_ = Part::Start;
  HttpAnomaly anomaly_ = HttpAnomaly::None;
  bool query_ = false, empty_line_ = false, http2_ = false;
};

}  // namespace postern::profiles
