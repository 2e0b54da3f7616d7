// SPDX-License-Identifier: Apache-2.0
#include "tls/secure_memory.h"

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

namespace postern::tls {
namespace {

TEST(SecureMemory, HoldsTheSecretNumbersOfPrivateKeys) {
  const std::string notice = secure_key_memory();
  ASSERT_EQ(CRYPTO_secure_malloc_initialized(), 1) << notice;
  EVP_PKEY_free(EVP_EC_gen("P-256"));  // the state of random numbers is made with the first key, and stays
  const size_t before = CRYPTO_secure_used();
  EVP_PKEY* key = EVP_EC_gen("P-256");
  ASSERT_NE(key, nullptr);
  EXPECT_GT(CRYPTO_secure_used(), before);
  EVP_PKEY_free(key);
  EXPECT_EQ(CRYPTO_secure_used(), before);
}

TEST(SecureMemory, MayBeAskedForTwice) {
  secure_key_memory();
  EXPECT_EQ(secure_key_memory(), "");
}

}  // namespace
}  // namespace postern::tls
