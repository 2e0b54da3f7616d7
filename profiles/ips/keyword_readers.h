// SPDX-License-Identifier: Apache-2.0
// Readers of single keywords, by file; keywords.cc lists them. Control thread.
#pragma once

#include "profiles/ips/signature_builder.h"

namespace postern::profiles::ips {

Result<Range> parse_range(std::string_view text);  // "5", "<5", ">=5", "!5", "1<>5"
Result<std::string_view> unquoted(std::string_view text);
// "|41 42|", escapes by backslash; quotes are off already.
Result<std::vector<uint8_t>> parse_pattern(std::string_view text);

// keywords_content.cc
Status read_content(SignatureBuilder&, std::string_view);
Status read_uricontent(SignatureBuilder&, std::string_view);
Status read_nocase(SignatureBuilder&, std::string_view);
Status read_offset(SignatureBuilder&, std::string_view);
Status read_depth(SignatureBuilder&, std::string_view);
Status read_distance(SignatureBuilder&, std::string_view);
Status read_within(SignatureBuilder&, std::string_view);
Status read_startswith(SignatureBuilder&, std::string_view);
Status read_endswith(SignatureBuilder&, std::string_view);
Status read_fast_pattern(SignatureBuilder&, std::string_view);
Status read_pcre(SignatureBuilder&, std::string_view);
Status read_isdataat(SignatureBuilder&, std::string_view);
Status read_bsize(SignatureBuilder&, std::string_view);
Status read_urilen(SignatureBuilder&, std::string_view);
Status read_dataset(SignatureBuilder&, std::string_view);
Status read_filename(SignatureBuilder&, std::string_view);
Status read_fileext(SignatureBuilder&, std::string_view);
Status read_tls_subject(SignatureBuilder&, std::string_view);
Status read_tls_issuer(SignatureBuilder&, std::string_view);
Status read_tls_fingerprint(SignatureBuilder&, std::string_view);
Status read_tls_version(SignatureBuilder&, std::string_view);

// keywords_bytes.cc
Status read_byte_test(SignatureBuilder&, std::string_view);
Status read_byte_jump(SignatureBuilder&, std::string_view);
Status read_byte_extract(SignatureBuilder&, std::string_view);
Status read_byte_math(SignatureBuilder&, std::string_view);
Status read_base64_decode(SignatureBuilder&, std::string_view);
Status read_base64_data(SignatureBuilder&, std::string_view);

// keywords_packet.cc
Status read_flow(SignatureBuilder&, std::string_view);
Status read_flags(SignatureBuilder&, std::string_view);
Status read_fragbits(SignatureBuilder&, std::string_view);
Status read_same_ip(SignatureBuilder&, std::string_view);
Status read_ip_version(SignatureBuilder&, std::string_view);
Status read_app_layer_protocol(SignatureBuilder&, std::string_view);
Status read_stream_size(SignatureBuilder&, std::string_view);
Status read_ip_proto(SignatureBuilder&, std::string_view);
template <Field field>
Status read_field(SignatureBuilder& builder, std::string_view value) {
  Result<Range> range = parse_range(value);
  if (!range) return range.error();
  builder.signature().fields.push_back({field, *range});
  return Ok{};
}

// keywords_state.cc
Status read_flowbits(SignatureBuilder&, std::string_view);
Status read_xbits(SignatureBuilder&, std::string_view);
Status read_hostbits(SignatureBuilder&, std::string_view);
Status read_flowint(SignatureBuilder&, std::string_view);
Status read_threshold(SignatureBuilder&, std::string_view);
Status read_detection_filter(SignatureBuilder&, std::string_view);

// keywords_about.cc
Status read_msg(SignatureBuilder&, std::string_view);
Status read_sid(SignatureBuilder&, std::string_view);
Status read_rev(SignatureBuilder&, std::string_view);
Status read_gid(SignatureBuilder&, std::string_view);
Status read_classtype(SignatureBuilder&, std::string_view);
Status read_priority(SignatureBuilder&, std::string_view);
Status read_metadata(SignatureBuilder&, std::string_view);
Status read_reference(SignatureBuilder&, std::string_view);
Status read_target(SignatureBuilder&, std::string_view);
Status read_noalert(SignatureBuilder&, std::string_view);

// of transforms
template <Transform what>
Status read_transform(SignatureBuilder& builder, std::string_view) {
  return builder.transform({what, {}});
}
Status read_xor(SignatureBuilder&, std::string_view);

}  // namespace postern::profiles::ips
