// SPDX-License-Identifier: Apache-2.0
// Signatures as docs/catalogue.md describes them: one after the other, each with a pattern set of its own.
// What the application engine is held against.
#pragma once

#include <algorithm>
#include <cstdlib>

#include "classify/application_engine.h"
#include "classify/decoders/decoders.h"
#include "classify/pattern_set.h"

namespace postern::classify::naive {

class Engine {
 public:
  Engine(std::vector<Signature> signatures, std::vector<Application> applications)
      : signatures_(std::move(signatures)), applications_(std::move(applications)) {
    PatternCache cache;
    for (const Signature& s : signatures_) {
      const bool multiline = s.layer == Layer::Http || s.layer == Layer::Tls;
      std::vector<Pattern> patterns;
      if (!s.pattern.empty())
        patterns.push_back({.expression = s.pattern, .nocase = s.nocase, .multiline = multiline});
      auto set = PatternSet::compile(patterns, cache);
      if (!set || !set->fit(scratch_)) std::abort();
      sets_.push_back(std::move(*set));
    }
  }

  // `base`: only more exact names for it count; nullptr: all.
  Identification identify(Layer layer, const Evidence& evidence, const AppId* base = nullptr) {
    const bool is_text = layer == Layer::Http || layer == Layer::Tls;
    if (layer == Layer::Tcp && evidence.payload.empty()) return {kApplicationPending, true};
    bool stronger_more = false;  // from here on a signature counts on its own port only
    for (const Confidence level : {Confidence::High, Confidence::Medium, Confidence::Low}) {
      const Signature* best = nullptr;
      bool more = false, hinted_more = false;
      for (const bool hinted : {true, false})
        for (size_t i = 0; i < signatures_.size(); ++i) {
          const Signature& s = signatures_[i];
          if (s.layer != layer || s.confidence != level || hints(s, evidence) != hinted) continue;
          if (base != nullptr && !refines(s.application, *base, layer)) continue;
          const Fit fit = fit_of(i, evidence);
          if (fit == Fit::More && !is_text) {
            more = true;
            hinted_more |= hinted;
          }
          if (fit == Fit::Yes && best == nullptr && (hinted || !stronger_more)) best = &s;
        }
      if (best != nullptr)
        return {deepest_below(best->application, layer, level, evidence, base, stronger_more), false};
      if (hinted_more) return {kApplicationPending, true};
      stronger_more |= more;
    }
    return stronger_more ? Identification{kApplicationPending, true}
                         : Identification{kApplicationUnidentified, false};
  }

 private:
  const Application& application(AppId id) const {
    return *std::find_if(applications_.begin(), applications_.end(),
                         [&](const auto& a) { return a.id == id; });
  }
  bool is_below(AppId id, AppId other) const {
    const AppId parent = application(id).parent;
    return parent != kApplicationPending && (parent == other || is_below(parent, other));
  }
  bool refines(AppId id, AppId base, Layer layer) const {
    const std::string& name = application(base).name;
    const bool root = layer == Layer::Http ? name == "http" : name == "tls" || name == "quic";
    return id != base && (root || is_below(id, base));
  }
  static bool hints(const Signature& s, const Evidence& evidence) {
    return std::any_of(s.ports.begin(), s.ports.end(),
                       [&](const PortRange& r) { return r.contains(evidence.server_port); });
  }

  Fit fit_of(size_t i, const Evidence& evidence) {
    const Signature& s = signatures_[i];
    const auto wanted = evidence.direction == Direction::ToServer ? Sender::Client : Sender::Server;
    if (s.sender != Sender::Either && s.sender != wanted) return Fit::No;
    if (s.confidence == Confidence::Low && !hints(s, evidence)) return Fit::No;
    const std::vector<Prefix>& servers = application(s.application).servers;
    if (s.bound_hosts && std::none_of(servers.begin(), servers.end(),
                                      [&](const Prefix& p) { return p.contains(evidence.server); }))
      return Fit::No;
    if (!s.pattern.empty()) {
      uint64_t found = 0;
      const size_t seen = std::min(evidence.payload.size(), ApplicationEngine::kLongestPattern);
      sets_[i].scan(evidence.payload.first(seen), scratch_, {&found, 1});
      if (found == 0)
        return s.layer == Layer::Tcp && evidence.payload.size() < s.min_bytes ? Fit::More : Fit::No;
    }
    return s.decoder.empty() ? Fit::Yes : decoders::find(s.decoder)(evidence);
  }

  AppId deepest_below(AppId best, Layer layer, Confidence level, const Evidence& evidence, const AppId* base,
                      bool hinted_only) {
    for (size_t round = 0; round < applications_.size(); ++round)
      for (size_t i = 0; i < signatures_.size(); ++i) {
        const Signature& s = signatures_[i];
        if (s.layer != layer || s.confidence != level || !is_below(s.application, best)) continue;
        if (base != nullptr && !refines(s.application, *base, layer)) continue;
        if (hinted_only && !hints(s, evidence)) continue;
        if (fit_of(i, evidence) == Fit::Yes) best = s.application;
      }
    return best;
  }

  std::vector<Signature> signatures_;
  std::vector<Application> applications_;
  std::vector<PatternSet> sets_;
  ScanScratch scratch_;
};

}  // namespace postern::classify::naive
