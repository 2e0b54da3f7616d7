// SPDX-License-Identifier: Apache-2.0
// The deployment as the site file states it (docs/site_file.md), checked and with ids. Control thread only.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "classify/policy.h"
#include "control/names.h"
#include "dataplane/tls_setup.h"
#include "dataplane/wire.h"
#include "profiles/byte_signatures.h"

namespace postern::control {

using dataplane::Idle;
using dataplane::L2Action;
using dataplane::L2Policy;
using dataplane::PortSpec;
using dataplane::Wire;

struct ForwardingProfile {
  ForwardingId id;
  std::string name;
  std::string file;  // absolute, below the log directory unless written absolute
};

struct Site {
  std::string name;
  std::string file;
  std::vector<std::string> pack_files;  // absolute
  unsigned workers = 1;
  std::vector<unsigned> cores;
  Idle idle = Idle::Sleep;
  uint32_t flows = 262144;
  uint16_t mtu = 1500;
  std::vector<Wire> wires;
  std::string log_directory;
  std::vector<ForwardingProfile> forwardings;
  uint32_t stats_seconds = 10;
  dataplane::TlsSetup tls;
  std::vector<profiles::ByteSignature> antivirus;  // the operator's own
  std::string pattern_cache;                       // folder; empty: none
  std::string control_socket, control_group;
  classify::Policy policy;            // everything that is compiled: zones, applications, rules, subjects ...
  std::vector<std::string> warnings;  // commit goes on, the operator is told
};

}  // namespace postern::control
