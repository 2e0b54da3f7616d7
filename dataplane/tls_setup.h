// SPDX-License-Identifier: Apache-2.0
// Which threads decrypt, and what they show clients. A value of the control thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tls/forward_credentials.h"
#include "tls/inbound_credentials.h"

namespace postern::dataplane {

// What the operator gives sessions to show; the files are read and checked.
struct TlsCredentials {
  std::shared_ptr<const tls::ServerIdentities> inbound;   // null or empty: none imported
  std::optional<tls::ForwardCredentials::Setup> forward;  // none: no CA of the site
};

// No threads: whatever a rule wants decrypted meets its exception policy.
struct TlsSetup {
  unsigned threads = 0;
  std::vector<unsigned> cores;  // thread n runs on cores[n]; empty: anywhere
  uint32_t sessions = 4096;     // at once, per thread
  TlsCredentials credentials;
  std::string key_log;       // file that gets the sessions' secrets; empty: none, as it should be
  std::string adopted_file;  // path, to which a thread's number is added; see AdoptedFile
};

}  // namespace postern::dataplane
