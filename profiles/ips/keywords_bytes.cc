// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "profiles/ips/keyword_readers.h"
#include "profiles/ips/text.h"

namespace postern::profiles::ips {
namespace {

std::string quoted(std::string_view text) { return "'" + valid_utf8(text.substr(0, 60)) + "'"; }

// Most that Suricata reads, too: eight bytes of a number, 23 digits of octal text.
constexpr int64_t kMostBinary = 8, kMostText = 23;

// What all of the four keywords share. Words it does not know are the caller's.
enum class Known : uint8_t { Yes, No };
Result<Known> read_word(ReadNumber& read, std::string_view word) {
  std::string_view value = word;
  const std::string_view key = take_word(value);
  if (key == "relative")
    read.relative = true;
  else if (key == "big" || (key == "endian" && value == "big"))
    read.little = false;
  // DCE/RPC tells its byte order in each PDU; every peer that has been seen sends little endian.
  else if (key == "little" || key == "dce" || (key == "endian" && value == "little"))
    read.little = true;
  else if (key == "string") {
    read.text = true;
    if (value == "hex")
      read.base = 16;
    else if (value == "oct")
      read.base = 8;
    else if (!value.empty() && value != "dec")
      return Error{"found " + quoted(value) + ", expected hex, dec or oct"};
  } else if (key == "hex")
    read.base = 16;
  else if (key == "dec")
    read.base = 10;
  else if (key == "oct")
    read.base = 8;
  else if (key == "bitmask") {
    const auto mask = number<uint32_t>(value.starts_with("0x") ? value.substr(2) : value, 16);
    if (!mask || *mask == 0) return Error{"found bitmask " + quoted(value) + ", expected hexadecimal digits"};
    read.mask = *mask;
  } else
    return Known::No;
  return Known::Yes;
}

Status check(const ReadNumber& read) {
  if (read.count.variable >= 0) return Ok{};
  const int64_t most = read.text ? kMostText : kMostBinary;
  if (read.count.value < 1 || read.count.value > most)
    return Error{"reads " + std::to_string(read.count.value) + " bytes, expected 1 to " +
                 std::to_string(most)};
  return Ok{};
}

Relation relation_of(const ReadNumber& read) {
  return read.relative ? Relation::Relative : Relation::Absolute;
}

std::optional<Compare> compare_of(std::string_view sign) {
  if (sign == "<") return Compare::Less;
  if (sign == "<=") return Compare::LessOrEqual;
  if (sign == ">") return Compare::Greater;
  if (sign == ">=") return Compare::GreaterOrEqual;
  if (sign == "=" || sign == "==") return Compare::Equal;
  if (sign == "&") return Compare::And;
  if (sign == "^") return Compare::Xor;
  return std::nullopt;
}

std::optional<int64_t> keyed_number(std::string_view word, std::string_view key) {
  if (take_word(word) != key) return std::nullopt;
  return number_any_base<int64_t>(word);
}

Error unknown(std::string_view word) { return {"found " + quoted(word) + ", which is no option of it"}; }

}  // namespace

Status read_byte_test(SignatureBuilder& builder, std::string_view value) {
  ByteTest test;
  Result<Number> count = builder.number_or_variable(take_until(value, ','));
  if (!count) return count.error();
  test.read.count = *count;
  std::string_view sign = take_until(value, ',');
  if (sign.starts_with('!')) {
    test.negated = true;
    sign = trimmed(sign.substr(1));
    if (sign.empty()) sign = "=";
  }
  const auto compare = compare_of(sign);
  if (!compare) return Error{"found operator " + quoted(sign) + ", expected < > = <= >= & or ^"};
  test.compare = *compare;
  Result<Number> against = builder.number_or_variable(take_until(value, ','));
  if (!against) return against.error();
  test.value = *against;
  Result<Number> offset = builder.number_or_variable(take_until(value, ','));
  if (!offset) return offset.error();
  test.read.offset = *offset;
  for (const std::string_view word : split(value, ',')) {
    if (word.empty()) continue;
    Result<Known> known = read_word(test.read, word);
    if (!known) return known.error();
    if (*known == Known::No) return unknown(word);
  }
  if (Status good = check(test.read); !good) return good;
  builder.add(test, relation_of(test.read));
  return Ok{};
}

Status read_byte_jump(SignatureBuilder& builder, std::string_view value) {
  ByteJump jump;
  Result<Number> count = builder.number_or_variable(take_until(value, ','));
  if (!count) return count.error();
  jump.read.count = *count;
  Result<Number> offset = builder.number_or_variable(take_until(value, ','));
  if (!offset) return offset.error();
  jump.read.offset = *offset;
  for (const std::string_view word : split(value, ',')) {
    if (word.empty()) continue;
    Result<Known> known = read_word(jump.read, word);
    if (!known) return known.error();
    if (*known == Known::Yes) continue;
    if (word == "align")
      jump.align = true;
    else if (word == "from_beginning")
      jump.from = ByteJump::From::Beginning;
    else if (word == "from_end")
      jump.from = ByteJump::From::End;
    else if (const auto times = keyed_number(word, "multiplier"); times && *times > 0 && *times <= 65535)
      jump.multiplier = *times;
    else if (const auto more = keyed_number(word, "post_offset"); more && *more >= -65535 && *more <= 65535)
      jump.post_offset = *more;
    else
      return unknown(word);
  }
  // byte_jump:0 only moves by post_offset.
  if (jump.read.count.variable < 0 && jump.read.count.value != 0)
    if (Status good = check(jump.read); !good) return good;
  builder.add(jump, relation_of(jump.read));
  return Ok{};
}

Status read_byte_extract(SignatureBuilder& builder, std::string_view value) {
  ByteExtract extract;
  Result<Number> count = builder.number_or_variable(take_until(value, ','));
  if (!count) return count.error();
  extract.read.count = *count;
  Result<Number> offset = builder.number_or_variable(take_until(value, ','));
  if (!offset) return offset.error();
  extract.read.offset = *offset;
  const std::string_view name = take_until(value, ',');
  for (const std::string_view word : split(value, ',')) {
    if (word.empty()) continue;
    Result<Known> known = read_word(extract.read, word);
    if (!known) return known.error();
    if (*known == Known::Yes) continue;
    const auto align = keyed_number(word, "align"), times = keyed_number(word, "multiplier");
    if (align && (*align == 2 || *align == 4))
      extract.align = static_cast<uint8_t>(*align);
    else if (times && *times > 0 && *times <= 65535)
      extract.multiplier = *times;
    else
      return unknown(word);
  }
  if (Status good = check(extract.read); !good) return good;
  Result<int8_t> into = builder.new_variable(name);
  if (!into) return into.error();
  extract.into = *into;
  builder.add(extract, relation_of(extract.read));
  return Ok{};
}

Status read_byte_math(SignatureBuilder& builder, std::string_view value) {
  using Operator = ByteMath::Operator;
  static constexpr std::pair<std::string_view, Operator> kOperators[] = {
      {"+", Operator::Add},    {"-", Operator::Subtract},   {"*", Operator::Multiply},
      {"/", Operator::Divide}, {"<<", Operator::ShiftLeft}, {">>", Operator::ShiftRight}};
  ByteMath math;
  std::string_view result;
  bool count = false, offset = false, sign = false, right = false;
  for (const std::string_view word : split(value, ',')) {
    std::string_view rest = word;
    const std::string_view key = take_word(rest);
    if (key == "bytes" || key == "offset" || key == "rvalue") {
      Result<Number> read = builder.number_or_variable(rest);
      if (!read) return read.error();
      if (key == "bytes") math.read.count = *read, count = true;
      if (key == "offset") math.read.offset = *read, offset = true;
      if (key == "rvalue") math.right = *read, right = true;
    } else if (key == "oper") {
      const auto found = std::find_if(std::begin(kOperators), std::end(kOperators),
                                      [&](const auto& row) { return row.first == rest; });
      if (found == std::end(kOperators))
        return Error{"found operator " + quoted(rest) + ", expected + - * / << >>"};
      math.with = found->second;
      sign = true;
    } else if (key == "result") {
      result = rest;
    } else {
      Result<Known> known = read_word(math.read, word);
      if (!known) return known.error();
      if (*known == Known::No) return unknown(word);
    }
  }
  if (!count || !offset || !sign || !right || result.empty())
    return Error{"expected bytes, offset, oper, rvalue and result"};
  if (math.with == Operator::Divide && math.right.variable < 0 && math.right.value == 0)
    return Error{"divides by zero"};
  if (Status good = check(math.read); !good) return good;
  Result<int8_t> into = builder.new_variable(result);
  if (!into) return into.error();
  math.into = *into;
  builder.add(math, relation_of(math.read));
  return Ok{};
}

Status read_base64_decode(SignatureBuilder& builder, std::string_view value) {
  if (builder.in_base64()) return Error{"cannot decode what is decoded already"};
  auto base64 = std::make_shared<Base64>();
  for (std::string_view word : split(value, ',')) {
    const std::string_view whole = word, key = take_word(word);
    const auto read = number<uint32_t>(word);
    if (key == "relative")
      base64->relative = true;
    else if (key == "bytes" && read && *read > 0)
      base64->bytes = *read;
    else if (key == "offset" && read && *read <= 65535)
      base64->offset = *read;
    else if (!key.empty())
      return unknown(whole);
  }
  const Relation relation = base64->relative ? Relation::Relative : Relation::Absolute;
  builder.add(std::shared_ptr<const Base64>(std::move(base64)), relation);
  return Ok{};
}

Status read_base64_data(SignatureBuilder& builder, std::string_view) { return builder.open_base64_data(); }

}  // namespace postern::profiles::ips
