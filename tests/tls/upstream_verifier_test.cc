// SPDX-License-Identifier: Apache-2.0
#include "tls/upstream_verifier.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <set>

#include "tests/tls/signing_files.h"
#include "tests/tls/upstream_cases.h"

namespace postern::tls {
namespace {

struct FreeChain {
  void operator()(STACK_OF(X509) * chain) const { sk_X509_free(chain); }
};

// The files of one scene, read by us and by OpenSSL's own program.
class SceneFiles {
 public:
  explicit SceneFiles(const Scene& scene) : scene_(scene) {
    write_file(at("root.pem"), [&](FILE* file) { PEM_write_X509(file, scene.root.get()); });
    write_file(at("leaf.pem"), [&](FILE* file) { PEM_write_X509(file, scene.leaf.get()); });
    write_file(at("chain.pem"), [&](FILE* file) {
      for (const Issued& one : scene.chain) PEM_write_X509(file, one.get());
    });
    write_file(at("crls.pem"), [&](FILE* file) {
      for (const auto& one : scene.crls) PEM_write_X509_CRL(file, one.get());
    });
    write_file(at("ocsp.der"),
               [&](FILE* file) { std::fwrite(scene.ocsp.data(), 1, scene.ocsp.size(), file); });
  }

  CertificateFaults ours() const {
    TrustStore::Files files{.certificates = at("root.pem"), .crls = {}};
    if (!scene_.crls.empty()) files.crls = {at("crls.pem")};
    auto trust = std::make_shared<TrustStore>(std::move(TrustStore::load(files).value()));
    const auto verifier = std::move(UpstreamVerifier::make(trust).value());
    std::unique_ptr<STACK_OF(X509), FreeChain> chain(sk_X509_new_null());
    sk_X509_push(chain.get(), scene_.leaf.get());
    for (const Issued& one : scene_.chain) sk_X509_push(chain.get(), one.get());
    return verifier->verify({.leaf = scene_.leaf.get(),
                             .chain = chain.get(),
                             .ocsp = as_bytes(scene_.ocsp),
                             .name = scene_.name,
                             .address = *IpAddress::parse(scene_.address),
                             .now = static_cast<Timestamp>(kNow) * kSecond});
  }

  struct Verdict {
    bool accepted = false;
    std::string words;
  };
  Verdict openssls() const {
    const Verdict chain = openssls_of_chain();
    return chain.accepted && !scene_.ocsp.empty() ? openssls_of_answer() : chain;
  }

 private:
  std::string at(const char* name) const { return folder_.path() / name; }

  Verdict openssls_of_chain() const {
    std::string command = "openssl verify -x509_strict -purpose sslserver -auth_level 2" + trusting();
    if (!scene_.chain.empty()) command += " -untrusted " + at("chain.pem");
    if (!scene_.crls.empty()) command += " -crl_check_all -CRLfile " + at("crls.pem");
    const bool by_address = scene_.name.empty() || IpAddress::parse(scene_.name).has_value();
    command += by_address ? " -verify_ip " + (scene_.name.empty() ? scene_.address : scene_.name)
                          : " -verify_hostname '" + scene_.name + "'";
    return run(command + " " + at("leaf.pem"));
  }

  // It has no other clock than the machine's for an answer's own dates: any are taken here.
  Verdict openssls_of_answer() const {
    Verdict verdict = run("openssl ocsp -validity_period 2000000000 -respin " + at("ocsp.der") +
                          " -verify_other " + at("chain.pem") + " -issuer " + at("chain.pem") + " -cert " +
                          at("leaf.pem") + " -sha256 -cert " + at("leaf.pem") + trusting());
    verdict.accepted = verdict.words.find("Response verify OK") != std::string::npos &&
                       verdict.words.find("leaf.pem: good") != std::string::npos;
    return verdict;
  }

  std::string trusting() const {
    return " -no-CApath -no-CAstore -attime " + std::to_string(kNow) + " -CAfile " + at("root.pem");
  }

  static Verdict run(const std::string& command) {
    FILE* output = ::popen((command + " 2>&1").c_str(), "r");
    Verdict verdict;
    char room[512];
    while (std::fgets(room, sizeof room, output) != nullptr) verdict.words += room;
    const int status = ::pclose(output);
    verdict.accepted = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    return verdict;
  }

  const Scene& scene_;
  Folder folder_;
};

void expect(const UpstreamCase& expected) {
  SCOPED_TRACE(expected.title);
  const SceneFiles files(expected.scene);
  EXPECT_EQ(certificate_fault_name(files.ours().first()), certificate_fault_name(expected.expected));
  const SceneFiles::Verdict openssls = files.openssls();
  EXPECT_EQ(openssls.accepted, expected.by_openssl == ByOpenSsl::Accepted) << openssls.words;
}

TEST(UpstreamVerifier, AgreesWithOpenSslOnBadCertificates) {
  const std::vector<UpstreamCase> cases = bad_upstreams();
  EXPECT_GE(cases.size(), 60u);
  for (const UpstreamCase& one : cases) expect(one);
}

TEST(UpstreamVerifier, AgreesWithOpenSslOnGoodCertificates) {
  for (const UpstreamCase& one : good_upstreams()) expect(one);
}

TEST(UpstreamVerifier, EveryFaultHasACaseAndANameOfItsOwn) {
  std::set<CertificateFault> reached = {CertificateFault::NoCertificate, CertificateFault::Unverifiable};
  for (const UpstreamCase& one : bad_upstreams()) reached.insert(one.expected);
  std::set<std::string_view> names;
  for (size_t i = 1; i < kCertificateFaults; ++i) {
    const auto fault = static_cast<CertificateFault>(i);
    EXPECT_TRUE(reached.contains(fault)) << certificate_fault_name(fault);
    EXPECT_TRUE(names.insert(certificate_fault_name(fault)).second) << certificate_fault_name(fault);
  }
}

// Somebody may tolerate one fault, so none may hide another.
TEST(UpstreamVerifier, NamesEverythingThatIsWrong) {
  const std::pair<CertificateFault, void (*)(Recipe&)> mistakes[] = {
      {CertificateFault::Expired, [](Recipe& r) { r.ends = kNow - kDay; }},
      {CertificateFault::WrongName, [](Recipe& r) { r.names = "DNS:other.lab"; }},
      {CertificateFault::WeakKey, [](Recipe& r) { r.key = rsa_key(1024); }},
      {CertificateFault::WrongPurpose, [](Recipe& r) { r.purpose = "clientAuth"; }},
      {CertificateFault::UnknownExtension, [](Recipe& r) {
         r.raw = {{"1.3.6.1.4.1.55555.1", 1, "x"}};
       }}};
  const Issued stranger = issue_self_signed(authority("stranger"));
  for (unsigned which = 0; which < 1u << std::size(mistakes); ++which) {
    Recipe recipe;
    for (size_t i = 0; i < std::size(mistakes); ++i)
      if ((which >> i & 1) != 0) mistakes[i].second(recipe);
    const std::pair<CertificateFault, Scene> scenes[] = {
        {CertificateFault::SelfSigned, {issue_self_signed(recipe), {}, family().root}},
        {CertificateFault::UntrustedRoot, {issue(recipe, stranger), {stranger}, family().root}},
        {CertificateFault::IncompleteChain, {issue(recipe, stranger), {}, family().root}}};
    for (const auto& [untrusted, scene] : scenes) {
      const CertificateFaults faults = SceneFiles(scene).ours();
      EXPECT_TRUE(faults.has(untrusted)) << certificate_fault_name(untrusted) << ' ' << which;
      EXPECT_FALSE(faults.has(CertificateFault::Unverifiable)) << which;
      for (size_t i = 0; i < std::size(mistakes); ++i)
        EXPECT_EQ(faults.has(mistakes[i].first), (which >> i & 1) != 0)
            << certificate_fault_name(untrusted) << ' ' << certificate_fault_name(mistakes[i].first) << ' '
            << which;
    }
  }
}

TEST(UpstreamVerifier, AStapledRevocationIsNamedBesideOtherFaults) {
  Scene scene = shows({.ends = kNow - kDay});
  scene.ocsp = staple(scene.leaf, family().issuing, family().issuing, {.status = V_OCSP_CERTSTATUS_REVOKED});
  const CertificateFaults faults = SceneFiles(scene).ours();
  EXPECT_EQ(faults.first(), CertificateFault::Expired);
  EXPECT_TRUE(faults.has(CertificateFault::Revoked));
}

// Operators have lists of their own authorities, not of every public one.
TEST(UpstreamVerifier, AnIssuerWithoutAListIsNotAFault) {
  Scene scene = shows({});
  scene.crls = {list_revoked(family().root, {})};
  EXPECT_TRUE(SceneFiles(scene).ours().none());
}

TEST(UpstreamVerifier, AServerWithoutACertificateIsAFault) {
  auto trust = std::make_shared<TrustStore>(std::move(TrustStore::load({}).value()));
  EXPECT_GT(trust->certificates(), 100u);
  const auto verifier = std::move(UpstreamVerifier::make(trust).value());
  EXPECT_EQ(verifier->verify({}).first(), CertificateFault::NoCertificate);
}

TEST(UpstreamVerifier, NumbersThatOpenSslMayAddAreFaults) {
  EXPECT_EQ(fault_of_verification(X509_V_ERR_OUT_OF_MEM), CertificateFault::Unverifiable);
  for (int error = 1; error < 200; ++error) EXPECT_NE(fault_of_verification(error), CertificateFault::None);
}

TEST(TrustStore, ReadsAFolderAndCountsWhatIsThereTwiceOnce) {
  const Folder folder;
  for (const char* name : {"a.pem", "b.pem"})
    write_file(folder.path() / name, [&](FILE* file) { PEM_write_X509(file, family().root.get()); });
  write_file(folder.path() / "c.pem", [&](FILE* file) { PEM_write_X509(file, family().issuing.get()); });
  const auto trust = TrustStore::load({.certificates = folder.path(), .crls = {}});
  ASSERT_TRUE(trust) << trust.error().text();
  EXPECT_EQ(trust->certificates(), 2u);
}

TEST(TrustStore, SaysWhatIsWrongWithItsFiles) {
  const Folder folder;
  const std::string empty = folder.path() / "empty", broken = folder.path() / "broken",
                    good = folder.path() / "good";
  write_file(empty, [](FILE* file) { std::fputs("nothing\n", file); });
  write_file(broken, [](FILE* file) {
    std::fputs("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", file);
  });
  write_file(good, [&](FILE* file) { PEM_write_X509(file, family().root.get()); });
  EXPECT_NE(
      TrustStore::load({.certificates = empty, .crls = {}}).error().message.find("found no certificate"),
      std::string::npos);
  EXPECT_NE(TrustStore::load({.certificates = broken, .crls = {}}).error().message.find("found damage"),
            std::string::npos);
  EXPECT_EQ(TrustStore::load({.certificates = good, .crls = {empty}}).error().file, empty);
  EXPECT_EQ(TrustStore::load({.certificates = good + ".not", .crls = {}}).error().file, good + ".not");
}

}  // namespace
}  // namespace postern::tls
