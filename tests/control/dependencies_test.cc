// SPDX-License-Identifier: Apache-2.0
// What commit and check tell of rules whose applications need others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "control/check_command.h"
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

const Engines kEverything{.tls = true, .profiles = 0xffff};

class RuleDependencies : public testing::Test {
 protected:
  std::string site_with(const std::string& rules_after) {
    files_.write("pack.yaml", kSitePack);
    const size_t at = kSite.find("  after:\n");
    const size_t end = kSite.find("logging:\n  directory");
    return files_.write("site.yaml", kSite.substr(0, at) + "  after:\n" + rules_after + kSite.substr(end));
  }
  std::vector<std::string> warnings_with(const std::string& rules_after) {
    const Loaded loaded = load_site(site_with(rules_after), names_, kEverything);
    EXPECT_TRUE(loaded.site) << (loaded.errors.empty() ? "" : loaded.errors[0].text());
    return loaded.site ? loaded.site->warnings : std::vector<std::string>();
  }
  static std::string rule(const std::string& name, const std::string& application,
                          const std::string& source) {
    return "    - {rule: " + name + ", action: allow, application: " + application + ", zones: {source: [" +
           source + "], destination: [internal]}}\n";
  }

  OperatorFiles files_;
  Names names_;
};

TEST_F(RuleDependencies, OfASiteRuleComeFromTheCatalogue) {
  EXPECT_THAT(warnings_with(rule("web", "http", "trust")),
              ElementsAre(testing::EndsWith(
                  "rule web: http depends on dns, and no rule allows dns from its source zones")));
}

TEST_F(RuleDependencies, OfACompositeIncludeThoseOfItsMembers) {
  files_.write(
      "own.yaml",
      "catalogue: 1\napplications:\n  - {app_id: portal, kind: composite, category: c, risk: 1, members: "
      "[{application: http, protocol: tcp}]}\n");
  std::string text = kSite;
  text.replace(text.find("workers: 2"), 10, "catalogues: [own.yaml]\nworkers: 2");
  const size_t at = text.find("    - rule: drop_rest");
  text.insert(at, rule("portal", "portal", "trust"));
  files_.write("pack.yaml", kSitePack);
  const Loaded loaded = load_site(files_.write("site.yaml", text), names_, kEverything);
  ASSERT_TRUE(loaded.site) << loaded.errors[0].text();
  EXPECT_THAT(loaded.site->warnings,
              ElementsAre(HasSubstr("rule portal: portal depends on dns, and no rule")));
}

TEST_F(RuleDependencies, AreMetByARuleFromTheSameZone) {
  EXPECT_THAT(warnings_with(rule("web", "http", "trust") + rule("names", "dns", "trust")), IsEmpty());
  EXPECT_THAT(warnings_with(rule("web", "http", "trust") + rule("names", "dns", "internal")),
              Contains(HasSubstr("rule web")));
}

TEST_F(RuleDependencies, AreMetByAnyApplication) {
  EXPECT_THAT(warnings_with(rule("web", "http", "trust") + rule("all", "any_application", "trust")),
              IsEmpty());
}

TEST_F(RuleDependencies, AreWarningsThatCheckPrintsAndNoErrors) {
  const std::string site = site_with(rule("web", "http", "trust"));
  std::ostringstream text, json;
  EXPECT_EQ(run_check(site, {}, CheckOutput::Text, text), 0);
  EXPECT_THAT(text.str(), HasSubstr("rule web: http depends on dns"));
  EXPECT_EQ(run_check(site, {}, CheckOutput::Json, json), 0);
  EXPECT_THAT(json.str(), HasSubstr("\"warnings\":["));
  EXPECT_THAT(json.str(), HasSubstr("rule web: http depends on dns, and no rule allows dns"));
  EXPECT_THAT(json.str(), Not(HasSubstr("\"valid\":false")));
}

}  // namespace
}  // namespace postern::control
