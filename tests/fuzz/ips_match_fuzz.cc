// SPDX-License-Identifier: Apache-2.0
// Rules, a line with nothing but "==", and bytes that are a datagram, an HTTP message and, in pieces, a
// stream. Few rules, for each input compiles its own.
#include <algorithm>
#include <string>
#include <vector>

#include "profiles/ips/inspection.h"

using namespace postern;
using namespace postern::profiles::ips;

namespace {

constexpr size_t kMostRules = 8;

void check(bool good) {
  if (!good) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view all = as_text({data, size});
  const size_t end = all.find("\n==\n");
  if (end == all.npos) return 0;
  const RuleSite site;
  StateNames names;
  RuleReader reader(site, names);
  reader.read(all.substr(0, end), "fuzz.rules");
  if (reader.signatures().size() > kMostRules)
    reader.signatures().erase(reader.signatures().begin() + kMostRules, reader.signatures().end());
  classify::PatternCache cache;
  const Result<RuleSet> rules = RuleSet::compile(reader, cache);
  if (!rules) return 0;
  Result<Inspection> inspection = Inspection::create(*rules, 1);
  check(static_cast<bool>(inspection));
  const std::vector<uint8_t> exact(data + end + 4, data + size);
  FlowState flow(1);
  FlowFacts facts;
  const PacketFacts packet;
  facts.phase = FlowPhase::Established;
  const auto inspect = [&](BufferKind kind, Bytes bytes, Input::Part part) {
    const Outcome outcome =
        inspection->inspect(flow, facts, {kind, Direction::ToServer, bytes, part, &packet}, kSecond);
    for (const Hit& hit : outcome.hits) check(hit.signature != nullptr && hit.signature->sid != 0);
    check(outcome.hits.empty() || outcome.judgement != Judgement::Nothing);
  };
  facts.transport = Transport::Udp;
  inspect(BufferKind::Packet, exact, Input::Part::Last);
  facts.transport = Transport::Tcp;
  facts.app = App::Http;
  flow.reset(2);
  for (const BufferKind kind :
       {BufferKind::HttpMethod, BufferKind::HttpUri, BufferKind::HttpHeader, BufferKind::HttpRequestBody})
    inspect(kind, exact, Input::Part::Last);
  flow.reset(3);
  for (Bytes rest(exact); !rest.empty();) {
    const size_t count = std::min<size_t>(rest.size(), 1 + rest[0] % 7);
    const std::vector<uint8_t> piece(rest.begin(), rest.begin() + static_cast<ptrdiff_t>(count));
    inspect(BufferKind::Stream, piece, Input::Part::More);
    rest = rest.subspan(count);
  }
  return 0;
}
