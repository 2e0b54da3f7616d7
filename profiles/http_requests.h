// SPDX-License-Identifier: Apache-2.0
// Follows the requests of one HTTP/1 connection, so that each can be judged on its own: where a request
// begins and ends, what its head says, when the connection stops being HTTP. Answers are followed as far as
// they decide that. Fixed size, no allocation; one thread at a time.
#pragma once

#include <llhttp.h>

#include <array>

#include "base/bytes.h"
#include "base/ids.h"
#include "profiles/http_anomaly.h"
#include "profiles/http_fields.h"
#include "profiles/http_head_lines.h"
#include "profiles/http_request_line.h"

namespace postern::profiles {

enum class HttpEvent : uint8_t {
  None,         // all bytes taken, nothing to tell
  RequestHead,  // head() is complete
  RequestEnd,   // of the body and its trailers
  Opaque,       // what follows in both directions is another protocol: opaque_as()
  Anomaly,      // anomaly(); what follows is opaque, and whoever asks had better block
};

enum class HttpOpaque : uint8_t { No, Connect, Upgrade, Http2, Anomaly };

// Views are valid until the next feed.
struct HttpHead {
  std::string_view method, target;
  uint8_t minor_version;  // of HTTP/1
  bool cut;               // the query or a kept field was longer than its room
  const HttpFields& fields;
};

class HttpRequests {
 public:
  static constexpr size_t kDeepestPipeline = 64;

  HttpRequests() noexcept;

  struct Step {
    HttpEvent event;
    size_t consumed;  // bytes that lead up to the event; an anomaly's byte is the next one
  };

  // In-order bytes of one direction, up to the next event. Feed the rest until the event is None. Bytes of
  // the client that an answer releases (100 Continue, 101) must come after that answer, as on the wire.
  Step feed(Direction direction, Bytes bytes) noexcept;

  HttpHead head() const noexcept;  // after RequestHead
  HttpAnomaly anomaly() const noexcept { return anomaly_; }
  HttpOpaque opaque_as() const noexcept { return opaque_; }

 private:
  // What an answer must know about its request.
  enum class Kind : uint8_t { Plain, Head, Connect, Upgrade };
  enum class Stage : uint8_t { Line, Headers, HeadDone, Body, Chunks, Trailers, AwaitAnswer, Closed };

  Step client_step(Bytes bytes) noexcept;
  Step read_line(Bytes bytes) noexcept;
  Step read_headers(Bytes bytes) noexcept;
  Step finish_head(size_t consumed) noexcept;
  Step read_body(Bytes bytes) noexcept;
  Step read_chunks(Bytes bytes) noexcept;
  Step read_trailers(Bytes bytes) noexcept;
  Step finish_request(size_t consumed) noexcept;
  Step wait_for_answer(Bytes bytes) noexcept;
  Step read_after_close(Bytes bytes) noexcept;
  Step server_step(Bytes bytes) noexcept;
  Step refuse(HttpAnomaly anomaly, size_t consumed) noexcept;
  Step become_opaque(HttpOpaque opaque, size_t consumed) noexcept;

  // Runs llhttp over the lines that the strict reader takes.
  struct Lines {
    size_t consumed;
    HttpAnomaly anomaly;
    bool ended;
  };
  Lines read_lines(Bytes bytes) noexcept;
  HttpAnomaly head_anomaly(uint8_t refused) const noexcept;
  HttpAnomaly chunk_anomaly() const noexcept;

  HttpAnomaly name_anomaly() noexcept;
  HttpAnomaly value_anomaly() const noexcept;
  HttpAnomaly answer_anomaly() noexcept;
  Kind kind_of_request() const noexcept;

  struct Callbacks;  // of llhttp
  friend struct Callbacks;

  llhttp_t request_{}, answer_{};
  HttpRequestLine line_;
  HttpFields fields_;
  HttpHeadLines lines_;
  uint64_t body_left_ = 0;
  std::array<char, 32> name_, value_;  // of the field that is being read; longer ones are of no interest
  uint16_t name_length_ = 0, value_length_ = 0;
  HttpField field_ = HttpField::Other;
  std::array<Kind, kDeepestPipeline> unanswered_;
  uint8_t first_unanswered_ = 0, unanswered_count_ = 0;
  Stage stage_ = Stage::Line;
  HttpAnomaly anomaly_ = HttpAnomaly::None;
  HttpOpaque opaque_ = HttpOpaque::No;
  HttpOpaque switched_ = HttpOpaque::No;  // what the answer that is being read switches to
  bool in_trailers_ = false, keep_alive_ = true, first_request_ = true;
  bool awaits_continue_ = false, refused_continue_ = false;
};

}  // namespace postern::profiles
