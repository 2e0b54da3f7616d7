// SPDX-License-Identifier: Apache-2.0
#include "stream_samples.h"

#include <fstream>
#include <sstream>

#include "classify/port_range.h"

namespace postern::classify {
namespace {

std::string unescaped(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    switch (text.at(++i)) {
      case 'r':
        out += '\r';
        break;
      case 'n':
        out += '\n';
        break;
      case 'x':
        out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
        i += 2;
        break;
      default:
        out += text[i];
    }
  }
  return out;
}

}  // namespace

std::vector<StreamSample> stream_samples() {
  std::ifstream file(POSTERN_SOURCE_ROOT "/tests/classify/stream_samples.txt");
  std::vector<StreamSample> samples;
  std::string line;
  for (size_t number = 1; std::getline(file, line); ++number) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    std::string decoder, transport, sender, bytes;
    words >> decoder >> transport >> sender;
    words.get();
    std::getline(words, bytes);
    samples.push_back({decoder, transport == "udp" ? kUdp : kTcp,
                       sender == "client" ? Direction::ToServer : Direction::ToClient, unescaped(bytes),
                       number});
  }
  return samples;
}

}  // namespace postern::classify
