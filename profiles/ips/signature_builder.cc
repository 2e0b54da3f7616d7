// SPDX-License-Identifier: Apache-2.0
#include "profiles/ips/signature_builder.h"

#include <algorithm>

#include "base/ascii.h"
#include "profiles/ips/text.h"

namespace postern::profiles::ips {
namespace {

std::string quoted(std::string_view text) { return "'" + valid_utf8(text.substr(0, 60)) + "'"; }

std::optional<Action> action_of(std::string_view word) {
  if (word == "alert") return Action::Alert;
  if (word == "drop") return Action::Drop;
  if (word == "reject" || word == "rejectsrc" || word == "rejectdst" || word == "rejectboth")
    return Action::Reject;
  if (word == "pass") return Action::Pass;
  return std::nullopt;
}

// Whose bytes both can come from.
std::optional<Direction> only_sender(Senders senders) {
  if (senders == Senders::Client) return Direction::ToServer;
  if (senders == Senders::Server) return Direction::ToClient;
  return std::nullopt;
}

bool same_transforms(const std::vector<TransformStep>& a, const std::vector<TransformStep>& b) {
  return std::equal(
      a.begin(), a.end(), b.begin(), b.end(),
      [](const TransformStep& x, const TransformStep& y) { return x.what == y.what && x.key == y.key; });
}

}  // namespace

std::string_view severity_name(Severity severity) {
  static constexpr std::string_view kNames[] = {"informational", "low", "medium", "high", "critical"};
  return kNames[static_cast<size_t>(severity)];
}

bool Range::holds(uint64_t value) const noexcept {
  switch (compare) {
    case Compare::Less:
      return value < low;
    case Compare::LessOrEqual:
      return value <= low;
    case Compare::Greater:
      return value > low;
    case Compare::GreaterOrEqual:
      return value >= low;
    case Compare::Equal:
      return value == low;
    case Compare::NotEqual:
      return value != low;
    case Compare::And:
      return (value & low) != 0;
    case Compare::Xor:
      return (value ^ low) != 0;
    case Compare::Between:
      return value > low && value < high;
  }
  return false;
}

Status SignatureBuilder::header(const RuleText& text) {
  signature_.text = text;
  const auto action = action_of(text.action);
  if (!action) return Error{"found action " + quoted(text.action) + ", expected alert, drop, reject or pass"};
  signature_.action = *action;
  const ProtocolName* protocol = find_protocol(text.protocol);
  if (protocol == nullptr) return Error{"protocol " + quoted(text.protocol) + " is not known"};
  signature_.transports = protocol->transports;
  signature_.app = protocol->app;
  signature_.payload_of = protocol->payload;
  if (protocol->name == "ip4" || protocol->name == "ipv4") signature_.ip_version = 4;
  if (protocol->name == "ip6" || protocol->name == "ipv6") signature_.ip_version = 6;
  if (text.arrow != "->" && text.arrow != "<>")
    return Error{"found " + quoted(text.arrow) + " between source and destination, expected -> or <>"};
  signature_.both_ways = text.arrow == "<>";

  Result<AddressSet> source = parse_addresses(text.source, site_.variables);
  if (!source) return source.error();
  Result<AddressSet> destination = parse_addresses(text.destination, site_.variables);
  if (!destination) return destination.error();
  Result<PortSet> source_ports = parse_ports(text.source_ports, site_.variables);
  if (!source_ports) return source_ports.error();
  Result<PortSet> destination_ports = parse_ports(text.destination_ports, site_.variables);
  if (!destination_ports) return destination_ports.error();
  signature_.source = std::move(*source);
  signature_.destination = std::move(*destination);
  signature_.source_ports = std::move(*source_ports);
  signature_.destination_ports = std::move(*destination_ports);
  return Ok{};
}

void SignatureBuilder::use_buffer(const BufferName& buffer) {
  kind_ = buffer.kind;
  sticky_ = buffer.kind != BufferKind::Packet;
  transforms_.clear();
  open_base64_.reset();
  used_.push_back(&buffer);
}

Status SignatureBuilder::move_content_to(const BufferName& buffer) {
  Result<Content*> content = last_content();
  if (!content) return content.error();
  if (content_.base64 || sticky_) return Error{"moves a content that a sticky buffer holds already"};
  Operation moved = std::move(**content);
  std::vector<Operation>& from = operations(content_);
  from.erase(from.begin() + static_cast<ptrdiff_t>(content_index_));
  used_.push_back(&buffer);
  put({nullptr, part_of(buffer.kind, {})}, std::move(moved));
  return Ok{};
}

void SignatureBuilder::put(const Place& place, Operation operation) {
  std::vector<Operation>& into = operations(place);
  if (std::holds_alternative<Content>(operation)) {
    content_ = place;
    content_index_ = into.size();
    have_content_ = true;
  }
  if (const auto* base64 = std::get_if<std::shared_ptr<const Base64>>(&operation))
    last_base64_ = std::const_pointer_cast<Base64>(*base64);
  into.push_back(std::move(operation));
  last_ = place;
  have_last_ = true;
}

Status SignatureBuilder::transform(TransformStep step) {
  if (!sticky_) return Error{"needs a buffer before it"};
  if (transforms_.size() == 8) return Error{"more than 8 transforms"};
  transforms_.push_back(std::move(step));
  return Ok{};
}

Status SignatureBuilder::open_base64_data() {
  if (!last_base64_) return Error{"needs base64_decode before it"};
  open_base64_ = last_base64_;
  return Ok{};
}

// A relative operation of the old form belongs to the buffer its predecessor was moved to.
void SignatureBuilder::add(Operation operation, Relation relation) {
  Place place;
  if (open_base64_)
    place.base64 = open_base64_;
  else if (!sticky_ && relation == Relation::Relative && have_last_)
    place = last_;
  else
    place.part = part_of(kind_, transforms_);
  put(place, std::move(operation));
}

void SignatureBuilder::add_to(BufferKind kind, Operation operation) {
  put({nullptr, part_of(kind, {})}, std::move(operation));
}

Status SignatureBuilder::add_to_named(const BufferName& buffer, Operation operation) {
  used_.push_back(&buffer);
  add_to(buffer.kind, std::move(operation));
  return Ok{};
}

Result<Content*> SignatureBuilder::last_content() {
  if (have_content_) return std::get_if<Content>(&operations(content_)[content_index_]);
  return Error{"needs a content before it"};
}

Result<Number> SignatureBuilder::number_or_variable(std::string_view text) const {
  if (const auto value = number_any_base<int64_t>(text)) {
    if (*value > 0xffffffffll || *value < -0xffffffffll) return Error{quoted(text) + " is out of range"};
    return Number{*value};
  }
  if (const auto known = variables_.find(text); known != variables_.end()) return Number{0, known->second};
  return Error{"found " + quoted(text) + ", expected a number or a name that byte_extract or byte_math gave"};
}

Result<int8_t> SignatureBuilder::new_variable(std::string_view name) {
  if (name.empty()) return Error{"expected a name for the result"};
  if (const auto known = variables_.find(name); known != variables_.end()) return known->second;
  if (variables_.size() == kMostVariables)
    return Error{"more than " + std::to_string(kMostVariables) + " variables"};
  const int8_t variable = static_cast<int8_t>(variables_.size());
  variables_.emplace(name, variable);
  return variable;
}

std::vector<Operation>& SignatureBuilder::operations(const Place& place) {
  return place.base64 ? place.base64->inside : signature_.parts[place.part].operations;
}

size_t SignatureBuilder::part_of(BufferKind kind, const std::vector<TransformStep>& transforms) {
  for (size_t i = 0; i < signature_.parts.size(); ++i)
    if (signature_.parts[i].kind == kind && same_transforms(signature_.parts[i].transforms, transforms))
      return i;
  signature_.parts.push_back({kind, transforms, {}});
  return signature_.parts.size() - 1;
}

// A buffer of requests makes the rule one of requests, and of its protocol.
Status SignatureBuilder::imply(const BufferName& buffer) {
  if (const auto sender = only_sender(buffer.senders)) {
    if (signature_.sender && *signature_.sender != *sender)
      return Error{"buffer " + std::string(buffer.name) + " is of the other direction than the rule's"};
    signature_.sender = sender;
  }
  if (buffer.app.empty()) return Ok{};
  const App app = find_protocol(buffer.app)->app;
  if (signature_.app == App::Any)
    signature_.app = app;
  else if (!carries(app, signature_.app) && !(app == App::Tls && signature_.app == App::Quic))
    return Error{"buffer " + std::string(buffer.name) + " is not of the rule's protocol"};
  return Ok{};
}

Status SignatureBuilder::finish_content(const Content& content) const {
  const int64_t length = static_cast<int64_t>(content.bytes.size());
  if (content.depth && content.depth->variable < 0 && content.depth->value < length)
    return Error{"depth " + std::to_string(content.depth->value) + " is less than the content's " +
                 std::to_string(length) + " bytes"};
  if (content.within && content.within->variable < 0 && content.within->value < length)
    return Error{"within " + std::to_string(content.within->value) + " is less than the content's " +
                 std::to_string(length) + " bytes"};
  if (content.fast && content.negated) return Error{"fast_pattern on a negated content"};
  return Ok{};
}

Status SignatureBuilder::finish_part(const Part& part) {
  for (const Operation& operation : part.operations)
    if (const auto* content = std::get_if<Content>(&operation))
      if (Status good = finish_content(*content); !good) return good;
  return Ok{};
}

std::string SignatureBuilder::severity_of_metadata() const {
  for (const auto& [key, value] : signature_.metadata)
    if (key == "signature_severity") return value;
  return {};
}

Status SignatureBuilder::finish() {
  if (signature_.sid == 0) return Error{"the rule has no sid"};
  for (const BufferName* buffer : used_)
    if (Status good = imply(*buffer); !good) return good;
  std::erase_if(signature_.parts, [](const Part& part) { return part.operations.empty(); });
  for (const Part& part : signature_.parts)
    if (Status good = finish_part(part); !good) return good;
  // Of the writer of the rule: Critical is what priority alone cannot say.
  static constexpr Severity kByPriority[] = {Severity::High, Severity::High, Severity::Medium, Severity::Low};
  signature_.severity = signature_.priority < 4 ? kByPriority[signature_.priority] : Severity::Informational;
  if (signature_.severity == Severity::High && equals_ignoring_case(severity_of_metadata(), "critical"))
    signature_.severity = Severity::Critical;
  return Ok{};
}

}  // namespace postern::profiles::ips
