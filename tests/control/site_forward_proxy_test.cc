// SPDX-License-Identifier: Apache-2.0
// `tls: forward:` of a site file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/site_loader.h"
#include "tests/control/ca_texts.h"
#include "tests/control/operator_files.h"
#include "tests/control/site_texts.h"

namespace postern::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using tls::CertificateFault;
using tls::FaultAction;

class SiteForwardProxy : public testing::Test {
 protected:
  SiteForwardProxy() {
    files_.write("pack.yaml", kSitePack);
    files_.write("ca.crt", kSiteCa);
    files_.write("roots.pem", kDistrustedCa);
    files_.write("bad.crt", kDistrustedCa);
    secret("ca.key", kSiteCaKey);
    secret("ca.enc", kSiteCaKeyEncrypted);
    secret("bad.key", kDistrustedCaKey);
    secret("ca.pass", "sesame\n");
    secret("wrong.pass", "open\n");
  }
  void secret(const std::string& name, const std::string& text) {
    files_.write(name, text);
    std::filesystem::permissions(files_.path(name), std::filesystem::perms(0600));
  }
  Loaded load(const std::string& lines) {
    return load_site(files_.write("site.yaml", kSite + "tls:\n  forward:\n" + lines), names_);
  }
  // Of a site with a good CA and trust store.
  Loaded load_more(const std::string& lines) { return load(kGood + lines); }
  tls::ForwardCredentials::Setup good(const std::string& lines = "") {
    Loaded loaded = load_more(lines);
    EXPECT_THAT(texts_of(loaded.errors), IsEmpty());
    if (!loaded.site || !loaded.site->tls.credentials.forward) return {};
    EXPECT_TRUE(loaded.site->policy.forward_proxy);
    return *loaded.site->tls.credentials.forward;
  }
  static FaultAction action(const tls::ForwardCredentials::Setup& setup, CertificateFault fault) {
    return setup.actions[static_cast<size_t>(fault)];
  }

  static inline const std::string kGood =
      "    ca: {certificate: ca.crt, key: ca.key}\n    trust: roots.pem\n";
  static inline const std::string kUntrusted = "    untrusted_ca: {certificate: bad.crt, key: bad.key}\n";
  OperatorFiles files_;
  Names names_;
};

TEST_F(SiteForwardProxy, ReadsTheCaAndWhomItTrusts) {
  const auto setup = good();
  ASSERT_TRUE(setup.leaves.ca);
  EXPECT_FALSE(setup.leaves.untrusted_ca);
  EXPECT_EQ(setup.trust->certificates(), 1u);
  EXPECT_EQ(setup.leaves.most, 1024u);
  EXPECT_EQ(action(setup, CertificateFault::Expired), FaultAction::Block);
}

TEST_F(SiteForwardProxy, WithoutItThereIsNoCa) {
  const Loaded loaded = load_site(files_.write("site.yaml", kSite + "tls: {threads: 1}\n"), names_);
  ASSERT_TRUE(loaded.site);
  EXPECT_FALSE(loaded.site->policy.forward_proxy);
}

TEST_F(SiteForwardProxy, OpensAnEncryptedKey) {
  const Loaded loaded =
      load("    ca: {certificate: ca.crt, key: ca.enc, passphrase_file: ca.pass}\n    trust: roots.pem\n");
  EXPECT_THAT(texts_of(loaded.errors), IsEmpty());
  EXPECT_THAT(texts_of(load("    ca: {certificate: ca.crt, key: ca.enc, passphrase_file: wrong.pass}\n"
                            "    trust: roots.pem\n")
                           .errors),
              ElementsAre(HasSubstr("wrong.pass opens")));
}

TEST_F(SiteForwardProxy, RefusesAKeyThatOthersMayRead) {
  std::filesystem::permissions(files_.path("ca.key"), std::filesystem::perms(0644));
  EXPECT_THAT(texts_of(load(kGood).errors), ElementsAre(HasSubstr("expected mode 0600 or 0400")));
}

TEST_F(SiteForwardProxy, WantsACa) {
  EXPECT_THAT(texts_of(load("    trust: roots.pem\n").errors), ElementsAre(HasSubstr("no key \"ca\"")));
}

TEST_F(SiteForwardProxy, WantsATrustStoreThatHoldsSomething) {
  EXPECT_THAT(texts_of(load("    ca: {certificate: ca.crt, key: ca.key}\n    trust: ca.pass\n").errors),
              ElementsAre(HasSubstr("expected those of trusted roots in PEM")));
}

TEST_F(SiteForwardProxy, NamesARevocationListThatIsNone) {
  EXPECT_THAT(texts_of(load_more("    crls: [ca.pass]\n").errors),
              ElementsAre(HasSubstr("expected one in PEM or DER")));
}

TEST_F(SiteForwardProxy, ReadsAnActionForEveryCause) {
  for (size_t i = 1; i < tls::kCertificateFaults; ++i) {
    const auto fault = static_cast<CertificateFault>(i);
    const std::string name(tls::certificate_fault_name(fault));
    const auto setup = good(kUntrusted + "    faults: {" + name + ": untrusted_leaf}\n");
    EXPECT_EQ(action(setup, fault), FaultAction::UntrustedLeaf) << name;
  }
}

TEST_F(SiteForwardProxy, AnUnknownCauseIsToldWithTheKnownOnes) {
  const auto errors =
      texts_of(load_more("    faults:\n      expired: block\n      outdated: allow\n").errors);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_THAT(errors[0],
              HasSubstr("site.yaml:60: faults: found \"outdated\", expected no_certificate, malformed, "));
}

TEST_F(SiteForwardProxy, AnUnknownActionIsToldWithTheKnownOnes) {
  EXPECT_THAT(texts_of(load_more("    faults: {expired: pass}\n").errors),
              ElementsAre(HasSubstr("expired: found \"pass\", expected block, untrusted_leaf or allow")));
}

TEST_F(SiteForwardProxy, WarnsOfWhatItVouchesFor) {
  const Loaded loaded = load_more("    faults: {expired: allow}\n");
  ASSERT_TRUE(loaded.site);
  EXPECT_THAT(loaded.site->warnings, testing::Contains(HasSubstr("expired: allow lets the site's CA vouch")));
}

TEST_F(SiteForwardProxy, AnUntrustedLeafNeedsItsCa) {
  EXPECT_THAT(texts_of(load_more("    faults: {expired: untrusted_leaf}\n").errors),
              ElementsAre(HasSubstr("expected a CA for untrusted servers")));
}

TEST_F(SiteForwardProxy, TheCaForUntrustedServersIsAnother) {
  EXPECT_THAT(texts_of(load_more("    untrusted_ca: {certificate: ca.crt, key: ca.key}\n").errors),
              ElementsAre(HasSubstr("untrusted_ca: found the key of ca")));
}

TEST_F(SiteForwardProxy, ReadsTheSizeOfTheCache) {
  EXPECT_EQ(good("    minted_leaves: 7\n").leaves.most, 7u);
}

}  // namespace
}  // namespace postern::control
