// SPDX-License-Identifier: Apache-2.0
// Any original: the mint refuses it, or makes a certificate that OpenSSL reads back as it was meant, which
// says nothing more than the original and is vouched for by the CA alone. The verifier judges both.
// needs: base tls
#include <openssl/pem.h>

#include <cstdlib>
#include <filesystem>

#include "tests/tls/handshake_pair.h"
#include "tls/leaf_mint.h"
#include "tls/upstream_verifier.h"

using namespace postern;
using namespace postern::tls;

namespace {

void expect(bool good) {
  if (!good) __builtin_trap();
}

struct Site {
  std::shared_ptr<const SigningCa> ca;
  LeafMint mint;
  std::unique_ptr<UpstreamVerifier> verifier;
};

template <typename Write>
void write_file(const std::string& name, Write write) {
  FILE* file = std::fopen(name.c_str(), "w");
  write(file);
  std::fclose(file);
  std::filesystem::permissions(name, std::filesystem::perms(0600));
}

Site make_site() {
  const Key key = new_key();
  const Certificate certificate = new_certificate(key.get());
  X509* own = certificate.get();
  add_name(X509_get_subject_name(own), "CN", "site CA");
  X509_set_issuer_name(own, X509_get_subject_name(own));
  add_extension(own, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(own, NID_key_usage, "critical,keyCertSign");
  add_extension(own, NID_subject_key_identifier, "01:02:03:04");
  X509_sign(own, key.get(), EVP_sha256());
  std::string folder = std::filesystem::temp_directory_path() / "postern-mint-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) std::abort();
  const SigningCa::Files files{folder + "/crt", folder + "/key", ""};
  write_file(files.certificate, [&](FILE* file) { PEM_write_X509(file, own); });
  write_file(files.key, [&](FILE* file) {
    PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  Site site{std::make_shared<const SigningCa>(std::move(SigningCa::load(files).value())),
            std::move(LeafMint::make().value()), nullptr};
  auto trust = std::make_shared<const TrustStore>(
      std::move(TrustStore::load({.certificates = files.certificate, .crls = {}}).value()));
  site.verifier = std::move(UpstreamVerifier::make(trust).value());
  std::filesystem::remove_all(folder);
  return site;
}

CertificateFaults judge(Site& site, X509* leaf, Bytes ocsp) {
  return site.verifier->verify({.leaf = leaf,
                                .ocsp = ocsp,
                                .name = "bmc.lab",
                                .address = {},
                                .now = Timestamp{1'780'315'200} * kSecond});
}

void expect_within(const X509* leaf, const X509* outer) {
  expect(ASN1_TIME_compare(X509_get0_notBefore(leaf), X509_get0_notBefore(outer)) >= 0);
  expect(ASN1_TIME_compare(X509_get0_notAfter(leaf), X509_get0_notAfter(outer)) <= 0);
}

void expect_same_extension(const X509* leaf, const X509* original, int nid) {
  X509_EXTENSION* a = X509_get_ext(leaf, X509_get_ext_by_NID(leaf, nid, -1));
  X509_EXTENSION* b = X509_get_ext(original, X509_get_ext_by_NID(original, nid, -1));
  expect((a == nullptr) == (b == nullptr));
  if (a == nullptr) return;
  expect(ASN1_STRING_cmp(X509_EXTENSION_get_data(a), X509_EXTENSION_get_data(b)) == 0);
  expect(X509_EXTENSION_get_critical(a) == X509_EXTENSION_get_critical(b));
}

void check(Site& site, const X509* minted, const X509* original) {
  const std::string der = der_of(const_cast<X509*>(minted));
  const auto* at = reinterpret_cast<const uint8_t*>(der.data());
  const Certificate read(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  expect(read != nullptr);
  expect(X509_check_ca(read.get()) == 0);
  expect(EVP_PKEY_eq(X509_get0_pubkey(read.get()), site.mint.key()) == 1);
  expect(X509_NAME_cmp(X509_get_subject_name(read.get()), X509_get_subject_name(original)) == 0);
  expect_within(read.get(), original);
  expect_within(read.get(), site.ca->certificate());
  expect_same_extension(read.get(), original, NID_subject_alt_name);
  const CertificateFaults faults = judge(site, read.get(), {});
  for (const CertificateFault never :
       {CertificateFault::SelfSigned, CertificateFault::UntrustedRoot, CertificateFault::IncompleteChain,
        CertificateFault::BadSignature, CertificateFault::WeakKey, CertificateFault::WeakSignature,
        CertificateFault::BadCa, CertificateFault::Unverifiable})
    expect(!faults.has(never));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Site site = make_site();
  const uint8_t* at = data;
  const Certificate original(d2i_X509(nullptr, &at, static_cast<long>(size)));
  if (original == nullptr) return 0;
  // What follows the certificate is stapled.
  expect(!judge(site, original.get(), Bytes(data, size).subspan(static_cast<size_t>(at - data))).none());
  const LeafMint::Certificate minted = site.mint.mint(original.get(), *site.ca);
  if (minted != nullptr) check(site, minted.get(), original.get());
  return 0;
}
