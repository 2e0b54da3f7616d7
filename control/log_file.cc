// SPDX-License-Identifier: Apache-2.0
#include "control/log_file.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

namespace postern::control {
namespace {

// O_NONBLOCK: a FIFO without a reader is refused instead of waited for; regular files do not care.
UniqueFd open_for_append(const std::string& path) {
  return UniqueFd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640));
}

Error cannot(const char* what, const std::string& path, const std::error_code& reason) {
  return Error{.message = std::string("cannot ") + what + " " + path + ": " + reason.message(), .file = {}};
}

Status make_directory(const std::filesystem::path& directory) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (directory.empty() || fs::is_directory(directory, error)) return Ok{};
  if (auto parent = make_directory(directory.parent_path()); !parent) return parent;
  if (!fs::create_directory(directory, error) && error)
    return cannot("create the log directory", directory.string(), error);
  fs::permissions(directory, fs::perms::owner_all | fs::perms::group_read | fs::perms::group_exec, error);
  if (error) return cannot("set the permissions of", directory.string(), error);
  return Ok{};
}

}  // namespace

Result<std::unique_ptr<LogFile>> LogFile::open(std::string path) {
  if (auto made = make_directory(std::filesystem::path(path).parent_path()); !made) return made.error();
  UniqueFd fd = open_for_append(path);
  if (!fd) return cannot("open the log file", path, std::error_code(errno, std::system_category()));
  return std::unique_ptr<LogFile>(new LogFile(std::move(path), std::move(fd)));
}

void LogFile::append(std::string_view line, Timestamp record_time) {
  // Untold loss keeps the door shut, so that the line that tells it stands exactly where the lines are
  // missing.
  if (untold_.lines != 0 || buffered() + line.size() > kMostBuffered) {
    ++counters_.lost;
    ++untold_.lines;
    untold_.last = record_time;
    return;
  }
  buffer_ += line;
  ++buffered_lines_;
}

std::optional<LogFile::Loss> LogFile::take_loss() {
  if (untold_.lines == 0 || buffered() > kMostBuffered / 2) return std::nullopt;
  return std::exchange(untold_, {});
}

void LogFile::flush(Timestamp now) {
  if (reopen_at_ && now >= *reopen_at_) try_reopen(now);
  if (retry_at_ && now < *retry_at_) return;
  flush_now(now);
}

void LogFile::flush_now(Timestamp now) {
  retry_at_.reset();
  while (buffered() != 0) {
    const ssize_t count = ::write(fd_.get(), buffer_.data() + written_, buffered());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return refused(now);
    const auto from = buffer_.begin() + static_cast<ptrdiff_t>(written_);
    const auto lines = static_cast<uint64_t>(std::count(from, from + count, '\n'));
    counters_.lines += lines;
    buffered_lines_ -= lines;
    written_ += static_cast<size_t>(count);
  }
  buffer_.clear();
  written_ = 0;
}

void LogFile::refused(Timestamp now) {
  ++counters_.write_errors;
  retry_at_ = now + kRetryAfter;
  // Complete lines leave the buffer; a line begun stays whole, should it have to begin again in another file.
  const size_t last_end = written_ == 0 ? std::string::npos : buffer_.rfind('\n', written_ - 1);
  if (last_end == std::string::npos) return;
  buffer_.erase(0, last_end + 1);
  written_ -= last_end + 1;
}

void LogFile::reopen(Timestamp now) {
  flush_now(now);
  try_reopen(now);
}

void LogFile::try_reopen(Timestamp now) {
  // No directory, no file: an operator who moved it away gets it back.
  const Status directory = make_directory(std::filesystem::path(path_).parent_path());
  UniqueFd fresh = directory ? open_for_append(path_) : UniqueFd();
  if (!fresh) {
    ++counters_.write_errors;
    reopen_at_ = now + kRetryAfter;
    return;
  }
  fd_ = std::move(fresh);
  written_ = 0;
  reopen_at_.reset();
  retry_at_.reset();
}

void LogFile::abandon() {
  counters_.lost += buffered_lines_;
  buffered_lines_ = 0;
  buffer_.clear();
  written_ = 0;
}

}  // namespace postern::control
