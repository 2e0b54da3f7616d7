// SPDX-License-Identifier: Apache-2.0
// Response policy zones as BIND, Unbound and Knot read them (draft-vixie-dnsop-dns-rpz): the owner says what
// triggers, the records say what happens.
#include <map>
#include <optional>
#include <string>

#include "base/ascii.h"
#include "profiles/dns/list_files.h"
#include "profiles/dns/zone_text.h"

namespace postern::profiles::dns {
namespace {

constexpr size_t kLongestString = 255;  // of a TXT record
constexpr std::string_view kPassThru("\014rpz-passthru", 13), kDrop("\010rpz-drop", 9),
    kTcpOnly("\014rpz-tcp-only", 13);

struct Target {
  Trigger trigger = Trigger::Name;
  Name name;  // of Name and ServerName
  Reach reach = Reach::Exact;
  Prefix prefix;  // of the others
};

std::string_view text_of(Bytes label) noexcept { return as_text(label); }

std::optional<unsigned> number_of(std::string_view text, unsigned most) noexcept {
  unsigned value = 0;
  if (text.empty() || text.size() > 3) return std::nullopt;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value <= most ? std::optional(value) : std::nullopt;
}

// "24.0.2.0.192": bits, then the address from its end; of IPv6 words in hexadecimal, zz for "::".
std::optional<Prefix> prefix_of(const Name& name, size_t labels) {
  if (labels < 2) return std::nullopt;
  const std::optional<unsigned> bits = number_of(text_of(name.label(0)), 128);
  if (!bits) return std::nullopt;
  std::string address;
  bool is_v4 = labels == 5;
  for (size_t i = 1; i < labels; ++i) is_v4 = is_v4 && text_of(name.label(i)) != "zz";
  for (size_t i = labels; i-- > 1;) {
    const std::string_view word = text_of(name.label(i));
    if (word == "zz") {
      // Beside a word one colon is there already or comes next.
      address += address.empty() ? "::" : ":";
      continue;
    }
    address += word;
    if (i > 1) address += is_v4 ? '.' : ':';
  }
  return Prefix::parse(address + "/" + std::to_string(*bits));
}

class ZoneReader {
 public:
  ZoneReader(const ListSource& source, DomainPolicyBuilder& builder)
      : source_(source), zone_(source.text, source.file), builder_(builder) {}

  Status read() {
    while (true) {
      const Result<bool> more = zone_.next();
      if (!more) return more.error();
      if (!*more) return add_local_data();
      if (const Status done = record(); !done) return done;
    }
  }

 private:
  // Records of one owner that are its answer.
  struct Local {
    Target target;
    std::vector<LocalRecord> records;
    uint32_t line;
  };

  Status record() {
    const std::string_view type = zone_.type();
    if (equals_ignoring_case(type, "SOA")) {
      apex_ = zone_.owner();
      return Ok{};
    }
    if (zone_.owner() == apex_ && equals_ignoring_case(type, "NS")) return Ok{};
    const Result<Target> target = target_of(zone_.owner());
    if (!target) return target.error();
    if (!equals_ignoring_case(type, "CNAME")) return local_record(*target);
    if (zone_.data().size() != 1) return zone_.wrong("found a CNAME without exactly one name, expected one");
    const Result<Name> name = zone_.name_of(zone_.data()[0]);
    if (!name) return name.error();
    if (const std::optional<ListAction> action = action_of(*name)) return add(*target, {*action, {}});
    return remember(*target, cname(*name));
  }

  std::optional<ListAction> action_of(const Name& cname) const {
    if (cname.is_root()) return ListAction::NxDomain;
    if (cname.labels() == 1 && text_of(cname.label(0)) == "*") return ListAction::NoData;
    // A name that stands for itself was the old way to say it.
    const std::string_view wire = as_text(cname.wire()).substr(0, cname.wire().size() - 1);
    if (wire == kPassThru || cname == bare(zone_.owner())) return ListAction::Pass;
    if (wire == kDrop) return ListAction::Drop;
    if (wire == kTcpOnly) return ListAction::TcpOnly;
    return std::nullopt;
  }

  LocalRecord cname(const Name& name) const {
    const bool below = text_of(name.label(0)) == "*";
    const Name target = below ? name.parent(1) : name;
    return {kTypeCname, zone_.ttl(), std::string(as_text(target.wire())), below};
  }

  // The owner without the zone's own name.
  Name bare(const Name& owner) const {
    if (apex_.is_root() || !owner.ends_with(apex_)) return owner;
    Name out;
    for (size_t i = 0; i + apex_.labels() < owner.labels(); ++i) out.append(owner.label(i));
    return out;
  }

  Result<Target> target_of(const Name& owner) const {
    if (!owner.ends_with(apex_))
      return zone_.wrong("found " + owner.text() + ", expected a name in the zone " + apex_.text());
    const Name name = bare(owner);
    if (name.is_root())
      return zone_.wrong("found a record of the zone itself, expected only SOA and NS there");
    const std::string_view last = text_of(name.label(name.labels() - 1));
    if (last == "rpz-ip") return address_target(name, Trigger::Address);
    if (last == "rpz-client-ip") return address_target(name, Trigger::ClientAddress);
    if (last == "rpz-nsip") return address_target(name, Trigger::ServerAddress);
    if (last == "rpz-nsdname") {
      Name server;
      for (size_t i = 0; i + 1 < name.labels(); ++i) server.append(name.label(i));
      if (server.is_root()) return zone_.wrong("found rpz-nsdname alone, expected a server's name before it");
      return name_target(server, Trigger::ServerName);
    }
    if (last.starts_with("rpz-"))
      return zone_.wrong("found " + std::string(last) +
                         ", expected rpz-ip, rpz-client-ip, rpz-nsip or rpz-nsdname");
    return name_target(name, Trigger::Name);
  }

  static Target name_target(const Name& name, Trigger trigger) {
    if (text_of(name.label(0)) == "*") return {trigger, name.parent(1), Reach::Below, {}};
    return {trigger, name, Reach::Exact, {}};
  }

  Result<Target> address_target(const Name& name, Trigger trigger) const {
    const std::optional<Prefix> prefix = prefix_of(name, name.labels() - 1);
    if (!prefix)
      return zone_.wrong(
          "found " + name.text() +
          ", expected like 24.0.2.0.192.rpz-ip: bits, then the address from its end, its other bits zero");
    return Target{trigger, {}, Reach::Exact, *prefix};
  }

  Status local_record(const Target& target) {
    const std::string_view type = zone_.type();
    if (equals_ignoring_case(type, "TXT")) {
      std::string data;
      for (const std::string_view word : zone_.data()) {
        const Result<std::string> text = string_of(word);
        if (!text) return text.error();
        data += static_cast<char>(text->size());
        data += *text;
      }
      if (data.empty() || data.size() > 0xffff)
        return zone_.wrong("found a TXT without text or with too much, expected one to 65535 bytes");
      return remember(target, {kTypeTxt, zone_.ttl(), std::move(data)});
    }
    const bool is_a = equals_ignoring_case(type, "A");
    if (!is_a && !equals_ignoring_case(type, "AAAA"))
      return zone_.wrong("found type " + std::string(type.substr(0, 16)) +
                         ", expected CNAME, A, AAAA or TXT");
    const std::optional<IpAddress> address =
        zone_.data().size() == 1 ? IpAddress::parse(zone_.data()[0]) : std::nullopt;
    if (!address || address->is_v4() != is_a)
      return zone_.wrong(std::string("found no address, expected an ") + (is_a ? "IPv4" : "IPv6") +
                         " address");
    const std::string_view bytes = as_text(Bytes(address->bytes));
    return remember(target,
                    {is_a ? kTypeA : kTypeAaaa, zone_.ttl(), std::string(is_a ? bytes.substr(12) : bytes)});
  }

  Result<std::string> string_of(std::string_view word) const {
    std::string out;
    for (size_t i = 0; i < word.size(); ++i) {
      if (word[i] != '\\') {
        out += word[i];
      } else if (const std::optional<unsigned> value = number_of(word.substr(i + 1, 3), 255);
                 value && i + 3 < word.size()) {
        out += static_cast<char>(*value);
        i += 3;
      } else if (++i < word.size()) {
        out += word[i];
      }
    }
    if (out.size() > kLongestString)
      return zone_.wrong("found a string of more than 255 bytes, expected at most that");
    return out;
  }

  Status remember(const Target& target, LocalRecord record) {
    Local& local =
        local_.try_emplace(std::string(as_text(zone_.owner().wire())), Local{target, {}, zone_.line()})
            .first->second;
    if (!local.records.empty() && (record.type == kTypeCname || local.records[0].type == kTypeCname))
      return zone_.wrong("found a CNAME beside other records, expected it alone");
    local.records.push_back(std::move(record));
    return Ok{};
  }

  Status add_local_data() {
    for (auto& [owner, local] : local_)
      if (const Status added = add(local.target, {ListAction::Local, std::move(local.records)}, local.line);
          !added)
        return added;
    return Ok{};
  }

  Status add(const Target& target, ListRule rule) { return add(target, std::move(rule), zone_.line()); }

  Status add(const Target& target, ListRule rule, uint32_t line) {
    if (source_.action && rule.action != ListAction::Pass) rule = {*source_.action, {}};
    const RuleRef ref = builder_.rule_of(std::move(rule));
    if (target.trigger == Trigger::Name || target.trigger == Trigger::ServerName)
      return builder_.add_name(target.trigger, target.name, target.reach, ref, line);
    builder_.add_prefix(target.trigger, target.prefix, ref);
    return Ok{};
  }

  const ListSource& source_;
  ZoneText zone_;
  DomainPolicyBuilder& builder_;
  Name apex_;
  std::map<std::string, Local> local_;
};

}  // namespace

Status read_policy_zone(const ListSource& source, DomainPolicyBuilder& builder) {
  return ZoneReader(source, builder).read();
}

}  // namespace postern::profiles::dns
