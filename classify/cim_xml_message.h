// SPDX-License-Identifier: Apache-2.0
// Recognises CIM-XML operations (DMTF DSP0200 section 6.3) among HTTP/1 messages: a (nn-)CIMOperation or
// CIMExport header, or the method M-POST. Any thread.
#pragma once

#include "base/bytes.h"
#include "classify/fit.h"

namespace postern::classify {

// How far a message is searched for such a header.
inline constexpr size_t kCimHeaderSearch = 8192;

Fit is_cim_xml_request(Bytes stream) noexcept;
Fit is_cim_xml_response(Bytes stream) noexcept;

}  // namespace postern::classify
