// SPDX-License-Identifier: Apache-2.0
#include "profiles/http_requests.h"

#include <algorithm>

#include "base/ascii.h"

namespace postern::profiles {
namespace {

// A chunk beyond this is no upload but a wrap-around for somebody's 32 bits.
constexpr uint64_t kLongestChunk = 0x7fffffff;
constexpr size_t kMostLengthDigits = 18;
constexpr int kPause = HPE_PAUSED;
constexpr int kStop = -1;

std::string_view without_trailing_space(std::string_view text) noexcept {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Where the parser stopped, in bytes of the last execute.
size_t error_offset(const llhttp_t& parser, Bytes bytes) noexcept {
  return std::min(static_cast<size_t>(parser.error_pos - as_text(bytes).data()), bytes.size());
}

int execute(llhttp_t& parser, Bytes bytes) noexcept {
  return llhttp_execute(&parser, as_text(bytes).data(), bytes.size());
}

}  // namespace

struct HttpRequests::Callbacks {
  static HttpRequests& of(llhttp_t* parser) noexcept { return *static_cast<HttpRequests*>(parser->data); }

  static int stop_at(HttpRequests& self, HttpAnomaly anomaly) noexcept {
    self.anomaly_ = anomaly;
    return anomaly == HttpAnomaly::None ? 0 : kStop;
  }

  static int on_name(llhttp_t* parser, const char* at, size_t length) noexcept {
    HttpRequests& self = of(parser);
    const size_t fits = std::min(length, self.name_.size() - self.name_length_);
    std::transform(at, at + fits, self.name_.data() + self.name_length_, ascii_lower);
    self.name_length_ = static_cast<uint16_t>(self.name_length_ + fits);
    return 0;
  }

  static int on_name_complete(llhttp_t* parser) noexcept {
    HttpRequests& self = of(parser);
    return stop_at(self, self.name_anomaly());
  }

  static int on_value(llhttp_t* parser, const char* at, size_t length) noexcept {
    HttpRequests& self = of(parser);
    if (self.field_ == HttpField::Other) return 0;
    self.fields_.append({at, length});
    if (static_cast<size_t>(self.field_) < kKeptFields) return 0;
    const size_t fits = std::min(length, self.value_.size() - self.value_length_);
    std::copy_n(at, fits, self.value_.data() + self.value_length_);
    self.value_length_ = static_cast<uint16_t>(self.value_length_ + fits);
    return 0;
  }

  static int on_value_complete(llhttp_t* parser) noexcept {
    HttpRequests& self = of(parser);
    self.name_length_ = 0;
    if (self.field_ == HttpField::Other) return 0;
    self.fields_.end();
    return stop_at(self, self.value_anomaly());
  }

  static int on_headers_complete(llhttp_t*) noexcept { return kPause; }
  static int on_message_complete(llhttp_t*) noexcept { return kPause; }

  static int on_chunk_header(llhttp_t* parser) noexcept {
    HttpRequests& self = of(parser);
    if (parser->content_length > kLongestChunk) return stop_at(self, HttpAnomaly::BadChunkSize);
    self.in_trailers_ = parser->content_length == 0;
    return self.in_trailers_ ? kPause : 0;
  }

  // 1 tells llhttp that no body follows, which it would believe a Content-Length instead (RFC 9112
  // section 6.3).
  static int on_answer(llhttp_t* parser) noexcept {
    HttpRequests& self = of(parser);
    const bool to_head = self.unanswered_count_ > 0 && self.unanswered_[self.first_unanswered_] == Kind::Head;
    if (stop_at(self, self.answer_anomaly()) != 0) return kStop;
    if (self.switched_ != HttpOpaque::No) return kPause;
    const unsigned status = parser->status_code;
    return to_head || status < 200 || status == 204 || status == 304 ? 1 : 0;
  }

  static const llhttp_settings_t kRequest, kAnswer;
};

constinit const llhttp_settings_t HttpRequests::Callbacks::kRequest = [] {
  llhttp_settings_t settings{};
  settings.on_header_field = on_name;
  settings.on_header_field_complete = on_name_complete;
  settings.on_header_value = on_value;
  settings.on_header_value_complete = on_value_complete;
  settings.on_headers_complete = on_headers_complete;
  settings.on_chunk_header = on_chunk_header;
  settings.on_message_complete = on_message_complete;
  return settings;
}();

constinit const llhttp_settings_t HttpRequests::Callbacks::kAnswer = [] {
  llhttp_settings_t settings{};
  settings.on_headers_complete = on_answer;
  return settings;
}();

HttpRequests::HttpRequests() noexcept {
  llhttp_init(&answer_, HTTP_RESPONSE, &Callbacks::kAnswer);
  // Old appliances end header lines with a bare LF. Only a client could gain from it, and it does not write
  // answers.
  llhttp_set_lenient_headers(&answer_, 1);
}

HttpHead HttpRequests::head() const noexcept {
  return {line_.method(), line_.target(), line_.minor_version(), line_.target_cut() || fields_.cut(),
          fields_};
}

HttpRequests::Step HttpRequests::feed(Direction direction, Bytes bytes) noexcept {
  if (direction == Direction::ToClient)
    return opaque_ != HttpOpaque::No || bytes.empty() ? Step{HttpEvent::None, bytes.size()}
                                                      : server_step(bytes);
  size_t consumed = 0;
  while (opaque_ == HttpOpaque::No) {
    const Stage before = stage_;
    const Step step = client_step(bytes.subspan(consumed));
    consumed += step.consumed;
    if (step.event != HttpEvent::None) return {step.event, consumed};
    if (consumed == bytes.size() && stage_ == before) return {HttpEvent::None, consumed};
  }
  return {HttpEvent::None, bytes.size()};
}

HttpRequests::Step HttpRequests::refuse(HttpAnomaly anomaly, size_t consumed) noexcept {
  anomaly_ = anomaly;
  opaque_ = HttpOpaque::Anomaly;
  return {HttpEvent::Anomaly, consumed};
}

HttpRequests::Step HttpRequests::become_opaque(HttpOpaque opaque, size_t consumed) noexcept {
  opaque_ = opaque;
  return {HttpEvent::Opaque, consumed};
}

HttpRequests::Step HttpRequests::client_step(Bytes bytes) noexcept {
  if (!bytes.empty()) {
    if (refused_continue_) return refuse(HttpAnomaly::AmbiguousContinue, 0);
    if (stage_ == Stage::Body || stage_ == Stage::Chunks) awaits_continue_ = false;
  }
  switch (stage_) {
    case Stage::Line:
      return read_line(bytes);
    case Stage::Headers:
      return read_headers(bytes);
    case Stage::HeadDone:
      return finish_request(0);
    case Stage::Body:
      return read_body(bytes);
    case Stage::Chunks:
      return read_chunks(bytes);
    case Stage::Trailers:
      return read_trailers(bytes);
    case Stage::AwaitAnswer:
      return wait_for_answer(bytes);
    case Stage::Closed:
      break;
  }
  return read_after_close(bytes);
}

HttpRequests::Step HttpRequests::read_line(Bytes bytes) noexcept {
  const HttpRequestLine::Taken taken = line_.take(bytes);
  switch (taken.outcome) {
    case HttpRequestLine::Outcome::More:
      return {HttpEvent::None, taken.bytes};
    case HttpRequestLine::Outcome::Refused:
      return refuse(line_.anomaly(), taken.bytes);
    case HttpRequestLine::Outcome::Http2:
      return first_request_ ? become_opaque(HttpOpaque::Http2, taken.bytes)
                            : refuse(HttpAnomaly::BadVersion, taken.bytes);
    case HttpRequestLine::Outcome::Done:
      break;
  }
  llhttp_init(&request_, HTTP_REQUEST, &Callbacks::kRequest);
  // llhttp frames all methods alike but CONNECT, which has no body here.
  execute(request_, as_bytes(line_.minor_version() == 0 ? "POST / HTTP/1.0\r\n" : "POST / HTTP/1.1\r\n"));
  fields_.clear();
  lines_.clear();
  name_length_ = 0;
  in_trailers_ = first_request_ = false;
  stage_ = Stage::Headers;
  return {HttpEvent::None, taken.bytes};
}

HttpRequests::Lines HttpRequests::read_lines(Bytes bytes) noexcept {
  const HttpHeadLines::Taken taken = lines_.take(bytes);
  request_.data = this;
  const int result = execute(request_, bytes.first(taken.bytes));
  if (result == HPE_OK && !taken.ended) return {taken.bytes, taken.anomaly, false};
  if (result == HPE_PAUSED && taken.ended) return {taken.bytes, HttpAnomaly::None, true};
  if (result == HPE_OK || result == HPE_PAUSED)  // the two readers disagree about the end
    return {taken.bytes, HttpAnomaly::BadHeaderValue, false};
  const size_t refused = error_offset(request_, bytes);
  return {refused, head_anomaly(refused < bytes.size() ? bytes[refused] : uint8_t{' '}), false};
}

HttpRequests::Step HttpRequests::read_headers(Bytes bytes) noexcept {
  if (bytes.empty()) return {HttpEvent::None, 0};
  const Lines lines = read_lines(bytes);
  if (lines.anomaly != HttpAnomaly::None) return refuse(lines.anomaly, lines.consumed);
  return lines.ended ? finish_head(lines.consumed) : Step{HttpEvent::None, lines.consumed};
}

HttpRequests::Kind HttpRequests::kind_of_request() const noexcept {
  if (line_.method() == "CONNECT") return Kind::Connect;
  if (request_.upgrade != 0) return Kind::Upgrade;
  return line_.method() == "HEAD" ? Kind::Head : Kind::Plain;
}

HttpRequests::Step HttpRequests::finish_head(size_t consumed) noexcept {
  const bool chunked = (request_.flags & F_CHUNKED) != 0;
  const bool has_body = chunked || request_.content_length > 0;
  const Kind kind = kind_of_request();
  if (fields_.has(HttpField::TransferEncoding) && line_.minor_version() == 0)
    return refuse(HttpAnomaly::EncodingInHttp10, consumed);
  if (fields_.has(HttpField::TransferEncoding) && fields_.has(HttpField::ContentLength))
    return refuse(HttpAnomaly::LengthAndEncoding, consumed);
  if (kind == Kind::Connect && has_body) return refuse(HttpAnomaly::ConnectWithBody, consumed);
  if (unanswered_count_ == kDeepestPipeline) return refuse(HttpAnomaly::PipelineTooDeep, consumed);
  unanswered_[(first_unanswered_ + unanswered_count_++) % kDeepestPipeline] = kind;
  awaits_continue_ = has_body && fields_.has(HttpField::Expect);
  // CONNECT and Upgrade that are refused leave an ordinary connection.
  keep_alive_ = llhttp_should_keep_alive(&request_) != 0;
  body_left_ = request_.content_length;
  stage_ = chunked ? Stage::Chunks : has_body ? Stage::Body : Stage::HeadDone;
  llhttp_resume(&request_);
  return {HttpEvent::RequestHead, consumed};
}

HttpRequests::Step HttpRequests::read_body(Bytes bytes) noexcept {
  const size_t taken = static_cast<size_t>(std::min<uint64_t>(body_left_, bytes.size()));
  body_left_ -= taken;
  return body_left_ == 0 ? finish_request(taken) : Step{HttpEvent::None, taken};
}

HttpRequests::Step HttpRequests::read_chunks(Bytes bytes) noexcept {
  if (bytes.empty()) return {HttpEvent::None, 0};
  request_.data = this;
  const int result = execute(request_, bytes);
  if (result == HPE_OK) return {HttpEvent::None, bytes.size()};
  const size_t consumed = error_offset(request_, bytes);
  if (result != HPE_PAUSED || !in_trailers_) return refuse(chunk_anomaly(), consumed);
  llhttp_resume(&request_);
  lines_.clear();
  stage_ = Stage::Trailers;
  return {HttpEvent::None, consumed};
}

HttpRequests::Step HttpRequests::read_trailers(Bytes bytes) noexcept {
  if (bytes.empty()) return {HttpEvent::None, 0};
  const Lines lines = read_lines(bytes);
  if (lines.anomaly != HttpAnomaly::None) return refuse(lines.anomaly, lines.consumed);
  return lines.ended ? finish_request(lines.consumed) : Step{HttpEvent::None, lines.consumed};
}

HttpRequests::Step HttpRequests::finish_request(size_t consumed) noexcept {
  const Kind kind = kind_of_request();
  line_.clear();
  stage_ = keep_alive_ ? Stage::Line : Stage::Closed;
  if (unanswered_count_ > 0 && (kind == Kind::Connect || kind == Kind::Upgrade)) stage_ = Stage::AwaitAnswer;
  return {HttpEvent::RequestEnd, consumed};
}

HttpRequests::Step HttpRequests::wait_for_answer(Bytes bytes) noexcept {
  return bytes.empty() ? Step{HttpEvent::None, 0} : refuse(HttpAnomaly::EarlyTunnelData, 0);
}

// A line end after a body is an old browser's habit.
HttpRequests::Step HttpRequests::read_after_close(Bytes bytes) noexcept {
  const auto data =
      std::find_if(bytes.begin(), bytes.end(), [](uint8_t c) { return c != '\r' && c != '\n'; });
  const auto blank = static_cast<size_t>(data - bytes.begin());
  return data == bytes.end() ? Step{HttpEvent::None, blank} : refuse(HttpAnomaly::DataAfterClose, blank);
}

HttpRequests::Step HttpRequests::server_step(Bytes bytes) noexcept {
  answer_.data = this;
  const int result = execute(answer_, bytes);
  if (result == HPE_OK) return {HttpEvent::None, bytes.size()};
  const size_t consumed = error_offset(answer_, bytes);
  if (switched_ != HttpOpaque::No) return become_opaque(switched_, consumed);
  return refuse(anomaly_ == HttpAnomaly::None ? HttpAnomaly::BadResponse : anomaly_, consumed);
}

// Pairs the answer whose head is complete with its request.
HttpAnomaly HttpRequests::answer_anomaly() noexcept {
  const unsigned status = answer_.status_code;
  if (status < 200 && status != 101) {
    if (status == 100) awaits_continue_ = false;
    return HttpAnomaly::None;
  }
  // A server may give up on a connection before it has a request (408) or the whole of one (431).
  if (unanswered_count_ == 0) return status >= 400 ? HttpAnomaly::None : HttpAnomaly::UnpairedResponse;
  const Kind kind = unanswered_[first_unanswered_];
  first_unanswered_ = static_cast<uint8_t>((first_unanswered_ + 1) % kDeepestPipeline);
  --unanswered_count_;
  const bool last = unanswered_count_ == 0;
  const bool tunnel = kind == Kind::Connect && status >= 200 && status < 300;
  if (status == 101 || tunnel) {
    if (stage_ != Stage::AwaitAnswer || !last || (status == 101 && kind != Kind::Upgrade))
      return HttpAnomaly::UnexpectedSwitch;
    switched_ = tunnel ? HttpOpaque::Connect : HttpOpaque::Upgrade;
    return HttpAnomaly::None;
  }
  // RFC 9110 section 10.1.1 lets the client drop the body now, and servers differ in whether they wait for
  // it.
  if (last && awaits_continue_) refused_continue_ = true;
  if (last && stage_ == Stage::AwaitAnswer) stage_ = keep_alive_ ? Stage::Line : Stage::Closed;
  return HttpAnomaly::None;
}

HttpAnomaly HttpRequests::name_anomaly() noexcept {
  field_ = http_field({name_.data(), name_length_});
  value_length_ = 0;
  if (field_ == HttpField::FramingLookalike) return HttpAnomaly::FramingLookalike;
  const bool frames = field_ == HttpField::ContentLength || field_ == HttpField::TransferEncoding;
  if (in_trailers_) {
    // RFC 9110 section 6.5.1; other trailers tell nothing about the application.
    const bool refused = frames || field_ == HttpField::Host || field_ == HttpField::Expect;
    field_ = HttpField::Other;
    return refused ? HttpAnomaly::FramingInTrailer : HttpAnomaly::None;
  }
  if (fields_.has(field_)) {
    if (field_ == HttpField::ContentLength) return HttpAnomaly::RepeatedContentLength;
    if (field_ == HttpField::TransferEncoding) return HttpAnomaly::RepeatedTransferEncoding;
    if (field_ == HttpField::Host) return HttpAnomaly::RepeatedHost;
    if (field_ == HttpField::Expect) return HttpAnomaly::BadExpect;
  }
  if (field_ != HttpField::Other) fields_.begin(field_);
  return HttpAnomaly::None;
}

HttpAnomaly HttpRequests::value_anomaly() const noexcept {
  // A value that fills its place goes on unseen.
  const std::string_view value = value_length_ == value_.size()
                                     ? std::string_view{}
                                     : without_trailing_space({value_.data(), value_length_});
  switch (field_) {
    case HttpField::ContentLength:
      return !value.empty() && value.size() <= kMostLengthDigits &&
                     std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; })
                 ? HttpAnomaly::None
                 : HttpAnomaly::BadContentLength;
    case HttpField::TransferEncoding:
      return equals_ignoring_case(value, "chunked") ? HttpAnomaly::None : HttpAnomaly::BadTransferEncoding;
    case HttpField::Expect:
      return equals_ignoring_case(value, "100-continue") ? HttpAnomaly::None : HttpAnomaly::BadExpect;
    default:
      return HttpAnomaly::None;
  }
}

// What llhttp did not like about a value.
HttpAnomaly HttpRequests::head_anomaly(uint8_t refused) const noexcept {
  if (anomaly_ != HttpAnomaly::None) return anomaly_;
  switch (request_.error) {
    case HPE_INVALID_CONTENT_LENGTH:
      return HttpAnomaly::BadContentLength;
    case HPE_INVALID_TRANSFER_ENCODING:
      return HttpAnomaly::BadTransferEncoding;
    case HPE_UNEXPECTED_CONTENT_LENGTH:
      return HttpAnomaly::LengthAndEncoding;
    default:
      return refused == 0 ? HttpAnomaly::Nul : HttpAnomaly::BadHeaderValue;
  }
}

HttpAnomaly HttpRequests::chunk_anomaly() const noexcept {
  if (anomaly_ != HttpAnomaly::None) return anomaly_;
  return request_.error == HPE_INVALID_CHUNK_SIZE ? HttpAnomaly::BadChunkSize : HttpAnomaly::BadChunk;
}

}  // namespace postern::profiles
