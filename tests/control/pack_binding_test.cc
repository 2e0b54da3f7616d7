// SPDX-License-Identifier: Apache-2.0
#include "control/pack_binding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/site_loader.h"
#include "tests/control/operator_files.h"
#include "tests/control/site_texts.h"

namespace postern::control {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr Engines kEverything{.tls = true, .profiles = 0xffff};

class PackBinding : public testing::Test {
 protected:
  // Warnings of the sample pack with one line replaced; paths of the test's folder are cut off.
  std::vector<std::string> warnings_with(size_t line, const std::string& replacement,
                                         Engines engines = kEverything) {
    files_.write("pack.yaml", with_line(kSitePack, line, replacement));
    const Loaded loaded = load_site(files_.write("site.yaml", kSite), names_, engines);
    EXPECT_THAT(texts_of(loaded.errors), IsEmpty());
    std::vector<std::string> out;
    if (!loaded.site) return out;
    for (const std::string& warning : loaded.site->warnings)
      out.push_back(warning.substr(files_.path("").size()));
    return out;
  }

  OperatorFiles files_;
  Names names_;
};

TEST_F(PackBinding, AnOrdinaryPackWarnsOfNothing) {
  EXPECT_THAT(warnings_with(8, "mitre_attack: []"), IsEmpty());
}

TEST_F(PackBinding, ProfilesOnUndecryptedTlsAreToldToBeBlind) {
  EXPECT_THAT(
      warnings_with(16, "    decryption: {mode: none, exclusions: [cert_pinned_app]}"),
      ElementsAre(
          "pack.yaml:17: rule infra_mgmt_web (index 0): ips (exclusion cert_pinned_app) cannot see what is "
          "encrypted, because decryption is none: such flows are logged as not inspected"));
}

TEST_F(PackBinding, ProfilesOnClearTextAreNotBlind) {
  files_.write("pack.yaml", kSitePack);
  EXPECT_THAT(warnings_with(14, "    application: {app_id: slp, category: networking, risk: 2}"),
              Not(Contains(HasSubstr("cannot see"))));
}

TEST_F(PackBinding, DecryptionWithoutAnEngineSaysWhatTheExceptionWillDo) {
  EXPECT_THAT(
      warnings_with(8, "mitre_attack: []", {.tls = false, .profiles = 0xffff}),
      ElementsAre(
          "pack.yaml:16: rule infra_mgmt_web (index 0): demands ssl_inbound_inspection and this build has "
          "no TLS engine: exceptions.decryption_unavailable (drop) decides on its encrypted flows"));
}

TEST_F(PackBinding, ProfilesWithoutAnEngineAreToldOnce) {
  EXPECT_THAT(warnings_with(8, "mitre_attack: []", {.tls = true, .profiles = 0}),
              ElementsAre("pack.yaml: pack sample asks for ips and this build has no engine for it: "
                          "exceptions.inspection_unavailable (drop) applies"));
}

TEST_F(PackBinding, AnUnmetDependencyNamesTheMissingApplication) {
  EXPECT_THAT(
      warnings_with(
          14,
          "    application: {app_id: infra_mgmt_web, category: infrastructure, risk: 4, depends_on: [dns]}"),
      ElementsAre("pack.yaml:14: rule infra_mgmt_web (index 0): depends on dns, and no rule allows dns from "
                  "its source "
                  "zones"));
}

TEST_F(PackBinding, ADependencyIsMetByARuleFromTheSameZone) {
  const std::string dns =
      "rules:\n  - action: allow\n    direction: internal\n    zones: {source: [trust], destination: "
      "[internal]}\n"
      "    application: {app_id: dns, category: networking, risk: 2}\n    decryption: {mode: none}\n"
      "    security_profiles: {dns_security: {action: block}}\n    logging: {forwarding: siem_default, "
      "log_end: true}\n"
      "    rationale: {en: a, fr: b}";
  const std::string needing = with_line(
      kSitePack, 14,
      "    application: {app_id: infra_mgmt_web, category: infrastructure, risk: 4, depends_on: [dns]}");
  files_.write("pack.yaml", with_line(needing, 10, dns));
  const Loaded loaded = load_site(files_.write("site.yaml", kSite), names_, kEverything);
  ASSERT_TRUE(loaded.site);
  EXPECT_THAT(loaded.site->warnings, IsEmpty());
}

TEST_F(PackBinding, ADirectionThatContradictsTheDecryptionIsTold) {
  EXPECT_THAT(
      warnings_with(12, "    direction: internal"),
      ElementsAre("pack.yaml:12: rule infra_mgmt_web (index 0): ssl_inbound_inspection is for inbound flows, "
                  "direction says otherwise; zones decide, direction is not matched on"));
}

TEST_F(PackBinding, ADirectionThatContradictsTheZonesIsTold) {
  EXPECT_THAT(warnings_with(21, "    direction: outbound"),
              ElementsAre(HasSubstr("direction is outbound, yet no destination is internet or dmz")));
}

TEST_F(PackBinding, AnUnknownExclusionIsTold) {
  EXPECT_THAT(
      warnings_with(16, "    decryption: {mode: ssl_inbound_inspection, exclusions: [weather]}"),
      ElementsAre(
          "pack.yaml:16: rule infra_mgmt_web (index 0): exclusion \"weather\" is unknown to this build and "
          "excludes nothing"));
}

TEST_F(PackBinding, AnApplicationWithoutServersAtTheSiteIsToldToMatchNothing) {
  files_.write("pack.yaml", kSitePack);
  const Loaded loaded =
      load_site(files_.write("site.yaml", with_line(kSite, 20, "  infra_mgmt_web: {}")), names_, kEverything);
  ASSERT_TRUE(loaded.site);
  EXPECT_THAT(loaded.site->warnings,
              ElementsAre(HasSubstr("pack.yaml:14: rule infra_mgmt_web (index 0): the site names no "
                                    "servers for it in applications.infra_mgmt_web")));
}

TEST_F(PackBinding, ARuleThatAnEarlierPackShadowsIsTold) {
  files_.write("pack.yaml", kSitePack);
  files_.write("again.yaml", with_line(kSitePack, 1, "id: again"));
  const Loaded loaded = load_site(
      files_.write("site.yaml", with_line(kSite, 2, "packs: [pack.yaml, again.yaml]")), names_, kEverything);
  ASSERT_TRUE(loaded.site) << testing::PrintToString(texts_of(loaded.errors));
  EXPECT_THAT(loaded.site->warnings,
              Contains(HasSubstr(
                  "pack again rule clear_text_mgmt never matches: pack sample rule clear_text_mgmt comes "
                  "first and matches the same")));
}

TEST_F(PackBinding, TwoPacksOfOneIdAreAnError) {
  files_.write("pack.yaml", kSitePack);
  files_.write("again.yaml", kSitePack);
  const Loaded loaded =
      load_site(files_.write("site.yaml", with_line(kSite, 2, "packs: [pack.yaml, again.yaml]")), names_);
  EXPECT_THAT(texts_of(loaded.errors),
              ElementsAre(HasSubstr("again.yaml: pack id \"sample\" is also that of ")));
}

TEST_F(PackBinding, ASandboxThatIsSwitchedOffIsNotAskedFor) {
  files_.write("pack.yaml",
               with_line(kSitePack, 17, "    security_profiles: {sandboxing: {enabled: false}}"));
  const Loaded loaded = load_site(files_.write("site.yaml", kSite), names_, kEverything);
  ASSERT_TRUE(loaded.site);
  EXPECT_EQ(loaded.site->policy.rules.at(1).profiles, 0);
}

}  // namespace
}  // namespace postern::control
