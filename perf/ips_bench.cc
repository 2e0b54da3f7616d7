// SPDX-License-Identifier: Apache-2.0
// Intrusion prevention on one core: how long rules take to compile and to load from the cache, how fast
// streams are inspected against plain Hyperscan on the same patterns and bytes in the same run, and what a
// flood of matches costs. The last column is the spread of the rounds.
//   ips_bench [--quick] [--json FILE] [FOLDER OF RULES]
//                                    without a folder: 40,000 rules and, for streams, 3,000 made here
#include <hs/hs.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "profiles/ips/fast_pattern.h"
#include "profiles/ips/inspection.h"

namespace postern::profiles::ips {
namespace {

constexpr size_t kPiece = 1460;

struct Profile {
  const char *folder = nullptr, *file = nullptr;
  size_t corpus = 4 << 20, rounds = 7;
  size_t compiled = 40'000, scanned = 3'000;  // rules, where there is no folder
};

// Of this thread: a shared machine's other work does not count.
double cpu_seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}
double seconds_of(const std::function<void()>& work) {
  const double begin = cpu_seconds();
  work();
  return cpu_seconds() - begin;
}

std::string word(std::mt19937& random, size_t least, size_t most) {
  static constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789/._-=&%";
  std::string text;
  for (size_t i = least + random() % (most - least + 1); i > 0; --i)
    text += kLetters[random() % kLetters.size()];
  return text;
}

// As public sets are: most have two or three contents, some an expression; a quarter in any case.
std::string made_rules(size_t count) {
  std::mt19937 random(20);
  std::string rules;
  for (size_t sid = 1; sid <= count; ++sid) {
    std::string options = "flow:established,to_server; content:\"" + word(random, 6, 20) + "\"; ";
    if (random() % 4 == 0) options += "nocase; ";
    for (size_t more = random() % 3; more > 0; --more)
      options += "content:\"" + word(random, 3, 8) + "\"; distance:0; ";
    if (random() % 5 == 0) options += "pcre:\"/" + word(random, 2, 4).substr(0, 1) + "[0-9a-f]{4,}/R\"; ";
    rules += "alert tcp any any -> any any (msg:\"made " + std::to_string(sid) + "\"; " + options +
             "classtype:misc-activity; sid:" + std::to_string(sid) + "; rev:1;)\n";
  }
  return rules;
}

std::string rules_of(const char* folder) {
  std::string rules;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".rules") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    rules.append(std::istreambuf_iterator<char>(file), {});
  }
  return rules;
}

std::string text_corpus(size_t size) {
  std::mt19937 random(21);
  std::string text;
  while (text.size() < size)
    text += "GET /" + word(random, 4, 30) + "/index.html?id=" + word(random, 2, 12) +
            " HTTP/1.1\r\nHost: host" + std::to_string(random() % 1000) +
            ".example.net\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: text/html\r\n\r\n";
  text.resize(size);
  return text;
}

struct Loaded {
  StateNames names;
  RuleSite site;
  std::unique_ptr<RuleSet> rules;
  size_t refused = 0;
};

std::unique_ptr<Loaded> load(const std::string& text, classify::PatternCache& cache) {
  auto loaded = std::make_unique<Loaded>();
  RuleReader reader(loaded->site, loaded->names);
  reader.read(text, "bench.rules");
  Result<RuleSet> rules = RuleSet::compile(reader, cache);
  if (!rules) {
    std::fprintf(stderr, "ips_bench: %s\n", rules.error().text().c_str());
    std::exit(1);
  }
  loaded->rules = std::make_unique<RuleSet>(std::move(*rules));
  loaded->refused = reader.refusals().size();
  return loaded;
}

void in_pieces(std::string_view text, const std::function<void(Bytes)>& take) {
  for (size_t at = 0; at < text.size(); at += kPiece) take(as_bytes(text.substr(at, kPiece)));
}

// The patterns that stream and segments of clients are scanned for.
class Plain {
 public:
  explicit Plain(const RuleSet& rules) {
    std::set<std::pair<std::string, bool>> patterns[2];
    for (const RuleSet::Entry& entry : rules.entries()) {
      const Signature& signature = rules.signatures()[entry.signature];
      const auto fast = choose_fast_pattern(signature);
      if (!fast || fast->from_pcre || signature.sender == Direction::ToClient) continue;
      if (signature.parts[fast->part].kind != BufferKind::Packet) continue;
      if (entry.payload == BufferKind::Stream) patterns[0].insert({fast->expression, fast->nocase});
      if (entry.payload == BufferKind::Segment) patterns[1].insert({fast->expression, fast->nocase});
    }
    stream_ = compile(patterns[0], HS_MODE_STREAM);
    segment_ = compile(patterns[1], HS_MODE_BLOCK);
  }
  Plain(const Plain&) = delete;
  Plain& operator=(const Plain&) = delete;
  ~Plain() {
    hs_free_scratch(scratch_);
    hs_free_database(stream_);
    hs_free_database(segment_);
  }

  size_t scan(std::string_view text) const {
    size_t matches = 0;
    hs_stream_t* stream = nullptr;
    if (stream_ != nullptr) hs_open_stream(stream_, 0, &stream);
    in_pieces(text, [&](Bytes piece) {
      const char* bytes = reinterpret_cast<const char*>(piece.data());
      const unsigned size = static_cast<unsigned>(piece.size());
      if (stream_ != nullptr) hs_scan_stream(stream, bytes, size, 0, scratch_, count, &matches);
      if (segment_ != nullptr) hs_scan(segment_, bytes, size, 0, scratch_, count, &matches);
    });
    if (stream_ != nullptr) hs_close_stream(stream, nullptr, nullptr, nullptr);
    return matches;
  }

 private:
  static int count(unsigned, unsigned long long, unsigned long long, unsigned, void* to) {
    ++*static_cast<size_t*>(to);
    return 0;
  }
  hs_database_t* compile(const std::set<std::pair<std::string, bool>>& patterns, unsigned mode) {
    if (patterns.empty()) return nullptr;
    std::vector<const char*> expressions;
    std::vector<unsigned> flags, ids;
    for (const auto& [expression, nocase] : patterns) {
      ids.push_back(static_cast<unsigned>(ids.size()));
      expressions.push_back(expression.c_str());
      flags.push_back(HS_FLAG_DOTALL | HS_FLAG_SINGLEMATCH | (nocase ? HS_FLAG_CASELESS : 0u));
    }
    hs_database_t* database = nullptr;
    hs_compile_error_t* failure = nullptr;
    if (hs_compile_multi(expressions.data(), flags.data(), ids.data(), static_cast<unsigned>(ids.size()),
                         mode, nullptr, &database, &failure) != HS_SUCCESS ||
        hs_alloc_scratch(database, &scratch_) != HS_SUCCESS)
      std::abort();
    return database;
  }

  hs_database_t* stream_ = nullptr;
  hs_database_t* segment_ = nullptr;
  hs_scratch_t* scratch_ = nullptr;
};

struct Inspected {
  double longest_call = 0;
  size_t hits = 0, overloads = 0;
};

// Asking for the time is a system call: done in a round of its own.
enum class Calls { Timed, Untimed };

Inspected inspect(Inspection& inspection, FlowState& flow, std::string_view text, Calls calls) {
  static uint64_t flows = 0;
  Inspected seen;
  FlowFacts facts;
  facts.client_port = 40000;
  facts.server_port = 80;
  facts.phase = FlowPhase::Established;
  flow.reset(++flows);
  PacketFacts packet;
  packet.ip_protocol = 6;
  in_pieces(text, [&](Bytes piece) {
    packet.payload_size = static_cast<uint32_t>(piece.size());
    const double begin = calls == Calls::Timed ? cpu_seconds() : 0;
    const Outcome outcome = inspection.inspect(
        flow, facts, {BufferKind::Stream, Direction::ToServer, piece, Input::Part::More, &packet}, 1);
    if (calls == Calls::Timed) seen.longest_call = std::max(seen.longest_call, cpu_seconds() - begin);
    seen.hits += outcome.hits.size();
    seen.overloads += outcome.overload != Overload::None;
  });
  return seen;
}

struct Spread {
  std::vector<double> values;
  double median() {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  }
  double relative() {
    const double middle = median();
    return (values.back() - values.front()) / middle;
  }
};

// Rounds in turns, so that a slow moment of the machine hits both.
struct Compared {
  double seconds_per_byte = 0, longest_call = 0;
  Spread to_plain;
};

Compared compare(const char* name, const RuleSet& rules, const std::string& text, size_t rounds) {
  const Plain plain(rules);
  Inspection inspection = std::move(*Inspection::create(rules, 1));
  FlowState flow;
  Spread ours, theirs, ratios;
  Inspected seen;
  size_t matches = 0;
  for (size_t round = 0; round <= rounds; ++round) {  // the first warms up
    const double a = seconds_of([&] { matches = plain.scan(text); });
    const double b = seconds_of([&] { inspect(inspection, flow, text, Calls::Untimed); });
    if (round == 0) {
      seen = inspect(inspection, flow, text, Calls::Timed);
      continue;
    }
    theirs.values.push_back(a);
    ours.values.push_back(b);
    ratios.values.push_back(a / b);
  }
  const double megabytes = static_cast<double>(text.size()) / 1e6;
  std::printf(
      "%-22s %8.1f MB/s  plain %8.1f MB/s  ratio %.2f  longest call %7.1f us  hits %zu  patterns seen %zu  "
      "overloads %zu  spread %.0f %%\n",
      name, megabytes / ours.median(), megabytes / theirs.median(), ratios.median(), seen.longest_call * 1e6,
      seen.hits, matches, seen.overloads, 100 * ratios.relative());
  return {ours.median() / static_cast<double>(text.size()), seen.longest_call, ratios};
}

std::string flood_of(const RuleSet& rules, size_t size) {
  std::string flood;
  for (const Signature& signature : rules.signatures())
    for (const Part& part : signature.parts)
      for (const Operation& operation : part.operations)
        if (const Content* content = std::get_if<Content>(&operation))
          if (part.kind == BufferKind::Packet && !content->negated && flood.size() < size)
            flood.append(content->bytes.begin(), content->bytes.end());
  while (!flood.empty() && flood.size() < size) flood += flood.substr(0, size - flood.size());
  return flood;
}

nlohmann::json row(const std::string& key, const Spread& spread, const char* unit, const char* better) {
  Spread sorted = spread;
  const double median = sorted.median();
  return {{"key", key},
          {"value", median},
          {"unit", unit},
          {"samples", sorted.values.size()},
          {"better", better},
          {"least", sorted.values.front()},
          {"most", sorted.values.back()}};
}

int write(const char* file, const nlohmann::json& rows) {
  std::ofstream out(file);
  out << nlohmann::json{{"rows", rows},
                        {"series", nlohmann::json::object()},
                        {"skipped", nlohmann::json::array()}}
             .dump(1)
      << "\n";
  return out.good() ? 0 : 1;
}

int run(const Profile& profile) {
  char scratch[] = "/tmp/ips_bench.XXXXXX";
  if (mkdtemp(scratch) == nullptr) return 1;
  classify::PatternCache cache(scratch);
  const bool made = profile.folder == nullptr;
  const std::string text = made ? made_rules(profile.compiled) : rules_of(profile.folder);
  std::unique_ptr<Loaded> loaded;
  const double compiled = seconds_of([&] { loaded = load(text, cache); });
  const double again = seconds_of([&] { loaded = load(text, cache); });
  std::printf("%zu rules (%zu refused): compile %.2f s, from cache %.2f s, databases %.1f MB\n",
              loaded->rules->signatures().size(), loaded->refused, compiled, again,
              static_cast<double>(loaded->rules->memory()) / 1e6);
  if (made) loaded = load(made_rules(profile.scanned), cache);
  const RuleSet& rules = *loaded->rules;
  const Compared usual = compare("stream", rules, text_corpus(profile.corpus), profile.rounds);
  const Compared flood = compare("flood of patterns", rules, flood_of(rules, profile.corpus), profile.rounds);
  const Compared same = compare("flood of one byte", rules, std::string(profile.corpus, 'a'), profile.rounds);
  std::printf("a flood slows %.1fx, one byte %.1fx\n", flood.seconds_per_byte / usual.seconds_per_byte,
              same.seconds_per_byte / usual.seconds_per_byte);
  std::filesystem::remove_all(scratch);
  if (profile.file == nullptr) return 0;
  const std::string set = made ? "made" : "folder";
  return write(
      profile.file,
      {row(set + "/compile", {{compiled}}, "s", "lower"), row(set + "/load", {{again}}, "s", "lower"),
       row(set + "/stream/vs_hyperscan", usual.to_plain, "ratio", "higher"),
       row(set + "/flood/vs_hyperscan", flood.to_plain, "ratio", "higher"),
       row(set + "/flood/slows", {{flood.seconds_per_byte / usual.seconds_per_byte}}, "ratio", "lower"),
       row(set + "/stream/longest_call", {{usual.longest_call * 1e6}}, "us", "lower"),
       row(set + "/flood/longest_call", {{flood.longest_call * 1e6}}, "us", "lower")});
}

}  // namespace
}  // namespace postern::profiles::ips

int main(int count, char** words) {
  postern::profiles::ips::Profile profile;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    if (word == "--json" && i + 1 < count) {
      profile.file = words[++i];
    } else if (word == "--quick") {
      profile = {.folder = profile.folder,
                 .file = profile.file,
                 .corpus = 256 << 10,
                 .rounds = 1,
                 .compiled = 2'000,
                 .scanned = 500};
    } else if (word.empty() || word.front() == '-') {
      std::fprintf(stderr, "usage: ips_bench [--quick] [--json FILE] [FOLDER OF RULES]\n");
      return 2;
    } else {
      profile.folder = words[i];
    }
  }
  return postern::profiles::ips::run(profile);
}
