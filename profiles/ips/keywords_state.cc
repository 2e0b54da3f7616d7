// SPDX-License-Identifier: Apache-2.0
#include "profiles/ips/keyword_readers.h"
#include "profiles/ips/text.h"

namespace postern::profiles::ips {
namespace {

std::string quoted(std::string_view text) { return "'" + valid_utf8(text.substr(0, 60)) + "'"; }

std::optional<FlowBit::Do> bit_word(std::string_view word) {
  if (word == "set") return FlowBit::Do::Set;
  if (word == "unset") return FlowBit::Do::Unset;
  if (word == "toggle") return FlowBit::Do::Toggle;
  if (word == "isset") return FlowBit::Do::IsSet;
  if (word == "isnotset") return FlowBit::Do::IsNotSet;
  return std::nullopt;
}

std::optional<Track> track_of(std::string_view word) {
  if (word == "by_src" || word == "ip_src" || word == "src") return Track::Source;
  if (word == "by_dst" || word == "ip_dst" || word == "dst") return Track::Destination;
  if (word == "by_both" || word == "ip_pair" || word == "both") return Track::Pair;
  if (word == "by_rule") return Track::Rule;
  if (word == "by_flow") return Track::Flow;
  return std::nullopt;
}

Result<uint32_t> numbered(Names& names, std::string_view name) {
  if (name.empty()) return Error{"expected a name"};
  const auto number = names.number_of(name);
  if (!number) return Error{"there are too many names for " + quoted(name)};
  return *number;
}

Status read_bit_of_hosts(SignatureBuilder& builder, std::string_view value, std::optional<Track> track) {
  XBit bit;
  const auto what = bit_word(take_until(value, ','));
  if (!what) return Error{"expected set, unset, toggle, isset or isnotset"};
  bit.what = *what;
  Result<uint32_t> number = numbered(builder.names().xbits, take_until(value, ','));
  if (!number) return number.error();
  bit.bit = *number;
  for (std::string_view option : split(value, ',')) {
    const std::string_view whole = option, key = take_word(option);
    if (key.empty()) continue;
    const auto seconds = number_any_base<uint32_t>(option);
    if (key == "track")
      track = track_of(option);
    else if (key == "expire" && seconds)
      bit.seconds = *seconds;
    else if (const auto side = track_of(key); side && option.empty())
      track = side;
    else
      return Error{"found " + quoted(whole) + ", expected track and expire"};
  }
  if (!track || *track == Track::Rule || *track == Track::Flow)
    return Error{"expected track ip_src, ip_dst or ip_pair"};
  bit.track = *track;
  builder.signature().xbits.push_back(bit);
  return Ok{};
}

Result<Rate> parse_rate(std::string_view value) {
  Rate rate;
  bool kind = false, track = false, count = false, seconds = false;
  for (std::string_view option : split(value, ',')) {
    const std::string_view whole = option, key = take_word(option);
    const auto read = number<uint32_t>(option);
    if (key == "type") {
      kind = true;
      if (option == "limit")
        rate.kind = Rate::Kind::Limit;
      else if (option == "threshold")
        rate.kind = Rate::Kind::Threshold;
      else if (option == "both")
        rate.kind = Rate::Kind::Both;
      else
        return Error{"found type " + quoted(option) + ", expected limit, threshold or both"};
    } else if (key == "track") {
      const auto by = track_of(option);
      if (!by)
        return Error{"found track " + quoted(option) +
                     ", expected by_src, by_dst, by_both, by_rule or by_flow"};
      rate.track = *by;
      track = true;
    } else if (key == "count" && read && *read > 0)
      rate.count = *read, count = true;
    else if (key == "seconds" && read && *read > 0)
      rate.seconds = *read, seconds = true;
    else if (!key.empty())
      return Error{"found " + quoted(whole) + ", which is no option of it"};
  }
  if (!track || !count || !seconds) return Error{"expected track, count and seconds"};
  if (!kind) rate.kind = Rate::Kind::Detection;
  return rate;
}

}  // namespace

Status read_flowbits(SignatureBuilder& builder, std::string_view value) {
  const std::string_view word = take_until(value, ',');
  if (word == "noalert") {
    builder.signature().no_alert = true;
    return Ok{};
  }
  FlowBit bit;
  const auto what = bit_word(word);
  if (!what)
    return Error{"found " + quoted(word) + ", expected set, unset, toggle, isset, isnotset or noalert"};
  bit.what = *what;
  for (const std::string_view name : split(value, '|')) {
    Result<uint32_t> number = numbered(builder.names().flowbits, name);
    if (!number) return number.error();
    bit.bits.push_back(*number);
  }
  if (bit.bits.size() > 1 && bit.what != FlowBit::Do::IsSet && bit.what != FlowBit::Do::IsNotSet)
    return Error{"names several bits, which only isset and isnotset may"};
  builder.signature().flowbits.push_back(std::move(bit));
  return Ok{};
}

Status read_xbits(SignatureBuilder& builder, std::string_view value) {
  if (trimmed(value) == "noalert") {
    builder.signature().no_alert = true;
    return Ok{};
  }
  return read_bit_of_hosts(builder, value, std::nullopt);
}
Status read_hostbits(SignatureBuilder& builder, std::string_view value) {
  return read_bit_of_hosts(builder, value, Track::Source);
}

Status read_flowint(SignatureBuilder& builder, std::string_view value) {
  FlowInt flowint;
  Result<uint32_t> name = numbered(builder.names().flowints, take_until(value, ','));
  if (!name) return name.error();
  flowint.variable = *name;
  const std::string_view word = take_until(value, ',');
  using Do = FlowInt::Do;
  struct Row {
    std::string_view word;
    Do what;
    Compare compare;
  };
  static constexpr Row kRows[] = {{"=", Do::Set, {}},
                                  {"+", Do::Add, {}},
                                  {"-", Do::Subtract, {}},
                                  {"isset", Do::IsSet, {}},
                                  {"notset", Do::IsNotSet, {}},
                                  {"isnotset", Do::IsNotSet, {}},
                                  {"<", Do::Compare, Compare::Less},
                                  {"<=", Do::Compare, Compare::LessOrEqual},
                                  {">", Do::Compare, Compare::Greater},
                                  {">=", Do::Compare, Compare::GreaterOrEqual},
                                  {"==", Do::Compare, Compare::Equal},
                                  {"!=", Do::Compare, Compare::NotEqual}};
  const Row* found = nullptr;
  for (const Row& row : kRows)
    if (row.word == word) found = &row;
  if (found == nullptr)
    return Error{"found " + quoted(word) + ", expected + - = < <= > >= == != isset or notset"};
  flowint.what = found->what;
  flowint.compare = found->compare;
  if (flowint.what != Do::IsSet && flowint.what != Do::IsNotSet) {
    const auto number = number_any_base<uint32_t>(trimmed(value));
    if (!number) return Error{"found " + quoted(value) + ", expected a number"};
    flowint.value = *number;
  }
  builder.signature().flowints.push_back(flowint);
  return Ok{};
}

Status read_threshold(SignatureBuilder& builder, std::string_view value) {
  Result<Rate> rate = parse_rate(value);
  if (!rate) return rate.error();
  if (rate->kind == Rate::Kind::Detection) return Error{"expected type limit, threshold or both"};
  builder.signature().rates.push_back(*rate);
  return Ok{};
}

Status read_detection_filter(SignatureBuilder& builder, std::string_view value) {
  Result<Rate> rate = parse_rate(value);
  if (!rate) return rate.error();
  if (rate->kind != Rate::Kind::Detection) return Error{"has no type"};
  builder.signature().rates.push_back(*rate);
  return Ok{};
}

}  // namespace postern::profiles::ips
