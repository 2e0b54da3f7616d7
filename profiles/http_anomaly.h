// SPDX-License-Identifier: Apache-2.0
// What makes two readers of one HTTP/1 connection disagree about where a request begins or what it asks. Each
// is an evasion or a broken client; after one, the connection has no boundaries left to trust. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postern::profiles {

enum class HttpAnomaly : uint8_t {
  None,
  // Request line (RFC 9112 section 3).
  BadRequestLine,
  BadMethod,
  BadTarget,
  RequestLineTooLong,
  Http09,
  BadVersion,
  // Lines and fields (RFC 9112 section 5).
  Nul,
  BareCr,
  BareLf,
  ObsFold,
  SpaceBeforeColon,
  BadHeaderName,
  BadHeaderValue,
  HeadTooLong,
  RepeatedHost,
  // Framing (RFC 9112 section 6).
  BadContentLength,
  RepeatedContentLength,
  LengthAndEncoding,
  BadTransferEncoding,
  RepeatedTransferEncoding,
  EncodingInHttp10,
  FramingLookalike,
  BadChunkSize,
  BadChunk,
  FramingInTrailer,
  BadExpect,
  // The connection as a whole.
  AmbiguousContinue,
  ConnectWithBody,
  EarlyTunnelData,
  DataAfterClose,
  PipelineTooDeep,
  BadResponse,
  UnpairedResponse,
  UnexpectedSwitch,
  Count,
};
inline constexpr size_t kHttpAnomalies = static_cast<size_t>(HttpAnomaly::Count);

std::string_view http_anomaly_name(HttpAnomaly anomaly) noexcept;     // as in logs and counters
std::string_view http_anomaly_meaning(HttpAnomaly anomaly) noexcept;  // one sentence for operators

}  // namespace postern::profiles
