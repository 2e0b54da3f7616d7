// SPDX-License-Identifier: Apache-2.0
#include "control/signature_reader.h"

#include "classify/application_engine.h"
#include "classify/decoders/decoders.h"
#include "control/transport.h"

namespace postern::control {
namespace {

using classify::Confidence;
using classify::Layer;
using classify::Sender;
using classify::Signature;

constexpr Choice<Layer> kLayers[] = {{"tcp", Layer::Tcp},
                                     {"udp", Layer::Udp},
                                     {"icmp", Layer::Icmp},
                                     {"http", Layer::Http},
                                     {"tls", Layer::Tls}};
constexpr Choice<Sender> kSenders[] = {
    {"client", Sender::Client}, {"server", Sender::Server}, {"either", Sender::Either}};
constexpr Choice<Confidence> kConfidences[] = {
    {"low", Confidence::Low}, {"medium", Confidence::Medium}, {"high", Confidence::High}};

template <typename T, size_t N>
std::string_view name_of(const Choice<T> (&choices)[N], T value) {
  for (const Choice<T>& choice : choices)
    if (choice.value == value) return choice.name;
  return {};
}

uint8_t protocol_of(Layer layer) {
  if (layer == Layer::Icmp) return classify::kIcmp;
  return layer == Layer::Udp ? classify::kUdp : classify::kTcp;
}

std::string known_decoders() {
  std::vector<std::string_view> names;
  for (const classify::decoders::NamedDecoder& decoder : classify::decoders::all())
    names.push_back(decoder.name);
  return expected_one_of(names);
}

}  // namespace

std::string read_decoder(MapReader& map, std::string_view key, Findings& findings) {
  const std::string name = map.text(key).value_or("");
  if (!name.empty() && classify::decoders::find(name) == nullptr)
    findings.error(map.line_of(key),
                   std::string(key) + ": found " + in_quotes(name) + ", expected " + known_decoders());
  return name;
}

namespace {

// What every key by itself cannot tell.
void check(const Signature& signature, MapReader& map, Findings& findings) {
  const std::string called = map.what() + ": ";
  if (signature.pattern.empty() && signature.decoder.empty())
    findings.error(map.line(), called + "neither pattern nor decoder, expected one at least");
  if (!signature.pattern.empty() && signature.layer == Layer::Icmp)
    findings.error(map.line_of("pattern"), called + "a pattern on layer icmp, expected a decoder");
  if (signature.confidence == Confidence::Low && !map.has("ports"))
    findings.error(map.line_of("confidence"),
                   called + "confidence low without ports, expected the ports where it is believed");
}

Signature read_signature(const Node& node, const std::string& app_id, Findings& findings) {
  MapReader map(&node, "signature of " + app_id, findings);
  Signature signature;
  signature.file = findings.file();
  signature.line = map.line();
  if (!map.has("layer"))
    findings.error(map.line(), map.what() + ": no key \"layer\", expected tcp, udp, icmp, http or tls");
  signature.layer = map.choice<Layer>("layer", kLayers, Layer::Tcp);
  // A request head and the facts of a handshake have no other sender.
  const bool is_text = signature.layer == Layer::Http || signature.layer == Layer::Tls;
  if (!is_text && !map.has("sender"))
    findings.error(map.line(), map.what() + ": no key \"sender\", expected client, server or either");
  signature.sender = map.choice<Sender>("sender", kSenders, Sender::Client);
  signature.pattern = map.text("pattern").value_or("");
  signature.nocase = map.flag("nocase", false);
  signature.decoder = read_decoder(map, "decoder", findings);
  constexpr int64_t kMostBytes = classify::ApplicationEngine::kLongestPattern;
  signature.min_bytes = static_cast<uint16_t>(map.integer("min_bytes", {1, kMostBytes}, 1));
  signature.confidence = map.choice<Confidence>("confidence", kConfidences, Confidence::High);
  signature.ports = read_ports(map, "ports", protocol_of(signature.layer), findings);
  signature.bound_hosts = map.flag("bound_hosts", false);
  check(signature, map, findings);
  map.finish();
  return signature;
}

}  // namespace

std::vector<Signature> read_signatures(MapReader& entry, const std::string& app_id, Findings& findings) {
  std::vector<Signature> signatures;
  for (const Node& item : entry.list("signatures", "signatures", EmptyList::Refused))
    signatures.push_back(read_signature(item, app_id, findings));
  return signatures;
}

std::string_view layer_name(Layer layer) { return name_of(kLayers, layer); }
std::string_view sender_name(Sender sender) { return name_of(kSenders, sender); }
std::string_view confidence_name(Confidence confidence) { return name_of(kConfidences, confidence); }

}  // namespace postern::control
