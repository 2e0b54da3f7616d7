// SPDX-License-Identifier: Apache-2.0
// A dialogue over one HTTP/1 connection: after a byte that chooses the pieces, bytes of client and server in
// turns, parted by 0xff. What is told of it in whole turns, in random pieces and byte by byte must be the
// same.
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "profiles/http_requests.h"
#include "profiles/http_text.h"

using namespace postern;
using namespace postern::profiles;

namespace {

void check(bool good) {
  if (!good) __builtin_trap();
}

std::string told(const HttpRequests& requests, HttpEvent event) {
  std::string out = std::to_string(static_cast<int>(event)) + " " +
                    std::to_string(static_cast<int>(requests.opaque_as())) + " " +
                    std::string(http_anomaly_name(requests.anomaly()));
  if (event != HttpEvent::RequestHead) return out;
  const HttpText text(requests.head());
  const std::string_view view = text.text();
  check(view.find("authorization") == view.npos || view.find("\nauthorization:") == view.npos);
  check(!view.empty() && view.back() == '\n');
  for (const char c : view) check(c == '\n' || c == '\t' || (static_cast<uint8_t>(c) >= 0x20 && c != 0x7f));
  const std::string_view line = view.substr(0, view.find('\n'));
  const std::string_view path = line.substr(0, line.find('?'));
  if (path.find(" /") != path.npos && !line.starts_with("CONNECT "))
    for (const char* never : {"//", "/./", "/../", "%2F", "%41", "%61"}) check(path.find(never) == path.npos);
  return out + " " + std::string(view) + (text.cut() ? "cut" : "");
}

// Pieces of at most `longest` bytes; 0: whole turns.
std::vector<std::string> events_of(Bytes dialogue, size_t longest, uint32_t seed) {
  std::minstd_rand random(seed + 1);
  std::vector<std::string> events;
  HttpRequests requests;
  Direction direction = Direction::ToServer;
  size_t at = 0;
  while (at < dialogue.size()) {
    if (dialogue[at] == 0xff) {
      direction = direction == Direction::ToServer ? Direction::ToClient : Direction::ToServer;
      ++at;
      continue;
    }
    size_t end = at;
    const size_t most = longest == 0 ? dialogue.size() : 1 + random() % longest;
    while (end < dialogue.size() && dialogue[end] != 0xff && end - at < most) ++end;
    const std::vector<uint8_t> piece(dialogue.begin() + static_cast<ptrdiff_t>(at),
                                     dialogue.begin() + static_cast<ptrdiff_t>(end));
    Bytes rest(piece);
    while (true) {
      const HttpRequests::Step step = requests.feed(direction, rest);
      check(step.consumed <= rest.size());
      rest = rest.subspan(step.consumed);
      if (step.event == HttpEvent::None) break;
      events.push_back(told(requests, step.event));
    }
    check(rest.empty());
    at = end;
  }
  return events;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Bytes dialogue(data + 1, size - 1);
  const std::vector<std::string> whole = events_of(dialogue, 0, 0);
  check(events_of(dialogue, 1 + data[0] % 64u, data[0]) == whole);
  check(events_of(dialogue, 1, 0) == whole);
  return 0;
}
