// SPDX-License-Identifier: Apache-2.0
#include "profiles/ips/variables.h"

#include <optional>

#include "profiles/ips/text.h"

namespace postern::profiles::ips {
namespace {

constexpr int kDeepest = 16;  // of lists and variables in each other; a variable that names itself ends here
constexpr size_t kMostItems = 200'000;  // of one header, so that variables that double each other end

std::string quoted(std::string_view text) { return "'" + std::string(text.substr(0, 80)) + "'"; }

IpAddress last_of(const Prefix& prefix) {
  IpAddress last = prefix.address;
  for (unsigned bit = prefix.length; bit < 128; ++bit)
    last.bytes[bit / 8] |= static_cast<uint8_t>(0x80 >> bit % 8);
  return last;
}

// Host bits may be set, as in 10.0.0.1/8: rule writers do that and Suricata takes it.
std::optional<Prefix> prefix_of(std::string_view text) {
  const size_t slash = text.find('/');
  const std::optional<IpAddress> address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const unsigned most = address->is_v4() ? 32 : 128;
  const std::optional<unsigned> length =
      slash == text.npos ? std::optional(most) : number<unsigned>(text.substr(slash + 1));
  if (!length || *length > most) return std::nullopt;
  Prefix prefix{*address, static_cast<uint8_t>(*length + 128 - most)};
  for (unsigned bit = prefix.length; bit < 128; ++bit)
    prefix.address.bytes[bit / 8] &= static_cast<uint8_t>(~(0x80 >> bit % 8));
  return prefix;
}

struct Addresses {
  using Set = AddressSet;
  static constexpr std::string_view kExpected = "an address, a prefix, a range or a list of them";
  static const Set& every() { return every_address(); }
  static std::optional<Set> item(std::string_view text) {
    const size_t dash = text.find('-');
    if (dash != text.npos) {
      const auto first = IpAddress::parse(trimmed(text.substr(0, dash)));
      const auto last = IpAddress::parse(trimmed(text.substr(dash + 1)));
      if (!first || !last || *last < *first) return std::nullopt;
      return Set({{*first, *last}});
    }
    const std::optional<Prefix> prefix = prefix_of(text);
    if (!prefix) return std::nullopt;
    return Set({{prefix->address, last_of(*prefix)}});
  }
};

struct Ports {
  using Set = PortSet;
  static constexpr std::string_view kExpected = "a port, a range as 1024:2048 or a list of them";
  static const Set& every() { return every_port(); }
  static std::optional<Set> item(std::string_view text) {
    const size_t colon = text.find(':');
    const std::string_view low = trimmed(text.substr(0, colon));
    const std::string_view high = colon == text.npos ? low : trimmed(text.substr(colon + 1));
    const auto first = low.empty() && colon != text.npos ? std::optional<uint16_t>(0) : number<uint16_t>(low);
    const auto last =
        high.empty() && colon != text.npos ? std::optional<uint16_t>(0xffff) : number<uint16_t>(high);
    if (!first || !last || *last < *first) return std::nullopt;
    return Set({{*first, *last}});
  }
};

template <typename What>
class ListParser {
 public:
  using Set = typename What::Set;
  explicit ListParser(const Variables& variables) : variables_(variables) {}

  Result<Set> parse(std::string_view text, int depth) {
    text = trimmed(text);
    if (depth > kDeepest)
      return Error{"lists and variables are nested deeper than " + std::to_string(kDeepest)};
    if (++items_ > kMostItems) return Error{"a list has more than " + std::to_string(kMostItems) + " items"};
    if (text.empty()) return expected(text);
    if (text.front() == '!') return negated(text.substr(1), depth);
    if (text.front() == '$') return variable(text.substr(1), depth);
    if (text.front() == '[') return list(text, depth);
    if (text == "any") return What::every();
    std::optional<Set> item = What::item(text);
    if (!item) return expected(text);
    return std::move(*item);
  }

 private:
  Error expected(std::string_view text) const {
    return {"found " + quoted(text) + ", expected " + std::string(What::kExpected)};
  }

  Result<Set> negated(std::string_view text, int depth) {
    Result<Set> inner = parse(text, depth + 1);
    if (!inner) return inner;
    return What::every().without(*inner);
  }

  Result<Set> variable(std::string_view name, int depth) {
    const auto found = variables_.find(name);
    if (found == variables_.end())
      return Error{"variable $" + std::string(name.substr(0, 80)) + " is not defined"};
    return parse(found->second, depth + 1);
  }

  // What is listed plain, less what is listed with '!'; exceptions alone are taken from everything.
  Result<Set> list(std::string_view text, int depth) {
    if (text.back() != ']') return Error{"list " + quoted(text) + " does not end with ']'"};
    text = text.substr(1, text.size() - 2);
    std::vector<typename Set::Interval> plain, excepted;
    bool some_plain = false;
    while (true) {
      const size_t end = end_of_item(text);
      std::string_view item = trimmed(text.substr(0, end));
      const bool is_exception = item.starts_with('!');
      if (is_exception) item.remove_prefix(1);
      Result<Set> set = parse(item, depth + 1);
      if (!set) return set;
      some_plain |= !is_exception;
      std::vector<typename Set::Interval>& into = is_exception ? excepted : plain;
      into.insert(into.end(), set->intervals().begin(), set->intervals().end());
      if (end == text.npos) break;
      text.remove_prefix(end + 1);
    }
    const Set all = some_plain ? Set(std::move(plain)) : What::every();
    return all.without(Set(std::move(excepted)));
  }

  static size_t end_of_item(std::string_view text) {
    int depth = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      depth += text[i] == '[' ? 1 : text[i] == ']' ? -1 : 0;
      if (text[i] == ',' && depth == 0) return i;
    }
    return text.npos;
  }

  const Variables& variables_;
  size_t items_ = 0;
};

template <typename What>
Result<typename What::Set> parse_list(std::string_view text, const Variables& variables) {
  Result<typename What::Set> set = ListParser<What>(variables).parse(text, 0);
  if (set && set->empty()) return Error{quoted(text) + " leaves nothing to match"};
  return set;
}

}  // namespace

const AddressSet& every_address() {
  static const AddressSet every = [] {
    IpAddress last;
    last.bytes.fill(0xff);
    return AddressSet({{IpAddress(), last}});
  }();
  return every;
}

const PortSet& every_port() {
  static const PortSet every({{0u, 0xffffu}});
  return every;
}

Variables usual_variables() {
  return {
      {"HOME_NET", "any"},
      {"EXTERNAL_NET", "any"},
      {"HTTP_SERVERS", "$HOME_NET"},
      {"SMTP_SERVERS", "$HOME_NET"},
      {"SQL_SERVERS", "$HOME_NET"},
      {"DNS_SERVERS", "$HOME_NET"},
      {"TELNET_SERVERS", "$HOME_NET"},
      {"SSH_SERVERS", "$HOME_NET"},
      {"FTP_SERVERS", "$HOME_NET"},
      {"SIP_SERVERS", "$HOME_NET"},
      {"SNMP_SERVERS", "$HOME_NET"},
      {"AIM_SERVERS", "$EXTERNAL_NET"},
      {"DC_SERVERS", "$HOME_NET"},
      {"DNP3_SERVER", "$HOME_NET"},
      {"DNP3_CLIENT", "$HOME_NET"},
      {"MODBUS_SERVER", "$HOME_NET"},
      {"MODBUS_CLIENT", "$HOME_NET"},
      {"ENIP_SERVER", "$HOME_NET"},
      {"ENIP_CLIENT", "$HOME_NET"},
      {"HTTP_PORTS", "[80,81,8000,8008,8080,8088,8888,5988,16992]"},
      {"FILE_DATA_PORTS", "[$HTTP_PORTS,110,143]"},
      {"SHELLCODE_PORTS", "!80"},
      {"ORACLE_PORTS", "any"},
      {"SSH_PORTS", "22"},
      {"SIP_PORTS", "[5060,5061,5600]"},
      {"FTP_PORTS", "21"},
      {"GTP_PORTS", "[2123,2152,3386]"},
      {"DNP3_PORTS", "20000"},
      {"MODBUS_PORTS", "502"},
      {"VXLAN_PORTS", "4789"},
      {"GENEVE_PORTS", "6081"},
      {"TEREDO_PORTS", "3544"},
  };
}

Result<AddressSet> parse_addresses(std::string_view text, const Variables& variables) {
  return parse_list<Addresses>(text, variables);
}
Result<PortSet> parse_ports(std::string_view text, const Variables& variables) {
  return parse_list<Ports>(text, variables);
}

}  // namespace postern::profiles::ips
