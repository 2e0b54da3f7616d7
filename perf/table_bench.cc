// SPDX-License-Identifier: Apache-2.0
// The worker's tables against DPDK's: the flow table against rte_hash, the rules against rte_acl. Same keys,
// same order, in turns A B B A (perf/pairs.h), and both must give the same answers. One thread.
//   table_bench [--quick] [--json FILE] [WORD...]    only rows whose key contains one of the words
#include <rte_acl.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <rte_malloc.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "classify/policy_snapshot.h"
#include "dataplane/eal.h"
#include "dataplane/flow_table.h"
#include "perf/pairs.h"
#include "perf/service_rules.h"

namespace postern::perf {
namespace {

using nlohmann::json;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "table_bench: %s\n", what.c_str());
  std::exit(1);
}

struct Goal {
  double least;  // ratio; 0: none
};

class Report {
 public:
  void ratio(const std::string& key, const Pairs& pairs, size_t lookups, const char* yardstick, Goal goal) {
    json row = {
        {"key", key},           {"value", pairs.ratio()},   {"unit", "ratio"},    {"least", pairs.least()},
        {"most", pairs.most()}, {"samples", pairs.count()}, {"better", "higher"}, {"yardstick", yardstick}};
    if (goal.least > 0) row["goal"] = goal.least;
    const double own = pairs.seconds_of_ours() * 1e9 / static_cast<double>(lookups);
    const double other = pairs.seconds_of_yardstick() * 1e9 / static_cast<double>(lookups);
    char note[96];
    std::snprintf(note, sizeof note, "%.1f ns against %.1f ns", own, other);
    row["note"] = note;
    std::printf("%-40s %6.2f (%.2f .. %.2f)  goal %.2f  %s\n", key.c_str(), pairs.ratio(), pairs.least(),
                pairs.most(), goal.least, note);
    rows_.push_back(std::move(row));
  }
  void bytes(const std::string& key, double value, double goal) {
    std::printf("%-40s %.2f bytes  goal %.2f\n", key.c_str(), value, goal);
    rows_.push_back({{"key", key},
                     {"value", value},
                     {"unit", "bytes"},
                     {"samples", 1},
                     {"better", "lower"},
                     {"goal", goal}});
  }
  void skip(const std::string& key, const std::string& reason) {
    skipped_.push_back({{"key", key}, {"reason", reason}});
  }
  void write(const char* path) const {
    std::ofstream file(path);
    file << json{{"rows", rows_}, {"series", json::object()}, {"skipped", skipped_}}.dump(1) << '\n';
    if (!file) fail(std::string(path) + ": cannot be written");
  }

 private:
  json rows_ = json::array(), skipped_ = json::array();
};

// --- the flow table ---

dataplane::FlowKey flow_key(uint32_t n) {
  const uint8_t client[4] = {10, static_cast<uint8_t>(n >> 16), static_cast<uint8_t>(n >> 8),
                             static_cast<uint8_t>(n)};
  const uint8_t server[4] = {10, 255, static_cast<uint8_t>(n % 7), static_cast<uint8_t>(n % 251)};
  dataplane::FlowKey key;
  key.address[0] = IpAddress::from_v4(client);
  key.address[1] = IpAddress::from_v4(server);
  key.port[0] = static_cast<uint16_t>(1024 + n % 50021);
  key.port[1] = 443;
  key.protocol = 6;
  return key;
}

struct HashDeleter {
  void operator()(rte_hash* hash) const { rte_hash_free(hash); }
};

constexpr unsigned kBurst = 32;
constexpr size_t kBursts = 2048;
constexpr size_t kBatch = 16;  // bursts on the clock together, which is read twice for them

// Keys in the order in which packets arrive, so that neither side looks for the next flow's neighbour.
std::vector<dataplane::FlowKey> arrivals(uint32_t flows) {
  std::mt19937_64 random(11);
  std::vector<dataplane::FlowKey> keys(kBursts * kBurst);
  for (dataplane::FlowKey& key : keys) key = flow_key(static_cast<uint32_t>(random() % flows));
  return keys;
}

void flow_lookup(Report& report, const char* label, uint32_t flows) {
  const rte_hash_parameters parameters{.name = "yardstick",
                                       .entries = flows + flows / 8,
                                       .reserved = 0,
                                       .key_len = sizeof(dataplane::FlowKey),
                                       .hash_func = rte_hash_crc,
                                       .hash_func_init_val = 0,
                                       .socket_id = 0,
                                       .extra_flag = 0};
  const std::unique_ptr<rte_hash, HashDeleter> hash(rte_hash_create(&parameters));
  const std::string key = std::string("flow_table/lookup/") + label + "/vs_rte_hash";
  if (hash == nullptr) return report.skip(key, "no memory for rte_hash");
  dataplane::FlowTable table(flows + flows / 8, 99);
  for (uint32_t n = 0; n < flows; ++n) {
    const dataplane::FlowKey of = flow_key(n);
    if (table.insert(of) == dataplane::kNoFlow || rte_hash_add_key(hash.get(), &of) < 0)
      fail("a table refused a flow");
  }
  const std::vector<dataplane::FlowKey> keys = arrivals(flows);
  std::vector<dataplane::Burst> bursts(kBatch);
  for (dataplane::Burst& burst : bursts) {
    for (unsigned i = 0; i < kBurst; ++i) burst.add(dataplane::Packet(), {0});
    for (dataplane::Slot& slot : burst) slot.kind = dataplane::Kind::Tcp;
  }
  // As parse leaves them: the keys of a burst have just been written into its slots. Not on the clock.
  const auto arrive = [&](size_t batch) {
    const dataplane::FlowKey* next = &keys[batch % (kBursts / kBatch) * kBatch * kBurst];
    for (dataplane::Burst& burst : bursts)
      for (dataplane::Slot& slot : burst) slot.key = *next++;
  };
  uint64_t found = 0, theirs = 0;
  size_t own_at = 0, other_at = 0;
  const auto ours = [&] {
    arrive(own_at++);
    const Stopwatch watch;
    for (dataplane::Burst& burst : bursts) table.find(burst);
    const double seconds = watch.seconds();
    for (const dataplane::Slot& slot : bursts.back()) found += slot.flow != dataplane::kNoFlow;
    return seconds;
  };
  const auto yardstick = [&] {
    arrive(other_at++);
    const Stopwatch watch;
    for (dataplane::Burst& burst : bursts) {
      const void* pointers[kBurst];
      int32_t places[kBurst];
      for (unsigned i = 0; i < kBurst; ++i) pointers[i] = &burst[i].key;
      rte_hash_lookup_bulk(hash.get(), pointers, kBurst, places);
      for (const int32_t place : places) theirs += place >= 0;
    }
    return watch.seconds();
  };
  Pairs pairs;
  const size_t rounds = std::max(Pairs::rounds_of(ours), Pairs::rounds_of(yardstick));
  for (int i = 0; i < Pairs::kPairs; ++i) pairs.measure(ours, yardstick, rounds);
  if (theirs % kBurst != 0 || found % kBurst != 0 || found == 0) fail("a flow was not found");
  report.ratio(key, pairs, kBatch * kBurst, "rte_hash_lookup_bulk", {1.6});
}

void flow_memory(Report& report) {
  constexpr uint32_t kFlows = 10'000'000;
  const dataplane::FlowTable table(kFlows, 1);
  report.bytes("flow_table/bytes_per_flow", static_cast<double>(table.memory()) / kFlows, 128);
  report.bytes("flow_table/10M_flows", static_cast<double>(table.memory()), 1.3e9);
}

// --- the rules ---

// The fields that rte_acl compares; network order, the one byte field first as it demands.
struct AclKey {
  uint8_t protocol;
  uint8_t pad[3];
  uint32_t source, destination;
  uint16_t source_port, destination_port;
};

enum Field { kProtocol, kSource, kDestination, kSourcePort, kDestinationPort, kFields };
constexpr rte_acl_field_def kFieldsOfAcl[kFields] = {
    {RTE_ACL_FIELD_TYPE_BITMASK, 1, kProtocol, 0, offsetof(AclKey, protocol)},
    {RTE_ACL_FIELD_TYPE_MASK, 4, kSource, 1, offsetof(AclKey, source)},
    {RTE_ACL_FIELD_TYPE_MASK, 4, kDestination, 2, offsetof(AclKey, destination)},
    {RTE_ACL_FIELD_TYPE_RANGE, 2, kSourcePort, 3, offsetof(AclKey, source_port)},
    {RTE_ACL_FIELD_TYPE_RANGE, 2, kDestinationPort, 3, offsetof(AclKey, destination_port)}};
RTE_ACL_RULE_DEF(AclRule, kFields);

uint32_t v4_of(const IpAddress& address) { return load_be32(&address.bytes[12]); }

void set_network(rte_acl_field& field, const std::vector<Prefix>& prefixes) {
  field.value.u32 = prefixes.empty() ? 0 : v4_of(prefixes[0].address);
  field.mask_range.u32 = prefixes.empty() ? 0 : prefixes[0].length - 96u;
}

AclRule acl_rule(const classify::Rule& rule, uint32_t number, uint32_t of) {
  AclRule out{};
  out.data.category_mask = 1;
  out.data.priority = static_cast<int32_t>(of - number);
  out.data.userdata = number + 1;
  out.field[kProtocol].value.u8 = rule.protocol;
  out.field[kProtocol].mask_range.u8 = 0xff;
  set_network(out.field[kSource], rule.sources);
  set_network(out.field[kDestination], rule.destinations);
  out.field[kSourcePort].mask_range.u16 = 0xffff;
  out.field[kDestinationPort].value.u16 = rule.ports.empty() ? 0 : rule.ports[0].first;
  out.field[kDestinationPort].mask_range.u16 = rule.ports.empty() ? 0xffff : rule.ports[0].last;
  return out;
}

struct AclDeleter {
  void operator()(rte_acl_ctx* context) const { rte_acl_free(context); }
};
using Acl = std::unique_ptr<rte_acl_ctx, AclDeleter>;

Acl acl_of(const classify::Policy& policy) {
  const auto count = static_cast<uint32_t>(policy.rules.size());
  const rte_acl_param parameters{"yardstick", 0, RTE_ACL_RULE_SZ(kFields), count};
  Acl acl(rte_acl_create(&parameters));
  if (acl == nullptr) return nullptr;
  for (uint32_t i = 0; i < count; ++i) {
    const AclRule rule = acl_rule(policy.rules[i], i, count);
    if (rte_acl_add_rules(acl.get(), reinterpret_cast<const rte_acl_rule*>(&rule), 1) != 0) return nullptr;
  }
  rte_acl_config config{};
  config.num_categories = 1;
  config.num_fields = kFields;
  std::copy(std::begin(kFieldsOfAcl), std::end(kFieldsOfAcl), config.defs);
  if (rte_acl_build(acl.get(), &config) != 0) return nullptr;
  // The fastest that this processor has; refused by processors that do not have it.
  for (const auto algorithm : {RTE_ACL_CLASSIFY_AVX512X32, RTE_ACL_CLASSIFY_AVX512X16, RTE_ACL_CLASSIFY_AVX2})
    if (rte_acl_set_ctx_classify(acl.get(), algorithm) == 0) break;
  return acl;
}

AclKey acl_key(const classify::FlowFacts& facts) {
  return {facts.protocol,
          {},
          rte_cpu_to_be_32(v4_of(facts.source)),
          rte_cpu_to_be_32(v4_of(facts.destination)),
          rte_cpu_to_be_16(facts.source_port),
          rte_cpu_to_be_16(facts.destination_port)};
}

void rule_lookup(Report& report, const char* label, size_t rules, Goal goal) {
  const std::string key = std::string("rule_lookup/") + label + "/vs_rte_acl";
  const auto snapshot = classify::compiled(service_rules(rules, Family::V4));
  const Acl acl = acl_of(snapshot->policy());
  if (acl == nullptr) return report.skip(key, "rte_acl did not build its tables");
  const std::vector<classify::FlowFacts> facts = service_flows(snapshot->policy(), Family::V4);
  std::vector<AclKey> keys;
  for (const auto& one : facts) keys.push_back(acl_key(one));
  std::vector<const uint8_t*> pointers;
  for (const auto& one : keys) pointers.push_back(reinterpret_cast<const uint8_t*>(&one));

  uint32_t answers[kBurst];
  for (size_t i = 0; i < facts.size(); ++i) {
    rte_acl_classify(acl.get(), &pointers[i], answers, 1, 1);
    const classify::Rule* rule = snapshot->decide(facts[i]).rule;
    const uint32_t own =
        rule == nullptr ? 0 : static_cast<uint32_t>(rule - snapshot->policy().rules.data()) + 1;
    if (own != answers[0]) fail("rule lookup: two answers for flow " + std::to_string(i));
  }
  size_t own_at = 0, other_at = 0, matched = 0;
  const auto ours = [&] {
    for (unsigned i = 0; i < kBurst; ++i) matched += snapshot->decide(facts[own_at + i]).rule != nullptr;
    own_at = (own_at + kBurst) % facts.size();
  };
  const auto yardstick = [&] {
    rte_acl_classify(acl.get(), &pointers[other_at], answers, kBurst, 1);
    matched += answers[0] != 0;
    other_at = (other_at + kBurst) % facts.size();
  };
  Pairs pairs;
  const size_t rounds = std::max(Pairs::rounds_of(ours), Pairs::rounds_of(yardstick));
  for (int i = 0; i < Pairs::kPairs; ++i) pairs.measure(ours, yardstick, rounds);
  if (matched == 0) fail("no flow matched");
  report.ratio(key, pairs, kBurst, "rte_acl_classify, 32 keys per call", goal);
}

}  // namespace
}  // namespace postern::perf

int main(int count, char** words) {
  using namespace postern::perf;
  const char* path = nullptr;
  bool quick = false;
  std::vector<std::string> wanted;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    if (word == "--quick") {
      quick = true;
    } else if (word == "--json" && i + 1 < count) {
      path = words[++i];
    } else if (word.starts_with("-")) {
      std::fprintf(stderr, "usage: table_bench [--quick] [--json FILE] [WORD...]\n");
      return 2;
    } else {
      wanted.push_back(word);
    }
  }
  const auto is_wanted = [&](const std::string& key) {
    return wanted.empty() || std::any_of(wanted.begin(), wanted.end(), [&](const std::string& word) {
             return key.find(word) != std::string::npos;
           });
  };
  const auto eal = postern::dataplane::start_eal(
      {.workers = 0, .cores = {}, .pci_devices = {}, .memory = size_t{quick ? 256u : 2560u} << 20});
  if (!eal) fail(eal.error().text());
  Report report;
  if (is_wanted("flow_table/bytes")) flow_memory(report);
  struct Size {
    const char* label;
    uint32_t count;
    double goal;
    bool long_only;
  };
  for (const Size& size :
       {Size{"10k", 10'000, 1.6, false}, Size{"1M", 1'000'000, 1.6, true}, Size{"8M", 8'000'000, 1.6, true}})
    if (is_wanted(std::string("flow_table/lookup/") + size.label) && !(quick && size.long_only))
      flow_lookup(report, size.label, size.count);
  for (const Size& size : {Size{"10", 10, 2, false}, Size{"1k", 1000, 2, false}, Size{"10k", 10'000, 1, true},
                           Size{"100k", 100'000, 0, true}})
    if (is_wanted(std::string("rule_lookup/") + size.label) && !(quick && size.long_only))
      rule_lookup(report, size.label, size.count, {size.goal});
  if (path != nullptr) report.write(path);
  return 0;
}
