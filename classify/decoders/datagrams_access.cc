// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string_view>

#include "classify/decoders/ber.h"
#include "classify/decoders/datagrams.h"

namespace postern::classify::decoders {
namespace {

constexpr Fit fit_if(bool condition) noexcept { return condition ? Fit::Yes : Fit::No; }

// RFC 2865 section 3, RFC 2866, RFC 5176.
enum RadiusCode : uint8_t {
  kAccessRequest = 1,
  kAccessAccept = 2,
  kAccessReject = 3,
  kAccountingRequest = 4,
  kAccountingResponse = 5,
  kAccessChallenge = 11,
  kStatusServer = 12,
  kDisconnectRequest = 40,
  kCoaNak = 45,
};
constexpr size_t kRadiusHeader = 20;

enum RadiusSeen : uint8_t {
  kNas = 1,
  kAccountingStatus = 2,
  kMessageAuthenticator = 4,
  kOther = 8,
  kBadAttribute = 128
};

uint8_t radius_attribute(uint8_t type, Bytes value) noexcept {
  constexpr uint8_t kNasAddress = 4, kNasIdentifier = 32, kNasAddress6 = 95, kStatusType = 40,
                    kAuthenticator = 80;
  if (type == 0) return kBadAttribute;
  if (type == kNasAddress) return value.size() == 4 ? kNas : kBadAttribute;
  if (type == kNasIdentifier) return value.empty() ? kBadAttribute : kNas;
  if (type == kNasAddress6) return value.size() == 16 ? kNas : kBadAttribute;
  if (type == kStatusType) return value.size() == 4 ? kAccountingStatus : kBadAttribute;
  if (type == kAuthenticator) return value.size() == 16 ? kMessageAuthenticator : kBadAttribute;
  return kOther;
}

uint8_t walk_radius(ByteReader in) noexcept {
  uint8_t seen = 0;
  while (in.remaining() != 0) {
    const uint8_t type = in.u8(), length = in.u8();
    if (length < 2) return kBadAttribute;
    const Bytes value = in.bytes(length - size_t{2});
    if (!in.ok()) return kBadAttribute;
    seen |= radius_attribute(type, value);
  }
  return seen;
}

// The attributes of a datagram whose header fits.
struct RadiusMessage {
  bool fits = false;
  uint8_t code = 0, seen = 0;
};

RadiusMessage read_radius(Bytes datagram) noexcept {
  constexpr size_t kLongest = 4096;
  if (datagram.size() < kRadiusHeader || datagram.size() > kLongest) return {};
  if (load_be16(&datagram[2]) != datagram.size()) return {};
  const uint8_t code = datagram[0];
  const bool known = (code >= kAccessRequest && code <= kAccountingResponse) || code == kAccessChallenge ||
                     code == kStatusServer || (code >= kDisconnectRequest && code <= kCoaNak);
  const uint8_t seen = walk_radius(ByteReader(datagram.subspan(kRadiusHeader)));
  return {known && !(seen & kBadAttribute), code, seen};
}

// RFC 4120 section 5.4 and 5.9.1: application tags and message types of what a KDC hears and says.
constexpr uint8_t kAsRequest = 10, kAsReply = 11, kTgsRequest = 12, kTgsReply = 13, kKerberosError = 30;
constexpr uint8_t kApplication = 0x60, kContext = 0xa0;
constexpr int64_t kKerberosVersion = 5;

bool is_kdc_type(int64_t type) noexcept {
  return (type >= kAsRequest && type <= kTgsReply) || type == kKerberosError;
}

int64_t tagged_integer(BerReader& in, uint8_t number) noexcept {
  BerReader inside(in.expect(kContext | number));
  const int64_t value = inside.integer();
  return inside.done() ? value : -1;
}

// The fields in order of their tags, and those that must be there.
bool are_kdc_fields(BerReader in, int64_t type) noexcept {
  const bool request = type == kAsRequest || type == kTgsRequest;
  uint32_t seen = 0;
  uint8_t before = request ? kContext | 2 : kContext | 1;
  while (in.ok() && !in.done()) {
    const BerElement field = in.next();
    if (!in.ok() || field.tag <= before || field.tag > (kContext | 12) || field.content.empty()) return false;
    before = field.tag;
    seen |= 1u << (field.tag & 0x1f);
  }
  constexpr uint32_t kRequestBody = 1u << 4;
  constexpr uint32_t kReplyParts = 1u << 3 | 1u << 4 | 1u << 5 | 1u << 6;
  constexpr uint32_t kErrorParts = 1u << 4 | 1u << 5 | 1u << 6 | 1u << 9 | 1u << 10;
  const uint32_t needed = request ? kRequestBody : type == kKerberosError ? kErrorParts : kReplyParts;
  return in.done() && (seen & needed) == needed;
}

bool is_kdc_message(Bytes message) noexcept {
  BerReader outer(message);
  const BerElement application = outer.next();
  BerReader inner(application.content);
  BerReader fields(inner.expect(kBerSequence));
  if (!outer.done() || !inner.done() || (application.tag & 0xe0) != kApplication) return false;
  const int64_t type = application.tag & 0x1f;
  const bool request = type == kAsRequest || type == kTgsRequest;
  const uint8_t first = request ? 1 : 0;
  if (!is_kdc_type(type) || tagged_integer(fields, first) != kKerberosVersion) return false;
  return tagged_integer(fields, first + 1) == type && are_kdc_fields(fields, type);
}

// A length of BER in what may be only its beginning.
struct StreamLength {
  Fit fit;
  size_t value = 0, header = 0;  // header: tag and length
};

StreamLength ber_length(Bytes bytes, uint8_t tag) noexcept {
  if (bytes.empty()) return {Fit::More};
  if (bytes[0] != tag) return {Fit::No};
  if (bytes.size() < 2) return {Fit::More};
  if (bytes[1] < 0x80) return {Fit::Yes, bytes[1], 2};
  const size_t count = bytes[1] & 0x7f;
  if (count == 0 || count > 4) return {Fit::No};
  if (bytes.size() < 2 + count) return {Fit::More};
  size_t value = 0;
  for (size_t i = 0; i < count; ++i) value = value << 8 | bytes[2 + i];
  return {Fit::Yes, value, 2 + count};
}

// The two nested lengths, version and type at the front of a message of `length` bytes.
Fit starts_kdc_message(Bytes message, size_t length) noexcept {
  if (message.empty()) return Fit::More;
  const uint8_t tag = message[0], type = tag & 0x1f;
  if ((tag & 0xe0) != kApplication || !is_kdc_type(type)) return Fit::No;
  const StreamLength outer = ber_length(message, tag);
  if (outer.fit != Fit::Yes) return outer.fit;
  if (outer.header + outer.value != length) return Fit::No;
  const StreamLength inner = ber_length(message.subspan(outer.header), kBerSequence);
  if (inner.fit != Fit::Yes) return inner.fit;
  if (inner.header + inner.value != outer.value) return Fit::No;
  const uint8_t first = type == kAsRequest || type == kTgsRequest ? kContext | 1 : kContext;
  const uint8_t expected[] = {
      first, 3, kBerInteger, 1, kKerberosVersion, static_cast<uint8_t>(first + 1), 3, kBerInteger, 1, type};
  const Bytes rest = message.subspan(outer.header + inner.header);
  const size_t common = std::min(rest.size(), std::size(expected));
  if (!std::equal(expected, expected + common, rest.begin())) return Fit::No;
  return common == std::size(expected) ? Fit::Yes : Fit::More;
}

// Reads a text that may end before its message does.
class TextWalk {
 public:
  explicit TextWalk(std::string_view text) noexcept : rest_(text) {}

  Fit fit() const noexcept { return fit_; }
  std::string_view rest() const noexcept { return rest_; }

  void literal(char c) noexcept {
    take([c](char seen) { return seen == c; });
  }
  // How many digits, at most `most`.
  uint32_t number(size_t most) noexcept {
    uint32_t value = 0;
    size_t count = 0;
    for (; count < most && !rest_.empty() && is_digit(rest_[0]); ++count) {
      value = value * 10 + static_cast<uint32_t>(rest_[0] - '0');
      rest_.remove_prefix(1);
    }
    if (count == 0) fail();
    return value;
  }
  void digits(size_t count) noexcept {
    for (size_t i = 0; i < count; ++i) take(is_digit);
  }
  template <typename Predicate>
  char take(Predicate fits) noexcept {
    if (fit_ != Fit::Yes || rest_.empty() || !fits(rest_[0])) {
      fail();
      return 0;
    }
    const char c = rest_[0];
    rest_.remove_prefix(1);
    return c;
  }
  template <typename Predicate>
  void several(size_t least, size_t most, Predicate fits) noexcept {
    size_t count = 0;
    for (; count < most && !rest_.empty() && fits(rest_[0]); ++count) rest_.remove_prefix(1);
    if (count < least) fail();
  }
  void refuse() noexcept { fit_ = Fit::No; }

  static bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

 private:
  // At the end of what is here nothing speaks against it yet.
  void fail() noexcept {
    if (fit_ == Fit::Yes) fit_ = rest_.empty() ? Fit::More : Fit::No;
  }

  std::string_view rest_;
  Fit fit_ = Fit::Yes;
};

void walk_priority(TextWalk& walk) noexcept {
  constexpr uint32_t kLastPriority = 191;  // facility 23, severity 7
  walk.literal('<');
  const bool zero = walk.rest().starts_with('0');
  const uint32_t value = walk.number(3);
  if (value > kLastPriority || (zero && value != 0)) walk.refuse();
  walk.literal('>');
}

bool is_printable(char c) noexcept { return c > ' ' && c < 0x7f; }

// RFC 3339.
void walk_timestamp(TextWalk& walk) noexcept {
  walk.digits(4);
  for (const char before : {'-', '-', 'T', ':', ':'}) {
    walk.literal(before);
    walk.digits(2);
  }
  walk.several(1, 13, [](char c) {
    return TextWalk::is_digit(c) || std::string_view(".Z+-:").find(c) != std::string_view::npos;
  });
}

// RFC 5424 section 6.2: version, timestamp, host, application, process, message id, structured data.
void walk_header_5424(TextWalk& walk) noexcept {
  walk.literal('1');
  walk.literal(' ');
  if (walk.rest().starts_with('-'))
    walk.literal('-');
  else
    walk_timestamp(walk);
  for (const size_t longest : {255, 48, 128, 32}) {
    walk.literal(' ');
    walk.several(1, longest, is_printable);
  }
  walk.literal(' ');
  walk.take([](char c) { return c == '-' || c == '['; });
}

// RFC 3164 section 4.1.2: "Mmm dd hh:mm:ss ". rsyslog's forwarding format has the newer timestamp there.
void walk_header_3164(TextWalk& walk) noexcept {
  if (TextWalk::is_digit(walk.rest()[0])) {
    walk_timestamp(walk);
    walk.literal(' ');
    return;
  }
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const std::string_view month = walk.rest().substr(0, 3);
  bool known = false;
  for (size_t i = 0; i < kMonths.size(); i += 3) known |= kMonths.substr(i, 3).starts_with(month);
  if (!known) walk.refuse();
  walk.several(3, 3, is_printable);
  walk.literal(' ');
  walk.take([](char c) { return c == ' ' || (c >= '0' && c <= '3'); });
  walk.digits(1);
  for (const char before : {' ', ':', ':'}) {
    walk.literal(before);
    walk.digits(2);
  }
  walk.literal(' ');
}

Fit starts_syslog(std::string_view text) noexcept {
  TextWalk walk(text);
  walk_priority(walk);
  if (walk.fit() != Fit::Yes) return walk.fit();
  if (walk.rest().empty() || walk.rest() == "1") return Fit::More;
  if (walk.rest().starts_with("1 "))
    walk_header_5424(walk);
  else
    walk_header_3164(walk);
  return walk.fit();
}

}  // namespace

Fit radius(const Evidence& evidence) noexcept {
  const RadiusMessage message = read_radius(evidence.payload);
  if (!message.fits) return Fit::No;
  const bool to_server = evidence.direction == Direction::ToServer;
  switch (message.code) {
    case kAccessRequest:  // RFC 2865 section 4.1
      return fit_if(to_server && (message.seen & kNas));
    case kAccountingRequest:
      return fit_if(to_server && (message.seen & kAccountingStatus));
    case kStatusServer:  // RFC 5997 section 3
      return fit_if(to_server && (message.seen & kMessageAuthenticator));
    case kDisconnectRequest:
    case kDisconnectRequest + 3:  // change of authorization
      return fit_if(to_server && message.seen != 0);
    default:
      return fit_if(!to_server && (message.seen & kMessageAuthenticator));
  }
}

Fit radius_bare(const Evidence& evidence) noexcept {
  const RadiusMessage message = read_radius(evidence.payload);
  const bool request = message.code == kAccessRequest || message.code == kAccountingRequest ||
                       message.code == kStatusServer || message.code == kDisconnectRequest ||
                       message.code == kDisconnectRequest + 3;
  return fit_if(message.fits && request == (evidence.direction == Direction::ToServer));
}

Fit kerberos(const Evidence& evidence) noexcept { return fit_if(is_kdc_message(evidence.payload)); }

// RFC 4120 section 7.2.2: four bytes of length.
Fit kerberos_tcp(const Evidence& evidence) noexcept {
  constexpr size_t kLongest = 1 << 20;
  const Bytes stream = evidence.payload;
  if (stream.size() < 4) return !stream.empty() && stream[0] != 0 ? Fit::No : Fit::More;
  const size_t length = load_be32(stream.data());
  if (length > kLongest) return Fit::No;
  return starts_kdc_message(stream.subspan(4), length);
}

Fit syslog(const Evidence& evidence) noexcept {
  return fit_if(starts_syslog(as_text(evidence.payload)) == Fit::Yes);
}

Fit syslog_bare(const Evidence& evidence) noexcept {
  TextWalk walk(as_text(evidence.payload));
  walk_priority(walk);
  if (walk.fit() != Fit::Yes) return Fit::No;
  std::string_view text = walk.rest();
  while (!text.empty() && (text.back() == '\0' || text.back() == '\n')) text.remove_suffix(1);
  const bool readable = std::all_of(text.begin(), text.end(), [](char c) {
    return (static_cast<uint8_t>(c) >= 0x20 && c != 0x7f) || c == '\t' || c == '\n' || c == '\r';
  });
  return fit_if(readable && !text.empty());
}

// RFC 6587: octet counting, or messages that end with a line feed.
Fit syslog_tcp(const Evidence& evidence) noexcept {
  const std::string_view stream = as_text(evidence.payload);
  if (stream.empty()) return Fit::More;
  if (stream[0] == '<') return starts_syslog(stream);
  TextWalk walk(stream);
  if (stream[0] == '0') return Fit::No;
  const uint32_t length = walk.number(6);
  walk.literal(' ');
  if (walk.fit() != Fit::Yes) return walk.fit();
  const Fit fit = starts_syslog(walk.rest().substr(0, length));
  return fit == Fit::More && walk.rest().size() >= length ? Fit::No : fit;
}

}  // namespace postern::classify::decoders
