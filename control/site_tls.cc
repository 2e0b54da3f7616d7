// SPDX-License-Identifier: Apache-2.0
// The section `tls` of a site file: threads that decrypt, and certificates of servers behind the firewall.
// The forward proxy and exclusions are read in files of their own.
#include "control/document.h"
#include "control/site_sections.h"
#include "tls/inbound_credentials.h"

namespace postern::control {
namespace {

constexpr Choice<classify::EchAnswer> kEch[] = {{"decrypt", classify::EchAnswer::Decrypt},
                                                {"refuse", classify::EchAnswer::Refuse}};
constexpr int64_t kMostThreads = 16, kMostSessions = 1 << 20;

class TlsReader {
 public:
  TlsReader(const std::string& site_file, Findings& findings) : site_file_(site_file), findings_(findings) {}

  TlsSection read(MapReader& site) {
    TlsSection section;
    if (!site.has("tls")) return section;
    MapReader map = site.map("tls");
    dataplane::TlsSetup& setup = section.setup;
    setup.threads = static_cast<unsigned>(map.integer("threads", {1, kMostThreads}, 1));
    setup.sessions = static_cast<uint32_t>(map.integer("sessions", {1, kMostSessions}, setup.sessions));
    read_cores(map, setup);
    if (const auto file = map.text("key_log")) setup.key_log = beside(site_file_, *file);
    auto identities = std::make_shared<tls::ServerIdentities>();
    for (const Node& node : map.list("inbound", "certificates and keys of servers", EmptyList::Refused))
      read_identity(node, *identities);
    setup.credentials.inbound = std::move(identities);
    setup.credentials.forward = read_forward_proxy(map, site_file_, findings_);
    section.exclusions = read_exclusions(map, site_file_, findings_);
    section.ech = map.choice<classify::EchAnswer>("ech", kEch, section.ech);
    map.finish();
    return section;
  }

 private:
  void read_cores(MapReader& map, dataplane::TlsSetup& setup) {
    for (const Node& item : map.list("cores", "core numbers", EmptyList::Refused)) {
      if (const auto core = as_integer(item, {0, 1023}))
        setup.cores.push_back(static_cast<unsigned>(*core));
      else
        findings_.error(item.line, "cores: found " + item.found() + ", expected core numbers from 0 to 1023");
    }
    if (!setup.cores.empty() && setup.cores.size() != setup.threads)
      findings_.error(map.line_of("cores"), "cores: found " + std::to_string(setup.cores.size()) +
                                                ", expected " + std::to_string(setup.threads) +
                                                ", one for each of the threads");
  }

  void read_identity(const Node& node, tls::ServerIdentities& identities) {
    MapReader map(&node, "inbound", findings_);
    const Node* certificate =
        map.require("certificate", "a PEM file with the server's own certificate and its chain");
    const Node* key = map.require("key", "the PEM file of the certificate's private key");
    tls::ServerIdentity::Files files;
    files.servers = map.prefixes("servers");
    map.finish();
    if (certificate == nullptr || key == nullptr) return;
    const auto file = [&](const Node& from) {
      const auto path = as_text(from);
      if (!path) findings_.error(from.line, "found " + from.found() + ", expected a PEM file");
      return path ? beside(site_file_, *path) : std::string();
    };
    files.certificate = file(*certificate);
    files.key = file(*key);
    if (files.certificate.empty() || files.key.empty()) return;
    auto identity = tls::ServerIdentity::load(files);
    if (!identity) return findings_.error(map.line(), "inbound: " + identity.error().text());
    // What a TLS thread would refuse later is said now.
    auto alone = std::make_shared<tls::ServerIdentities>();
    alone->push_back(std::move(*identity));
    if (const auto usable = tls::InboundCredentials::make(alone); !usable)
      return findings_.error(map.line(), "inbound: " + usable.error().text());
    identities.push_back(std::move(alone->front()));
  }

  const std::string& site_file_;
  Findings& findings_;
};

}  // namespace

TlsSection read_tls(MapReader& site, const std::string& site_file, Findings& findings) {
  return TlsReader(site_file, findings).read(site);
}

}  // namespace postern::control
