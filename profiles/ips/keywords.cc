// SPDX-License-Identifier: Apache-2.0
#include "profiles/ips/keywords.h"

#include <algorithm>

#include "profiles/ips/keyword_readers.h"

namespace postern::profiles::ips {
namespace {

using enum KeywordKind;
using enum Value;

constexpr std::string_view kNoDecoder = "postern has no decoder of this protocol's fields";
constexpr std::string_view kNoEvents =
    "decoder events are postern's own anomalies and drop reasons, not rules";
constexpr std::string_view kNoScripts = "rules run no scripts";

constexpr Keyword kKeywords[] = {
    {"msg", About, Wanted, read_msg, ""},
    {"sid", About, Wanted, read_sid, ""},
    {"rev", About, Wanted, read_rev, ""},
    {"gid", About, Wanted, read_gid, ""},
    {"classtype", About, Wanted, read_classtype, ""},
    {"priority", About, Wanted, read_priority, ""},
    {"metadata", About, Wanted, read_metadata, ""},
    {"reference", About, Wanted, read_reference, ""},
    {"target", About, Wanted, read_target, ""},
    {"noalert", About, None, read_noalert, ""},

    {"content", Bytes, Wanted, read_content, ""},
    {"uricontent", Bytes, Wanted, read_uricontent, ""},
    {"pcre", Bytes, Wanted, read_pcre, ""},
    {"isdataat", Bytes, Wanted, read_isdataat, ""},
    {"bsize", Bytes, Wanted, read_bsize, ""},
    {"urilen", Bytes, Wanted, read_urilen, ""},
    {"byte_test", Bytes, Wanted, read_byte_test, ""},
    {"byte_jump", Bytes, Wanted, read_byte_jump, ""},
    {"byte_extract", Bytes, Wanted, read_byte_extract, ""},
    {"byte_math", Bytes, Wanted, read_byte_math, ""},
    {"base64_decode", Bytes, Optional, read_base64_decode, ""},
    {"base64_data", Bytes, None, read_base64_data, ""},
    {"dataset", Bytes, Wanted, read_dataset, ""},
    {"filename", Bytes, Wanted, read_filename, ""},
    {"fileext", Bytes, Wanted, read_fileext, ""},
    {"tls.subject", Bytes, Wanted, read_tls_subject, ""},
    {"tls.issuerdn", Bytes, Wanted, read_tls_issuer, ""},
    {"tls.fingerprint", Bytes, Wanted, read_tls_fingerprint, ""},
    {"tls.version", Bytes, Wanted, read_tls_version, ""},

    {"nocase", Modifier, None, read_nocase, ""},
    {"offset", Modifier, Wanted, read_offset, ""},
    {"depth", Modifier, Wanted, read_depth, ""},
    {"distance", Modifier, Wanted, read_distance, ""},
    {"within", Modifier, Wanted, read_within, ""},
    {"startswith", Modifier, None, read_startswith, ""},
    {"endswith", Modifier, None, read_endswith, ""},
    {"fast_pattern", Modifier, Optional, read_fast_pattern, ""},

    {"to_lowercase", Transform, None, read_transform<Transform::ToLowercase>, ""},
    {"to_uppercase", Transform, None, read_transform<Transform::ToUppercase>, ""},
    {"strip_whitespace", Transform, None, read_transform<Transform::StripWhitespace>, ""},
    {"compress_whitespace", Transform, None, read_transform<Transform::CompressWhitespace>, ""},
    {"dotprefix", Transform, None, read_transform<Transform::DotPrefix>, ""},
    {"url_decode", Transform, None, read_transform<Transform::UrlDecode>, ""},
    {"header_lowercase", Transform, None, read_transform<Transform::HeaderLowercase>, ""},
    {"strip_pseudo_headers", Transform, None, read_transform<Transform::StripPseudoHeaders>, ""},
    {"from_base64", Transform, Optional, read_transform<Transform::FromBase64>, ""},
    {"xor", Transform, Wanted, read_xor, ""},

    {"flow", Flow, Wanted, read_flow, ""},
    {"app-layer-protocol", Flow, Wanted, read_app_layer_protocol, ""},
    {"stream_size", Flow, Wanted, read_stream_size, ""},

    {"dsize", Packet, Wanted, read_field<Field::PayloadSize>, ""},
    {"ttl", Packet, Wanted, read_field<Field::Ttl>, ""},
    {"id", Packet, Wanted, read_field<Field::IpId>, ""},
    {"tos", Packet, Wanted, read_field<Field::Tos>, ""},
    {"itype", Packet, Wanted, read_field<Field::IcmpType>, ""},
    {"icode", Packet, Wanted, read_field<Field::IcmpCode>, ""},
    {"icmp_id", Packet, Wanted, read_field<Field::IcmpId>, ""},
    {"icmp_seq", Packet, Wanted, read_field<Field::IcmpSequence>, ""},
    {"seq", Packet, Wanted, read_field<Field::TcpSequence>, ""},
    {"ack", Packet, Wanted, read_field<Field::TcpAck>, ""},
    {"window", Packet, Wanted, read_field<Field::TcpWindow>, ""},
    {"tcp.mss", Packet, Wanted, read_field<Field::TcpMss>, ""},
    {"ip_proto", Packet, Wanted, read_ip_proto, ""},
    {"flags", Packet, Wanted, read_flags, ""},
    {"tcp.flags", Packet, Wanted, read_flags, ""},
    {"fragbits", Packet, Wanted, read_fragbits, ""},
    {"sameip", Packet, None, read_same_ip, ""},
    {"l3_proto", Packet, Wanted, read_ip_version, ""},

    {"flowbits", State, Wanted, read_flowbits, ""},
    {"xbits", State, Wanted, read_xbits, ""},
    {"hostbits", State, Wanted, read_hostbits, ""},
    {"flowint", State, Wanted, read_flowint, ""},
    {"threshold", State, Wanted, read_threshold, ""},
    {"detection_filter", State, Wanted, read_detection_filter, ""},

    {"rawbytes", Accepted, None, nullptr, "a payload is always raw here"},
    {"prefilter", Accepted, None, nullptr, "postern chooses what is looked for first"},
    {"tag", Accepted, Wanted, nullptr, "packets behind an alert are not recorded"},
    {"logto", Accepted, Wanted, nullptr, "alerts go where the log profile says"},
    {"filestore", Accepted, Optional, nullptr, "alerts without keeping the file"},
    {"tls.store", Accepted, None, nullptr, "alerts without keeping the certificate"},
    {"tls_store", Accepted, None, nullptr, "alerts without keeping the certificate"},
    {"requires", Accepted, Wanted, nullptr,
     "a rule is refused for the keyword that is missing, not beforehand"},

    {"geoip", Refused, Wanted, nullptr,
     "postern has no database of countries; write the prefixes into a variable"},
    {"asn1", Refused, Wanted, nullptr, "ASN.1 is not decoded for rules"},
    {"ftpbounce", Refused, None, nullptr, kNoDecoder},
    {"lua", Refused, Wanted, nullptr, kNoScripts},
    {"luajit", Refused, Wanted, nullptr, kNoScripts},
    {"replace", Refused, Wanted, nullptr, "rules do not change traffic"},
    {"bypass", Refused, None, nullptr, "what is inspected is the policy's to say"},
    {"config", Refused, Wanted, nullptr, "what is inspected is the policy's to say"},
    {"iprep", Refused, Wanted, nullptr, "postern has no reputation lists; use dataset or a variable"},
    {"datarep", Refused, Wanted, nullptr, "postern has no reputation lists; use dataset"},
    {"app-layer-event", Refused, Wanted, nullptr, kNoEvents},
    {"decode-event", Refused, Wanted, nullptr, kNoEvents},
    {"stream-event", Refused, Wanted, nullptr, kNoEvents},
    {"engine-event", Refused, Wanted, nullptr, kNoEvents},
    {"rpc", Refused, Wanted, nullptr, kNoDecoder},
    {"dce_iface", Refused, Wanted, nullptr, kNoDecoder},
    {"dce_opnum", Refused, Wanted, nullptr, kNoDecoder},
    {"modbus", Refused, Wanted, nullptr, kNoDecoder},
    {"dnp3_func", Refused, Wanted, nullptr, kNoDecoder},
    {"dnp3_obj", Refused, Wanted, nullptr, kNoDecoder},
    {"enip_command", Refused, Wanted, nullptr, kNoDecoder},
    {"cip_service", Refused, Wanted, nullptr, kNoDecoder},
    {"ssl_state", Refused, Wanted, nullptr, kNoDecoder},
    {"ssl_version", Refused, Wanted, nullptr, kNoDecoder},
    {"filemagic", Refused, Wanted, nullptr, "file types are the sandboxing profile's"},
    {"filesize", Refused, Wanted, nullptr, "sizes of files are the antivirus profile's"},
    {"filemd5", Refused, Wanted, nullptr, "digests of files are the antivirus profile's"},
    {"filesha1", Refused, Wanted, nullptr, "digests of files are the antivirus profile's"},
    {"filesha256", Refused, Wanted, nullptr, "digests of files are the antivirus profile's"},
    {"pcrexform", Refused, Wanted, nullptr, "no such transform here"},
    {"to_md5", Refused, None, nullptr, "no such transform here"},
    {"to_sha1", Refused, None, nullptr, "no such transform here"},
    {"to_sha256", Refused, None, nullptr, "no such transform here"},
    {"ipopts", Refused, Wanted, nullptr, "options of IP are the wire's policy"},
    {"fragoffset", Refused, Wanted, nullptr, "rules see whole datagrams"},
};

}  // namespace

std::span<const Keyword> keywords() { return kKeywords; }

const Keyword* find_keyword(std::string_view name) {
  const auto row = std::find_if(std::begin(kKeywords), std::end(kKeywords),
                                [&](const Keyword& keyword) { return keyword.name == name; });
  return row == std::end(kKeywords) ? nullptr : row;
}

std::string_view keyword_kind_name(KeywordKind kind) {
  static constexpr std::string_view kNames[] = {"about", "bytes", "modifier", "transform", "packet",
                                                "flow",  "state", "accepted", "refused"};
  return kNames[static_cast<size_t>(kind)];
}

}  // namespace postern::profiles::ips
