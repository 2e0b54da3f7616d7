// SPDX-License-Identifier: Apache-2.0
#include "control/pack_loader.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "control/document.h"
#include "control/map_reader.h"
#include "control/pack_keys.h"
#include "control/pack_schema.h"

namespace postern::control {
namespace {

using classify::DecryptionMode;

// A pack of a thousand rules stays far below; what is above is not a pack.
constexpr ReadLimits kPackLimits{.nodes = 200'000};

constexpr Choice<Action> kActions[] = {{"allow", Action::Allow}, {"drop", Action::Drop}};
constexpr Choice<FlowDirection> kDirections[] = {{"inbound", FlowDirection::Inbound},
                                                 {"internal", FlowDirection::Internal},
                                                 {"outbound", FlowDirection::Outbound}};
constexpr Choice<DecryptionMode> kModes[] = {
    {"none", DecryptionMode::None},
    {"ssl_forward_proxy", DecryptionMode::SslForwardProxy},
    {"ssl_inbound_inspection", DecryptionMode::SslInboundInspection}};
constexpr Choice<uint16_t> kProfiles[] = {{"antivirus", classify::kAntivirus},
                                          {"c2_protection", classify::kC2Protection},
                                          {"dlp", classify::kDlp},
                                          {"dns_security", classify::kDnsSecurity},
                                          {"file_control", classify::kFileControl},
                                          {"ips", classify::kIps},
                                          {"sandboxing", classify::kSandboxing},
                                          {"url_filtering", classify::kUrlFiltering}};

// The schema has accepted the pack, so what is read below is there and of its type.
template <typename T, size_t N>
T chosen(const Node& node, const Choice<T> (&choices)[N]) {
  for (const Choice<T>& c : choices)
    if (c.name == node.text) return c.value;
  return T{};
}

Word word(const Node& node) { return {node.text, node.line}; }

std::vector<Word> words(const Node* list) {
  std::vector<Word> out;
  if (list == nullptr) return out;
  for (const Node& item : list->items) out.push_back(word(item));
  return out;
}

uint32_t key_line(const Node& map, std::string_view key) {
  const Node::Entry* entry = map.entry(key);
  return entry == nullptr ? map.line : entry->line;
}

uint16_t read_profiles(const Node* profiles) {
  uint16_t bits = 0;
  if (profiles == nullptr) return bits;
  for (const Node::Entry& entry : profiles->entries) {
    const Node* enabled = entry.value.find("enabled");
    if (enabled != nullptr && !as_flag(*enabled).value_or(false)) continue;
    for (const Choice<uint16_t>& c : kProfiles)
      if (c.name == entry.key) bits |= c.value;
  }
  return bits;
}

// Block is the default of the kit's `default`: what matches a signature is never wanted.
classify::ProfileAction antivirus_action(const Node* profiles) {
  const Node* antivirus = profiles == nullptr ? nullptr : profiles->find("antivirus");
  const Node* action = antivirus == nullptr ? nullptr : antivirus->find("action");
  const bool alert = action != nullptr && action->text == "alert";
  return alert ? classify::ProfileAction::Alert : classify::ProfileAction::Block;
}

PackRule read_rule(const Node& node, uint32_t index) {
  PackRule rule{.line = node.line, .index = index};
  rule.action = chosen(*node.find("action"), kActions);
  const Node& application = *node.find("application");
  rule.app_id = word(*application.find("app_id"));
  rule.risk = static_cast<uint8_t>(as_integer(*application.find("risk"), {1, 5}).value_or(5));
  rule.depends_on = words(application.find("depends_on"));
  const Node& zones = *node.find("zones");
  rule.source_zones = words(zones.find("source"));
  rule.destination_zones = words(zones.find("destination"));
  rule.direction = chosen(*node.find("direction"), kDirections);
  rule.direction_line = key_line(node, "direction");
  if (const Node* identity = node.find("identity")) {
    rule.groups = words(identity->find("user_groups"));
    rule.compliant = identity->find("device_posture") != nullptr;  // the schema knows one posture
  }
  if (const Node* decryption = node.find("decryption")) {
    rule.decryption = chosen(*decryption->find("mode"), kModes);
    rule.exclusions = words(decryption->find("exclusions"));
  }
  rule.decryption_line = key_line(node, "decryption");
  rule.profiles = read_profiles(node.find("security_profiles"));
  rule.antivirus = antivirus_action(node.find("security_profiles"));
  rule.profiles_line = key_line(node, "security_profiles");
  const Node& logging = *node.find("logging");
  rule.forwarding = word(*logging.find("forwarding"));
  rule.log_end = as_flag(*logging.find("log_end")).value_or(true);
  const Node* start = logging.find("log_start");
  rule.log_start = start != nullptr && as_flag(*start).value_or(true);
  return rule;
}

// An allow rule that is silent on decryption or inspection was forgotten, not meant; a drop rule has nothing
// to inspect.
void check_action(const Node& node, const PackRule& rule, Findings& findings) {
  for (const std::string_view key : {"decryption", "security_profiles"}) {
    const bool present = node.find(key) != nullptr;
    if (rule.action == Action::Allow && !present)
      findings.error(rule.line, rule.called() + ": allow without key " + in_quotes(key) + ", expected one");
    if (rule.action == Action::Drop && present)
      findings.error(key_line(node, key),
                     rule.called() + ": drop with key " + in_quotes(key) + ", expected none");
  }
}

std::set<std::string> sorted(const std::vector<Word>& list) {
  std::set<std::string> out;
  for (const Word& w : list) out.insert(w.text);
  return out;
}

void check_repeats(const Pack& pack, Findings& findings) {
  using Condition =
      std::tuple<std::string, std::set<std::string>, std::set<std::string>, std::set<std::string>, bool>;
  std::map<Condition, const PackRule*> seen;
  for (const PackRule& rule : pack.rules) {
    const Condition condition{rule.app_id.text, sorted(rule.source_zones), sorted(rule.destination_zones),
                              sorted(rule.groups), rule.compliant};
    const auto [first, is_new] = seen.emplace(condition, &rule);
    if (!is_new)
      findings.error(rule.line, rule.called() + " matches the same as " + first->second->called() +
                                    " on line " + std::to_string(first->second->line) +
                                    ", expected each application, zones and " + "identity once");
  }
}

LoadedPack read_pack(const Document& read) {
  auto document = in_our_spelling(read, kit_spellings());
  LoadedPack loaded{std::nullopt, Findings(read.file)};
  if (!document) {
    loaded.findings.error(document.error());
    return loaded;
  }
  loaded.findings = check_pack_schema(*document);
  if (!loaded.findings.clean()) return loaded;

  const Node& root = document->root;
  Pack pack{read.file, root.find("id")->text, root.find("version")->text, root.find("trust_tier")->text, {}};
  // Site rules log under this name; a pack must not pass for them.
  if (pack.id == "site")
    loaded.findings.error(root.find("id")->line, "id: found \"site\", expected any other name");
  for (const Node& node : root.find("rules")->items) {
    pack.rules.push_back(read_rule(node, static_cast<uint32_t>(pack.rules.size())));
    check_action(node, pack.rules.back(), loaded.findings);
  }
  check_repeats(pack, loaded.findings);
  if (loaded.findings.clean()) loaded.pack = std::move(pack);
  return loaded;
}

LoadedPack loaded_from(const Result<Document>& document, const std::string& file) {
  if (document) return read_pack(*document);
  LoadedPack failed{std::nullopt, Findings(file)};
  failed.findings.error(document.error());
  return failed;
}

}  // namespace

std::string PackRule::called() const {
  return "rule " + app_id.text + " (index " + std::to_string(index) + ")";
}

LoadedPack load_pack(const std::string& path) { return loaded_from(read_document(path, kPackLimits), path); }

LoadedPack parse_pack(std::string_view text, const std::string& file) {
  return loaded_from(parse_document(text, file, kPackLimits), file);
}

std::string profile_names(uint16_t profiles) {
  std::vector<std::string_view> names;
  for (const Choice<uint16_t>& c : kProfiles)
    if (profiles & c.value) names.push_back(c.name);
  std::string out;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? " and " : ", ";
    out += names[i];
  }
  return out;
}

std::string_view decryption_name(DecryptionMode mode) {
  for (const Choice<DecryptionMode>& c : kModes)
    if (c.value == mode) return c.name;
  return "none";
}

}  // namespace postern::control
