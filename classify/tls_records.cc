// SPDX-License-Identifier: Apache-2.0
#include "classify/tls_records.h"

#include <algorithm>

#include "classify/tls_numbers.h"

namespace postern::classify {
namespace {

using End = TlsHandshakeBytes::End;

struct Record {
  enum class State : uint8_t { Missing, Broken, Handshake, Other } state = State::Missing;
  Bytes content;  // what is there of it
  size_t length = 0;
};

Record first_record(Bytes stream) noexcept {
  if (stream.empty()) return {};
  const uint8_t type = stream[0];
  if (type < tls_number::kChangeCipherSpec || type > tls_number::kApplicationData)
    return {Record::State::Broken, {}, 0};
  if (stream.size() < kTlsRecordHeader) return {};
  const size_t length = load_be16(&stream[3]);
  const bool handshake = type == tls_number::kHandshake;
  const size_t longest = handshake ? kLongestTlsRecord : kLongestTlsCiphertext;
  if (stream[1] != 3 || stream[2] > 4 || length == 0 || length > longest)
    return {Record::State::Broken, {}, 0};
  return {handshake ? Record::State::Handshake : Record::State::Other,
          stream.subspan(kTlsRecordHeader, std::min(length, stream.size() - kTlsRecordHeader)), length};
}

bool first_message_ended(Bytes messages) noexcept {
  ByteReader reader(messages);
  reader.skip(1);
  const size_t length = reader.be24();
  return reader.ok() && reader.remaining() >= length;
}

}  // namespace

TlsHandshakeBytes take_tls_handshake(Bytes stream, TlsExtent extent, TlsHandshakeStorage& storage) noexcept {
  TlsHandshakeBytes taken;
  size_t have = 0;
  while (true) {
    const Record record = first_record(stream);
    taken.next = stream;
    if (record.state == Record::State::Missing) taken.end = End::Missing;
    if (record.state == Record::State::Broken) taken.end = End::Broken;
    if (record.state == Record::State::Other) taken.end = End::OtherRecord;
    if (record.state != Record::State::Handshake) return taken;
    if (have == 0) {
      taken.bytes = record.content;
    } else {
      // The first record waited in the stream for a second one to come.
      if (taken.records == 1) std::copy(taken.bytes.begin(), taken.bytes.end(), storage.begin());
      const size_t kept = std::min(record.content.size(), storage.size() - have);
      std::copy_n(record.content.begin(), kept, storage.begin() + static_cast<std::ptrdiff_t>(have));
      taken.bytes = Bytes(storage).first(have + kept);
      if (kept < record.content.size()) {
        taken.end = End::Full;
        return taken;
      }
    }
    have += record.content.size();
    if (record.content.size() < record.length) {
      taken.end = End::Missing;
      return taken;
    }
    ++taken.records;
    stream = stream.subspan(kTlsRecordHeader + record.length);
    if (extent == TlsExtent::FirstMessage && first_message_ended(taken.bytes)) {
      taken.end = End::Missing;
      taken.next = stream;
      return taken;
    }
  }
}

}  // namespace postern::classify
