// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <string_view>

#include "base/ascii.h"
#include "classify/decoders/datagrams.h"
#include "classify/decoders/text_headers.h"

namespace postern::classify::decoders {
namespace {

constexpr Fit fit_if(bool condition) noexcept { return condition ? Fit::Yes : Fit::No; }

constexpr size_t kStunHeader = 20;

// Binding, and those of TURN (RFC 8656, RFC 6062).
bool is_stun_method(uint16_t type) noexcept {
  const auto method = (type & 0xf) | (type & 0xe0) >> 1 | (type & 0x3e00) >> 2;
  return method >= 1 && method <= 12 && method != 2 && method != 5;
}

// RFC 8489 section 5; `header` is whole.
bool is_stun_header(Bytes header) noexcept {
  constexpr uint32_t kMagicCookie = 0x2112a442;
  const uint16_t type = load_be16(header.data());
  return (type & 0xc000) == 0 && is_stun_method(type) && load_be16(&header[2]) % 4 == 0 &&
         load_be32(&header[4]) == kMagicCookie;
}

// Each padded to four bytes; `length` bytes of them, of which `here` has arrived.
Fit are_stun_attributes(Bytes here, size_t length) noexcept {
  size_t at = 0;
  while (at < length) {
    if (length - at < 4) return Fit::No;
    if (here.size() - at < 4) return Fit::More;
    const size_t padded = (size_t{load_be16(&here[at + 2])} + 3) / 4 * 4;
    at += 4 + padded;
    if (at > length) return Fit::No;
    if (at > here.size()) return Fit::More;
  }
  return Fit::Yes;
}

// RFC 3261 and its extensions.
constexpr std::string_view kSipMethods[] = {"INVITE",    "ACK",     "BYE",    "CANCEL", "OPTIONS",
                                            "REGISTER",  "PRACK",   "UPDATE", "REFER",  "NOTIFY",
                                            "SUBSCRIBE", "MESSAGE", "INFO",   "PUBLISH"};

bool is_sip_method(std::string_view word) noexcept {
  return std::find(std::begin(kSipMethods), std::end(kSipMethods), word) != std::end(kSipMethods);
}

// RFC 3261 section 7: "METHOD uri SIP/2.0" or "SIP/2.0 code reason".
bool is_sip_start_line(std::string_view line) noexcept {
  constexpr std::string_view kVersion = "SIP/2.0";
  if (line.starts_with(kVersion)) {
    if (line.size() < 12 || line[7] != ' ' || line[11] != ' ') return false;
    return line[8] >= '1' && line[8] <= '6' &&
           std::all_of(&line[9], &line[11], [](char c) { return c >= '0' && c <= '9'; });
  }
  const size_t first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || first == last || line.substr(last + 1) != kVersion) return false;
  const std::string_view uri = line.substr(first + 1, last - first - 1);
  const bool known = starts_ignoring_case(uri, "sip:") || starts_ignoring_case(uri, "sips:") ||
                     starts_ignoring_case(uri, "tel:") || starts_ignoring_case(uri, "urn:");
  return known && uri.find(' ') == std::string_view::npos && is_sip_method(line.substr(0, first));
}

bool is_sip_prefix(std::string_view text) noexcept {
  const std::string_view word = text.substr(0, text.find(' '));
  const bool whole = word.size() < text.size();
  if (std::string_view("SIP/2.0").starts_with(word)) return !whole || word.size() == 7;
  return std::any_of(std::begin(kSipMethods), std::end(kSipMethods), [&](std::string_view method) {
    return whole ? word == method : method.starts_with(word);
  });
}

enum SipHeader : uint8_t { kVia = 1, kCallId = 2, kSequence = 4, kAll = 7 };

uint8_t sip_header(std::string_view name) noexcept {
  if (equals_ignoring_case(name, "via") || equals_ignoring_case(name, "v")) return kVia;
  if (equals_ignoring_case(name, "call-id") || equals_ignoring_case(name, "i")) return kCallId;
  return equals_ignoring_case(name, "cseq") ? kSequence : 0;
}

constexpr std::string_view kPeerHandshake =
    "\x13"
    "BitTorrent protocol";

// One value of bencode at `at`, nested at most so deep that no datagram is a burden.
class Bencode {
 public:
  explicit Bencode(std::string_view text) noexcept : text_(text) {}

  // BEP 5: one dictionary, filling the datagram, that says what it is (y) and which question it is about (t).
  bool is_dht_message() noexcept {
    if (text_.size() < 2 || text_[0] != 'd') return false;
    at_ = 1;
    bool has_kind = false, has_transaction = false;
    while (at_ < text_.size() && text_[at_] != 'e') {
      const std::string_view key = string();
      if (key.empty()) return false;
      const size_t start = at_;
      if (!skip_value()) return false;
      const std::string_view value = text_.substr(start, at_ - start);
      if (key == "t") has_transaction = value.size() > 2 && value[0] != 'd' && value[0] != 'l';
      if (key == "y") has_kind = value == "1:q" || value == "1:r" || value == "1:e";
    }
    return at_ + 1 == text_.size() && has_kind && has_transaction;
  }

 private:
  static constexpr size_t kDeepest = 8;
  static bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
  bool ended() const noexcept { return at_ >= text_.size(); }

  std::string_view string() noexcept {
    size_t length = 0, digits = 0;
    for (; !ended() && is_digit(text_[at_]) && digits < 5; ++at_, ++digits)
      length = length * 10 + static_cast<size_t>(text_[at_] - '0');
    if (digits == 0 || ended() || text_[at_] != ':' || length > text_.size() - at_ - 1) return {};
    const std::string_view found = text_.substr(at_ + 1, length);
    at_ += 1 + length;
    return found;
  }

  bool skip_integer() noexcept {
    ++at_;
    if (!ended() && text_[at_] == '-') ++at_;
    const size_t first = at_;
    while (!ended() && is_digit(text_[at_])) ++at_;
    if (at_ == first || ended() || text_[at_] != 'e') return false;
    ++at_;
    return true;
  }

  // Lists and dictionaries alike: what opens must close.
  bool skip_value() noexcept {
    size_t depth = 0;
    do {
      if (ended()) return false;
      const char c = text_[at_];
      if (c == 'i') {
        if (!skip_integer()) return false;
      } else if (c == 'd' || c == 'l') {
        if (++depth > kDeepest) return false;
        ++at_;
      } else if (c == 'e') {
        if (depth-- == 0) return false;
        ++at_;
      } else {
        const size_t before = at_;
        if (string().empty() && (at_ == before || text_[at_ - 1] != ':')) return false;
      }
    } while (depth != 0);
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
};

// BEP 15: the protocol id, action connect, a transaction.
bool is_tracker_connect(Bytes datagram) noexcept {
  static constexpr std::array<uint8_t, 12> kConnect = {0, 0, 4, 0x17, 0x27, 0x10, 0x19, 0x80};
  return datagram.size() == 16 && std::equal(kConnect.begin(), kConnect.end(), datagram.begin());
}

// BEP 29. Its header fits much, so only one that carries the handshake of peers counts.
bool is_utp_handshake(Bytes datagram) noexcept {
  constexpr uint8_t kDataVersion1 = 0x01;
  constexpr size_t kHeader = 20;
  ByteReader in(datagram);
  if (in.u8() != kDataVersion1) return false;
  uint8_t extension = in.u8();
  in.skip(kHeader - 2);
  for (int i = 0; extension != 0 && i < 4; ++i) {
    extension = in.u8();
    in.skip(in.u8());
  }
  return in.ok() && extension == 0 && as_text(in.rest()).starts_with(kPeerHandshake);
}

}  // namespace

Fit stun(const Evidence& evidence) noexcept {
  const Bytes message = evidence.payload;
  if (message.size() < kStunHeader || !is_stun_header(message)) return Fit::No;
  const size_t length = load_be16(&message[2]);
  if (message.size() != kStunHeader + length) return Fit::No;
  return fit_if(are_stun_attributes(message.subspan(kStunHeader), length) == Fit::Yes);
}

Fit stun_tcp(const Evidence& evidence) noexcept {
  const Bytes stream = evidence.payload;
  if (!stream.empty() && (stream[0] & 0xc0) != 0) return Fit::No;
  if (stream.size() < kStunHeader) return Fit::More;
  if (!is_stun_header(stream)) return Fit::No;
  const size_t length = load_be16(&stream[2]);
  const Bytes here = stream.subspan(kStunHeader, std::min(length, stream.size() - kStunHeader));
  return fit_if(are_stun_attributes(here, length) != Fit::No);
}

// The header to its end with the three fields every message has; the body fills the datagram.
Fit sip(const Evidence& evidence) noexcept {
  TextHeaders headers(as_text(evidence.payload));
  if (!is_sip_start_line(headers.start_line())) return Fit::No;
  uint8_t seen = 0;
  size_t body = 0;
  for (TextHeaders::Step step = headers.next(); step != TextHeaders::Step::End; step = headers.next()) {
    if (step == TextHeaders::Step::Bad) return Fit::No;
    if (step == TextHeaders::Step::Folded) continue;
    seen |= sip_header(headers.name());
    if (!equals_ignoring_case(headers.name(), "content-length") && !equals_ignoring_case(headers.name(), "l"))
      continue;
    body = 0;
    for (const char c : headers.value()) {
      if (c < '0' || c > '9' || body > 65535) return Fit::No;
      body = body * 10 + static_cast<size_t>(c - '0');
    }
  }
  return fit_if(seen == kAll && headers.rest().size() >= body);
}

// The first line says it: no other protocol's lines name this version.
Fit sip_tcp(const Evidence& evidence) noexcept {
  constexpr size_t kLongestLine = 2048;
  std::string_view text = as_text(evidence.payload);
  while (text.starts_with("\r\n")) text.remove_prefix(2);  // section 7.5: empty lines may come first
  if (text.empty() || text == "\r") return evidence.payload.size() < 16 ? Fit::More : Fit::No;
  if (!is_sip_prefix(text)) return Fit::No;
  const std::string_view line = TextHeaders(text).start_line();
  if (!line.empty()) return fit_if(is_sip_start_line(line));
  return text.size() < kLongestLine ? Fit::More : Fit::No;
}

Fit bittorrent_tcp(const Evidence& evidence) noexcept {
  const std::string_view stream = as_text(evidence.payload);
  const size_t common = std::min(stream.size(), kPeerHandshake.size());
  if (stream.substr(0, common) != kPeerHandshake.substr(0, common)) return Fit::No;
  return common == kPeerHandshake.size() ? Fit::Yes : Fit::More;
}

Fit bittorrent_udp(const Evidence& evidence) noexcept {
  const Bytes datagram = evidence.payload;
  return fit_if(Bencode(as_text(datagram)).is_dht_message() || is_tracker_connect(datagram) ||
                is_utp_handshake(datagram));
}

}  // namespace postern::classify::decoders
