// SPDX-License-Identifier: Apache-2.0
#include "control/check_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/control/operator_files.h"
#include "tests/control/site_texts.h"

namespace postern::control {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Checked {
  int code;
  std::string text;
};

Checked check(const std::string& site, const std::vector<std::string>& packs,
              CheckOutput output = CheckOutput::Text) {
  std::ostringstream out;
  const int code = run_check(site, packs, output, out);
  return {code, out.str()};
}

// From the first line of the table to the end.
std::string table_of(const Checked& checked) { return checked.text.substr(checked.text.find("names\n")); }

const std::string kSeed = source_file("deploy/packs/out_of_band_server_management.json");

TEST(CheckCommand, ASiteWithItsPackIsValid) {
  const OperatorFiles files;
  files.write("pack.yaml", kSitePack);
  const Checked checked = check(files.write("site.yaml", kSite), {});
  EXPECT_EQ(checked.code, 0) << checked.text;
  EXPECT_THAT(checked.text, HasSubstr("sample/infra_mgmt_web allow infra_mgmt_web"));
  EXPECT_THAT(checked.text, HasSubstr("site/allow_ntp allow any_application"));
  EXPECT_THAT(checked.text, HasSubstr("valid: 4 rules\n"));
}

TEST(CheckCommand, EveryErrorIsPrintedWithItsLineAndTheCodeIs3) {
  const OperatorFiles files;
  files.write("pack.yaml", with_line(kSitePack, 20, "  - action: refuse"));
  const std::string site = files.write("site.yaml", with_line(kSite, 6, "mtu: 1"));
  const Checked checked = check(site, {});
  EXPECT_EQ(checked.code, 3);
  EXPECT_THAT(checked.text,
              HasSubstr(site + ":6: mtu: found \"1\", expected a whole number from 576 to 9000\n"));
  EXPECT_THAT(checked.text,
              HasSubstr("pack.yaml:20: rules[1].action: found \"refuse\", expected allow or drop\n"));
  EXPECT_THAT(checked.text, Not(HasSubstr("allow infra_mgmt_web")));
}

TEST(CheckCommand, APackAloneIsCheckedAgainstABuiltInSite) {
  const Checked checked = check("", {kSeed});
  EXPECT_EQ(checked.code, 0) << checked.text;
  EXPECT_THAT(checked.text, HasSubstr("no site file: checked against a built-in site that binds every zone"));
  EXPECT_THAT(checked.text, HasSubstr("valid: 7 rules\n"));
}

TEST(CheckCommand, TheYamlTwinOfTheSeedIsTheSamePolicy) {
  const Checked json = check("", {kSeed}), yaml = check("", {source_file("tests/control/data/seed.yaml")});
  ASSERT_EQ(yaml.code, 0) << yaml.text;
  EXPECT_EQ(table_of(json), table_of(yaml));
}

TEST(CheckCommand, OtherScenariosOfTheKitAreValid) {
  for (const char* file : {"staff_web_access.json", "dmz_publishing.yaml"}) {
    const Checked checked = check("", {source_file(std::string("tests/control/data/") + file)});
    EXPECT_EQ(checked.code, 0) << checked.text;
  }
}

TEST(CheckCommand, APackIsCheckedAgainstAGivenSite) {
  const OperatorFiles files;
  files.write("pack.yaml", kSitePack);
  const std::string site = files.write("site.yaml", kSite);
  const Checked checked = check(site, {source_file("tests/control/data/dmz_publishing.yaml")});
  EXPECT_EQ(checked.code, 3);
  EXPECT_THAT(
      checked.text,
      HasSubstr("dmz_publishing.yaml:21: rule web_browsing (index 0): zone \"internet\" is not bound"));
}

TEST(CheckCommand, APackThatTheSiteListsAlreadyCountsOnce) {
  const OperatorFiles files;
  const std::string pack = files.write("pack.yaml", kSitePack);
  EXPECT_EQ(check(files.write("site.yaml", kSite), {pack}).code, 0);
}

TEST(CheckCommand, JsonHasRulesWhenValidAndErrorsWhenNot) {
  const auto valid = nlohmann::json::parse(check("", {kSeed}, CheckOutput::Json).text);
  EXPECT_EQ(valid["valid"], true);
  EXPECT_EQ(valid["rules"].size(), 7u);
  EXPECT_EQ(valid["rules"][6]["action"], "drop");
  const OperatorFiles files;
  const std::string path = files.write("p.yaml", with_line(kSitePack, 11, "  - action: refuse"));
  const auto invalid = nlohmann::json::parse(check("", {path}, CheckOutput::Json).text);
  EXPECT_EQ(invalid["valid"], false);
  EXPECT_EQ(invalid["errors"][0]["line"], 11);
  EXPECT_EQ(invalid["errors"][0]["file"], path);
  EXPECT_EQ(invalid["rules"].size(), 0u);
}

TEST(CheckCommand, NothingToCheckIsAMistakeOfUse) { EXPECT_EQ(check("", {}).code, 2); }

TEST(CheckCommand, TheSameApplicationForTwoZonePairsIsValid) {
  const OperatorFiles files;
  const std::string twice =
      with_line(with_line(kSitePack, 21, "    direction: internal"), 23,
                "    application: {app_id: infra_mgmt_web, category: infrastructure, risk: 4}");
  const Checked checked = check("", {files.write("p.yaml", twice)});
  EXPECT_EQ(checked.code, 0) << checked.text;
}

}  // namespace
}  // namespace postern::control
