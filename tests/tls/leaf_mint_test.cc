// SPDX-License-Identifier: Apache-2.0
#include "tls/leaf_mint.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/tls/signing_files.h"
#include "tls/minted_leaves.h"
#include "tls/upstream_verifier.h"

namespace postern::tls {
namespace {

std::string extension(const X509* certificate, int nid) {
  const int at = X509_get_ext_by_NID(certificate, nid, -1);
  if (at < 0) return "absent";
  const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(X509_get_ext(certificate, at));
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
          static_cast<size_t>(ASN1_STRING_length(value))};
}

class LeafMintTest : public testing::Test {
 protected:
  LeafMint::Certificate mint(const Recipe& original) {
    return mint_.mint(issue(original, family().issuing).get(), *ca_);
  }
  struct Family {
    Issued root, issuing;
  };
  static Family family() {
    static const Issued root = issue_self_signed(authority("public root"));
    static const Issued issuing = issue(authority("public issuing"), root);
    return {root, issuing};
  }
  static int64_t seconds(const ASN1_TIME* time) {
    tm broken{};
    ASN1_TIME_to_tm(time, &broken);
    return timegm(&broken);
  }
  // By a strict client that trusts the site's CA.
  static CertificateFaults faults(X509* leaf, const Issued& root, const std::string& name) {
    const Folder folder;
    write_file(folder.path() / "root", [&](FILE* file) { PEM_write_X509(file, root.get()); });
    auto trust = std::make_shared<TrustStore>(
        std::move(TrustStore::load({.certificates = folder.path() / "root", .crls = {}}).value()));
    return UpstreamVerifier::make(trust).value()->verify(
        {.leaf = leaf, .name = name, .address = {}, .now = static_cast<Timestamp>(kNow) * kSecond});
  }

  Issued site_ = issue_self_signed(authority("site CA"));
  std::shared_ptr<const SigningCa> ca_ = load_ca({site_});
  LeafMint mint_ = std::move(LeafMint::make().value());
};

TEST_F(LeafMintTest, AStrictClientTakesTheLeafForTheServersNames) {
  const auto leaf = mint({.names = "DNS:bmc.lab,DNS:*.rack.lab,IP:10.4.0.5", .key = rsa_key(2048)});
  ASSERT_NE(leaf, nullptr);
  for (const char* name : {"bmc.lab", "a.rack.lab", "10.4.0.5"})
    EXPECT_EQ(certificate_fault_name(faults(leaf.get(), site_, name).first()), "") << name;
  EXPECT_TRUE(faults(leaf.get(), site_, "other.lab").has(CertificateFault::WrongName));
}

TEST_F(LeafMintTest, AuthoritiesOfEveryKindOfKeySign) {
  for (const SharedKey& key : {rsa_key(2048), curve_key("P-384"),
                               SharedKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), EVP_PKEY_free)}) {
    Recipe recipe = authority("site CA");
    recipe.key = key;
    recipe.digest = EVP_PKEY_is_a(key.get(), "ED25519") == 1 ? nullptr : EVP_sha256();
    const Issued site = issue_self_signed(recipe);
    const auto leaf = mint_.mint(issue({}, family().issuing).get(), *load_ca({site}));
    ASSERT_NE(leaf, nullptr);
    EXPECT_EQ(certificate_fault_name(faults(leaf.get(), site, "bmc.lab").first()), "");
  }
}

TEST_F(LeafMintTest, SaysOfTheServerWhatItsOwnCertificateSays) {
  const Issued original = issue(
      {.subject = "Bänk", .names = "critical,DNS:bmc.lab,URI:https://x/", .purpose = "serverAuth,clientAuth"},
      family().issuing);
  const auto leaf = mint_.mint(original.get(), *ca_);
  ASSERT_NE(leaf, nullptr);
  EXPECT_EQ(X509_NAME_cmp(X509_get_subject_name(leaf.get()), X509_get_subject_name(original.get())), 0);
  for (const int nid : {NID_subject_alt_name, NID_ext_key_usage})
    EXPECT_EQ(extension(leaf.get(), nid), extension(original.get(), nid));
  EXPECT_EQ(X509_get_ext_by_critical(leaf.get(), 1, -1),
            X509_get_ext_by_NID(leaf.get(), NID_basic_constraints, -1));
}

TEST_F(LeafMintTest, SaysNothingOfTheOriginalsIssuer) {
  const auto leaf = mint({.more = {{NID_info_access, "OCSP;URI:http://ocsp.example/"},
                                   {NID_crl_distribution_points, "URI:http://crl.example/"},
                                   {NID_tlsfeature, "status_request"}},
                          .raw = {{"2.5.29.32", 0, "\x30\x07\x30\x05\x06\x03\x2a\x03\x04"}}});
  ASSERT_NE(leaf, nullptr);
  for (const int nid :
       {NID_info_access, NID_crl_distribution_points, NID_tlsfeature, NID_certificate_policies})
    EXPECT_EQ(extension(leaf.get(), nid), "absent");
  EXPECT_EQ(X509_NAME_cmp(X509_get_issuer_name(leaf.get()), X509_get_subject_name(site_.get())), 0);
}

TEST_F(LeafMintTest, IsValidNoLongerThanTheOriginalAndTheAuthority) {
  const auto inside = mint({.begins = kNow - 5, .ends = kNow + 7});
  EXPECT_EQ(seconds(X509_get0_notBefore(inside.get())), kNow - 5);
  EXPECT_EQ(seconds(X509_get0_notAfter(inside.get())), kNow + 7);
  const auto beyond = mint({.begins = kNow - 900 * kDay, .ends = kNow + 9000 * kDay});
  EXPECT_EQ(seconds(X509_get0_notBefore(beyond.get())), kNow - 30 * kDay);
  EXPECT_EQ(seconds(X509_get0_notAfter(beyond.get())), kNow + 300 * kDay);
}

TEST_F(LeafMintTest, AnOriginalFromBeforeTheAuthorityIsRefused) {
  EXPECT_EQ(mint({.begins = kNow - 900 * kDay, .ends = kNow - 800 * kDay}), nullptr);
}

TEST_F(LeafMintTest, AnExpiredOriginalStaysExpired) {
  const auto leaf = mint({.ends = kNow - 1});
  ASSERT_NE(leaf, nullptr);
  EXPECT_EQ(faults(leaf.get(), site_, "bmc.lab").first(), CertificateFault::Expired);
}

TEST_F(LeafMintTest, AnOriginalForOtherPurposesStaysSo) {
  const auto client = mint({.purpose = "clientAuth"});
  EXPECT_EQ(faults(client.get(), site_, "bmc.lab").first(), CertificateFault::WrongPurpose);
  const auto contract = mint({.usage = "critical,nonRepudiation"});
  EXPECT_EQ(faults(contract.get(), site_, "bmc.lab").first(), CertificateFault::WrongPurpose);
}

TEST_F(LeafMintTest, AnOriginalThatSaysNoPurposeIsForServersOnly) {
  const auto leaf = mint({.usage = "", .purpose = ""});
  EXPECT_TRUE(faults(leaf.get(), site_, "bmc.lab").none());
  EXPECT_EQ(X509_get_extended_key_usage(leaf.get()), static_cast<uint32_t>(XKU_SSL_SERVER));
}

TEST_F(LeafMintTest, AnAuthorityIsNotMirrored) {
  const auto leaf = mint(authority("issuing"));
  ASSERT_NE(leaf, nullptr);
  EXPECT_EQ(X509_check_ca(leaf.get()), 0);
}

TEST_F(LeafMintTest, OriginalsThatHideSomethingAreRefused) {
  const std::string hidden("good.lab\0.evil.example", 22);
  EXPECT_EQ(mint({.subject = hidden}), nullptr);
  EXPECT_EQ(mint({.names = "", .raw = {{"2.5.29.17", 0, dns_names_der({hidden})}}}), nullptr);
  EXPECT_EQ(mint({.raw = {{"2.5.29.17", 0, dns_names_der({"second.lab"})}}}), nullptr);
  EXPECT_EQ(mint({.names = "", .raw = {{"2.5.29.17", 0, "\x30\x05\x82"}}}), nullptr);
}

TEST_F(LeafMintTest, SerialsArePositiveOf159BitsAndNeverTheSame) {
  std::set<std::string> seen;
  int longest = 0;
  for (int i = 0; i < 200; ++i) {
    const auto leaf = mint({});
    BIGNUM* number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(leaf.get()), nullptr);
    EXPECT_EQ(BN_is_negative(number), 0);
    longest = std::max(longest, BN_num_bits(number));
    char* text = BN_bn2hex(number);
    EXPECT_TRUE(seen.insert(text).second);
    OPENSSL_free(text);
    BN_free(number);
  }
  EXPECT_EQ(longest, 159);
}

class MintedLeavesTest : public LeafMintTest {
 protected:
  std::unique_ptr<MintedLeaves> leaves(size_t most) {
    const auto untrusted = load_ca({issue_self_signed(authority("untrusted site CA"))});
    return std::move(MintedLeaves::make({ca_, untrusted, most}).value());
  }
  Issued first_ = issue({}, family().issuing), second_ = issue({}, family().issuing),
         third_ = issue({}, family().issuing);
};

TEST_F(MintedLeavesTest, TheSameOriginalIsMintedOnce) {
  const auto cache = leaves(10);
  ssl_ctx_st* settings = cache->settings_for(first_.get(), LeafTrust::Trusted);
  ASSERT_NE(settings, nullptr);
  EXPECT_EQ(cache->settings_for(first_.get(), LeafTrust::Trusted), settings);
  EXPECT_EQ(cache->counts().minted, 1u);
  EXPECT_EQ(cache->counts().reused, 1u);
}

TEST_F(MintedLeavesTest, TrustedAndUntrustedLeavesNeverStandForEachOther) {
  const auto cache = leaves(10);
  const auto issuer = [&](LeafTrust trust) {
    const X509* leaf = SSL_CTX_get0_certificate(cache->settings_for(first_.get(), trust));
    char text[256];
    return std::string(X509_NAME_oneline(X509_get_issuer_name(leaf), text, sizeof text));
  };
  EXPECT_EQ(issuer(LeafTrust::Untrusted), "/CN=untrusted site CA");
  EXPECT_EQ(issuer(LeafTrust::Trusted), "/CN=site CA");
  EXPECT_EQ(issuer(LeafTrust::Untrusted), "/CN=untrusted site CA");
}

TEST_F(MintedLeavesTest, WhenFullTheLeafNotUsedLongestGoes) {
  const auto cache = leaves(2);
  for (const Issued* one : {&first_, &second_, &first_, &third_})
    ASSERT_NE(cache->settings_for(one->get(), LeafTrust::Trusted), nullptr);
  EXPECT_EQ(cache->size(), 2u);
  EXPECT_EQ(cache->counts().displaced, 1u);
  cache->settings_for(first_.get(), LeafTrust::Trusted);
  EXPECT_EQ(cache->counts().reused, 2u);
  cache->settings_for(second_.get(), LeafTrust::Trusted);
  EXPECT_EQ(cache->counts().minted, 4u);
}

TEST_F(MintedLeavesTest, WhatCannotBeMintedIsCounted) {
  const auto cache = std::move(MintedLeaves::make({ca_, nullptr, 10}).value());
  EXPECT_EQ(cache->settings_for(first_.get(), LeafTrust::Untrusted), nullptr);
  const Issued odd = issue({.subject = std::string("a\0b", 3)}, family().issuing);
  EXPECT_EQ(cache->settings_for(odd.get(), LeafTrust::Trusted), nullptr);
  EXPECT_EQ(cache->counts().refused, 2u);
  EXPECT_EQ(cache->size(), 0u);
}

class SigningCaTest : public testing::Test {
 protected:
  std::string refusal(const SigningCa::Files& files) {
    const auto loaded = SigningCa::load(files);
    return loaded ? "" : loaded.error().text();
  }
  std::string refusal(const Recipe& recipe) {
    return refusal(write_ca(folder_, {issue_self_signed(recipe)}));
  }
  void expect_refusal(const std::string& found, const std::string& words) {
    EXPECT_NE(found.find(words), std::string::npos) << found;
  }

  Folder folder_;
  Issued root_ = issue_self_signed(authority("site CA"));
};

TEST_F(SigningCaTest, ReadsAnEncryptedKey) {
  EXPECT_EQ(refusal(write_ca(folder_, {root_}, "correct horse")), "");
}

TEST_F(SigningCaTest, AMissingWrongOrReadablePassphraseIsRefused) {
  SigningCa::Files files = write_ca(folder_, {root_}, "correct horse");
  write_secret(files.passphrase_file, "battery staple\n");
  expect_refusal(refusal(files), "the passphrase of " + files.passphrase_file);
  std::filesystem::permissions(files.passphrase_file, std::filesystem::perms(0644));
  expect_refusal(refusal(files), "expected mode 0600");
  files.passphrase_file.clear();
  expect_refusal(refusal(files), "expected one in PEM that is not encrypted");
}

TEST_F(SigningCaTest, AKeyThatOthersMayReadIsRefused) {
  const SigningCa::Files files = write_ca(folder_, {root_});
  std::filesystem::permissions(files.key, std::filesystem::perms(0640));
  expect_refusal(refusal(files), "expected mode 0600");
}

TEST_F(SigningCaTest, TheKeyOfAnotherAuthorityIsRefused) {
  SigningCa::Files files = write_ca(folder_, {root_});
  files.key = write_ca(folder_, {issue_self_signed(authority("other"))}).key;
  expect_refusal(refusal(files), "found another key");
}

TEST_F(SigningCaTest, WhatClientsTakeForNoAuthorityIsRefused) {
  Recipe leaf, no_usage = authority("x"), no_key_name = authority("x"), weak = authority("x");
  no_usage.usage = "";
  no_key_name.subject_key = "";
  weak.key = rsa_key(1024);
  expect_refusal(refusal(leaf), "CA:TRUE");
  expect_refusal(refusal(no_usage), "keyCertSign");
  expect_refusal(refusal(no_key_name), "subject key identifier");
  expect_refusal(refusal(weak), "weak key");
}

TEST_F(SigningCaTest, ShowsIntermediatesButNotTheRoot) {
  const Issued below = issue(authority("site issuing"), root_);
  const auto ca = load_ca({below, root_});
  ASSERT_EQ(ca->chain().size(), 1u);
  EXPECT_EQ(X509_cmp(ca->chain()[0], below.get()), 0);
  EXPECT_TRUE(load_ca({root_})->chain().empty());
}

}  // namespace
}  // namespace postern::tls
