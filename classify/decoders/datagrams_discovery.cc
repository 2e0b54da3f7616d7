// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string_view>

#include "base/ascii.h"
#include "classify/decoders/datagrams.h"
#include "classify/decoders/text_headers.h"
#include "classify/dns_message.h"

namespace postern::classify::decoders {
namespace {

constexpr Fit fit_if(bool condition) noexcept { return condition ? Fit::Yes : Fit::No; }

enum class SsdpKind : uint8_t { None, Any, Redfish };

// DSP0266 section "Protocol details": the service type, in answers with the minor version behind it.
bool names_redfish(std::string_view type) noexcept {
  constexpr std::string_view kService = "urn:dmtf-org:service:redfish-rest:1";
  if (!type.starts_with(kService)) return false;
  return type.size() == kService.size() || type[kService.size()] == ':' || type[kService.size()] == '.';
}

// UPnP Device Architecture 1.1 sections 1.2 and 1.3: what each of the three messages must carry.
enum SsdpHeader : uint8_t { kMan = 1, kSearched = 2, kNotified = 4, kState = 8, kName = 16, kRedfish = 32 };

uint8_t ssdp_header(std::string_view name, std::string_view value) noexcept {
  if (equals_ignoring_case(name, "man")) return value == "\"ssdp:discover\"" ? kMan : 0;
  if (equals_ignoring_case(name, "nts")) return value.starts_with("ssdp:") ? kState : 0;
  if (equals_ignoring_case(name, "usn")) return value.empty() ? 0 : kName;
  const bool searched = equals_ignoring_case(name, "st"), notified = equals_ignoring_case(name, "nt");
  if ((!searched && !notified) || value.empty()) return 0;
  const uint8_t redfish = names_redfish(value) ? kRedfish : 0;
  return redfish | (searched ? kSearched : kNotified);
}

SsdpKind ssdp_kind(Bytes datagram) noexcept {
  TextHeaders headers(as_text(datagram));
  const std::string_view start = headers.start_line();
  uint8_t needed = 0;
  if (start == "M-SEARCH * HTTP/1.1") needed = kMan | kSearched;
  if (start == "NOTIFY * HTTP/1.1") needed = kNotified | kState;
  if (start.starts_with("HTTP/1.1 200")) needed = kSearched | kName;
  if (needed == 0) return SsdpKind::None;
  uint8_t seen = 0;
  for (TextHeaders::Step step = headers.next(); step != TextHeaders::Step::End; step = headers.next()) {
    if (step == TextHeaders::Step::Bad) return SsdpKind::None;
    if (step == TextHeaders::Step::Header) seen |= ssdp_header(headers.name(), headers.value());
  }
  if ((seen & needed) != needed) return SsdpKind::None;
  return seen & kRedfish ? SsdpKind::Redfish : SsdpKind::Any;
}

bool is_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// The text is one SOAP envelope from begin to end.
bool is_soap_envelope(std::string_view text) noexcept {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  text = trimmed(text);
  if (text.starts_with("<?xml")) {
    const size_t end = text.find("?>");
    if (end == std::string_view::npos) return false;
    text = trimmed(text.substr(end + 2));
  }
  if (text.empty() || text[0] != '<' || text.back() != '>') return false;
  const std::string_view name = text.substr(1, text.find_first_of(" \t\r\n>") - 1);
  if (name != "Envelope" && !name.ends_with(":Envelope")) return false;
  const std::string_view tail = trimmed(text.substr(0, text.size() - 1));
  if (!tail.ends_with(name)) return false;
  return tail.substr(0, tail.size() - name.size()).ends_with("</");
}

// WS-Discovery 2005 and its OASIS version; a namespace of the one, "/" and the action.
bool names_discovery_action(std::string_view text) noexcept {
  static constexpr std::string_view kNamespaces[] = {
      "http://schemas.xmlsoap.org/ws/2005/04/discovery/",
      "http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01/"};
  static constexpr std::string_view kActions[] = {"Hello",        "Bye",     "Probe",
                                                  "ProbeMatches", "Resolve", "ResolveMatches"};
  for (const std::string_view space : kNamespaces) {
    for (size_t at = text.find(space); at != std::string_view::npos; at = text.find(space, at + 1)) {
      std::string_view action = text.substr(at + space.size());
      action = action.substr(0, action.find_first_of(" \t\r\n<"));
      if (std::find(std::begin(kActions), std::end(kActions), action) != std::end(kActions)) return true;
    }
  }
  return false;
}

// RFC 7252 section 3.1: a nibble, or one or two more bytes when it says 13 or 14.
size_t coap_number(ByteReader& in, uint8_t nibble) noexcept {
  if (nibble == 13) return size_t{13} + in.u8();
  if (nibble == 14) return size_t{269} + in.be16();
  return nibble;
}

bool are_coap_options(ByteReader in) noexcept {
  constexpr uint8_t kPayloadMarker = 0xff, kReserved = 15;
  constexpr size_t kLastNumber = 65535;
  size_t number = 0;
  while (in.remaining() != 0) {
    const uint8_t head = in.u8();
    if (head == kPayloadMarker) return in.remaining() != 0;
    if (head >> 4 == kReserved || (head & 0xf) == kReserved) return false;
    number += coap_number(in, head >> 4);
    in.skip(coap_number(in, head & 0xf));
    if (!in.ok() || number > kLastNumber) return false;
  }
  return in.ok();
}

// Class and detail: a request method of RFC 7252 or 8132, or an answer.
bool is_coap_code(uint8_t code) noexcept {
  const uint8_t cls = code >> 5, detail = code & 0x1f;
  if (cls == 0) return detail <= 7;
  return cls == 2 || cls == 4 || cls == 5;
}

// ASHRAE 135 clause 6.2: version, control, destination, source, hop count; then an APDU or a message type.
bool is_bacnet_network_part(ByteReader in) noexcept {
  constexpr uint8_t kVersion = 1, kNetworkMessage = 0x80, kDestination = 0x20, kSource = 0x08,
                    kReserved = 0x50;
  constexpr uint8_t kLastApduType = 7;
  const uint8_t version = in.u8(), control = in.u8();
  if (version != kVersion || (control & kReserved) != 0) return false;
  if (control & kDestination) {
    if (in.be16() == 0) return false;
    in.skip(in.u8());
  }
  if (control & kSource) {
    const uint16_t network = in.be16();
    const uint8_t length = in.u8();
    if (network == 0 || network == 0xffff || length == 0) return false;
    in.skip(length);
  }
  if (control & kDestination) in.u8();
  const uint8_t type = in.u8();
  if (!in.ok()) return false;
  return (control & kNetworkMessage) != 0 || (type >> 4 <= kLastApduType && in.remaining() != 0);
}

}  // namespace

Fit ssdp(const Evidence& evidence) noexcept { return fit_if(ssdp_kind(evidence.payload) == SsdpKind::Any); }
Fit redfish_discovery(const Evidence& evidence) noexcept {
  return fit_if(ssdp_kind(evidence.payload) == SsdpKind::Redfish);
}

// RFC 6762 section 18: operation and answer code are zero, whatever is asked or announced.
Fit mdns(const Evidence& evidence) noexcept {
  constexpr uint16_t kOperationAndCode = 0x780f;
  const Bytes message = evidence.payload;
  if (message.size() < 12 || (load_be16(&message[2]) & kOperationAndCode) != 0) return Fit::No;
  return is_dns_datagram(message, DnsRole::Either);
}

// RFC 4795 section 2.1.1: one question, no answers in a query, reserved bits zero.
Fit llmnr(const Evidence& evidence) noexcept {
  constexpr uint16_t kResponse = 0x8000, kReserved = 0x00f0, kOperation = 0x7800, kCode = 0x000f;
  const Bytes message = evidence.payload;
  if (message.size() < 12) return Fit::No;
  const uint16_t flags = load_be16(&message[2]);
  const bool response = flags & kResponse;
  if ((flags & (kReserved | kOperation)) != 0 || load_be16(&message[4]) != 1) return Fit::No;
  if (!response && ((flags & kCode) != 0 || load_be16(&message[8]) != 0)) return Fit::No;
  return is_dns_datagram(message, response ? DnsRole::Response : DnsRole::Query);
}

Fit ws_discovery(const Evidence& evidence) noexcept {
  constexpr size_t kHeaderSearch = 8192;  // the action is among the first elements
  const std::string_view text = as_text(evidence.payload);
  return fit_if(is_soap_envelope(text) && names_discovery_action(text.substr(0, kHeaderSearch)));
}

Fit coap(const Evidence& evidence) noexcept {
  constexpr uint8_t kVersion = 1, kLongestToken = 8;
  ByteReader in(evidence.payload);
  const uint8_t first = in.u8(), code = in.u8(), token = first & 0xf;
  in.skip(2);  // message id
  if (!in.ok() || first >> 6 != kVersion || token > kLongestToken || !is_coap_code(code)) return Fit::No;
  if (code == 0) return fit_if(token == 0 && in.remaining() == 0);  // a ping, or an empty acknowledgement
  in.skip(token);
  return fit_if(in.ok() && are_coap_options(in));
}

// ASHRAE 135 annex J.
Fit bacnet(const Evidence& evidence) noexcept {
  constexpr uint8_t kBacnetIp = 0x81, kResult = 0, kForwarded = 4, kDistribute = 9, kBroadcast = 11,
                    kSecure = 12;
  ByteReader in(evidence.payload);
  if (in.u8() != kBacnetIp) return Fit::No;
  const uint8_t function = in.u8();
  if (in.be16() != evidence.payload.size() || !in.ok() || function > kSecure) return Fit::No;
  if (function == kForwarded) in.skip(6);  // who sent it first
  if (function == kForwarded || (function >= kDistribute && function <= kBroadcast))
    return fit_if(is_bacnet_network_part(in));
  return fit_if(function != kResult || in.remaining() == 2);
}

}  // namespace postern::classify::decoders
