// SPDX-License-Identifier: Apache-2.0
#include "classify/tls_server_flight.h"

#include <algorithm>

#include "classify/tls_client_hello.h"
#include "classify/tls_numbers.h"

namespace postern::classify {
namespace {

using namespace tls_number;
using Certificate = TlsServerFlight::Certificate;
using End = TlsHandshakeBytes::End;

// RFC 8446 section 4.1.3: SHA-256 of "HelloRetryRequest".
constexpr std::array<uint8_t, 32> kRetryRandom = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

constexpr size_t kAlertLength = 2;
constexpr uint8_t kWarning = 1, kFatal = 2;

// A server that does not know the name may say so and go on: a warning in front of its hello (RFC 6066
// section 3).
bool starts_with_warning(Bytes stream) noexcept {
  return stream.size() >= kTlsRecordHeader + kAlertLength && stream[0] == kAlert && stream[1] == 3 &&
         stream[2] <= 4 && load_be16(&stream[3]) == kAlertLength && stream[kTlsRecordHeader] == kWarning;
}

class FlightReader {
 public:
  explicit FlightReader(TlsHandshakeStorage& storage) noexcept : storage_(storage) {}

  TlsServerFlight read(Bytes stream) noexcept {
    if (starts_with_warning(stream)) {
      note_alert(stream);
      stream = stream.subspan(kTlsRecordHeader + kAlertLength);
    }
    TlsHandshakeBytes taken = take_tls_handshake(stream, TlsExtent::Everything, storage_);
    bool good = read_messages(taken);
    // The second flight after a HelloRetryRequest may stand behind a change_cipher_spec that means nothing
    // (RFC 8446 appendix D.4). It replaces what the first one said.
    if (good && retry_only_ && taken.end == End::OtherRecord && skips_dummy(taken)) {
      taken = take_tls_handshake(taken.next, TlsExtent::Everything, storage_);
      good = read_messages(taken);
    }
    if (good) good = finish(taken);
    if (!good) return {};
    const bool said = flight_.hello || flight_.alert;
    flight_.fit = said ? Fit::Yes : waits_ || taken.end == End::Missing ? Fit::More : Fit::No;
    return flight_;
  }

 private:
  static bool skips_dummy(TlsHandshakeBytes& taken) noexcept {
    constexpr uint8_t kLength = kTlsRecordHeader + 1;
    if (taken.next[0] != kChangeCipherSpec || taken.next.size() < kLength) return false;
    taken.next = taken.next.subspan(kLength);
    return true;
  }

  bool tls13() const noexcept { return flight_.hello && flight_.version >= kTls13; }

  bool read_messages(const TlsHandshakeBytes& taken) noexcept {
    ByteReader messages(taken.bytes);
    while (messages.remaining() > 0 && !flight_.complete) {
      const uint8_t type = messages.u8();
      const size_t length = messages.be24();
      if (!flight_.hello && type != kServerHello) return false;
      const bool more = taken.end == End::Missing || taken.end == End::Full;
      if (!messages.ok()) return more;
      const bool whole = messages.remaining() >= length;
      if (type == kCertificate && (whole || taken.end == End::Full)) {
        if (!read_certificates(messages.bytes(std::min(length, messages.remaining())), whole)) return false;
        continue;
      }
      if (!whole) return more;
      if (!read_message(type, messages.bytes(length))) return false;
      // What follows the hello of TLS 1.3 is encrypted, so it ends its record (RFC 8446 section 5.1).
      if (tls13() && !retry_only_) return messages.remaining() == 0;
    }
    return true;
  }

  bool read_message(uint8_t type, Bytes body) noexcept {
    if (type == kServerHello) return (!flight_.hello || retry_only_) && read_hello(body);
    if (tls13()) return false;
    switch (type) {
      case kNewSessionTicket:  // in clear only before the change_cipher_spec of a resumed session
        return true;
      case kCertificateRequest:
        flight_.mutual_auth = true;
        return true;
      case kServerKeyExchange:
      case kCertificateStatus:
        key_exchange_ = true;
        return true;
      case kServerHelloDone:
        flight_.complete = true;
        if (flight_.certificate == Certificate::Unknown) flight_.certificate = Certificate::Absent;
        return body.empty();
      default:
        return false;
    }
  }

  bool read_hello(Bytes body) noexcept {
    ByteReader reader(body);
    const bool retried = retry_only_;
    TlsServerFlight fresh;
    fresh.alert = flight_.alert;
    fresh.alert_level = flight_.alert_level;
    fresh.alert_description = flight_.alert_description;
    flight_ = fresh;
    flight_.hello = true;
    flight_.legacy_version = flight_.version = reader.be16();
    const Bytes random = reader.bytes(32);
    const uint8_t session_length = reader.u8();
    reader.skip(session_length);
    flight_.cipher_suite = reader.be16();
    reader.skip(1);  // compression
    if (!reader.ok() || flight_.legacy_version >> 8 != 3 || session_length > 32) return false;
    if (reader.remaining() > 0) {
      flight_.extensions = reader.bytes(reader.be16());
      if (!reader.ok() || reader.remaining() != 0 || !read_extensions()) return false;
    }
    retry_only_ = !retried && tls13() && std::equal(random.begin(), random.end(), kRetryRandom.begin());
    flight_.hello_retry = retried || retry_only_;
    if (!tls13() || retry_only_) return true;
    flight_.certificate = Certificate::Encrypted;
    flight_.complete = true;
    return true;
  }

  bool read_extensions() noexcept {
    bool good = true;
    const bool whole = for_each_extension(flight_.extensions, [&](uint16_t type, Bytes content) {
      ByteReader reader(content);
      if (type == kSupportedVersions) {
        flight_.version = reader.be16();
        good = good && reader.ok() && reader.remaining() == 0;
      } else if (type == kPreSharedKey) {
        flight_.resumed = true;
      } else if (type == kAlpn) {
        ByteReader list(reader.bytes(reader.be16()));
        flight_.alpn = list.bytes(list.u8());
        good = good && reader.ok() && reader.remaining() == 0 && list.ok() && list.remaining() == 0;
      }
    });
    return whole && good;
  }

  // The leaf comes first, so it is read even when the rest of a long chain is beyond the storage.
  bool read_certificates(Bytes body, bool whole) noexcept {
    if (tls13() || flight_.certificate == Certificate::Clear) return false;
    ByteReader reader(body);
    const size_t length = reader.be24();
    if (!reader.ok() || (whole && length != reader.remaining())) return !whole;
    flight_.certificate = Certificate::Clear;
    while (reader.remaining() > 0) {
      const Bytes certificate = reader.bytes(reader.be24());
      if (!reader.ok() || certificate.empty()) return !whole;
      if (flight_.leaf.empty()) flight_.leaf = certificate;
      if (flight_.chain_length < 0xff) ++flight_.chain_length;
    }
    return true;
  }

  // What ends the clear part: an alert, or encryption.
  bool finish(const TlsHandshakeBytes& taken) noexcept {
    // The storage may have been used again since its extensions were read.
    if (retry_only_) flight_.extensions = {};
    if (flight_.complete || taken.end == End::Missing) return true;
    if (taken.end == End::OtherRecord && taken.next[0] == kAlert) return read_alert(taken.next);
    if (!flight_.hello) return false;
    if (taken.end == End::OtherRecord && retry_only_) return true;  // the dummy, still without its end
    flight_.complete = true;
    // RFC 5246 figure 2: an abbreviated handshake goes from the hello straight to Finished.
    if (flight_.certificate == Certificate::Unknown && !key_exchange_ && taken.end == End::OtherRecord) {
      flight_.certificate = Certificate::Absent;
      flight_.resumed = taken.next[0] == kChangeCipherSpec;
    }
    return true;
  }

  bool read_alert(Bytes record) noexcept {
    if (load_be16(&record[3]) != kAlertLength) return false;
    waits_ = record.size() < kTlsRecordHeader + kAlertLength;
    if (waits_) return true;
    note_alert(record);
    flight_.complete = true;
    return flight_.alert_level == kWarning || flight_.alert_level == kFatal;
  }

  void note_alert(Bytes record) noexcept {
    flight_.alert = true;
    flight_.alert_level = record[kTlsRecordHeader];
    flight_.alert_description = record[kTlsRecordHeader + 1];
  }

  TlsHandshakeStorage& storage_;
  TlsServerFlight flight_;
  bool waits_ = false;         // for the end of an alert
  bool retry_only_ = false;    // only the HelloRetryRequest was seen
  bool key_exchange_ = false;  // a message of a full handshake
};

}  // namespace

TlsServerFlight parse_tls_server_flight(Bytes stream, TlsHandshakeStorage& storage) noexcept {
  if (!stream.empty() && stream[0] != kHandshake && stream[0] != kAlert) return {};
  return FlightReader(storage).read(stream);
}

}  // namespace postern::classify
