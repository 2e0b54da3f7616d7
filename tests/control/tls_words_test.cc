// SPDX-License-Identifier: Apache-2.0
#include "control/tls_words.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <memory>

namespace postern::control {
namespace {

struct Free {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

TEST(TlsWords, NameCiphersAsOpenSslDoes) {
  const std::unique_ptr<SSL_CTX, Free> context(SSL_CTX_new(TLS_method()));
  const std::unique_ptr<SSL, Free> ssl(SSL_new(context.get()));
  int agreed = 0;
  for (unsigned suite = 0; suite <= 0xffff; ++suite) {
    const std::string_view ours = tls_cipher_word(static_cast<uint16_t>(suite));
    const uint8_t number[2] = {static_cast<uint8_t>(suite >> 8), static_cast<uint8_t>(suite)};
    const SSL_CIPHER* const cipher = SSL_CIPHER_find(ssl.get(), number);
    if (ours.empty() || cipher == nullptr) continue;
    EXPECT_EQ(ours, SSL_CIPHER_standard_name(cipher)) << suite;
    ++agreed;
  }
  EXPECT_GE(agreed, 35);
}

TEST(TlsWords, NameAlertsAsOpenSslDoes) {
  int agreed = 0;
  for (int code = 0; code < 256; ++code) {
    const std::string_view ours = tls_alert_word(static_cast<uint8_t>(code));
    std::string theirs = SSL_alert_desc_string_long(code);
    for (char& c : theirs) c = c == ' ' ? '_' : static_cast<char>(std::tolower(c));
    if (ours.empty() || theirs == "unknown") continue;
    EXPECT_EQ(ours, theirs) << code;
    ++agreed;
  }
  EXPECT_GE(agreed, 25);
}

TEST(TlsWords, NameVersionsAsSuricataDoes) {
  EXPECT_EQ(tls_version_word(0x0304), "TLS 1.3");
  EXPECT_EQ(tls_version_word(0x0303), "TLS 1.2");
  EXPECT_EQ(tls_version_word(0x0301), "TLSv1");
  EXPECT_EQ(tls_version_word(0x0300), "SSLv3");
  EXPECT_EQ(tls_version_word(0x7f1c), "");
}

}  // namespace
}  // namespace postern::control
