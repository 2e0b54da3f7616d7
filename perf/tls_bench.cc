// SPDX-License-Identifier: Apache-2.0
// What the facts of a handshake cost: a leaf certificate against OpenSSL's own reader, a ClientHello with its
// fingerprints, a QUIC Initial packet with and without its keys; and a record of a decrypted session.
//   tls_bench --benchmark_repetitions=5 --benchmark_report_aggregates_only=true
#include <benchmark/benchmark.h>

#include "classify/tls_fingerprint.h"
#include "perf/pairs.h"
#include "tests/classify/tls_chrome_hello.h"
#include "tests/tls/handshake_pair.h"
#include "tests/tls/quic_packets.h"
#include "tests/tls/session_peers.h"
#include "tls/certificate_facts.h"
#include "tls/quic_initial.h"

namespace postern::tls {
namespace {

std::string leaf() {
  const Key key = new_key();
  const Certificate certificate = new_certificate(key.get());
  for (X509_NAME* name :
       {X509_get_subject_name(certificate.get()), X509_get_issuer_name(certificate.get())}) {
    add_name(name, "C", "DE");
    add_name(name, "O", "OpenBMC");
    add_name(name, "CN", "bmc7.example.net");
  }
  add_extension(certificate.get(), NID_subject_alt_name, "DNS:bmc7.example.net,DNS:bmc7");
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  return der_of(certificate.get());
}

void certificate_by_us(benchmark::State& state) {
  Result<Digests> digests = Digests::make();
  const std::string der = leaf();
  for (auto _ : state) benchmark::DoNotOptimize(read_certificate(as_bytes(der), *digests));
}
BENCHMARK(certificate_by_us);

// Two names and the two hashes, less than read_certificate gives.
void certificate_by_openssl(benchmark::State& state) {
  Result<Digests> digests = Digests::make();
  const std::string der = leaf();
  for (auto _ : state) {
    const uint8_t* at = as_bytes(der).data();
    X509* certificate = d2i_X509(nullptr, &at, static_cast<long>(der.size()));
    BIO* out = BIO_new(BIO_s_mem());
    X509_NAME_print_ex(out, X509_get_subject_name(certificate), 0, XN_FLAG_ONELINE);
    X509_NAME_print_ex(out, X509_get_issuer_name(certificate), 0, XN_FLAG_ONELINE);
    BIO_free(out);
    X509_free(certificate);
    benchmark::DoNotOptimize(digests->sha1(as_bytes(der)));
    benchmark::DoNotOptimize(digests->sha256(as_bytes(der)));
  }
}
BENCHMARK(certificate_by_openssl);

void hello_alone(benchmark::State& state) {
  const std::string body = classify::chrome_body("a.example");
  for (auto _ : state) benchmark::DoNotOptimize(classify::view_tls_client_hello(as_bytes(body)));
}
BENCHMARK(hello_alone);

void hello_with_fingerprints(benchmark::State& state) {
  Result<Digests> digests = Digests::make();
  const std::string body = classify::chrome_body("a.example");
  for (auto _ : state) {
    const auto hello = classify::view_tls_client_hello(as_bytes(body));
    benchmark::DoNotOptimize(digests->md5(as_bytes(classify::ja3_text(hello).text.view())));
    const auto texts = classify::ja4_texts(hello, classify::Transport::Tcp);
    benchmark::DoNotOptimize(classify::join_ja4(texts, digests->sha256(as_bytes(texts.ciphers.view())),
                                                digests->sha256(as_bytes(texts.extensions.view()))));
  }
}
BENCHMARK(hello_with_fingerprints);

void quic_first_packet(benchmark::State& state) {
  Result<QuicProtection> protection = QuicProtection::make();
  QuicPacketBuilder builder;
  const std::string datagram =
      builder.seal(*protection, crypto_frame(0, std::string("\1\0\3\xe8", 4)) + std::string(1100, '\0'));
  for (auto _ : state) {
    QuicInitial initial;
    benchmark::DoNotOptimize(initial.take(as_bytes(datagram), *protection));
  }
}
BENCHMARK(quic_first_packet);

void quic_later_packet(benchmark::State& state) {
  Result<QuicProtection> protection = QuicProtection::make();
  QuicPacketBuilder builder;
  const std::string datagram =
      builder.seal(*protection, crypto_frame(0, std::string("\1\0\3\xe8", 4)) + std::string(1100, '\0'));
  QuicInitial initial;
  for (auto _ : state) benchmark::DoNotOptimize(initial.take(as_bytes(datagram), *protection));
}
BENCHMARK(quic_later_packet);

// From the client's socket to the server's: one record is read, decrypted, encrypted and written. The time of
// the session alone; what its peers do between two records is not counted.
void session_record(benchmark::State& state) {
  const Folder folder;
  const Imported server = Imported::make(folder.path(), "bmc.lab", new_key());
  const Settings server_settings(SSL_CTX_new(TLS_server_method())),
      client_settings(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_use_certificate(server_settings.get(), server.certificate.get());
  SSL_CTX_use_PrivateKey(server_settings.get(), server.key.get());
  auto identities = std::make_shared<ServerIdentities>();
  identities->push_back(std::move(ServerIdentity::load(server.files).value()));
  const auto credentials = std::move(InboundCredentials::make(identities).value());
  Exchange exchange(*credentials, {.client = client_settings.get(), .server = server_settings.get()});
  exchange.run();
  if (!exchange.session().established()) return state.SkipWithError("no session");
  const std::string record(static_cast<size_t>(state.range(0)), 'x');
  std::string heard = record;
  for (auto _ : state) {
    if (SSL_write(exchange.client().ssl(), record.data(), static_cast<int>(record.size())) <= 0)
      return state.SkipWithError("the client's socket is full");
    const perf::Stopwatch watch;
    exchange.session().advance();
    state.SetIterationTime(watch.seconds());
    if (SSL_read(exchange.server().ssl(), heard.data(), static_cast<int>(heard.size())) !=
        static_cast<int>(record.size()))
      return state.SkipWithError("the record did not arrive whole");
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(session_record)->Arg(64)->Arg(1024)->Arg(16384)->UseManualTime();

}  // namespace
}  // namespace postern::tls

BENCHMARK_MAIN();
