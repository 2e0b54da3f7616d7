// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <libpsl.h>

#include <fstream>
#include <iterator>
#include <memory>

#include "dns_messages.h"
#include "profiles/dns/public_suffixes.h"
#include "profiles/dns/reverse_names.h"

namespace postern::profiles::dns {
namespace {

constexpr const char* kList = "/usr/share/publicsuffix/public_suffix_list.dat";

std::string domain(const PublicSuffixes& suffixes, std::string_view text) {
  const Name whole = name(text);
  const PublicSuffixes::Domain found = suffixes.domain_of(whole);
  return found.registered ? whole.parent(found.skipped).text() : "-";
}

PublicSuffixes read(std::string_view text) { return PublicSuffixes::read(text, "list.dat", 3).value(); }

TEST(PublicSuffixes, RulesWildcardsAndExceptionsAreKept) {
  const PublicSuffixes suffixes = read("// comment\ncom\nuk\nco.uk\n*.ck\n!www.ck\nck\n");
  const std::pair<const char*, const char*> expected[] = {{"com", "-"},
                                                          {"a.com", "a.com"},
                                                          {"x.y.a.com", "a.com"},
                                                          {"a.uk", "a.uk"},
                                                          {"a.co.uk", "a.co.uk"},
                                                          {"b.a.co.uk", "a.co.uk"},
                                                          {"ck", "-"},
                                                          {"a.ck", "-"},
                                                          {"b.a.ck", "b.a.ck"},
                                                          {"www.ck", "www.ck"},
                                                          {"x.www.ck", "www.ck"},
                                                          {"a.unknown", "a.unknown"},
                                                          {"unknown", "-"},
                                                          {".", "-"}};
  for (const auto& [text, registered] : expected) EXPECT_EQ(domain(suffixes, text), registered) << text;
}

TEST(PublicSuffixes, RegistriesAreToldFromOthers) {
  const PublicSuffixes suffixes = read("com\n// ===BEGIN PRIVATE DOMAINS===\nblogspot.com\n");
  EXPECT_TRUE(suffixes.domain_of(name("a.com")).by_registry);
  EXPECT_FALSE(suffixes.domain_of(name("a.blogspot.com")).by_registry);
  EXPECT_FALSE(suffixes.domain_of(name("a.unknown")).by_registry);
}

TEST(PublicSuffixes, RulesInOtherScriptsAreThoseOfDns) {
  const PublicSuffixes suffixes =
      read("\xe4\xb8\xad\xe5\x9b\xbd\n\xe5\x85\xac\xe5\x8f\xb8.cn\n");  // of China
  EXPECT_EQ(domain(suffixes, "xn--fiqs8s"), "-");
  EXPECT_EQ(domain(suffixes, "a.xn--55qx5d.cn"), "a.xn--55qx5d.cn");
}

TEST(PublicSuffixes, MistakesAreToldWithFileAndLine) {
  EXPECT_EQ(PublicSuffixes::read("com\na..b\n", "list.dat", 3).error().text(),
            "list.dat:2: found a rule that is no name, expected one as in publicsuffix.org/list");
  for (const char* odd : {"\xff\n", "\xf7\xbf\xbf\xbf\n", "\xc0\x81\n", "\xe4\n"})
    EXPECT_FALSE(PublicSuffixes::read(odd, "list.dat", 3));
}

// libpsl reads the same file; for each of its rules three names are asked of both.
TEST(PublicSuffixes, AgreeWithLibpsl) {
  std::ifstream file(kList, std::ios::binary);
  ASSERT_TRUE(file) << "no " << kList;
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const PublicSuffixes suffixes = read(text);
  const std::unique_ptr<psl_ctx_t, void (*)(psl_ctx_t*)> theirs(psl_load_file(kList), psl_free);
  ASSERT_TRUE(theirs);
  size_t asked = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string rule = text.substr(at, end - at);
    at = end + 1;
    if (rule.empty() || rule.starts_with("//") ||
        rule.find_first_of(" \x80\xc3\xe3\xe4\xe5") != std::string::npos)
      continue;
    if (rule.starts_with("*.") || rule.starts_with('!')) rule = rule.substr(rule[0] == '!' ? 1 : 2);
    if (!Name::parse(rule) || Name::parse(rule)->text() != rule) continue;
    for (const std::string& asked_for : {rule, "a." + rule, "b.a." + rule, "c.b.a." + rule}) {
      const char* registered = psl_registrable_domain(theirs.get(), asked_for.c_str());
      ASSERT_EQ(domain(suffixes, asked_for), registered == nullptr ? "-" : registered) << asked_for;
      ++asked;
    }
  }
  EXPECT_GT(asked, 20000u);
}

TEST(ReverseNames, AreThoseWithNothingButAnAddress) {
  std::string digits;
  for (int i = 0; i < 32; ++i) digits += "f.";
  for (const std::string& text :
       {std::string("7.0.4.10.in-addr.arpa"), std::string("10.in-addr.arpa"), digits + "ip6.arpa"})
    EXPECT_TRUE(is_reverse_name(name(text))) << text;
  for (const std::string& text :
       {std::string("256.0.4.10.in-addr.arpa"), std::string("1.7.0.4.10.in-addr.arpa"),
        std::string("07.in-addr.arpa"), std::string("abc.in-addr.arpa"), "a." + digits + "ip6.arpa",
        std::string("ff.ip6.arpa"), std::string("a.b.arpa"), std::string("in-addr"),
        std::string("7.0.4.10.in-addr.arpa.com")})
    EXPECT_FALSE(is_reverse_name(name(text))) << text;
}

}  // namespace
}  // namespace postern::profiles::dns
