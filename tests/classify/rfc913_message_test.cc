// SPDX-License-Identifier: Apache-2.0
#include "classify/rfc913_message.h"

#include <gtest/gtest.h>

#include "wire_bytes.h"

namespace postern::classify {
namespace {

Fit greeting(const std::string& stream) { return is_rfc913_greeting(ExactBytes(stream)); }
Fit command(const std::string& stream) { return is_rfc913_command(ExactBytes(stream)); }

TEST(Rfc913Greeting, IsALineOfTextAndANul) {
  EXPECT_EQ(greeting(bytes_of("+MIT-XX SFTP Service\0")), Fit::Yes);
  EXPECT_EQ(greeting(bytes_of("-MIT-XX Out to Lunch\0")), Fit::Yes);
  EXPECT_EQ(greeting(bytes_of("+ready\r\n\0")), Fit::Yes);
}

TEST(Rfc913Greeting, NeedsMoreAtEveryShorterLength) {
  const std::string whole = bytes_of("+MIT-XX SFTP Service\r\n\0");
  for (size_t n = 0; n < whole.size(); ++n) EXPECT_EQ(greeting(whole.substr(0, n)), Fit::More) << n;
}

TEST(Rfc913Greeting, OfOtherServersIsRefused) {
  EXPECT_EQ(greeting("220 ftp ready\r\n"), Fit::No);
  EXPECT_EQ(greeting("+OK POP3\r\n+"), Fit::No);
  EXPECT_EQ(greeting(bytes_of("+ok\0more")), Fit::No);
  EXPECT_EQ(greeting(bytes_of("+\0")), Fit::No);
  EXPECT_EQ(greeting(bytes_of("+a\x01\0")), Fit::No);
  EXPECT_EQ(greeting("+" + std::string(600, 'a')), Fit::No);
}

TEST(Rfc913Command, IsAWordOfTheProtocolWithItsArgumentAndANul) {
  for (const std::string& whole :
       {bytes_of("USER MRC\0"), bytes_of("ACCT mark\0"), bytes_of("PASS secret word\0"), bytes_of("TYPE B\0"),
        bytes_of("LIST F\0"), bytes_of("LIST V /fw\0"), bytes_of("CDIR /fw\0"), bytes_of("KILL a\0"),
        bytes_of("NAME a\0"), bytes_of("DONE\0"), bytes_of("RETR bmc.img\0"), bytes_of("STOR NEW bmc.img\0"),
        bytes_of("stor old x\0"), bytes_of("DONE\0DONE\0")})
    EXPECT_EQ(command(whole), Fit::Yes) << whole;
}

TEST(Rfc913Command, NeedsMoreAtEveryShorterLength) {
  const std::string whole = bytes_of("STOR NEW bmc.img\0");
  for (size_t n = 0; n < whole.size(); ++n) EXPECT_EQ(command(whole.substr(0, n)), Fit::More) << n;
}

TEST(Rfc913Command, OfOtherClientsIsRefused) {
  for (const std::string& stream :
       {std::string("USER anonymous\r\n"), bytes_of("USER\0"), bytes_of("USERX a\0"), bytes_of("DONE now\0"),
        bytes_of("TYPE X\0"), bytes_of("LIST a\0"), bytes_of("LIST FV\0"), bytes_of("STOR bmc.img\0"),
        bytes_of("QUIT\0"), std::string("GET /"), "RETR " + std::string(600, 'a')})
    EXPECT_EQ(command(stream), Fit::No) << stream;
}

}  // namespace
}  // namespace postern::classify
