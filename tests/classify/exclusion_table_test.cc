// SPDX-License-Identifier: Apache-2.0
#include "classify/exclusion_table.h"

#include <gtest/gtest.h>

#include "tests/classify/allocation_count.h"

namespace postern::classify {
namespace {

const IpAddress kServer = *IpAddress::parse("10.4.0.5"), kOther = *IpAddress::parse("10.5.0.5");

ExclusionTable table() {
  return ExclusionTable({{Exclusion::Host, {"updates.vendor.example", "*.Pinned.example"}, {}},
                         {Exclusion::CertPinnedApp, {"bmc.example"}, {*Prefix::parse("10.4.0.0/24")}},
                         {Exclusion::Address, {}, {*Prefix::parse("10.4.0.5")}},
                         {Exclusion::Finance, {"bank.example", "bmc.example"}, {}}});
}

DecryptReason reason(std::string_view host, const IpAddress& server, ExclusionSet categories = {}) {
  return table().find(host, server).for_rule(categories).reason();
}

ExclusionSet naming(Exclusion category) {
  ExclusionSet set;
  set.add(category);
  return set;
}

TEST(ExclusionTable, FindsAHostWhateverTheCaseOfItsLetters) {
  EXPECT_EQ(reason("updates.vendor.example", kOther), DecryptReason::ExcludedHost);
  EXPECT_EQ(reason("Updates.VENDOR.example", kOther), DecryptReason::ExcludedHost);
  EXPECT_EQ(reason("updates.vendor.example.", kOther), DecryptReason::ExcludedHost);
  EXPECT_EQ(reason("vendor.example", kOther), DecryptReason::None);
  EXPECT_EQ(reason("x.updates.vendor.example", kOther), DecryptReason::None);
}

TEST(ExclusionTable, AWildcardIsForAllHostsBelowAndNotForItsDomain) {
  EXPECT_EQ(reason("a.pinned.example", kOther), DecryptReason::ExcludedHost);
  EXPECT_EQ(reason("b.a.pinned.example", kOther), DecryptReason::ExcludedHost);
  EXPECT_EQ(reason("pinned.example", kOther), DecryptReason::None);
  EXPECT_EQ(reason("notpinned.example", kOther), DecryptReason::None);
  EXPECT_EQ(reason(".pinned.example", kOther), DecryptReason::None);
  EXPECT_EQ(reason("a.pinned.example.evil.example", kOther), DecryptReason::None);
}

TEST(ExclusionTable, FindsAServerUnderAnyName) {
  EXPECT_EQ(reason("", kServer), DecryptReason::ExcludedAddress);
  EXPECT_EQ(reason("any.example", kServer), DecryptReason::ExcludedAddress);
  EXPECT_EQ(reason("", kOther), DecryptReason::None);
}

TEST(ExclusionTable, CategoriesCountForRulesThatNameThem) {
  EXPECT_EQ(reason("bank.example", kOther), DecryptReason::None);
  EXPECT_EQ(reason("bank.example", kOther, naming(Exclusion::Health)), DecryptReason::None);
  EXPECT_EQ(reason("bank.example", kOther, naming(Exclusion::Finance)), DecryptReason::Finance);
}

TEST(ExclusionTable, AHostBoundToServersIsForThoseAlone) {
  const ExclusionSet pinned = naming(Exclusion::CertPinnedApp);
  EXPECT_EQ(reason("bmc.example", *IpAddress::parse("10.4.0.9"), pinned), DecryptReason::CertPinnedApp);
  EXPECT_EQ(reason("bmc.example", kOther, pinned), DecryptReason::None);
}

TEST(ExclusionTable, TakesAnyBytesForAName) {
  EXPECT_EQ(reason(std::string(255, '.'), kOther), DecryptReason::None);
  EXPECT_EQ(reason(std::string(253, 'a'), kOther), DecryptReason::None);
  EXPECT_EQ(reason(std::string("bank.example\0", 13), kOther, naming(Exclusion::Finance)),
            DecryptReason::None);
  EXPECT_EQ(reason(".", kOther), DecryptReason::None);
  EXPECT_EQ(reason("\xff\xfe.pinned.example", kOther), DecryptReason::ExcludedHost)
      << "no name, yet below it";
}

TEST(ExclusionTable, LooksUpWithoutAllocating) {
  const ExclusionTable built = table();
  const size_t before = allocation_count();
  (void)built.find("b.a.pinned.example", kServer);
  EXPECT_EQ(allocation_count(), before);
}

TEST(HostPattern, IsANameOrAWildcardBeforeOne) {
  for (const char* good :
       {"a", "bmc.example", "*.example", "xn--bcher-kva.example", "_dmarc.example", "10.0.0.1"})
    EXPECT_TRUE(is_host_pattern(good)) << good;
  for (const char* bad : {"", ".", "*", "*.", "a..b", ".example", "example.", "a.*.example", "*a.example",
                          "b\xc3\xbc"
                          "cher.example",
                          "a b", "https://a"})
    EXPECT_FALSE(is_host_pattern(bad)) << bad;
  EXPECT_FALSE(is_host_pattern(std::string(64, 'a')));
}

TEST(Exclusion, EveryCategoryHasItsWordAsReason) {
  for (const char* word : {"cert_pinned_app", "finance", "health"}) {
    const auto category = exclusion_category(word);
    ASSERT_TRUE(category);
    EXPECT_EQ(decrypt_reason_name(naming(*category).reason()), word);
  }
  EXPECT_FALSE(exclusion_category("host"));
}

}  // namespace
}  // namespace postern::classify
