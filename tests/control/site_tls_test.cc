// SPDX-License-Identifier: Apache-2.0
// The section `tls` of a site file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/running_policy.h"
#include "control/site_loader.h"
#include "tests/control/operator_files.h"
#include "tests/control/site_texts.h"

namespace postern::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Made for this test: P-256, bmc.lab, valid until 2056.
constexpr const char* kCertificate = R"(-----BEGIN CERTIFICATE-----
MIIBjzCCATWgAwIBAgIUVRffjmL3urFWrZogz6pzuYtCjpgwCgYIKoZIzj0EAwIw
EjEQMA4GA1UEAwwHYm1jLmxhYjAgFw0yNjExMjExODU2NThaGA8yMDU2MTExMzE4
NTY1OFowEjEQMA4GA1UEAwwHYm1jLmxhYjBZMBMGByqGSM49AgEGCCqGSM49AwEH
A0IABBy/eWAsUjtLIppU4TE2qnYDLoaItkBlrPM1g++D2qRyIO4e28strpQ/eTXH
+ZyIhsGSlAsDjtoxgT5swV+pOE+jZzBlMB0GA1UdDgQWBBSmFbgcXOagXyzneG4c
T0MBmYLjmjAfBgNVHSMEGDAWgBSmFbgcXOagXyzneG4cT0MBmYLjmjAPBgNVHRMB
Af8EBTADAQH/MBIGA1UdEQQLMAmCB2JtYy5sYWIwCgYIKoZIzj0EAwIDSAAwRQIh
ALamZHe/cW0OIvUCaNWUYnUrkzTRqmcv2GnBpYVmi3t6AiBQhvKID9BHu2zuUmMg
7pl0GeCNzp6DNLu2IKr8pJfCyA==
-----END CERTIFICATE-----
)";
constexpr const char* kKey = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgKg28z4cFOr785oCO
V5febBywy9uGEe+5cVgdthzSobyhRANCAAQcv3lgLFI7SyKaVOExNqp2Ay6GiLZA
ZazzNYPvg9qkciDuHtvLLa6UP3k1x/mciIbBkpQLA47aMYE+bMFfqThP
-----END PRIVATE KEY-----
)";

class SiteTls : public testing::Test {
 protected:
  SiteTls() {
    files_.write("pack.yaml", kSitePack);
    files_.write("bmc.crt", kCertificate);
    files_.write("bmc.key", kKey);
    permit(std::filesystem::perms(0600));
  }
  void permit(std::filesystem::perms mode) { std::filesystem::permissions(files_.path("bmc.key"), mode); }
  Loaded load(const std::string& section) {
    return load_site(files_.write("site.yaml", kSite + section), names_);
  }
  Site good(const std::string& section) {
    Loaded loaded = load(section);
    EXPECT_THAT(texts_of(loaded.errors), IsEmpty());
    return loaded.site ? std::move(*loaded.site) : Site{};
  }

  OperatorFiles files_;
  Names names_;
};

const std::string kInbound = "tls:\n  inbound:\n    - {certificate: bmc.crt, key: bmc.key}\n";

TEST_F(SiteTls, WithoutTheSectionNothingDecrypts) {
  const Site site = good("");
  EXPECT_EQ(site.tls.threads, 0u);
  EXPECT_FALSE(site.policy.inbound_inspection);
}

TEST_F(SiteTls, ImportsCertificatesFromBesideTheSiteFile) {
  const Site site = good(kInbound);
  EXPECT_EQ(site.tls.threads, 1u);
  ASSERT_EQ(site.tls.credentials.inbound->size(), 1u);
  EXPECT_TRUE(site.tls.credentials.inbound->front().is_for("bmc.lab", *IpAddress::parse("10.4.0.5")));
  EXPECT_TRUE(site.policy.inbound_inspection);
}

TEST_F(SiteTls, BindsACertificateToServers) {
  const Site site =
      good("tls:\n  inbound:\n    - {certificate: bmc.crt, key: bmc.key, servers: [10.4.0.0/24]}\n");
  EXPECT_TRUE(site.tls.credentials.inbound->front().is_for("other.lab", *IpAddress::parse("10.4.0.5")));
  EXPECT_FALSE(site.tls.credentials.inbound->front().is_for("bmc.lab", *IpAddress::parse("10.5.0.5")));
}

TEST_F(SiteTls, ReadsThreadsCoresAndSessions) {
  const Site site = good("tls: {threads: 2, cores: [0, 1], sessions: 100}\n");
  EXPECT_EQ(site.tls.threads, 2u);
  EXPECT_THAT(site.tls.cores, ElementsAre(0u, 1u));
  EXPECT_EQ(site.tls.sessions, 100u);
  EXPECT_FALSE(site.policy.inbound_inspection) << "no certificate is imported";
}

TEST_F(SiteTls, WantsOneCoreForEachThread) {
  EXPECT_THAT(texts_of(load("tls: {threads: 2, cores: [0]}\n").errors),
              ElementsAre(HasSubstr("cores: found 1, expected 2, one for each of the threads")));
}

TEST_F(SiteTls, RefusesAKeyThatOthersMayRead) {
  permit(std::filesystem::perms(0644));
  EXPECT_THAT(texts_of(load(kInbound).errors), ElementsAre(HasSubstr("expected mode 0600 or 0400")));
}

TEST_F(SiteTls, RefusesAKeyThatIsNotThere) {
  EXPECT_THAT(texts_of(load("tls:\n  inbound:\n    - {certificate: bmc.crt, key: none.key}\n").errors),
              ElementsAre(HasSubstr("none.key: No such file")));
}

TEST_F(SiteTls, WantsAKeyWithEveryCertificate) {
  EXPECT_THAT(texts_of(load("tls:\n  inbound:\n    - {certificate: bmc.crt}\n").errors),
              ElementsAre(HasSubstr("key")));
}

TEST_F(SiteTls, ThreadsChangeWithARestartAndCertificatesDoNot) {
  const Site running = good(kInbound);
  EXPECT_THAT(needs_restart(running, good(kInbound + "  threads: 2\n")),
              ElementsAre(testing::Field(&Error::message, HasSubstr("threads, cores, sessions and key_log of tls"))));
  EXPECT_THAT(needs_restart(running, good("tls: {threads: 1}\n")), IsEmpty());
}

}  // namespace
}  // namespace postern::control
