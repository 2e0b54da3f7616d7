// SPDX-License-Identifier: Apache-2.0
// One log file: whole lines, appended, through a bounded buffer. A disk that refuses is tried again each
// second; lines that find no room are lost and counted. One thread at a time; never waits but inside
// write(2). Times: `now` is a monotonic clock in nanoseconds, `record_time` is when the logged thing
// happened.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "base/unique_fd.h"

namespace postern::control {

class LogFile {
 public:
  static constexpr size_t kMostBuffered = 4 << 20;
  static constexpr size_t kWorthWriting = 64 << 10;
  static constexpr Timestamp kRetryAfter = kSecond;

  struct Counters {
    uint64_t lines = 0;  // written completely
    uint64_t lost = 0;
    uint64_t write_errors = 0;  // refused writes and re-opens
  };
  struct Loss {
    uint64_t lines = 0;
    Timestamp last = 0;  // record time of the last lost line
  };

  // Creates the file (0640) and missing directories (0750). The error names the path and the system's reason.
  static Result<std::unique_ptr<LogFile>> open(std::string path);

  const std::string& path() const { return path_; }
  const Counters& counters() const { return counters_; }
  size_t buffered() const { return buffer_.size() - written_; }

  void append(std::string_view line, Timestamp record_time);
  // Writes what is buffered unless a refused write is younger than kRetryAfter.
  void flush(Timestamp now);
  // The same, but asks the disk in any case: the last words before rotation and at the end.
  void flush_now(Timestamp now);
  // Rotation: the rest of the buffer goes to the old file if it takes it, else to the new one. While the name
  // cannot be opened the old file stays in use, and flush() tries again.
  void reopen(Timestamp now);
  // Gives up on what is buffered: it counts as lost.
  void abandon();

  // Loss not yet told, once there is room again to tell it; taking it forgets it.
  std::optional<Loss> take_loss();

 private:
  LogFile(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  void refused(Timestamp now);
  void try_reopen(Timestamp now);

  std::string path_;
  UniqueFd fd_;
  std::string buffer_;
  size_t written_ = 0;           // of buffer_, already in the file
  uint64_t buffered_lines_ = 0;  // not yet completely written
  Counters counters_;
  Loss untold_;
  std::optional<Timestamp> retry_at_;   // a write was refused
  std::optional<Timestamp> reopen_at_;  // a re-open is owed
};

}  // namespace postern::control
