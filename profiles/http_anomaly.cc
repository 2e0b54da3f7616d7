// SPDX-License-Identifier: Apache-2.0
#include "profiles/http_anomaly.h"

#include <iterator>

namespace postern::profiles {
namespace {

struct Words {
  std::string_view name, meaning;
};

constexpr Words kWords[] = {
    {"none", "nothing is wrong"},
    {"bad_request_line", "a request line is not METHOD SP TARGET SP VERSION with single spaces"},
    {"bad_method", "a method is longer than 24 bytes or not of A-Z, 0-9, - and _"},
    {"bad_target", "a request target has a control character or fragment, or none of the four forms"},
    {"request_line_too_long", "a request target is longer than 8190 bytes, or its path than 2048"},
    {"http_0_9", "a request line has no version"},
    {"bad_version", "a version is neither HTTP/1.0 nor HTTP/1.1"},
    {"nul", "a request head has a zero byte"},
    {"bare_cr", "a carriage return is not followed by a line feed"},
    {"bare_lf", "a line ends without carriage return"},
    {"obs_fold", "a header line begins with white space"},
    {"space_before_colon", "white space stands between a header's name and its colon"},
    {"bad_header_name", "a header's name is empty, has a forbidden character or no colon after it"},
    {"bad_header_value", "a header's value has a control character"},
    {"head_too_long", "the headers or trailers of a request are longer than 64 KiB"},
    {"repeated_host", "a request has two Host headers"},
    {"bad_content_length", "a Content-Length is not 1 to 18 digits"},
    {"repeated_content_length", "a request has two Content-Length headers"},
    {"length_and_encoding", "a request has both Content-Length and Transfer-Encoding"},
    {"bad_transfer_encoding", "a request's Transfer-Encoding is not just chunked"},
    {"repeated_transfer_encoding", "a request has two Transfer-Encoding headers"},
    {"encoding_in_http_1_0", "an HTTP/1.0 request has a Transfer-Encoding"},
    {"framing_lookalike", "a header is a framing header but for an underscore"},
    {"bad_chunk_size", "a chunk's size is not hexadecimal or beyond 2 GiB"},
    {"bad_chunk", "a chunk's extension or end is malformed"},
    {"framing_in_trailer", "a trailer is a header that frames or routes messages"},
    {"bad_expect", "an Expect is not 100-continue"},
    {"ambiguous_continue", "bytes follow an answer that came instead of 100 Continue"},
    {"connect_with_body", "a CONNECT request has a body"},
    {"early_tunnel_data", "bytes follow a CONNECT or Upgrade request before its answer"},
    {"data_after_close", "bytes follow a request that was the last of its connection"},
    {"pipeline_too_deep", "more than 64 requests wait for their answers"},
    {"bad_response", "an answer is not HTTP/1"},
    {"unpaired_response", "an answer comes before any request"},
    {"unexpected_switch", "a server switches protocols unasked"},
};
static_assert(std::size(kWords) == kHttpAnomalies);

}  // namespace

std::string_view http_anomaly_name(HttpAnomaly anomaly) noexcept {
  return kWords[static_cast<size_t>(anomaly)].name;
}

std::string_view http_anomaly_meaning(HttpAnomaly anomaly) noexcept {
  return kWords[static_cast<size_t>(anomaly)].meaning;
}

}  // namespace postern::profiles
