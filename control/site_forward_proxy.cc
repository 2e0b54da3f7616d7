// SPDX-License-Identifier: Apache-2.0
// `tls: forward:` of a site file: who vouches for minted leaves, whom servers may be vouched for by, and what
// is done about a server with a fault.
#include <chrono>

#include "control/document.h"
#include "control/site_sections.h"

namespace postern::control {
namespace {

using tls::CertificateFault;
using tls::FaultAction;

constexpr Choice<FaultAction> kActions[] = {{"block", FaultAction::Block},
                                            {"untrusted_leaf", FaultAction::UntrustedLeaf},
                                            {"allow", FaultAction::Allow}};
constexpr int64_t kMostLeaves = 65536;

// Certificates are judged by the machine's clock, which may be set while posternd runs.
Timestamp wall_clock() {
  using namespace std::chrono;
  return static_cast<Timestamp>(duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count());
}

class ForwardReader {
 public:
  ForwardReader(const std::string& site_file, Findings& findings)
      : site_file_(site_file), findings_(findings) {}

  std::optional<tls::ForwardCredentials::Setup> read(MapReader& map) {
    tls::ForwardCredentials::Setup setup;
    setup.clock = wall_clock;
    if (!map.has("ca"))
      findings_.error(map.line(), "forward: no key \"ca\", expected certificate and key of the site's CA");
    setup.leaves.ca = read_ca(map, "ca");
    setup.leaves.untrusted_ca = read_ca(map, "untrusted_ca");
    setup.leaves.most = static_cast<size_t>(map.integer("minted_leaves", {1, kMostLeaves}, int64_t{1024}));
    setup.trust = read_trust(map);
    setup.actions = read_faults(map);
    map.finish();
    if (setup.leaves.ca == nullptr || setup.trust == nullptr) return std::nullopt;
    return usable(map, std::move(setup));
  }

 private:
  std::string path(MapReader& map, std::string_view key) {
    const auto text = map.text(key);
    return text ? beside(site_file_, *text) : std::string();
  }

  std::shared_ptr<const tls::SigningCa> read_ca(MapReader& forward, std::string_view key) {
    if (!forward.has(key)) return nullptr;
    MapReader map = forward.map(key);
    map.require("certificate", "a PEM file with the CA's own certificate and the chain above it");
    map.require("key", "the PEM file of the CA's private key");
    const tls::SigningCa::Files files{path(map, "certificate"), path(map, "key"),
                                      path(map, "passphrase_file")};
    map.finish();
    if (files.certificate.empty() || files.key.empty()) return nullptr;
    auto ca = tls::SigningCa::load(files);
    if (ca) return std::make_shared<const tls::SigningCa>(std::move(*ca));
    findings_.error(map.line(), std::string(key) + ": " + ca.error().text());
    return nullptr;
  }

  std::shared_ptr<const tls::TrustStore> read_trust(MapReader& map) {
    tls::TrustStore::Files files;
    if (const auto trust = path(map, "trust"); !trust.empty()) files.certificates = trust;
    for (const Node& item : map.list("crls", "files of revocation lists", EmptyList::Fine)) {
      if (const auto crl = as_text(item))
        files.crls.push_back(beside(site_file_, *crl));
      else
        findings_.error(item.line, "crls: found " + item.found() + ", expected a file");
    }
    auto store = tls::TrustStore::load(files);
    if (store) return std::make_shared<const tls::TrustStore>(std::move(*store));
    findings_.error(map.line_of(map.has("trust") ? "trust" : "crls"), "trust: " + store.error().text());
    return nullptr;
  }

  tls::FaultActions read_faults(MapReader& forward) {
    tls::FaultActions actions{};
    const Node* node = forward.take("faults");
    if (node == nullptr || node->is_nothing()) return actions;
    MapReader map(node, "faults", findings_);
    std::vector<std::string_view> names;
    for (size_t i = 1; i < tls::kCertificateFaults; ++i)
      names.push_back(tls::certificate_fault_name(static_cast<CertificateFault>(i)));
    for (const Node::Entry& entry : node->entries) {
      const auto name = std::find(names.begin(), names.end(), entry.key);
      if (name == names.end()) {
        findings_.error(entry.line,
                        "faults: found " + in_quotes(entry.key) + ", expected " + expected_one_of(names));
        continue;
      }
      FaultAction& action = actions[static_cast<size_t>(name - names.begin()) + 1];
      action = map.choice<FaultAction>(entry.key, kActions, FaultAction::Block);
      if (action == FaultAction::Allow)
        findings_.warning(entry.line, "faults: " + entry.key +
                                          ": allow lets the site's CA vouch for such servers; clients cannot "
                                          "tell them from good ones");
    }
    return actions;
  }

  // What a TLS thread would refuse later is said now.
  std::optional<tls::ForwardCredentials::Setup> usable(MapReader& map, tls::ForwardCredentials::Setup setup) {
    if (setup.leaves.untrusted_ca != nullptr && setup.leaves.ca->has_key_of(*setup.leaves.untrusted_ca)) {
      findings_.error(
          map.line_of("untrusted_ca"),
          "untrusted_ca: found the key of ca, expected a CA of its own that clients do not trust");
      return std::nullopt;
    }
    auto made = tls::ForwardCredentials::make(setup);
    if (made) return setup;
    findings_.error(map.line(), "forward: " + made.error().text());
    return std::nullopt;
  }

  const std::string& site_file_;
  Findings& findings_;
};

}  // namespace

std::optional<tls::ForwardCredentials::Setup> read_forward_proxy(MapReader& tls, const std::string& site_file,
                                                                 Findings& findings) {
  if (!tls.has("forward")) return std::nullopt;
  MapReader map = tls.map("forward");
  return ForwardReader(site_file, findings).read(map);
}

}  // namespace postern::control
