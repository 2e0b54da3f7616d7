// SPDX-License-Identifier: Apache-2.0
#include "classify/engine_tables.h"

#include <algorithm>
#include <map>
#include <set>

#include "classify/app_ids.h"
#include "classify/decoders/decoders.h"

namespace postern::classify {
namespace {

// Whether signatures tell the applications of an IP protocol.
bool has_layer(uint8_t protocol) {
  return protocol == kAnyProtocol || protocol == kTcp || protocol == kUdp || protocol == kIcmp ||
         protocol == kIcmpV6;
}

using Group = CandidateGroup;

bool sent_by(const Signature& signature, Direction direction) {
  if (signature.sender == Sender::Either) return true;
  return (signature.sender == Sender::Client) == (direction == Direction::ToServer);
}

Error complaint(const Signature& signature, const std::string& what) {
  return {"signature: " + what, signature.file, signature.line};
}

std::string known_decoders() {
  std::string names;
  for (const decoders::NamedDecoder& decoder : decoders::all())
    names += (names.empty() ? "" : ", ") + std::string(decoder.name);
  return names;
}

Status check(const Signature& signature) {
  if (signature.pattern.empty() && signature.decoder.empty())
    return complaint(signature, "has neither pattern nor decoder, expected one at least");
  if (!signature.decoder.empty() && decoders::find(signature.decoder) == nullptr)
    return complaint(signature,
                     "decoder '" + signature.decoder + "' is unknown, expected one of: " + known_decoders());
  if (signature.confidence == Confidence::Low && signature.ports.empty())
    return complaint(signature, "confidence low without ports, expected the ports where it is believed");
  return Ok{};
}

// A decoder that says No to the first byte of a stream says No whatever follows (classify/fit.h), so it need
// not be asked again.
void sort_by_first_byte(Group& group, Layer layer, Direction direction) {
  group.may_fit.resize(layer == Layer::Tcp ? 256 : 1);
  for (size_t first = 0; first < group.may_fit.size(); ++first) {
    const auto byte = static_cast<uint8_t>(first);
    const Evidence evidence{.protocol = kTcp, .direction = direction, .payload = Bytes(&byte, 1)};
    for (size_t i = 0; i < group.by_decoder.size(); ++i)
      if (layer != Layer::Tcp || group.by_decoder[i].decode(evidence) != Fit::No) group.may_fit[first].set(i);
  }
}

void sort_by_port(Group& group) {
  std::set<uint16_t> from = {0};
  for (const Candidate& candidate : group.by_decoder)
    for (const PortRange& range : candidate.ports.ranges()) {
      from.insert(range.first);
      if (range.last != UINT16_MAX) from.insert(static_cast<uint16_t>(range.last + 1));
    }
  group.hinted_from.assign(from.begin(), from.end());
  group.hinted.resize(from.size());
  for (size_t n = 0; n < from.size(); ++n)
    for (size_t i = 0; i < group.by_decoder.size(); ++i) {
      const PortSet& ports = group.by_decoder[i].ports;
      if (!ports.any() && ports.matches(group.hinted_from[n])) group.hinted[n].set(i);
    }
}

class GroupBuilder {
 public:
  GroupBuilder(Layer layer, Direction direction) : layer_(layer), direction_(direction) {}

  // Signatures come by confidence.
  Status add(const Signature& signature, Candidate candidate) {
    const bool has_pattern = !signature.pattern.empty();
    auto& list = has_pattern ? group_.by_pattern : group_.by_decoder;
    const size_t most = has_pattern ? Group::kMostPatterns : Group::kMostDecoders;
    if (list.size() == most)
      return complaint(signature, "is one too many, expected at most " + std::to_string(most) +
                                      (has_pattern ? " with" : " without") +
                                      " a pattern of one layer and sender");
    list.push_back(std::move(candidate));
    if (has_pattern)
      patterns_.push_back({.expression = signature.pattern,
                           .nocase = signature.nocase,
                           .multiline = layer_ == Layer::Http || layer_ == Layer::Tls,
                           .file = signature.file,
                           .line = signature.line});
    return Ok{};
  }

  Result<Group> finish(PatternCache& cache) {
    auto set = PatternSet::compile(patterns_, cache);
    if (!set) return set.error();
    group_.patterns = std::move(*set);
    for (const Confidence level : {Confidence::High, Confidence::Medium, Confidence::Low}) add_level(level);
    sort_by_first_byte(group_, layer_, direction_);
    sort_by_port(group_);
    return std::move(group_);
  }

 private:
  void add_level(Confidence confidence) {
    Group::Level level;
    const auto range = [confidence](const std::vector<Candidate>& list) {
      const auto [first, end] =
          std::equal_range(list.begin(), list.end(), confidence,
                           [](const auto& a, const auto& b) { return rank(a) > rank(b); });
      return std::pair(static_cast<uint32_t>(first - list.begin()),
                       static_cast<uint32_t>(end - list.begin()));
    };
    std::tie(level.first_pattern, level.end_pattern) = range(group_.by_pattern);
    std::tie(level.first_decoder, level.end_decoder) = range(group_.by_decoder);
    if (level.first_pattern == level.end_pattern && level.first_decoder == level.end_decoder) return;
    group_.levels.push_back(level);
    for (uint32_t i = level.first_pattern; i < level.end_pattern; ++i) group_.by_min_bytes.push_back(i);
    std::sort(group_.by_min_bytes.begin() + level.first_pattern, group_.by_min_bytes.end(),
              [this](uint32_t a, uint32_t b) {
                return std::pair(group_.by_pattern[b].min_bytes, a) <
                       std::pair(group_.by_pattern[a].min_bytes, b);
              });
  }
  static Confidence rank(const Candidate& candidate) { return candidate.confidence; }
  static Confidence rank(Confidence confidence) { return confidence; }

  Layer layer_;
  Direction direction_;
  Group group_;
  std::vector<Pattern> patterns_;
};

using ServersOf = std::map<AppId, uint32_t>;  // which of Tables::servers

Candidate candidate_of(const Signature& signature, size_t order, const ServersOf& servers_of) {
  return {.application = signature.application,
          .confidence = signature.confidence,
          .min_bytes = signature.min_bytes,
          .decode = signature.decoder.empty() ? nullptr : decoders::find(signature.decoder),
          .servers = signature.bound_hosts ? servers_of.at(signature.application) : Candidate::kAnyServer,
          .order = static_cast<uint32_t>(order),
          .ports = PortSet(signature.ports)};
}

Result<Group> build_group(Layer layer, Direction direction, const std::vector<Signature>& signatures,
                          const ServersOf& servers_of, PatternCache& cache) {
  std::vector<size_t> order;
  for (size_t i = 0; i < signatures.size(); ++i)
    if (signatures[i].layer == layer && sent_by(signatures[i], direction)) order.push_back(i);
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return signatures[a].confidence > signatures[b].confidence; });
  GroupBuilder builder(layer, direction);
  for (const size_t i : order)
    if (Status added = builder.add(signatures[i], candidate_of(signatures[i], i, servers_of)); !added)
      return added.error();
  return builder.finish(cache);
}

}  // namespace

bool ApplicationEngine::Tables::refines(AppId application, AppId base, Layer layer) const noexcept {
  const bool shows_it = layer == Layer::Http  ? base == app::kHttp
                        : layer == Layer::Tls ? base == app::kTls || base == app::kQuic
                                              : false;
  return application != base && (shows_it || is_child(application, base));
}

Result<std::unique_ptr<ApplicationEngine::Tables>> ApplicationEngine::Tables::build(
    const std::vector<Signature>& signatures, const std::vector<Application>& applications,
    PatternCache& cache) {
  auto tables = std::make_unique<Tables>();
  ServersOf servers_of;
  uint16_t highest = 0;
  for (const Application& application : applications) highest = std::max(highest, application.id.value);
  tables->parents.resize(highest + size_t{1});
  tables->has_children.resize(highest + size_t{1});
  tables->refinable.resize(highest + size_t{1});
  for (const Application& application : applications) {
    if (!application.composite && !application.wildcard)
      for (const Member& member : application.members)
        if (!has_layer(member.protocol) && tables->by_protocol[member.protocol] == kApplicationPending)
          tables->by_protocol[member.protocol] = application.id;
    tables->parents[application.id.value] = application.parent;
    if (application.parent.value <= highest) tables->has_children[application.parent.value] = true;
    servers_of.emplace(application.id, static_cast<uint32_t>(tables->servers.size()));
    tables->servers.emplace_back(application.servers);
  }
  for (const Signature& signature : signatures) {
    if (Status status = check(signature); !status) return status.error();
    if (!servers_of.contains(signature.application))
      return complaint(signature, "its application is not in the catalogue");
    std::vector<AppId>& named = tables->named_by[static_cast<size_t>(signature.layer)];
    if (std::find(named.begin(), named.end(), signature.application) == named.end())
      named.push_back(signature.application);
    for (const Layer layer : {Layer::Http, Layer::Tls})
      for (const Application& base : applications)
        if (signature.layer == layer && tables->refines(signature.application, base.id, layer))
          tables->refinable[base.id.value] = true;
  }
  for (size_t layer = 0; layer < kLayers; ++layer)
    for (const Direction direction : {Direction::ToServer, Direction::ToClient}) {
      auto group = build_group(static_cast<Layer>(layer), direction, signatures, servers_of, cache);
      if (!group) return group.error();
      tables->groups[layer][static_cast<size_t>(direction)] = std::move(*group);
    }
  return tables;
}

}  // namespace postern::classify
