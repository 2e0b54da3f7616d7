// SPDX-License-Identifier: Apache-2.0
// A connection as a list of pieces, and what HttpRequests tells of it as one readable line per event.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "profiles/http_requests.h"
#include "profiles/http_text.h"

namespace postern::profiles {

class HttpTalk {
 public:
  // Each piece is a copy of its own, so that reading past its end is seen by the sanitizer.
  void client(const std::string& bytes) { feed(Direction::ToServer, bytes); }
  void server(const std::string& bytes) { feed(Direction::ToClient, bytes); }

  const std::vector<std::string>& events() const { return events_; }
  std::string last() const { return events_.empty() ? "" : events_.back(); }
  HttpRequests& requests() { return requests_; }

 private:
  void feed(Direction direction, const std::string& bytes) {
    const auto copy = std::make_unique<uint8_t[]>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), copy.get());
    Bytes rest(copy.get(), bytes.size());
    while (true) {
      const HttpRequests::Step step = requests_.feed(direction, rest);
      rest = rest.subspan(step.consumed);
      if (step.event == HttpEvent::None) break;
      events_.push_back(told(step.event));
    }
    if (!rest.empty()) events_.push_back("bytes left over");
  }

  std::string told(HttpEvent event) {
    switch (event) {
      case HttpEvent::RequestHead:
        return "head " + std::string(HttpText(requests_.head()).text());
      case HttpEvent::RequestEnd:
        return "end";
      case HttpEvent::Opaque:
        return "opaque " + std::to_string(static_cast<int>(requests_.opaque_as()));
      default:
        return std::string(http_anomaly_name(requests_.anomaly()));
    }
  }

  HttpRequests requests_;
  std::vector<std::string> events_;
};

inline std::vector<std::string> events_of(const std::string& client) {
  HttpTalk talk;
  talk.client(client);
  return talk.events();
}

}  // namespace postern::profiles
