// SPDX-License-Identifier: Apache-2.0
// The command line of pktgen. Main thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dataplane/wire.h"
#include "perf/traffic/datagrams.h"

namespace postern::perf {

enum class Content : uint8_t { Datagrams, Connections, Recording };
enum class Mode : uint8_t { Once, Serve };

struct PktgenOptions {
  std::vector<dataplane::PortSpec> ports;  // one or two
  Content content = Content::Datagrams;
  Mode mode = Mode::Once;
  DatagramShape datagrams;  // of the probes, where the content is another
  uint32_t answer_bytes = 1024;
  std::string capture;
  int loops = 0;                  // of the capture; 0: until the time is over
  uint32_t probe_every = 0;       // 0: no probes
  double packets_per_second = 0;  // 0: as fast as possible
  double seconds = 10;
  bool per_flow = false, quiet = false;
  std::optional<unsigned> core;
  double wait_seconds = 10;  // for links
  std::string json_file;
  double bits_on_link = 0;  // of a frame, on average
};

struct PktgenCommandLine {
  std::optional<PktgenOptions> options;  // none: `text` is all there is to say
  std::string text;                      // help, or what was wrong
  int exit_code = 0;
};

PktgenCommandLine parse_pktgen(int count, const char* const* words);

}  // namespace postern::perf
