// SPDX-License-Identifier: Apache-2.0
#include "perf/plain_hyperscan.h"

#include <algorithm>
#include <cstdlib>

#include "classify/application_engine.h"
#include "classify/decoders/decoders.h"

namespace postern::perf {
namespace {

using classify::Evidence;
using classify::Fit;
using classify::Layer;
using classify::Sender;
using classify::Signature;

bool sent_by(const Signature& signature, Direction direction) {
  if (signature.sender == Sender::Either) return true;
  return (signature.sender == Sender::Client) == (direction == Direction::ToServer);
}

unsigned flags_of(const Signature& signature) {
  unsigned flags = HS_FLAG_DOTALL | HS_FLAG_SINGLEMATCH;
  if (signature.nocase) flags |= HS_FLAG_CASELESS;
  if (signature.layer == Layer::Http || signature.layer == Layer::Tls) flags |= HS_FLAG_MULTILINE;
  return flags;
}

Bytes scanned(Bytes payload) {
  return payload.first(std::min(payload.size(), classify::ApplicationEngine::kLongestPattern));
}

void scan_into(const hs_database_t* database, Bytes bytes, hs_scratch_t* scratch,
               match_event_handler on_match, void* into) {
  if (database == nullptr) return;
  hs_scan(database, reinterpret_cast<const char*>(bytes.data()), static_cast<unsigned>(bytes.size()), 0,
          scratch, on_match, into);
}

}  // namespace

PlainHyperscan::PlainHyperscan(const std::vector<Signature>& signatures) : signatures_(signatures) {
  for (size_t layer = 0; layer < classify::kLayers; ++layer)
    for (const Direction direction : {Direction::ToServer, Direction::ToClient})
      compile(groups_[layer][static_cast<size_t>(direction)], static_cast<Layer>(layer), direction);
}

PlainHyperscan::~PlainHyperscan() {
  hs_free_scratch(scratch_);
  for (auto& layer : groups_)
    for (Group& group : layer) hs_free_database(group.database);
}

void PlainHyperscan::compile(Group& group, Layer layer, Direction direction) {
  std::vector<const char*> expressions;
  std::vector<unsigned> flags, ids;
  for (const Signature& signature : signatures_) {
    if (signature.layer != layer || !sent_by(signature, direction)) continue;
    const Asked asked{classify::decoders::find(signature.decoder), &signature};
    if (signature.pattern.empty()) {
      group.without_pattern.push_back(asked);
      continue;
    }
    ids.push_back(static_cast<unsigned>(ids.size()));
    expressions.push_back(signature.pattern.c_str());
    flags.push_back(flags_of(signature));
    group.by_pattern.push_back(asked);
  }
  if (ids.empty()) return;
  hs_compile_error_t* failure = nullptr;
  if (hs_compile_multi(expressions.data(), flags.data(), ids.data(), static_cast<unsigned>(ids.size()),
                       HS_MODE_BLOCK, nullptr, &group.database, &failure) != HS_SUCCESS ||
      hs_alloc_scratch(group.database, &scratch_) != HS_SUCCESS)
    std::abort();
}

Fit PlainHyperscan::Asked::ask(const Evidence& evidence) const {
  if (signature->confidence == classify::Confidence::Low) {
    const auto holds = [&](const classify::PortRange& range) { return range.contains(evidence.server_port); };
    if (std::none_of(signature->ports.begin(), signature->ports.end(), holds)) return Fit::No;
  }
  return decode == nullptr ? Fit::Yes : decode(evidence);
}

size_t PlainHyperscan::scan(Layer layer, const Evidence& evidence) const {
  size_t matches = 0;
  scan_into(
      group(layer, evidence.direction).database, scanned(evidence.payload), scratch_,
      [](unsigned, unsigned long long, unsigned long long, unsigned, void* into) {
        ++*static_cast<size_t*>(into);
        return 0;
      },
      &matches);
  return matches;
}

size_t PlainHyperscan::scan_and_decode(Layer layer, const Evidence& evidence) const {
  struct Into {
    const Group& group;
    const Evidence& evidence;
    size_t yes = 0;
  } into{group(layer, evidence.direction), evidence};
  scan_into(
      into.group.database, scanned(evidence.payload), scratch_,
      [](unsigned id, unsigned long long, unsigned long long, unsigned, void* to) {
        Into& all = *static_cast<Into*>(to);
        all.yes += all.group.by_pattern[id].ask(all.evidence) == Fit::Yes;
        return 0;
      },
      &into);
  for (const Asked& asked : into.group.without_pattern) into.yes += asked.ask(evidence) == Fit::Yes;
  return into.yes;
}

size_t PlainHyperscan::patterns(Layer layer, Direction direction) const {
  return group(layer, direction).by_pattern.size();
}

}  // namespace postern::perf
