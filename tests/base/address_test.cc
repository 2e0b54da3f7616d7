// SPDX-License-Identifier: Apache-2.0
#include "base/address.h"

#include <gtest/gtest.h>

namespace postern {
namespace {

TEST(IpAddress, ReadsWhatOperatorsWriteAndShowsItInOneForm) {
  const std::pair<const char*, const char*> kTexts[] = {
      {"10.0.0.1", "10.0.0.1"},
      {"0.0.0.0", "0.0.0.0"},
      {"255.255.255.255", "255.255.255.255"},
      {"::", "::"},
      {"::1", "::1"},
      {"fd00::1", "fd00::1"},
      {"FD00:0:0:0:0:0:0:1", "fd00::1"},
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
      {"::ffff:10.0.0.1", "10.0.0.1"},
  };
  for (const auto& [text, shown] : kTexts) {
    const auto address = IpAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->text(), shown);
  }
}

TEST(IpAddress, RefusesEverythingElse) {
  for (const std::string_view text :
       {"",
        " ",
        "1.2.3",
        "1.2.3.4.5",
        "01.2.3.4",
        "256.0.0.1",
        "1.2.3.4 ",
        " 1.2.3.4",
        "0x1.2.3.4",
        "1.2.3.-4",
        "1..2.3",
        "fd00::1::2",
        "fd00:1",
        "12345::1",
        "fe80::1%eth0",
        "[::1]",
        "1.2.3.4/32",
        "localhost",
        ":::",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999",
        "a text that is much longer than any address could ever be written, by far"})
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  EXPECT_FALSE(IpAddress::parse(std::string_view("1.2.3.4\0x", 9))) << "text goes on behind a NUL";
}

TEST(IpAddress, KnowsItsFamily) {
  EXPECT_TRUE(IpAddress::parse("10.0.0.1")->is_v4());
  EXPECT_FALSE(IpAddress::parse("fd00::1")->is_v4());
  EXPECT_FALSE(IpAddress::parse("::10.0.0.1")->is_v4()) << "compatible is not mapped";
  const uint8_t bytes[4] = {10, 0, 0, 1};
  EXPECT_EQ(IpAddress::from_v4(bytes), *IpAddress::parse("10.0.0.1"));
}

TEST(IpAddress, KnowsMulticastOfBothFamilies) {
  for (const char* text : {"224.0.0.0", "239.255.255.253", "ff02::1", "ff00::"})
    EXPECT_TRUE(IpAddress::parse(text)->is_multicast()) << text;
  for (const char* text : {"223.255.255.255", "240.0.0.0", "255.255.255.255", "fe80::1", "::"})
    EXPECT_FALSE(IpAddress::parse(text)->is_multicast()) << text;
}

TEST(Prefix, ReadsWhatOperatorsWrite) {
  struct Case {
    const char* text;
    const char* shown;
    unsigned length;
  };
  for (const Case& c : {Case{"10.0.0.0/8", "10.0.0.0/8", 104}, Case{"0.0.0.0/0", "0.0.0.0/0", 96},
                        Case{"10.1.2.3", "10.1.2.3/32", 128}, Case{"10.1.2.3/32", "10.1.2.3/32", 128},
                        Case{"10.1.2.128/25", "10.1.2.128/25", 121}, Case{"::/0", "::/0", 0},
                        Case{"fd00::/8", "fd00::/8", 8}, Case{"fd00::1", "fd00::1/128", 128}}) {
    const auto prefix = Prefix::parse(c.text);
    ASSERT_TRUE(prefix) << c.text;
    EXPECT_EQ(prefix->text(), c.shown);
    EXPECT_EQ(prefix->length, c.length) << c.text;
  }
}

TEST(Prefix, RefusesEverythingElse) {
  for (const std::string_view text : {"",
                                      "/",
                                      "/8",
                                      "10.0.0.0/",
                                      "10.0.0.0/33",
                                      "10.0.0.0/-1",
                                      "10.0.0.0/+8",
                                      "10.0.0.0/8 ",
                                      "10.0.0.0/ 8",
                                      "10.0.0.0/8/8",
                                      "10.0.0.0/0x8",
                                      "10.0.0.0/255.0.0.0",
                                      "10.0.0.1/8",
                                      "10.0.0.1/31",
                                      "fd00::/129",
                                      "fd00::1/64",
                                      "10/8",
                                      "::ffff:10.0.0.0/104",
                                      "::ffff:10.0.0.1",
                                      "10.0.0.0/99999999999999999999",
                                      "any"})
    EXPECT_FALSE(Prefix::parse(text)) << text;
}

TEST(Prefix, ContainsExactlyItsAddresses) {
  const auto contains = [](const char* prefix, const char* address) {
    return Prefix::parse(prefix)->contains(*IpAddress::parse(address));
  };
  EXPECT_TRUE(contains("10.1.2.128/25", "10.1.2.128"));
  EXPECT_TRUE(contains("10.1.2.128/25", "10.1.2.255"));
  EXPECT_FALSE(contains("10.1.2.128/25", "10.1.2.127"));
  EXPECT_FALSE(contains("10.1.2.128/25", "10.1.3.0"));
  EXPECT_TRUE(contains("0.0.0.0/0", "255.255.255.255"));
  EXPECT_FALSE(contains("0.0.0.0/0", "fd00::1")) << "all of IPv4 is not all";
  EXPECT_TRUE(contains("fd00::/9", "fd7f::1"));
  EXPECT_FALSE(contains("fd00::/9", "fd80::1"));
  EXPECT_TRUE(contains("fd00::1", "fd00::1"));
  EXPECT_FALSE(contains("fd00::1", "fd00::2"));
  EXPECT_EQ(Prefix::any_v4(), *Prefix::parse("0.0.0.0/0"));
}

}  // namespace
}  // namespace postern
