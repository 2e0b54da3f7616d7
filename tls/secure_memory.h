// SPDX-License-Identifier: Apache-2.0
// A place for private keys that is never written to swap or a core dump, and is wiped when they go: OpenSSL's
// secure heap. Process-wide, to be asked for before the first key is read.
#pragma once

#include <cstddef>
#include <string>

namespace postern::tls {

// Imported keys, and those that each handshake makes for itself (some hundred bytes while it lasts).
inline constexpr size_t kSecureMemory = size_t{16} << 20;

// Empty: keys are locked in memory; else one sentence that says what is not, and why.
std::string secure_key_memory();

}  // namespace postern::tls
