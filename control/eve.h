// SPDX-License-Identifier: Apache-2.0
// Turns log records into EVE-compatible JSON lines (docs/logs.md, deploy/schema/event.schema.json). Reads no
// clock: the same records give the same text. One thread at a time; a returned view lives until the next
// call.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/decrypt_reason.h"
#include "base/verdict.h"
#include "control/json_line.h"
#include "control/names.h"
#include "dataplane/log_record.h"
#include "tls/certificate_fault.h"

namespace postern::control {

struct PortStats {
  std::string side, port;
  uint64_t rx_packets = 0, rx_bytes = 0, tx_packets = 0, tx_bytes = 0;
};
struct WireStats {
  std::string wire;
  std::array<PortStats, 2> sides;
};

// Totals since the start of the daemon: received + forged = sent + terminated + held + the sum of dropped.
struct StatsRecord {
  Timestamp time = 0;
  uint64_t uptime_seconds = 0;
  Generation generation;
  uint64_t received = 0, sent = 0, forged = 0, terminated = 0, held = 0;
  std::array<uint64_t, kDropReasons> dropped{};  // by DropReason
  uint64_t flows_active = 0, flows_opened = 0;
  uint64_t log_lines = 0, log_lost = 0, log_write_errors = 0;
  std::vector<WireStats> wires;
};

enum class LossCause : uint8_t { QueueFull, WriteFailed };

// Records that never became lines. Times are those of records, not of a clock.
struct LogLoss {
  Timestamp time = 0;
  LossCause cause{};
  uint64_t lost = 0;
};

class EveFormatter {
 public:
  EveFormatter(const Names& names, std::string_view observer);

  // Every line ends in a newline. `observer` is the site's name; empty: not written. A commit may change it
  // and the names of sides: renew then.
  void renew(std::string_view observer);
  // `extra`: the bytes that follow a record of this kind.
  std::string_view line(const dataplane::LogRecord& record, Bytes extra = {});
  std::string_view line(const StatsRecord& stats);
  std::string_view line(const LogLoss& loss);

 private:
  // Ids are never given to another name, so what was once looked up and escaped stays true; only sides may be
  // renamed.
  using Fragments = std::vector<std::string>;
  template <typename Make>
  std::string_view cached(Fragments& fragments, size_t index, Make make);
  std::string_view zone(Zone id);
  std::string_view application(AppId id);
  std::string_view subject(SubjectId id);
  std::string_view rule(RuleId id);
  std::string_view wire_and_side(WireId wire, Side side);

  void start_line(Timestamp time);
  void endpoints(const dataplane::LogRecord& record);
  void applications(const dataplane::LogRecord& record);
  // What only events of this kind have.
  void particulars(const dataplane::LogRecord& record, Bytes extra);
  void alert(const dataplane::AlertFacts& facts);
  void flow(const dataplane::LogRecord& record);
  void tcp(const dataplane::LogRecord& record);
  void judgement(const dataplane::LogRecord& record);
  void content(const dataplane::LogRecord& record);
  void decryption(const dataplane::LogRecord& record, DecryptReason reason, tls::CertificateFault cause);
  void wires(const StatsRecord& stats);

  const Names& names_;
  std::string observer_;  // quoted
  JsonLine json_;
  Fragments zones_, applications_, subjects_, rules_, wires_;
  std::string uncached_;
};

}  // namespace postern::control
