// SPDX-License-Identifier: Apache-2.0
// Which threads decrypt, and what they show clients. A value of the control thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tls/server_identity.h"

namespace postern::dataplane {

// No threads: whatever a rule wants decrypted meets its exception policy.
struct TlsSetup {
  unsigned threads = 0;
  std::vector<unsigned> cores;  // thread n runs on cores[n]; empty: anywhere
  uint32_t sessions = 4096;     // at once, per thread
  std::shared_ptr<const tls::ServerIdentities> identities;
  std::string key_log;       // file that gets the sessions' secrets; empty: none, as it should be
  std::string adopted_file;  // path, to which a thread's number is added; see AdoptedFile
};

}  // namespace postern::dataplane
