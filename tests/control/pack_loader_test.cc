// SPDX-License-Identifier: Apache-2.0
#include "control/pack_loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "control/embedded_text.h"
#include "control/pack_keys.h"
#include "tests/control/operator_files.h"

namespace postern::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Lines are counted on: tests replace one by its number.
const std::string kPack =
    R"(id: sample
schema_version: 1.0.0
version: 1.2.3
trust_tier: community
title: {en: Sample, fr: Exemple}
description: {en: Text, fr: Texte}
authors: [{name: Someone, org: Somewhere}]
mitre_attack: []
threat_model:
  summary: {en: a, fr: b}
  attacker_goal: {en: a, fr: b}
  key_controls: [segmentation]
rules:
  - action: allow
    direction: internal
    zones:
      source: [management]
      destination: [internal]
    application: {app_id: dns, category: networking, risk: 2}
    decryption: {mode: none}
    security_profiles:
      dns_security: {action: block, sinkhole: true}
    logging: {forwarding: siem_default, log_end: true}
    rationale: {en: a, fr: b}
  - action: drop
    direction: internal
    zones: {source: [trust], destination: [management]}
    application: {app_id: any_application, category: networking, risk: 5}
    logging: {forwarding: siem_default, log_end: true}
    rationale: {en: a, fr: b}
)";

std::vector<std::string> errors_in(const std::string& text, const std::string& file = "p.yaml") {
  return texts_of(parse_pack(text, file).findings.errors());
}

std::vector<std::string> errors_with(size_t line, const std::string& replacement) {
  return errors_in(with_line(kPack, line, replacement));
}

TEST(PackLoader, ReadsWhatAPackSays) {
  const LoadedPack loaded = parse_pack(kPack, "p.yaml");
  ASSERT_TRUE(loaded.pack) << testing::PrintToString(texts_of(loaded.findings.errors()));
  EXPECT_EQ(loaded.pack->id, "sample");
  ASSERT_EQ(loaded.pack->rules.size(), 2u);
  const PackRule& dns = loaded.pack->rules[0];
  EXPECT_EQ(dns.line, 14u);
  EXPECT_EQ(dns.app_id.text, "dns");
  EXPECT_EQ(dns.risk, 2);
  EXPECT_EQ(dns.profiles, classify::kDnsSecurity);
  EXPECT_EQ(dns.source_zones[0].text, "management");
  EXPECT_EQ(dns.source_zones[0].line, 17u);
  EXPECT_FALSE(dns.log_start);
  EXPECT_EQ(loaded.pack->rules[1].action, Action::Drop);
  EXPECT_EQ(loaded.pack->rules[1].index, 1u);
}

TEST(PackLoader, AnUnknownKeyInARuleIsAnError) {
  EXPECT_THAT(
      errors_with(15, "    direction: internal\n    source_user: alice"),
      ElementsAre(
          "p.yaml:16: rules[0]: unknown key \"source_user\", expected action, application, decryption, "
          "direction, identity, logging, rationale, security_profiles or zones; keys of your own "
          "begin with x_"));
}

TEST(PackLoader, EveryUnknownKeyIsTold) {
  EXPECT_THAT(errors_with(15, "    direction: internal\n    one: 1\n    two: 2"),
              ElementsAre(HasSubstr("p.yaml:16: rules[0]: unknown key \"one\""),
                          HasSubstr("p.yaml:17: rules[0]: unknown key \"two\"")));
}

TEST(PackLoader, AnUnknownKeyDeepInARuleIsAnError) {
  EXPECT_THAT(errors_with(16, "    zones:\n      via: [x]"),
              ElementsAre("p.yaml:17: rules[0].zones: unknown key \"via\", expected destination or source"));
  EXPECT_THAT(
      errors_with(22, "      dns_security: {action: block, mood: 1}"),
      ElementsAre(
          "p.yaml:22: rules[0].security_profiles.dns_security: unknown key \"mood\", expected action or "
          "sinkhole"));
}

TEST(PackLoader, KeysOfTheAuthorAreNotReadWhereTheyAreAllowed) {
  EXPECT_THAT(errors_with(15, "    direction: internal\n    x_ticket: {anything: [1, 2]}"), ElementsAre());
  EXPECT_THAT(errors_with(1, "id: sample\nx_origin: 7"), ElementsAre());
  EXPECT_THAT(errors_with(16, "    zones:\n      x_own: 1"),
              ElementsAre(HasSubstr("p.yaml:17: rules[0].zones: unknown key \"x_own\"")));
}

TEST(PackLoader, AMissingKeyNamesItsPlaceAndWhatIsExpected) {
  EXPECT_THAT(errors_with(15, ""),
              ElementsAre("p.yaml:14: rules[0]: no key \"direction\", expected inbound, internal or "
                          "outbound"));
  EXPECT_THAT(
      errors_with(4, ""),
      ElementsAre("p.yaml:1: the pack: no key \"trust_tier\", expected community, reviewed or verified"));
}

TEST(PackLoader, AWrongTypeNamesWhatWasFound) {
  EXPECT_THAT(
      errors_with(17, "      source: management"),
      ElementsAre(
          "p.yaml:17: rules[0].zones.source: found \"management\", expected a list of lower-case names "
          "without repeats"));
  EXPECT_THAT(
      errors_with(22, "      dns_security: {action: block, sinkhole: yes}"),
      ElementsAre(
          "p.yaml:22: rules[0].security_profiles.dns_security.sinkhole: found \"yes\", expected true or "
          "false"));
  EXPECT_THAT(errors_with(22, "      dns_security: {action: block, sinkhole: \"true\"}"),
              ElementsAre(HasSubstr("found \"true\", expected true or false")));
}

TEST(PackLoader, ValuesOutsideTheListAreRefused) {
  EXPECT_THAT(errors_with(14, "  - action: permit"),
              ElementsAre("p.yaml:14: rules[0].action: found \"permit\", expected allow or drop"));
  EXPECT_THAT(errors_with(2, "schema_version: 2.0.0"),
              ElementsAre("p.yaml:2: schema_version: found \"2.0.0\", expected 1.0.0"));
}

TEST(PackLoader, NumbersOutsideTheRangeAreRefused) {
  for (const char* risk : {"0", "6", "2.5", "high", "\"2\""})
    EXPECT_THAT(errors_with(19, std::string("    application: {app_id: dns, category: networking, risk: ") +
                                    risk + "}"),
                ElementsAre(HasSubstr("p.yaml:19: rules[0].application.risk: found ")))
        << risk;
}

TEST(PackLoader, TextsOutsideTheirFormAreRefused) {
  EXPECT_THAT(
      errors_with(1, "id: Sample Pack"),
      ElementsAre(
          "p.yaml:1: id: found \"Sample Pack\", expected a lower-case name (a-z, 0-9, _; a letter first; "
          "at most 128)"));
  EXPECT_THAT(errors_with(3, "version: 1.0"),
              ElementsAre("p.yaml:3: version: found \"1.0\", expected a semantic version such as 1.0.0"));
}

TEST(PackLoader, AMegabyteOfLettersIsRefusedBeforeTheRegularExpressions) {
  EXPECT_THAT(errors_with(1, "id: " + std::string(1 << 20, 'a')),
              ElementsAre(HasSubstr("of 1048576 bytes, expected a lower-case name")));
}

TEST(PackLoader, ARepeatInAListIsRefused) {
  EXPECT_THAT(
      errors_with(17, "      source: [management,\n        management]"),
      ElementsAre(
          "p.yaml:18: rules[0].zones.source: found \"management\" twice, expected a list of lower-case "
          "names without repeats"));
}

TEST(PackLoader, AnEmptyListIsRefused) {
  EXPECT_THAT(
      errors_with(17, "      source: []"),
      ElementsAre(
          "p.yaml:17: rules[0].zones.source: found an empty list, expected a list of lower-case names "
          "without repeats"));
}

TEST(PackLoader, AnEmptyIdentityIsNotReadAsAnyone) {
  EXPECT_THAT(
      errors_with(15, "    direction: internal\n    identity: {}"),
      ElementsAre(
          "p.yaml:16: rules[0].identity: found an empty mapping, expected a mapping with user_groups, "
          "device_posture or both"));
}

TEST(PackLoader, AFileThatIsNoMappingIsRefused) {
  EXPECT_THAT(errors_in("- a\n"), ElementsAre("p.yaml:1: the pack: found a list, expected a policy pack"));
  EXPECT_THAT(errors_in(""), ElementsAre("p.yaml:1: the pack: found nothing, expected a policy pack"));
}

TEST(PackLoader, SeveralMistakesAreAllToldInTheOrderOfTheFile) {
  const std::string two =
      with_line(with_line(kPack, 25, "  - action: refuse"), 15, "    direction: sideways");
  EXPECT_THAT(errors_in(two), ElementsAre(HasSubstr("p.yaml:15: rules[0].direction"),
                                          HasSubstr("p.yaml:25: rules[1].action")));
}

TEST(PackLoader, TwentyErrorsAreShownAndTheRestCounted) {
  std::string zones = "      source:\n";
  for (int i = 0; i < 30; ++i) zones += "        - Zone" + std::to_string(i) + "\n";
  const auto errors = errors_with(17, zones);
  ASSERT_EQ(errors.size(), 21u);
  EXPECT_EQ(errors.back(), "p.yaml: and 10 more errors");
}

TEST(PackLoader, AllowMustSayHowItInspectsAndDropMustNot) {
  EXPECT_THAT(errors_with(20, ""),
              ElementsAre("p.yaml:14: rule dns (index 0): allow without key \"decryption\", expected one"));
  EXPECT_THAT(
      errors_with(26, "    direction: internal\n    decryption: {mode: none}"),
      ElementsAre("p.yaml:27: rule any_application (index 1): drop with key \"decryption\", expected none"));
}

TEST(PackLoader, ARuleThatMatchesTheSameAsAnEarlierOneIsAnError) {
  const std::string twin =
      with_line(with_line(kPack, 28, "    application: {app_id: dns, category: networking, risk: 5}"), 27,
                "    zones: {source: [management], destination: [internal]}");
  EXPECT_THAT(
      errors_in(twin),
      ElementsAre(
          "p.yaml:25: rule dns (index 1) matches the same as rule dns (index 0) on line 14, expected each "
          "application, zones and identity once"));
}

TEST(PackLoader, TheSameApplicationForOthersIsNoRepeat) {
  const std::string other =
      with_line(kPack, 28, "    application: {app_id: dns, category: networking, risk: 5}");
  EXPECT_THAT(errors_in(other), ElementsAre());
}

TEST(PackLoader, APackCannotPassForTheSite) {
  EXPECT_THAT(errors_with(1, "id: site"),
              ElementsAre("p.yaml:1: id: found \"site\", expected any other name"));
}

TEST(PackLoader, JsonErrorsHaveTheLineOfTheJsonFile) {
  nlohmann::json seed =
      nlohmann::json::parse(text_of(source_file("deploy/packs/out_of_band_server_management.json")));
  seed["rules"][6]["action"] = "deny";
  const std::string text = seed.dump(1);
  const size_t at = text.find("\"deny\"");
  const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
  EXPECT_THAT(errors_in(text, "p.json"),
              ElementsAre("p.json:" + std::to_string(line) +
                          ": rules[6].action: found \"deny\", expected allow or drop"));
}

TEST(PackLoader, TheSevenRulesOfTheSeedAreRead) {
  const LoadedPack loaded = load_pack(source_file("deploy/packs/out_of_band_server_management.json"));
  ASSERT_TRUE(loaded.pack) << testing::PrintToString(texts_of(loaded.findings.errors()));
  std::vector<std::string> names;
  for (const PackRule& rule : loaded.pack->rules) names.push_back(rule.app_id.text);
  EXPECT_THAT(names, ElementsAre("infra_mgmt_web", "bmc_management", "icmp_probe", "slp", "dns",
                                 "firmware_update", "clear_text_mgmt"));
}

TEST(PackLoader, OtherScenariosOfTheKitAreRead) {
  for (const char* file : {"staff_web_access.json", "dmz_publishing.yaml"}) {
    const LoadedPack loaded = load_pack(source_file(std::string("tests/control/data/") + file));
    EXPECT_TRUE(loaded.pack) << testing::PrintToString(texts_of(loaded.findings.errors()));
  }
}

// What the schema knows and what the table of spellings knows.
void collect_properties(const nlohmann::json& schema, std::set<std::string>& out) {
  if (schema.is_object() && schema.contains("properties") && schema["properties"].is_object())
    for (const auto& [key, unused] : schema["properties"].items()) out.insert(key);
  if (schema.is_structured())
    for (const auto& part : schema) collect_properties(part, out);
}

TEST(PackKeys, TheTableHasEveryKeyOfTheSchemaAndNoOther) {
  std::set<std::string> schema, table;
  collect_properties(nlohmann::json::parse(pack_schema_text()), schema);
  for (const Spelling& s : kit_spellings()) table.emplace(s.ours);
  EXPECT_EQ(schema, table);
}

TEST(PackKeys, OneRowChangesASpelling) {
  constexpr Spelling kRows[] = {{"profiles", "security_profiles"}};
  const auto document = parse_document("rules: [{profiles: {ips: 1}, x_a: {profiles: 2}}]", "p.yaml");
  const auto renamed = in_our_spelling(*document, kRows);
  ASSERT_TRUE(renamed);
  const Node& rule = renamed->root.find("rules")->items[0];
  EXPECT_NE(rule.find("security_profiles"), nullptr);
  EXPECT_EQ(rule.find("profiles"), nullptr);
  EXPECT_NE(rule.find("x_a")->find("profiles"), nullptr);
}

TEST(PackKeys, TwoSpellingsOfOneKeyAreAnError) {
  constexpr Spelling kRows[] = {{"profiles", "security_profiles"}};
  const auto document = parse_document("profiles: 1\nsecurity_profiles: 2\n", "p.yaml");
  EXPECT_EQ(in_our_spelling(*document, kRows).error().text(),
            "p.yaml:2: key \"security_profiles\" says the same as an earlier key; expected one of them");
}

// std::regex recurses once per character, so no pattern may meet a text without a bound.
void expect_bounded_patterns(const nlohmann::json& schema) {
  if (schema.is_object() && schema.contains("pattern") && schema["pattern"].is_string()) {
    EXPECT_TRUE(schema.contains("maxLength")) << schema;
  }
  if (schema.is_structured())
    for (const auto& part : schema) expect_bounded_patterns(part);
}

TEST(PackSchema, EveryPatternHasALongestText) {
  expect_bounded_patterns(nlohmann::json::parse(pack_schema_text()));
}

}  // namespace
}  // namespace postern::control
