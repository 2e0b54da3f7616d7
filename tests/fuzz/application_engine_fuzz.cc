// SPDX-License-Identifier: Apache-2.0
// Any bytes as the start of a flow of any protocol, direction and port, and as a text inside http: the engine
// with the decoders of management protocols and some patterns answers as a plain loop over its signatures.
// The first byte chooses.
// needs: base classify
#include <cstddef>
#include <cstdint>

#include "tests/classify/naive_engine.h"
#include "tests/classify/policy_builder.h"

using namespace postern;
using namespace postern::classify;

namespace {

std::vector<Signature> signatures() {
  std::vector<Signature> all = test_signatures();
  const auto pattern = [&all](AppId id, Layer layer, const char* expression, Confidence confidence,
                              uint16_t min_bytes, const char* decoder = "") {
    Signature signature;
    signature.application = id;
    signature.layer = layer;
    signature.sender = Sender::Either;
    signature.pattern = expression;
    signature.decoder = decoder;
    signature.confidence = confidence;
    signature.min_bytes = min_bytes;
    signature.ports = {{443, 443}};
    all.push_back(std::move(signature));
  };
  pattern(app::kSsh, Layer::Tcp, "^SSH-[12]", Confidence::Medium, 5, "ssh");
  pattern(app::kRfc913, Layer::Tcp, "^(USER|PASS)", Confidence::Low, 4);
  pattern(app::kSlp, Layer::Udp, "^\\x02.{3}", Confidence::Medium, 4);
  pattern(app::kCimXml, Layer::Http, "^(M-POST|POST) ", Confidence::High, 1);
  return all;
}

struct Engines {
  Engines() {
    PatternCache cache;
    auto result = ApplicationEngine::compile(signatures(), test_catalogue(), cache);
    if (!result) std::abort();
    engine = std::make_unique<ApplicationEngine>(std::move(*result));
    scratch = std::move(*engine->make_scratch());
  }
  std::unique_ptr<ApplicationEngine> engine;
  ScanScratch scratch;
  naive::Engine plain{signatures(), test_catalogue()};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Engines engines;
  if (size == 0) return 0;
  static constexpr uint8_t kProtocols[] = {kTcp, kUdp, kIcmp, kIcmpV6};
  static constexpr Layer kOver[] = {Layer::Tcp, Layer::Udp, Layer::Icmp, Layer::Icmp};
  Evidence evidence;
  evidence.protocol = kProtocols[data[0] & 3];
  evidence.direction = data[0] & 4 ? Direction::ToClient : Direction::ToServer;
  evidence.server_port = data[0] & 8 ? 5353 : 443;
  evidence.payload = Bytes(data + 1, size - 1).first(std::min<size_t>(size - 1, 8192));
  const Identification found = engines.engine->identify(evidence, engines.scratch);
  if (found.more != (found.application == kApplicationPending)) __builtin_trap();
  const Identification expected = engines.plain.identify(kOver[data[0] & 3], evidence);
  if (found.application != expected.application || found.more != expected.more) __builtin_trap();
  const AppId refined =
      engines.engine->refine(Layer::Http, app::kHttp, as_text(evidence.payload), evidence, engines.scratch);
  if (refined != app::kHttp && refined != app::kCimXml) __builtin_trap();
  return 0;
}
