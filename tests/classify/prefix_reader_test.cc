// SPDX-License-Identifier: Apache-2.0
#include "classify/decoders/prefix_reader.h"

#include <gtest/gtest.h>

#include "wire_bytes.h"

namespace postern::classify::decoders {
namespace {

// What `read` says of every prefix, as letters: N, M, Y.
template <typename Read>
std::string fits(const std::string& bytes, Read read) {
  std::string out;
  for (size_t n = 0; n <= bytes.size(); ++n) {
    const ExactBytes exact(std::string_view(bytes).substr(0, n));
    PrefixReader reader(exact);
    read(reader);
    out += "NMY"[static_cast<size_t>(reader.fit())];
  }
  return out;
}

TEST(PrefixReader, RefusesABigEndianNumberAtTheFirstByteThatRulesItOut) {
  const auto read = [](PrefixReader& reader) { reader.be32(0x100, 0x1ff); };
  EXPECT_EQ(fits(hex("00000134"), read), "MMMMY");
  EXPECT_EQ(fits(hex("01000134"), read), "MNNNN");
  EXPECT_EQ(fits(hex("00000234"), read), "MMMNN");
  EXPECT_EQ(fits(hex("000000ff"), read), "MMMNN");
}

TEST(PrefixReader, RefusesALittleEndianNumberAtTheFirstByteThatRulesItOut) {
  EXPECT_EQ(fits(hex("34010000"), [](PrefixReader& reader) { reader.le32(0x100, 0x1ff); }), "MMMMY");
  EXPECT_EQ(fits(hex("34000000"), [](PrefixReader& reader) { reader.le32(0x100, 0x1ff); }), "MMNNN");
  EXPECT_EQ(fits(hex("34010001"), [](PrefixReader& reader) { reader.le32(0x100, 0x1ff); }), "MMMMN");
  EXPECT_EQ(fits(hex("4100"), [](PrefixReader& reader) { reader.le16(64, 64); }), "MNN");
}

TEST(PrefixReader, ReadsTheNumbersItAccepts) {
  const std::string bytes = hex("01 0203 040506 0708090a 0b0c 0d0e0f 10111213");
  const ExactBytes exact(bytes);
  PrefixReader reader(exact);
  EXPECT_EQ(reader.u8(), 0x01U);
  EXPECT_EQ(reader.be16(), 0x0203U);
  EXPECT_EQ(reader.be24(), 0x040506U);
  EXPECT_EQ(reader.be32(), 0x0708090aU);
  EXPECT_EQ(reader.le16(), 0x0c0bU);
  EXPECT_EQ(reader.le24(), 0x0f0e0dU);
  EXPECT_EQ(reader.le32(), 0x13121110U);
  EXPECT_EQ(reader.position(), bytes.size());
  EXPECT_TRUE(reader.ok());
}

TEST(PrefixReader, KeepsWhatSettledIt) {
  const std::string bytes = "abc";
  const ExactBytes exact(bytes);
  PrefixReader missing(exact);
  missing.skip(4);
  missing.literal("x");
  missing.require(false);
  EXPECT_EQ(missing.fit(), Fit::More);
  EXPECT_EQ(missing.u8(), 0U);
  PrefixReader wrong(exact);
  wrong.literal("b");
  wrong.skip(9);
  EXPECT_EQ(wrong.fit(), Fit::No);
}

TEST(PrefixReader, ReadsBerLengthsOfBothForms) {
  const auto read = [](PrefixReader& reader) {
    const uint32_t length = reader.ber_length(5, 300);
    EXPECT_EQ(length, reader.ok() ? 200U : 0U);
  };
  EXPECT_EQ(fits(hex("81c8"), read), "MMY");
  EXPECT_EQ(fits(hex("84000000c8"), read), "MMMMMY");
  EXPECT_EQ(fits(hex("80"), read), "MN");  // indefinite
  EXPECT_EQ(fits(hex("85"), read), "MN");
  EXPECT_EQ(fits(hex("04"), read), "MN");
  EXPECT_EQ(fits(hex("82ff"), read), "MMN");
}

TEST(PrefixReader, ChoosesAmongTexts) {
  static constexpr std::string_view kTexts[] = {"220 ", "220-", "421 "};
  const auto read = [](PrefixReader& reader) { reader.choice(kTexts); };
  EXPECT_EQ(fits("220-", read), "MMMMY");
  EXPECT_EQ(fits("2219", read), "MMMNN");
}

TEST(PrefixReader, TakesWordsWholeAndInAnyCase) {
  static constexpr std::string_view kWords[] = {"GET", "GETS"};
  const auto read = [](PrefixReader& reader) { reader.word(kWords); };
  EXPECT_EQ(fits("gets ", read), "MMMMMY");
  EXPECT_EQ(fits("get\r", read), "MMMMY");
  EXPECT_EQ(fits("getx", read), "MMMMN");
  EXPECT_EQ(fits("ge ", read), "MMMN");
}

TEST(PrefixReader, EndsLinesAtCrLfOrLf) {
  const auto read = [](PrefixReader& reader) { reader.line(4); };
  EXPECT_EQ(fits("ab\r\n", read), "MMMMY");
  EXPECT_EQ(fits("ab\n", read), "MMMY");
  EXPECT_EQ(fits("ab\rc", read), "MMMMN");
  EXPECT_EQ(fits(bytes_of("ab\0"), read), "MMMN");
  EXPECT_EQ(fits("abcd\n", read), "MMMMMY");
  EXPECT_EQ(fits("abcde", read), "MMMMMN");
}

TEST(PrefixReader, WantsTheByteAfterANumberInDigits) {
  const auto read = [](PrefixReader& reader) { reader.digits(2); };
  EXPECT_EQ(fits("31.", read), "MMMY");
  EXPECT_EQ(fits("311", read), "MMMN");
  EXPECT_EQ(fits(".", read), "MN");
}

}  // namespace
}  // namespace postern::classify::decoders
