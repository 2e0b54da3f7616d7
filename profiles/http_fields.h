// SPDX-License-Identifier: Apache-2.0
// The header fields of one request that tell applications apart or frame messages, in a place of fixed size:
// every name has room of its own, so no flood of one pushes out another. Credentials are never kept. One
// thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postern::profiles {

// Up to UserAgent in the order of the canonical text: what decides applications stands first.
enum class HttpField : uint8_t {
  MethodOverride,  // X-HTTP-Method-Override, X-HTTP-Method, X-Method-Override
  CimOperation,    // with or without the two digits of RFC 2774 before it, as the next two
  CimExport,
  CimMethod,
  Upgrade,
  WebSocketProtocol,
  ContentType,
  SoapAction,
  Man,
  Accept,
  ODataVersion,
  Connection,
  Host,
  UserAgent,
  ContentLength,  // these frame messages and are not kept
  TransferEncoding,
  Expect,
  FramingLookalike,
  Other,
};
inline constexpr size_t kKeptFields = 14;

struct HttpFieldPlace {
  std::string_view name;  // lower case
  uint16_t room;          // bytes of the value that are kept
};
inline constexpr std::array<HttpFieldPlace, kKeptFields> kFieldPlaces{{
    {"x-http-method-override", 32},
    {"cimoperation", 32},
    {"cimexport", 32},
    {"cimmethod", 64},
    {"upgrade", 64},
    {"sec-websocket-protocol", 64},
    {"content-type", 128},
    {"soapaction", 128},
    {"man", 96},
    {"accept", 256},
    {"odata-version", 16},
    {"connection", 64},
    {"host", 264},
    {"user-agent", 128},
}};

HttpField http_field(std::string_view lower_case_name) noexcept;

class HttpFields {
 public:
  void clear() noexcept;

  // One value comes as begin, any number of appends, end. Values of a repeated name are joined with ", ".
  void begin(HttpField field) noexcept;
  void append(std::string_view piece) noexcept;
  void end() noexcept;  // takes trailing white space off

  bool has(HttpField field) const noexcept { return present_ >> static_cast<unsigned>(field) & 1; }
  std::string_view value(HttpField field) const noexcept;  // kept fields only; empty: none
  bool cut() const noexcept { return cut_; }  // a value (but the user agent's) was longer than its room

 private:
  static constexpr size_t kRoom = [] {
    size_t sum = 0;
    for (const HttpFieldPlace& place : kFieldPlaces) sum += place.room;
    return sum;
  }();

  std::array<char, kRoom> room_;
  std::array<uint16_t, kKeptFields> length_{};
  uint16_t from_ = 0;     // where the value that is being read begins
  uint32_t present_ = 0;  // bit per HttpField
  HttpField open_ = HttpField::Other;
  bool cut_ = false;
};

}  // namespace postern::profiles
