// SPDX-License-Identifier: Apache-2.0
#include "classify/application_engine.h"

#include <algorithm>

#include "classify/engine_tables.h"

namespace postern::classify {
namespace {

constexpr Identification kUnidentified{kApplicationUnidentified, false};
constexpr Identification kNeedsMore{kApplicationPending, true};

Bytes first(Bytes bytes, size_t most) noexcept { return bytes.first(std::min(bytes.size(), most)); }

// What signatures look at: a stream that goes on, one datagram of perhaps several, or a text that is all.
enum class Extent : uint8_t { Stream, Datagram, Text };

// Whether `candidate` may be asked at all about a flow to this server and port.
bool admitted(const Candidate& candidate, const Evidence& evidence,
              const std::vector<PrefixSet>& servers) noexcept {
  if (candidate.confidence == Confidence::Low && !candidate.ports.matches(evidence.server_port)) return false;
  return candidate.servers == Candidate::kAnyServer || servers[candidate.servers].contains(evidence.server);
}

bool is_hinted(const Candidate& candidate, uint16_t port) noexcept {
  return !candidate.ports.any() && candidate.ports.matches(port);
}

// One candidate's opinion; `pattern`: whether its pattern matches (candidates without one: true).
Fit ask(const Candidate& candidate, bool pattern, const Evidence& evidence, Extent extent) noexcept {
  if (!pattern)
    return extent == Extent::Stream && evidence.payload.size() < candidate.min_bytes ? Fit::More : Fit::No;
  if (candidate.decode == nullptr) return Fit::Yes;
  const Fit fit = candidate.decode(evidence);
  // Nothing beyond this will ever be looked at.
  const bool all_seen = evidence.payload.size() >= ApplicationEngine::kLongestPrefix;
  return fit == Fit::More && (all_seen || extent == Extent::Text) ? Fit::No : fit;
}

}  // namespace

// One question to one group of candidates.
template <typename Accept>
class EngineSearch {
 public:
  EngineSearch(const ApplicationEngine::Tables& tables, const CandidateGroup& group, const Evidence& evidence,
               Extent extent, Accept accept) noexcept
      : tables_(tables), group_(group), evidence_(evidence), extent_(extent), accept_(accept) {}

  Identification run(ScanScratch& scratch) noexcept {
    // All of `found_` is more than a scan of short bytes costs.
    found_.words[0] = 0;
    for (size_t word = 1; word * 64 < group_.patterns.size(); ++word) found_.words[word] = 0;
    group_.patterns.scan(first(evidence_.payload, ApplicationEngine::kLongestPattern), scratch, found_.words);
    for (const CandidateGroup::Level& level : group_.levels) {
      ask_patterns(level);
      ask_decoders(level);
      if (best_ != nullptr) return {most_exact(level)->application, false};
      // What a weaker signature says cannot be the last word while a stronger one may still fit, unless that
      // is at home elsewhere and this one on its own port.
      if (hinted_more_) return kNeedsMore;
      hinted_only_ = more_;
    }
    return more_ ? kNeedsMore : kUnidentified;
  }

 private:
  // Afterwards `found_` has the candidates of this level that fit.
  void ask_patterns(const CandidateGroup::Level& level) noexcept {
    for (uint32_t n = level.first_pattern;
         extent_ == Extent::Stream && n < level.end_pattern && !hinted_more_; ++n) {
      const uint32_t i = group_.by_min_bytes[n];
      if (group_.by_pattern[i].min_bytes <= evidence_.payload.size()) break;
      if (!found_.test(i)) weigh(group_.by_pattern[i], false);
    }
    found_.for_each(level.first_pattern, level.end_pattern, [&](size_t i) {
      if (weigh(group_.by_pattern[i], true) != Fit::Yes) found_.clear(i);
    });
  }

  // Those of the server's port first: when one of them fits, no other can be preferred to it. Of low
  // confidence there are no others.
  void ask_decoders(const CandidateGroup::Level& level) noexcept {
    if (level.first_decoder == level.end_decoder) return;
    const auto& may_fit = group_.may_fit[extent_ == Extent::Stream ? evidence_.payload[0] : 0];
    const auto& hinted = group_.hinted_at(evidence_.server_port);
    ask_decoders(level, may_fit.and_in(hinted));
    const bool settled = best_ != nullptr && is_hinted(*best_, evidence_.server_port) &&
                         !tables_.has_children[best_->application.value];
    const bool others = group_.by_decoder[level.first_decoder].confidence != Confidence::Low;
    if (others && !settled) ask_decoders(level, may_fit.and_not_in(hinted));
  }

  void ask_decoders(const CandidateGroup::Level& level, const CandidateGroup::DecoderBits& asked) noexcept {
    asked.for_each(level.first_decoder, level.end_decoder, [&](size_t i) {
      if (weigh(group_.by_decoder[i], true) == Fit::Yes) fitting_decoders_.set(i);
    });
  }

  Fit weigh(const Candidate& candidate, bool pattern) noexcept {
    if (!accept_(candidate.application) || !admitted(candidate, evidence_, tables_.servers)) return Fit::No;
    const Fit fit = ask(candidate, pattern, evidence_, extent_);
    const bool hinted = is_hinted(candidate, evidence_.server_port);
    if (fit == Fit::More) {
      more_ = true;
      hinted_more_ |= hinted;
    }
    if (fit == Fit::Yes && hinted_only_ && !hinted) return Fit::No;
    if (fit == Fit::Yes && (best_ == nullptr || better(candidate, *best_))) best_ = &candidate;
    return fit;
  }

  // Of two of the same confidence.
  bool better(const Candidate& a, const Candidate& b) const noexcept {
    const bool a_hinted = is_hinted(a, evidence_.server_port), b_hinted = is_hinted(b, evidence_.server_port);
    return a_hinted != b_hinted ? a_hinted : a.order < b.order;
  }

  // A fitting child of the best is a more exact name for the same.
  const Candidate* most_exact(const CandidateGroup::Level& level) noexcept {
    const auto consider = [&](const Candidate& candidate) {
      if (tables_.is_child(candidate.application, best_->application)) best_ = &candidate;
    };
    if (!tables_.has_children[best_->application.value]) return best_;
    found_.for_each(level.first_pattern, level.end_pattern,
                    [&](size_t i) { consider(group_.by_pattern[i]); });
    fitting_decoders_.for_each(level.first_decoder, level.end_decoder,
                               [&](size_t i) { consider(group_.by_decoder[i]); });
    return best_;
  }

  const ApplicationEngine::Tables& tables_;
  const CandidateGroup& group_;
  const Evidence& evidence_;
  const Extent extent_;
  const Accept accept_;
  CandidateGroup::PatternBits found_;  // by their patterns; then those that fit
  CandidateGroup::DecoderBits fitting_decoders_ = CandidateGroup::DecoderBits();
  const Candidate* best_ = nullptr;
  bool more_ = false;         // some candidate may still fit,
  bool hinted_more_ = false;  // one whose port this is,
  bool hinted_only_ = false;  // and it is stronger than those asked now
};

namespace {

const CandidateGroup* group_of(const Evidence& evidence, const auto& tables) noexcept {
  switch (evidence.protocol) {
    case kTcp:
      return &tables.group(Layer::Tcp, evidence.direction);
    case kUdp:
      return &tables.group(Layer::Udp, evidence.direction);
    case kIcmp:
    case kIcmpV6:
      return &tables.group(Layer::Icmp, evidence.direction);
    default:
      return nullptr;
  }
}

std::string reason(const Candidate& candidate, const CandidateGroup& group, bool pattern,
                   const Evidence& evidence, const std::vector<PrefixSet>& servers, Fit fit) {
  const bool has_pattern =
      &candidate >= group.by_pattern.data() && &candidate < group.by_pattern.data() + group.by_pattern.size();
  if (candidate.confidence == Confidence::Low && !candidate.ports.matches(evidence.server_port))
    return "is believed on its ports only";
  if (!admitted(candidate, evidence, servers)) return "the server is not bound to it";
  if (!pattern)
    return fit == Fit::More ? "needs " + std::to_string(candidate.min_bytes) + " bytes"
                            : "pattern does not fit";
  std::string text = has_pattern ? "pattern fits" : "";
  if (candidate.decode != nullptr) {
    static constexpr const char* kSays[] = {"decoder says no", "decoder needs more", "decoder says yes"};
    text += (text.empty() ? "" : ", ") + std::string(kSays[static_cast<size_t>(fit)]);
  }
  if (is_hinted(candidate, evidence.server_port)) text += ", on its port";
  return text;
}

}  // namespace

ApplicationEngine::ApplicationEngine(std::unique_ptr<Tables> tables) : tables_(std::move(tables)) {}
ApplicationEngine::ApplicationEngine(ApplicationEngine&&) noexcept = default;
ApplicationEngine& ApplicationEngine::operator=(ApplicationEngine&&) noexcept = default;
ApplicationEngine::~ApplicationEngine() = default;

Result<ApplicationEngine> ApplicationEngine::compile(const std::vector<Signature>& signatures,
                                                     const std::vector<Application>& applications,
                                                     PatternCache& cache) {
  auto tables = Tables::build(signatures, applications, cache);
  if (!tables) return tables.error();
  return ApplicationEngine(std::move(*tables));
}

Result<ScanScratch> ApplicationEngine::make_scratch() const {
  ScanScratch scratch;
  for (const auto& layer : tables_->groups)
    for (const CandidateGroup& group : layer)
      if (Status fits = group.patterns.fit(scratch); !fits) return fits.error();
  return scratch;
}

Identification ApplicationEngine::identify(const Evidence& evidence, ScanScratch& scratch) const noexcept {
  const CandidateGroup* group = group_of(evidence, *tables_);
  if (group == nullptr) {
    const AppId itself = tables_->by_protocol[evidence.protocol];
    return itself == kApplicationPending ? kUnidentified : Identification{itself, false};
  }
  const bool stream = evidence.protocol == kTcp;
  if (stream && evidence.payload.empty()) return kNeedsMore;
  Evidence seen = evidence;
  seen.payload = first(evidence.payload, kLongestPrefix);
  const auto all = [](AppId) { return true; };
  return EngineSearch(*tables_, *group, seen, stream ? Extent::Stream : Extent::Datagram, all).run(scratch);
}

AppId ApplicationEngine::refine(Layer layer, AppId base, std::string_view text, const Evidence& where,
                                ScanScratch& scratch) const noexcept {
  Evidence seen = where;
  seen.payload = first(as_bytes(text), kLongestPrefix);
  const auto inside = [&](AppId application) { return tables_->refines(application, base, layer); };
  const CandidateGroup& group = tables_->group(layer, where.direction);
  const Identification found = EngineSearch(*tables_, group, seen, Extent::Text, inside).run(scratch);
  return found.application > kApplicationUnidentified ? found.application : base;
}

const std::vector<AppId>& ApplicationEngine::named_by(Layer layer) const noexcept {
  return tables_->named_by[static_cast<size_t>(layer)];
}

bool ApplicationEngine::refines(AppId base) const noexcept {
  return base.value < tables_->refinable.size() && tables_->refinable[base.value];
}

std::vector<ApplicationEngine::Opinion> ApplicationEngine::explain(const Evidence& evidence,
                                                                   ScanScratch& scratch) const {
  const CandidateGroup* group = group_of(evidence, *tables_);
  if (group == nullptr) return {};
  Evidence seen = evidence;
  seen.payload = first(evidence.payload, kLongestPrefix);
  const Extent extent = evidence.protocol == kTcp ? Extent::Stream : Extent::Datagram;
  auto found = CandidateGroup::PatternBits();
  group->patterns.scan(first(seen.payload, kLongestPattern), scratch, found.words);

  struct Told {
    const Candidate* candidate;
    Opinion opinion;
  };
  std::vector<Told> all;
  const auto tell = [&](const Candidate& candidate, bool pattern) {
    const Fit fit =
        admitted(candidate, seen, tables_->servers) ? ask(candidate, pattern, seen, extent) : Fit::No;
    all.push_back(
        {&candidate,
         {candidate.application, fit, reason(candidate, *group, pattern, seen, tables_->servers, fit)}});
  };
  for (size_t i = 0; i < group->by_pattern.size(); ++i) tell(group->by_pattern[i], found.test(i));
  for (const Candidate& candidate : group->by_decoder) tell(candidate, true);
  const AppId winner = identify(evidence, scratch).application;
  const auto key = [&](const Told& told) {
    const Candidate& c = *told.candidate;
    return std::tuple(told.opinion.application != winner, 2 - static_cast<int>(told.opinion.fit),
                      2 - static_cast<int>(c.confidence), !is_hinted(c, seen.server_port), c.order);
  };
  std::sort(all.begin(), all.end(), [&](const Told& a, const Told& b) { return key(a) < key(b); });
  std::vector<Opinion> best;
  for (Told& told : all) {
    const auto same = [&](const Opinion& o) { return o.application == told.opinion.application; };
    if (std::none_of(best.begin(), best.end(), same)) best.push_back(std::move(told.opinion));
  }
  return best;
}

}  // namespace postern::classify
