// SPDX-License-Identifier: Apache-2.0
#include "tls/secure_memory.h"

#include <openssl/crypto.h>

namespace postern::tls {

std::string secure_key_memory() {
  constexpr size_t kLeast = 32;  // bytes of the smallest piece
  if (CRYPTO_secure_malloc_initialized() != 0) return {};
  switch (CRYPTO_secure_malloc_init(kSecureMemory, kLeast)) {
    case 1:
      return {};
    case 2:
      return "private keys are kept apart and wiped, but the kernel does not lock " +
             std::to_string(kSecureMemory >> 20) +
             " MB for them (RLIMIT_MEMLOCK): they may be written to swap";
    default:
      return "there is no memory of their own for private keys: they may be written to swap";
  }
}

}  // namespace postern::tls
