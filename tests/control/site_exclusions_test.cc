// SPDX-License-Identifier: Apache-2.0
// `tls: exclude:` and `tls: ech:` of a site file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/site_loader.h"
#include "tests/control/operator_files.h"
#include "tests/control/site_texts.h"

namespace postern::control {
namespace {

using classify::Exclusion;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SiteExclusions : public testing::Test {
 protected:
  SiteExclusions() { files_.write("pack.yaml", kSitePack); }
  Loaded load(const std::string& lines) {
    return load_site(files_.write("site.yaml", kSite + "tls:\n" + lines), names_);
  }
  classify::Policy good(const std::string& lines) {
    Loaded loaded = load(lines);
    EXPECT_THAT(texts_of(loaded.errors), IsEmpty());
    return loaded.site ? std::move(loaded.site->policy) : classify::Policy{};
  }
  std::vector<std::string> errors(const std::string& entry) {
    return texts_of(load("  exclude:\n    - " + entry + "\n").errors);
  }

  OperatorFiles files_;
  Names names_;
};

TEST_F(SiteExclusions, ReadsHostsServersAndBoth) {
  const auto policy = good(
      "  exclude:\n    - {hosts: [a.example, \"*.b.example\"]}\n    - {servers: [10.4.0.0/24]}\n"
      "    - {hosts: [c.example], servers: [10.4.0.7], category: cert_pinned_app}\n");
  ASSERT_EQ(policy.exclusions.size(), 3u);
  EXPECT_EQ(policy.exclusions[0].why, Exclusion::Host);
  EXPECT_THAT(policy.exclusions[0].hosts, ElementsAre("a.example", "*.b.example"));
  EXPECT_EQ(policy.exclusions[1].why, Exclusion::Address);
  EXPECT_EQ(policy.exclusions[2].why, Exclusion::CertPinnedApp);
  EXPECT_EQ(policy.exclusions[2].servers.size(), 1u);
}

TEST_F(SiteExclusions, ReadsHostsFromAFile) {
  files_.write("banks.txt", "# banks\n\n  a.bank.example\r\n*.b.bank.example # all of it\n");
  const auto policy = good("  exclude: [{category: finance, hosts_file: banks.txt, hosts: [c.example]}]\n");
  ASSERT_EQ(policy.exclusions.size(), 1u);
  EXPECT_EQ(policy.exclusions[0].why, Exclusion::Finance);
  EXPECT_THAT(policy.exclusions[0].hosts, ElementsAre("c.example", "a.bank.example", "*.b.bank.example"));
}

TEST_F(SiteExclusions, NamesTheLineOfAHostThatIsNone) {
  files_.write("banks.txt", "a.example\nhttps://b.example\n");
  EXPECT_THAT(errors("{hosts_file: banks.txt}"),
              ElementsAre(HasSubstr("banks.txt:2: found \"https://b.example\", expected a host like")));
  EXPECT_THAT(errors("{hosts: [\"a.*.example\"]}"), ElementsAre(HasSubstr("hosts: found \"a.*.example\"")));
}

TEST_F(SiteExclusions, AnEntryIsForSomething) {
  files_.write("none.txt", "# nobody\n");
  EXPECT_THAT(errors("{category: finance}"),
              ElementsAre(HasSubstr("found neither hosts, hosts_file nor servers")));
  EXPECT_THAT(errors("{hosts_file: none.txt}"), ElementsAre(HasSubstr("none.txt: found no host")));
  EXPECT_THAT(errors("{hosts: []}"), testing::Not(IsEmpty()));
}

TEST_F(SiteExclusions, AnUnknownCategoryIsToldWithTheKnownOnes) {
  EXPECT_THAT(errors("{category: sports, hosts: [a.example]}"),
              ElementsAre(HasSubstr("expected cert_pinned_app, finance or health")));
}

TEST_F(SiteExclusions, ARuleWhoseCategoryIsNotListedIsToldSo) {
  const std::string pack =
      with_line(kSitePack, 16, "    decryption: {mode: ssl_inbound_inspection, exclusions: [finance]}");
  files_.write("pack.yaml", pack);
  const Loaded without = load("  threads: 1\n");
  ASSERT_TRUE(without.site);
  EXPECT_THAT(without.site->warnings, testing::Contains(HasSubstr("exclusion \"finance\" excludes nothing")));
  const Loaded with = load("  exclude: [{category: finance, hosts: [a.example]}]\n");
  ASSERT_TRUE(with.site);
  EXPECT_THAT(with.site->warnings, testing::Not(testing::Contains(HasSubstr("excludes nothing"))));
}

TEST_F(SiteExclusions, RulesKnowTheirCategories) {
  files_.write(
      "pack.yaml",
      with_line(kSitePack, 16, "    decryption: {mode: ssl_inbound_inspection, exclusions: [health]}"));
  const auto policy = good("  exclude: [{category: health, hosts: [a.example]}]\n");
  const auto rule = std::find_if(policy.rules.begin(), policy.rules.end(),
                                 [](const classify::Rule& r) { return r.name == "infra_mgmt_web"; });
  ASSERT_NE(rule, policy.rules.end());
  EXPECT_TRUE(rule->excluded_categories.has(Exclusion::Health));
  EXPECT_FALSE(rule->excluded_categories.has(Exclusion::Finance));
}

TEST_F(SiteExclusions, ReadsWhatBecomesOfEch) {
  EXPECT_EQ(good("  threads: 1\n").ech, classify::EchAnswer::Decrypt);
  EXPECT_EQ(good("  ech: refuse\n").ech, classify::EchAnswer::Refuse);
}

}  // namespace
}  // namespace postern::control
