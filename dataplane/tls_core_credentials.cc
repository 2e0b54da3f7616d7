// SPDX-License-Identifier: Apache-2.0
// A TLS core's side of credentials: taking up new ones, what their sessions may go on as, and what is learnt
// of clients that do not take them.
#include <array>

#include "dataplane/tls_core.h"

namespace postern::dataplane {
namespace {

constexpr Timestamp kAtOnce = 2 * kSecond;  // a client that has seen the certificate and leaves

}  // namespace

void TlsCore::use(const TlsCredentials& credentials) {
  const std::lock_guard lock(mutex_);
  next_credentials_ = credentials;
  renewed_.store(true);
}

Status TlsCore::renew_credentials() {
  const std::lock_guard lock(mutex_);
  renewed_at_ = setup_.clock.now();
  auto made = SessionCredentials::make(next_credentials_);
  if (!made) return made.error();
  count_leaves();
  credentials_ = std::move(*made);
  counted_ = {};
  return Ok{};
}

// A client of a faulty server may mean the server, not us.
void TlsCore::learn(const Adopted& adopted, DecryptReason reason) {
  using Why = ExclusionSuggestion::Why;
  using tls::ClientObjection;
  count_leaves();
  const tls::CertificateFault fault = adopted.session->fault();
  if (fault != tls::CertificateFault::None) counters_.faults[static_cast<size_t>(fault)].add(1);
  const ClientObjection objection = adopted.session->objection();
  const bool at_once = adopted.ended - adopted.begun < kAtOnce;
  const bool objects = objection != ClientObjection::None && fault == tls::CertificateFault::None &&
                       (objection != ClientObjection::Left || at_once);
  if (adopted.request.mode != classify::DecryptionMode::SslForwardProxy) return;
  if (!objects && reason != DecryptReason::MutualTls) return;
  constexpr std::array kWhy = {Why::MutualTls, Why::BadCertificate, Why::CertificateUnknown, Why::UnknownCa,
                               Why::ClientLeft};
  const TcpEnd &server = adopted.request.to_server.remote, &client = adopted.request.to_client.remote;
  suggestions_.note({.host = std::string(adopted.request.facts.server_name.view()),
                     .server = server.address,
                     .port = server.port,
                     .why = kWhy[static_cast<size_t>(objection)],
                     .client = client.address},
                    adopted.ended);
}

void TlsCore::count_leaves() {
  const tls::MintedLeaves* leaves = credentials_.leaves();
  const tls::MintedLeaves::Counts now = leaves != nullptr ? leaves->counts() : tls::MintedLeaves::Counts{};
  const size_t size = leaves != nullptr ? leaves->size() : 0;
  counters_.minted.add(now.minted - counted_.minted);
  counters_.reused.add(now.reused - counted_.reused);
  counters_.displaced.add(now.displaced - counted_.displaced);
  counters_.not_minted.add(now.refused - counted_.refused);
  counters_.leaves.add(size - leaves_counted_);
  counted_ = now;
  leaves_counted_ = size;
}

// A session goes on only for the same rule of the same policy, server, name and offer, so that whatever was
// judged with its handshake is what would be judged now.
tls::SessionScope TlsCore::scope_of(const AdoptionRequest& request) {
  std::vector<uint8_t> text;
  const auto add = [&text](const void* bytes, size_t size) {
    const auto* from = static_cast<const uint8_t*>(bytes);
    text.insert(text.end(), from, from + size);
  };
  const TcpEnd& server = request.to_server.remote;
  const Bytes name = as_bytes(request.facts.server_name.view());
  const auto name_size = static_cast<uint32_t>(name.size());
  add(&request.generation.value, sizeof request.generation.value);
  add(&request.rule.value, sizeof request.rule.value);
  add(&request.mode, sizeof request.mode);
  add(&request.facts.client_version, sizeof request.facts.client_version);
  add(server.address.bytes.data(), server.address.bytes.size());
  add(&server.port, sizeof server.port);
  add(&name_size, sizeof name_size);
  add(name.data(), name.size());
  add(request.facts.alpn_offered.view().data(), request.facts.alpn_offered.size());
  return digests_->sha256(text);
}

}  // namespace postern::dataplane
