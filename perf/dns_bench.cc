// SPDX-License-Identifier: Apache-2.0
// Decisions about DNS messages per second against libldns that only parses the same messages, in turns in the
// same run ("ratio": its time over ours), and look-ups among 5 million listed names, with their memory.
//   dns_bench --benchmark_repetitions=5 --benchmark_report_aggregates_only=true
#include <benchmark/benchmark.h>

#include <array>
#include <cstdlib>
#include <random>
#include <string>

#include "perf/pairs.h"
#include "perf/traffic/dns_measure.h"
#include "perf/traffic/dns_talks.h"
#include "profiles/dns/inspector.h"

// Last, for it defines true and false.
#include <ldns/ldns.h>

namespace postern::perf {
namespace {

using namespace profiles::dns;

constexpr size_t kNames = 5'000'000, kAsked = 1 << 16, kPairs = 4096;
constexpr uint64_t kSeed = 20260101;

std::string random_label(std::mt19937_64& random) {
  static constexpr std::string_view kSyllables[] = {"ba", "co", "di",  "fer", "gal", "ho", "in",
                                                    "ka", "lo", "mer", "net", "or",  "pa", "ri",
                                                    "so", "ta", "un",  "ve",  "web", "zo"};
  std::string label;
  for (size_t syllables = 2 + random() % 4; syllables > 0; --syllables) label += kSyllables[random() % 20];
  return label + std::to_string(random() % 1000);
}

// As long as names of public lists: 19 bytes in the mean.
std::string listed_name(std::mt19937_64& random) {
  static constexpr std::string_view kEnds[] = {".com", ".net", ".org", ".info",
                                               ".xyz", ".top", ".ru",  ".co.uk"};
  std::string name = random() % 3 == 0 ? random_label(random) + "." : "";
  return name + random_label(random) + std::string(kEnds[random() % 8]);
}

const std::string& list_of_names() {
  static const std::string text = [] {
    std::mt19937_64 random(1);
    std::string made;
    for (size_t i = 0; i < kNames; ++i) made += listed_name(random) + "\n";
    return made;
  }();
  return text;
}

DomainPolicy policy_of(std::string_view text) {
  DomainPolicyBuilder builder(kSeed, text.size() * 2);
  if (!builder.add({"list", "list", text, ListFormat::Plain, Category::Malware, std::nullopt})) std::abort();
  return builder.build();
}

struct Large {
  DomainPolicy policy;
  double seconds;
};
const Large& large() {
  static const Large made = [] {
    const std::string& text = list_of_names();
    const double begin = cpu_seconds();
    DomainPolicy policy = policy_of(text);
    return Large{std::move(policy), cpu_seconds() - begin};
  }();
  return made;
}

enum class Asked { Listed, BelowListed, Unlisted, Deep };

std::vector<Name> names_for(Asked asked) {
  std::mt19937_64 random(asked == Asked::Listed || asked == Asked::BelowListed ? 1 : 2);
  std::vector<Name> names;
  while (names.size() < kAsked) {
    // Of the list: each 70th, so that neighbours in time are none in the table.
    std::string text = listed_name(random);
    for (int skipped = 0; skipped < 70; ++skipped) text = listed_name(random);
    if (asked == Asked::BelowListed) text = "www.mail." + text;
    if (asked == Asked::Unlisted) text = "www." + random_label(random) + "-q." + text;
    if (asked == Asked::Deep) text = "a.b.c.d.e.f.g-q." + text;
    names.push_back(Name::parse(text).value());
  }
  return names;
}

// Nanoseconds of one look-up with all parents, and what the names take.
void lookup(benchmark::State& state, Asked asked) {
  const DomainPolicy& policy = large().policy;
  const std::vector<Name> names = names_for(asked);
  const IpAddress client{};
  size_t found = 0, looked = 0;
  for (auto _ : state) {
    const DomainPolicy::Verdict verdict = policy.judge_question(names[looked++ % kAsked], client);
    found += static_cast<bool>(verdict);
  }
  const bool all = asked == Asked::Listed || asked == Asked::BelowListed;
  if (all ? found != looked : found * 100 > looked) std::abort();
  state.counters["found"] = static_cast<double>(found) / static_cast<double>(looked);
  state.counters["names"] = static_cast<double>(policy.names());
  state.counters["MB"] = static_cast<double>(policy.memory()) / 1e6;
  state.counters["build_s"] = large().seconds;
}

struct Pair {
  std::string query, answer;
};

enum class Traffic { Unlisted, Listed };

// A query with EDNS and its answer: an alias and two addresses.
std::vector<Pair> pairs_of(Traffic traffic) {
  std::mt19937_64 random(traffic == Traffic::Listed ? 1 : 3);
  std::vector<Pair> pairs;
  while (pairs.size() < kPairs) {
    const std::string name = listed_name(random) + (traffic == Traffic::Listed ? "" : "-q.example");
    const std::string question = wire_of("www." + name) + wire16(kA) + wire16(1);
    const std::string id = wire16(pairs.size());
    const std::string edns = std::string(1, '\0') + wire16(41) + wire16(1232) + std::string(6, '\0');
    const auto record = [](uint16_t owner, uint16_t type, const std::string& data) {
      return wire16(owner) + wire16(type) + wire16(1) + wire16(0) + wire16(60) + wire16(data.size()) + data;
    };
    const std::string counts = wire16(1) + wire16(0) + wire16(0) + wire16(1);
    const std::string answers = wire16(1) + wire16(3) + wire16(0) + wire16(1);
    pairs.push_back(
        {id + wire16(0x0120) + counts + question + edns,
         id + wire16(0x8180) + answers + question + record(0xc00c, kCname, "\3lb1" + wire16(0xc010)) +
             record(0xc00c, kA, "\x09\x09\x09\x09") + record(0xc00c, kA, "\x09\x09\x09\x08") + edns});
  }
  return pairs;
}

void parse(const std::string& bytes) {
  ldns_pkt* packet = nullptr;
  if (ldns_wire2pkt(&packet, as_bytes(bytes).data(), bytes.size()) != LDNS_STATUS_OK) std::abort();
  ldns_pkt_free(packet);
}

void parse_all(const std::vector<Pair>& pairs) {
  for (const Pair& pair : pairs) {
    parse(pair.query);
    parse(pair.answer);
  }
}

class Decisions {
 public:
  explicit Decisions(const Settings& settings) : settings_(settings), inspector_(kSeed) {}

  // What is not let through is answered; returns the messages let through.
  size_t decide(const std::vector<Pair>& pairs) {
    size_t passed = 0;
    for (const Pair& pair : pairs) {
      exchange_.client.bytes[15] = static_cast<uint8_t>(passed);
      exchange_.client_port = static_cast<uint16_t>(passed);
      now_ += kMillisecond;
      const Verdict asked = inspector_.query(exchange_, as_bytes(pair.query), settings_, now_);
      if (asked.act == Act::Answer) {
        if (inspector_.forge(asked, exchange_, settings_, room_) == 0) std::abort();
        continue;
      }
      passed += inspector_.answer(exchange_, as_bytes(pair.answer), settings_, now_).act == Act::Pass;
    }
    return passed;
  }

 private:
  const Settings& settings_;
  Inspector inspector_;
  Exchange exchange_;
  Timestamp now_ = 1000 * kSecond;
  std::array<uint8_t, kForgedRoom> room_;
};

const Settings& settings_with_large() {
  static const Settings made = [] {
    Settings settings = detector_settings();
    settings.lists = policy_of(list_of_names());
    settings.management = PrefixRules({{*Prefix::parse("10.4.0.0/16"), RuleRef::of(1, 0)}});
    return settings;
  }();
  return made;
}

// Queries and answers of unlisted names with all judgements, or listed queries with the answers to them;
// libldns parses both messages of a pair, or the query.
void decisions(benchmark::State& state, Traffic traffic) {
  const std::vector<Pair> pairs = pairs_of(traffic);
  Decisions ours(settings_with_large());
  double own = 0, theirs = 0;
  for (auto _ : state) {
    const double begin = cpu_seconds();
    if (traffic == Traffic::Unlisted) {
      parse_all(pairs);
    } else {
      for (const Pair& pair : pairs) parse(pair.query);
    }
    const double middle = cpu_seconds();
    const size_t passed = ours.decide(pairs);
    const double end = cpu_seconds();
    if (passed != (traffic == Traffic::Unlisted ? kPairs : 0)) std::abort();
    theirs += middle - begin;
    own += end - middle;
    state.SetIterationTime(end - middle);
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kPairs));
  state.counters["ratio"] = theirs / own;
  state.counters["ns_per_item"] = own * 1e9 / static_cast<double>(state.iterations() * kPairs);
}

BENCHMARK_CAPTURE(lookup, listed, Asked::Listed);
BENCHMARK_CAPTURE(lookup, below_listed, Asked::BelowListed);
BENCHMARK_CAPTURE(lookup, unlisted, Asked::Unlisted);
BENCHMARK_CAPTURE(lookup, unlisted_deep, Asked::Deep);
BENCHMARK_CAPTURE(decisions, query_and_answer, Traffic::Unlisted)->UseManualTime();
BENCHMARK_CAPTURE(decisions, sinkholed_query, Traffic::Listed)->UseManualTime();

}  // namespace
}  // namespace postern::perf

BENCHMARK_MAIN();
