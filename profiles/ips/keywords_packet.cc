// SPDX-License-Identifier: Apache-2.0
#include "base/ascii.h"
#include "profiles/ips/keyword_readers.h"
#include "profiles/ips/text.h"

namespace postern::profiles::ips {
namespace {

std::string quoted(std::string_view text) { return "'" + valid_utf8(text.substr(0, 60)) + "'"; }

std::optional<Compare> take_sign(std::string_view& text) {
  static constexpr std::pair<std::string_view, Compare> kSigns[] = {
      {"<=", Compare::LessOrEqual}, {">=", Compare::GreaterOrEqual},
      {"!=", Compare::NotEqual},    {"==", Compare::Equal},
      {"<", Compare::Less},         {">", Compare::Greater},
      {"=", Compare::Equal},        {"!", Compare::NotEqual}};
  for (const auto& [sign, compare] : kSigns) {
    if (!text.starts_with(sign)) continue;
    text = trimmed(text.substr(sign.size()));
    return compare;
  }
  return std::nullopt;
}

std::optional<uint8_t> flags_of(std::string_view text) {
  static constexpr std::string_view kLetters = "FSRPAUEC";
  uint8_t flags = 0;
  for (const char c : text) {
    if (c == '0') continue;
    const size_t bit = c == '1' ? 7 : c == '2' ? 6 : kLetters.find(c);
    if (bit == kLetters.npos) return std::nullopt;
    flags |= static_cast<uint8_t>(1u << bit);
  }
  return flags;
}

}  // namespace

Result<Range> parse_range(std::string_view text) {
  const std::string_view whole = text = trimmed(text);
  const Error expected{"found " + quoted(whole) +
                       ", expected a number, or <, >, ! before one, or two around <>"};
  const size_t between = text.find("<>");
  if (between != text.npos) {
    const auto low = number_any_base<uint64_t>(trimmed(text.substr(0, between)));
    const auto high = number_any_base<uint64_t>(trimmed(text.substr(between + 2)));
    if (!low || !high || *low >= *high) return expected;
    return Range{Compare::Between, *low, *high};
  }
  const std::optional<Compare> sign = take_sign(text);
  const auto value = number_any_base<uint64_t>(text);
  if (!value) return expected;
  return Range{sign.value_or(Compare::Equal), *value, 0};
}

Status read_flow(SignatureBuilder& builder, std::string_view value) {
  Signature& signature = builder.signature();
  std::optional<Direction> sender;
  for (const std::string_view word : split(value, ',')) {
    if (word == "established")
      signature.established = Established::Yes;
    else if (word == "not_established")
      signature.established = Established::No;
    else if (word == "to_server" || word == "from_client")
      sender = Direction::ToServer;
    else if (word == "to_client" || word == "from_server")
      sender = Direction::ToClient;
    else if (word == "only_stream")
      signature.payload_of = PayloadOf::Stream;
    else if (word == "no_stream")
      signature.payload_of = PayloadOf::Packet;
    // Every packet has a flow here, and fragments are whole datagrams when rules see them.
    else if (word != "stateless" && word != "no_frag")
      return Error{"found " + quoted(word) + ", which is no word of flow"};
    if (sender && signature.sender && *signature.sender != *sender)
      return Error{"says to_server and to_client at once"};
    if (sender) signature.sender = sender;
  }
  return Ok{};
}

Status read_flags(SignatureBuilder& builder, std::string_view value) {
  TcpFlags test;
  std::string_view wanted = take_until(value, ',');
  static constexpr std::string_view kHow = "+*!";
  for (const bool behind : {false, true}) {  // "+S" and "S+" are both written
    const char c = wanted.empty() ? '\0' : behind ? wanted.back() : wanted.front();
    if (c == '\0' || kHow.find(c) == kHow.npos) continue;
    test.how = c == '+' ? TcpFlags::How::AtLeast : c == '*' ? TcpFlags::How::Any : TcpFlags::How::Not;
    wanted = trimmed(behind ? wanted.substr(0, wanted.size() - 1) : wanted.substr(1));
  }
  const auto flags = flags_of(wanted), ignored = flags_of(trimmed(value));
  if (!flags || wanted.empty() || !ignored)
    return Error{"found " + quoted(wanted) + ", expected letters of FSRPAUEC12 or 0"};
  test.flags = *flags;
  test.ignored = *ignored;
  builder.signature().flags = test;
  return Ok{};
}

Status read_fragbits(SignatureBuilder& builder, std::string_view value) {
  if (value == "D")
    builder.signature().fragment = Fragment::DontFragment;
  else if (value == "!D")
    builder.signature().fragment = Fragment::MayFragment;
  else
    return Error{"found " + quoted(value) + ", expected D or !D: rules see whole datagrams, never fragments"};
  return Ok{};
}

Status read_same_ip(SignatureBuilder& builder, std::string_view) {
  builder.signature().same_ip = true;
  return Ok{};
}

Status read_ip_version(SignatureBuilder& builder, std::string_view value) {
  if (equals_ignoring_case(value, "ipv4"))
    builder.signature().ip_version = 4;
  else if (equals_ignoring_case(value, "ipv6"))
    builder.signature().ip_version = 6;
  else
    return Error{"found " + quoted(value) + ", expected ipv4 or ipv6"};
  return Ok{};
}

Status read_app_layer_protocol(SignatureBuilder& builder, std::string_view value) {
  Signature& signature = builder.signature();
  const bool negated = value.starts_with('!');
  const std::string_view name = trimmed(take_until(value, ','));
  const ProtocolName* protocol = find_protocol(negated ? trimmed(name.substr(1)) : name);
  if (protocol == nullptr || protocol->app == App::Any)
    return Error{"protocol " + quoted(name) + " is not known"};
  if (negated) {
    signature.not_apps.push_back(protocol->app);
    return Ok{};
  }
  if (signature.app != App::Any && signature.app != protocol->app)
    return Error{"names another protocol than the header does"};
  signature.app = protocol->app;
  return Ok{};
}

Status read_stream_size(SignatureBuilder& builder, std::string_view value) {
  const std::string_view side = take_until(value, ','), sign = take_until(value, ',');
  Result<Range> range = parse_range(std::string(sign) + std::string(trimmed(value)));
  if (!range) return range.error();
  std::optional<Field> field;
  if (side == "client") field = Field::ClientStream;
  if (side == "server") field = Field::ServerStream;
  if (side == "both") field = Field::BothStreams;
  if (side == "either") field = Field::EitherStream;
  if (!field) return Error{"found " + quoted(side) + ", expected client, server, both or either"};
  builder.signature().fields.push_back({*field, *range});
  return Ok{};
}

Status read_ip_proto(SignatureBuilder& builder, std::string_view value) {
  static constexpr std::pair<std::string_view, std::string_view> kNumbers[] = {
      {"icmp", "1"}, {"igmp", "2"}, {"ipip", "4"}, {"tcp", "6"},     {"udp", "17"},  {"ipv6", "41"},
      {"gre", "47"}, {"esp", "50"}, {"ah", "51"},  {"icmpv6", "58"}, {"sctp", "132"}};
  const bool negated = value.starts_with('!');
  std::string text(negated ? trimmed(value.substr(1)) : value);
  for (const auto& [name, number] : kNumbers)
    if (equals_ignoring_case(text, name)) text = number;
  return read_field<Field::IpProtocol>(builder, (negated ? "!" : "") + text);
}

}  // namespace postern::profiles::ips
