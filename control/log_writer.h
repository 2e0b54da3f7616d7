// SPDX-License-Identifier: Apache-2.0
// Reads the workers' log records, makes them lines and appends each to the file its forwarding names. Runs a
// thread of its own between start() and stop(); without one the owner calls poll_once() (replay). The other
// public functions are for the control thread. A slow disk holds up only this thread: the rings fill and
// their producers count the loss.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "control/eve.h"
#include "control/log_file.h"
#include "control/names.h"
#include "dataplane/log_record.h"

namespace postern::control {

// Where records come from: the reading end of a worker's ring. Both calls never wait.
class LogSource {
 public:
  virtual ~LogSource() = default;
  // Moves the oldest records out, as many as there are and fit; returns how many.
  virtual size_t read(std::span<dataplane::LogEvent> events) = 0;
  // Records the producer could not put into the full ring since it started.
  virtual uint64_t lost() const = 0;
};

struct LogDestination {
  ForwardingId forwarding;
  std::string path;  // several forwardings may name one file
};
struct LogDestinations {
  std::string observer;  // the site's name
  std::vector<LogDestination> files;
  ForwardingId fallback;  // for records not forwarded, or to a forwarding no longer there, and for stats
};

struct LogCounters {
  uint64_t records = 0;     // read from the sources
  uint64_t lines = 0;       // written completely, stats and loss lines included
  uint64_t lost = 0;        // found no room because the disk refused
  uint64_t queue_lost = 0;  // found no room in a ring
  uint64_t write_errors = 0;
  uint64_t reopens = 0;       // requests carried out
  uint64_t destinations = 0;  // replacements carried out
};

class LogWriter {
 public:
  using Clock = std::function<Timestamp()>;  // monotonic, nanoseconds
  static Timestamp steady_now();

  // The sources outlive the writer. An unusable path or an unknown fallback is an error.
  static Result<std::unique_ptr<LogWriter>> open(const Names& names, std::vector<LogSource*> sources,
                                                 const LogDestinations& destinations,
                                                 Clock clock = steady_now);
  ~LogWriter();

  void start();
  // Reads the sources dry, writes everything and ends the thread. What the disk still refuses is lost and
  // counted.
  void stop();
  // One round of the thread's work; returns how many records it read. Only while no thread runs.
  size_t poll_once();

  // Carried out by the thread after the records that wait now. Files that stay keep what they buffer; on
  // error nothing changes.
  Status set_destinations(const LogDestinations& destinations);
  void reopen();
  // False when too many wait already.
  [[nodiscard]] bool log_stats(StatsRecord stats);

  LogCounters counters() const;

 private:
  using Files = std::vector<std::unique_ptr<LogFile>>;
  struct Routing {
    std::string observer;
    Files files;
    std::map<ForwardingId, LogFile*> by_forwarding;
    LogFile* fallback = nullptr;
  };
  struct Mail {  // from the control thread to the log thread
    bool stop = false, reopen = false;
    std::unique_ptr<Routing> routing;
    std::vector<StatsRecord> stats;
    bool empty() const { return !stop && !reopen && !routing && stats.empty(); }
  };

  LogWriter(const Names& names, std::vector<LogSource*> sources, std::unique_ptr<Routing> routing,
            Clock clock);
  static Result<std::unique_ptr<Routing>> open_files(const LogDestinations& destinations);
  void run();
  void finish();
  void read_dry();
  size_t read_sources();
  void write(const dataplane::LogEvent& event);
  void tell_queue_loss(size_t source);
  void tell_write_loss(LogFile& file);
  void flush_full();
  void flush_all();
  void carry_out(Mail mail);
  void switch_to(std::unique_ptr<Routing> routing);
  void publish_counters();
  LogFile& file_of(ForwardingId forwarding);

  EveFormatter formatter_;
  std::vector<LogSource*> sources_;
  std::vector<uint64_t> told_lost_;  // by source
  std::unique_ptr<Routing> routing_;
  Clock clock_;
  std::vector<dataplane::LogEvent> batch_;
  Timestamp last_record_time_ = 0;
  LogCounters own_;  // counted by the log thread, closed files included

  mutable std::mutex mutex_;  // guards the three below
  std::condition_variable wake_;
  Mail mail_;
  LogCounters published_;

  std::thread thread_;
};

}  // namespace postern::control
