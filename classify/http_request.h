// SPDX-License-Identifier: Apache-2.0
// Recognises HTTP/1 messages and the CIM-XML operations among them (DMTF DSP0200 section 6.3). Any thread.
#pragma once

#include "base/bytes.h"
#include "classify/fit.h"

namespace postern::classify {

enum class HttpKind : uint8_t {
  None,  // not HTTP/1
  More,  // may be: the request line, or a header that would make it CIM-XML, can still come
  Http,
  CimXml,  // a (nn-)CIMOperation or CIMExport header, or the method M-POST
};

// How far a header block is searched for CIM headers; a longer one is plain HTTP.
inline constexpr size_t kHttpHeaderSearch = 8192;

HttpKind classify_http_request(Bytes stream) noexcept;
HttpKind classify_http_response(Bytes stream) noexcept;

}  // namespace postern::classify
