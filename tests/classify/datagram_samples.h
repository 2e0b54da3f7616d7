// SPDX-License-Identifier: Apache-2.0
// The messages of data/datagram_samples.txt and short ways to put them, or others, before a decoder.
#pragma once

#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "classify/decoders/decoders.h"
#include "classify/port_range.h"
#include "wire_bytes.h"

namespace postern::classify::decoders {

struct Sample {
  std::string decoder, name, bytes;
  Direction direction;
  uint8_t protocol;
  std::string text() const { return decoder + " " + name; }
};

inline const std::string kRoot = POSTERN_SOURCE_ROOT;
inline constexpr std::string_view kNone = "none";  // decoder of messages that are none of these

inline std::vector<Sample> read_samples() {
  static const std::map<std::string, uint8_t> kTransports = {
      {"udp", kUdp}, {"tcp", kTcp}, {"icmp", kIcmp}, {"icmpv6", kIcmpV6}};
  std::ifstream file(kRoot + "/tests/classify/data/datagram_samples.txt");
  std::vector<Sample> samples;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string decoder, sender, transport, name, bytes;
    words >> decoder >> sender >> transport >> name >> bytes;
    samples.push_back({decoder, name, hex(bytes),
                       sender == "server" ? Direction::ToClient : Direction::ToServer,
                       kTransports.at(transport)});
  }
  return samples;
}

inline const std::vector<Sample>& samples() {
  static const std::vector<Sample> all = read_samples();
  return all;
}

inline Decoder decoder(std::string_view name) {
  for (const NamedDecoder& candidate : datagrams())
    if (candidate.name == name) return candidate.decode;
  return nullptr;
}

inline Fit decode(Decoder decode, const Sample& like, const std::string& bytes) {
  const ExactBytes exact(bytes);
  Evidence evidence;
  evidence.protocol = like.protocol;
  evidence.direction = like.direction;
  evidence.payload = exact;
  return decode(evidence);
}

inline Fit datagram(std::string_view name, const std::string& bytes,
                    Direction direction = Direction::ToServer, uint8_t protocol = kUdp) {
  return decode(decoder(name), {.direction = direction, .protocol = protocol}, bytes);
}

// A message with one byte changed.
inline std::string changed(const Sample& sample, size_t at, uint8_t value) {
  std::string bytes = sample.bytes;
  bytes.at(at) = static_cast<char>(value);
  return bytes;
}

inline const Sample& sample(std::string_view text) {
  for (const Sample& candidate : samples())
    if (candidate.text() == text) return candidate;
  throw std::runtime_error("no sample " + std::string(text));
}

inline Fit with(std::string_view text, size_t at, uint8_t value) {
  const Sample& original = sample(text);
  return decode(decoder(original.decoder), original, changed(original, at, value));
}

}  // namespace postern::classify::decoders
