// SPDX-License-Identifier: Apache-2.0
#include "control/replay_command.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>

#include "control/eve.h"
#include "control/flow_story.h"
#include "control/running_policy.h"
#include "dataplane/eal.h"
#include "dataplane/replay.h"

namespace postern::control {
namespace {

using dataplane::CaptureReader;
using dataplane::CaptureWriter;
using dataplane::LogEvent;
using dataplane::Replay;
using dataplane::WorkerStats;
namespace fs = std::filesystem;

// One file per forwarding profile, by base name, in the folder of the replay.
class ReplayLog {
 public:
  ReplayLog(const fs::path& folder, const Site& site, const Names& names) : formatter_(names, site.name) {
    for (const ForwardingProfile& profile : site.forwardings) {
      const fs::path path = folder / fs::path(profile.file).filename();
      files_[profile.id] = &open(path);
    }
    const ForwardingId fallback = site.policy.default_logging.forwarding;
    fallback_ = files_.contains(fallback) ? files_[fallback] : &open(folder / "eve.json");
  }

  void write(const LogEvent& event) {
    const auto file = files_.find(event.record.forwarding);
    *(file != files_.end() ? file->second : fallback_) << formatter_.line(event.record, event.extra);
  }
  void write(const StatsRecord& stats, const fs::path& path) { open(path) << formatter_.line(stats); }

  // The first file that could not be written; empty when all is well.
  std::string failed() {
    for (auto& [path, stream] : streams_) {
      stream.flush();
      if (!stream) return path;
    }
    return "";
  }

 private:
  std::ofstream& open(const fs::path& path) {
    const auto [entry, fresh] = streams_.try_emplace(path.string());
    if (fresh) entry->second.open(path, std::ios::trunc);
    return entry->second;
  }

  EveFormatter formatter_;
  std::map<std::string, std::ofstream> streams_;
  std::map<ForwardingId, std::ofstream*> files_;
  std::ofstream* fallback_ = nullptr;
};

// What happened to the traced flow: lines as they come, or one JSON document at the end.
class ReplayStory {
 public:
  ReplayStory(const classify::PolicySnapshot& snapshot, const Names& names, StoryOutput output,
              std::ostream& out)
      : story_(snapshot, names), output_(output), out_(out) {}

  void tell(const dataplane::TraceEvent& event) {
    any_ = true;
    nlohmann::json step = story_.step(event);
    if (output_ == StoryOutput::Json) {
      steps_.push_back(std::move(step));
      return;
    }
    for (const std::string& line : FlowStory::lines(step)) out_ << line << "\n";
  }
  // False when there was nothing to tell.
  bool finish(uint64_t lost) {
    if (any_ && output_ == StoryOutput::Json)
      out_ << nlohmann::json{{"steps", steps_}, {"lost", lost}}.dump(2) << "\n";
    if (lost > 0 && output_ == StoryOutput::Text) out_ << lost << " steps were lost: they came too fast\n";
    return any_;
  }

 private:
  FlowStory story_;
  StoryOutput output_;
  std::ostream& out_;
  nlohmann::json steps_ = nlohmann::json::array();
  bool any_ = false;
};

StatsRecord stats_record(const WorkerStats& stats, const Site& site, Timestamp time) {
  StatsRecord record{.time = time,
                     .uptime_seconds = 0,
                     .generation = Generation{stats.generation},
                     .received = stats.received,
                     .sent = stats.sent,
                     .held = stats.held,
                     .dropped = stats.dropped,
                     .flows_active = 0,
                     .flows_opened = stats.flows_created,
                     .log_lines = 0,
                     .log_lost = stats.log_records_lost,
                     .log_write_errors = 0,
                     .wires = {}};
  for (const Wire& wire : site.wires) {
    WireStats counted{.wire = wire.name, .sides = {}};
    for (size_t side = 0; side < 2; ++side) {
      const WorkerStats::PortStats& port = stats.ports[wire.id.value * 2u + side];
      counted.sides[side] = {wire.sides[side],    "replay",          port.received_packets,
                             port.received_bytes, port.sent_packets, port.sent_bytes};
    }
    record.wires.push_back(std::move(counted));
  }
  return record;
}

int report(std::ostream& out, const Error& error) {
  out << "posternd: " << error.text() << std::endl;
  return 1;
}

int play(const ReplayOptions& options, const CompiledSite& policy, const Names& names,
         std::ostream& story_out, std::ostream& out) {
  std::error_code failure;
  fs::create_directories(options.log_directory, failure);
  if (failure) return report(out, Error{"cannot be made: " + failure.message(), options.log_directory});
  std::unique_ptr<CaptureWriter> writer;
  if (!options.out.empty()) {
    auto created = CaptureWriter::create(options.out);
    if (!created) return report(out, created.error());
    writer = std::make_unique<CaptureWriter>(std::move(*created));
  }
  const unsigned workers = policy.snapshot->policy().workers;
  const auto eal = dataplane::start_eal(
      {.workers = 0, .cores = {}, .pci_devices = {}, .memory = size_t{256} * (workers + 1) << 20});
  if (!eal) return report(out, eal.error());

  ReplayLog log(options.log_directory, policy.site, names);
  auto replay =
      Replay::create({.wires = policy.site.wires, .workers = workers, .flows = policy.site.flows},
                     *policy.snapshot, writer.get(), [&](const LogEvent& event) { log.write(event); });
  if (!replay) return report(out, replay.error());
  ReplayStory story(*policy.snapshot, names, options.story, story_out);
  if (options.trace) (*replay)->follow(*options.trace, [&](const auto& event) { story.tell(event); });
  int code = 0;
  for (const std::string& path : options.captures) {
    auto capture = CaptureReader::open(path);
    const Status played = capture ? (*replay)->play(*capture) : Status(capture.error());
    if (!played) code = report(out, played.error());
  }
  (*replay)->finish();
  log.write(stats_record((*replay)->stats(), policy.site, (*replay)->now()),
            fs::path(options.log_directory) / "stats.json");
  if (options.trace && !story.finish((*replay)->trace_events_lost()))
    code = report(out, Error{"no packet of the flow to trace is in the captures"});
  if (const std::string path = log.failed(); !path.empty())
    code = report(out, Error{"cannot be written", path});
  if (writer)
    if (const Status closed = writer->close(); !closed) code = report(out, closed.error());
  return code;
}

}  // namespace

int run_replay(const ReplayOptions& options, std::ostream& out, std::ostream& errors) {
  Names names;
  const CompileOptions compile{.workers = options.workers, .pattern_cache = options.pattern_cache};
  std::unique_ptr<CompiledSite> policy;
  if (options.site_file.empty()) {
    policy = permissive_site(names, compile);
  } else {
    Compiled compiled = compile_site(options.site_file, names, Generation{1}, compile);
    for (const Error& error : compiled.errors) errors << "posternd: " << error.text() << "\n";
    if (!compiled.compiled) return 3;
    policy = std::move(compiled.compiled);
  }
  return play(options, *policy, names, out, errors);
}

}  // namespace postern::control
