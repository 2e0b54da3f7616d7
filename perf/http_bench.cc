// SPDX-License-Identifier: Apache-2.0
// Requests per second: HttpRequests, alone and with the canonical text, against llhttp with empty callbacks
// on the same bytes in the same run. "ratio" is llhttp's time over ours, of rounds in turns.
//   http_bench --benchmark_repetitions=5 --benchmark_report_aggregates_only=true
#include <benchmark/benchmark.h>
#include <llhttp.h>

#include <cstdlib>
#include <ctime>
#include <string>

#include "profiles/http_requests.h"
#include "profiles/http_text.h"

namespace postern::profiles {
namespace {

constexpr size_t kPipeline = 32;

enum class Traffic { Small, Browser, Post, Chunked };

std::string request_of(Traffic traffic) {
  const std::string small = " /redfish/v1/Systems/system HTTP/1.1\r\nHost: 10.4.0.7\r\nAccept: */*\r\n";
  switch (traffic) {
    case Traffic::Small:
      return "GET" + small + "User-Agent: curl/7.88.1\r\n\r\n";
    case Traffic::Browser:
      return "GET /redfish/v1/Managers/bmc/LogServices/Journal/Entries?$skip=50&$top=50 HTTP/1.1\r\n"
             "Host: bmc-r17u04.example.net\r\nConnection: keep-alive\r\nX-XSRF-TOKEN: "
             "k3mW8sKq0bW1c9u2Tz7p\r\n"
             "sec-ch-ua: \"Chromium\";v=\"130\", \"Not?A_Brand\";v=\"99\"\r\nsec-ch-ua-mobile: ?0\r\n"
             "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
             "Chrome/130.0.0.0 "
             "Safari/537.36\r\nAccept: application/json, text/plain, */*\r\nsec-ch-ua-platform: \"Linux\"\r\n"
             "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n"
             "Referer: https://bmc-r17u04.example.net/\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"
             "Accept-Language: en-US,en;q=0.9\r\nCookie: SESSION=a8s7d6f5g4h3j2k1l0; "
             "IsAuthenticated=true\r\n\r\n";
    case Traffic::Post:
      return "POST" + small + "Content-Type: application/json\r\nContent-Length: 512\r\n\r\n" +
             std::string(512, 'x');
    case Traffic::Chunked:
      break;
  }
  std::string request = "POST" + small + "Transfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 4; ++i) request += "80\r\n" + std::string(128, 'x') + "\r\n";
  return request + "0\r\n\r\n";
}

std::string pipeline_of(Traffic traffic) {
  std::string out;
  for (size_t i = 0; i < kPipeline; ++i) out += request_of(traffic);
  return out;
}

int nothing(llhttp_t*) { return 0; }
int nothing_of(llhttp_t*, const char*, size_t) { return 0; }

void run_llhttp(const std::string& stream) {
  static const llhttp_settings_t settings = [] {
    llhttp_settings_t s{};
    s.on_url = s.on_header_field = s.on_header_value = s.on_body = nothing_of;
    s.on_header_field_complete = s.on_header_value_complete = s.on_headers_complete = s.on_message_complete =
        nothing;
    return s;
  }();
  llhttp_t parser;
  llhttp_init(&parser, HTTP_REQUEST, &settings);
  if (llhttp_execute(&parser, stream.data(), stream.size()) != HPE_OK) std::abort();
}

enum class Text { None, Made };

void run_ours(const std::string& stream, Text text) {
  HttpRequests requests;
  size_t ends = 0;
  for (Bytes rest = as_bytes(stream);;) {
    const HttpRequests::Step step = requests.feed(Direction::ToServer, rest);
    rest = rest.subspan(step.consumed);
    if (step.event == HttpEvent::None) break;
    ends += step.event == HttpEvent::RequestEnd;
    if (text == Text::Made && step.event == HttpEvent::RequestHead) {
      const HttpText made(requests.head());
      benchmark::DoNotOptimize(made.text().data());
    }
  }
  if (ends != kPipeline) std::abort();
}

// Of this thread: a shared machine's other work does not count.
double cpu_seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void llhttp_alone(benchmark::State& state, Traffic traffic) {
  const std::string stream = pipeline_of(traffic);
  for (auto _ : state) run_llhttp(stream);
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kPipeline));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * stream.size()));
}

void http_requests(benchmark::State& state, Traffic traffic, Text text) {
  const std::string stream = pipeline_of(traffic);
  double ours = 0, plain = 0;
  for (auto _ : state) {
    const double begin = cpu_seconds();
    run_llhttp(stream);
    const double middle = cpu_seconds();
    run_ours(stream, text);
    const double end = cpu_seconds();
    plain += middle - begin;
    ours += end - middle;
    state.SetIterationTime(end - middle);
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kPipeline));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * stream.size()));
  state.counters["ratio"] = plain / ours;
}

BENCHMARK_CAPTURE(llhttp_alone, small, Traffic::Small);
BENCHMARK_CAPTURE(llhttp_alone, browser, Traffic::Browser);
BENCHMARK_CAPTURE(http_requests, small, Traffic::Small, Text::None)->UseManualTime();
BENCHMARK_CAPTURE(http_requests, small_with_text, Traffic::Small, Text::Made)->UseManualTime();
BENCHMARK_CAPTURE(http_requests, browser, Traffic::Browser, Text::None)->UseManualTime();
BENCHMARK_CAPTURE(http_requests, browser_with_text, Traffic::Browser, Text::Made)->UseManualTime();
BENCHMARK_CAPTURE(http_requests, post, Traffic::Post, Text::Made)->UseManualTime();
BENCHMARK_CAPTURE(http_requests, chunked, Traffic::Chunked, Text::Made)->UseManualTime();

}  // namespace
}  // namespace postern::profiles

BENCHMARK_MAIN();
