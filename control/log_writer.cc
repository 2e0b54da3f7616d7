// SPDX-License-Identifier: Apache-2.0
#include "control/log_writer.h"

#include <signal.h>

#include <algorithm>
#include <cassert>
#include <chrono>

namespace postern::control {
namespace {

constexpr size_t kBatch = 256;
constexpr auto kIdle = std::chrono::milliseconds(5);
constexpr size_t kMostWaitingStats = 16;
// A producer that never stops must not keep stop() or a commit from ending: 1M records per source, then it is
// over.
constexpr size_t kMostDryRounds = 4096;

// Signals belong to the control thread; SIGPIPE and SIGXFSZ come back as errors of write(2).
void block_signals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

Timestamp LogWriter::steady_now() {
  return static_cast<Timestamp>(
      std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count());
}

Result<std::unique_ptr<LogWriter::Routing>> LogWriter::open_files(const LogDestinations& destinations) {
  auto routing = std::make_unique<Routing>();
  routing->observer = destinations.observer;
  for (const LogDestination& destination : destinations.files) {
    auto file = std::find_if(routing->files.begin(), routing->files.end(),
                             [&](const auto& f) { return f->path() == destination.path; });
    if (file == routing->files.end()) {
      auto opened = LogFile::open(destination.path);
      if (!opened) return opened.error();
      file = routing->files.insert(file, std::move(*opened));
    }
    routing->by_forwarding[destination.forwarding] = file->get();
  }
  const auto fallback = routing->by_forwarding.find(destinations.fallback);
  if (fallback == routing->by_forwarding.end())
    return Error{.message = "no log file is named for records without a forwarding", .file = {}};
  routing->fallback = fallback->second;
  return routing;
}

Result<std::unique_ptr<LogWriter>> LogWriter::open(const Names& names, std::vector<LogSource*> sources,
                                                   const LogDestinations& destinations, Clock clock) {
  auto routing = open_files(destinations);
  if (!routing) return routing.error();
  return std::unique_ptr<LogWriter>(
      new LogWriter(names, std::move(sources), std::move(*routing), std::move(clock)));
}

LogWriter::LogWriter(const Names& names, std::vector<LogSource*> sources, std::unique_ptr<Routing> routing,
                     Clock clock)
    : formatter_(names, routing->observer),
      sources_(std::move(sources)),
      told_lost_(sources_.size()),
      routing_(std::move(routing)),
      clock_(std::move(clock)),
      batch_(kBatch) {}

LogWriter::~LogWriter() { stop(); }

void LogWriter::start() {
  assert(!thread_.joinable());
  thread_ = std::thread([this] {
    block_signals();
    run();
  });
}

void LogWriter::stop() {
  if (!thread_.joinable()) return finish();
  {
    const std::lock_guard lock(mutex_);
    mail_.stop = true;
  }
  wake_.notify_one();
  thread_.join();
  mail_.stop = false;
}

void LogWriter::run() {
  for (;;) {
    const size_t count = poll_once();
    std::unique_lock lock(mutex_);
    if (count == 0) wake_.wait_for(lock, kIdle, [this] { return !mail_.empty(); });
    if (mail_.stop) break;
  }
  finish();
}

void LogWriter::finish() {
  read_dry();
  poll_once();
  for (const auto& file : routing_->files) {
    file->flush_now(clock_());
    tell_write_loss(*file);
    file->flush_now(clock_());
    file->abandon();
  }
  publish_counters();
}

size_t LogWriter::poll_once() {
  const size_t count = read_sources();
  Mail mail;
  {
    const std::lock_guard lock(mutex_);
    mail.reopen = std::exchange(mail_.reopen, false);
    mail.routing = std::move(mail_.routing);
    mail.stats.swap(mail_.stats);
  }
  if (!mail.empty()) carry_out(std::move(mail));
  // While records keep coming only full buffers are written; a quiet moment writes all.
  count != 0 ? flush_full() : flush_all();
  publish_counters();
  return count;
}

size_t LogWriter::read_sources() {
  size_t total = 0;
  for (size_t i = 0; i < sources_.size(); ++i) {
    const size_t count = sources_[i]->read(batch_);
    for (const auto& event : std::span(batch_).first(count)) write(event);
    total += count;
    tell_queue_loss(i);
  }
  own_.records += total;
  return total;
}

void LogWriter::read_dry() {
  for (size_t round = 0; round < kMostDryRounds && read_sources() != 0; ++round) flush_full();
}

LogFile& LogWriter::file_of(ForwardingId forwarding) {
  const auto found = routing_->by_forwarding.find(forwarding);
  return found == routing_->by_forwarding.end() ? *routing_->fallback : *found->second;
}

void LogWriter::write(const dataplane::LogEvent& event) {
  const dataplane::LogRecord& record = event.record;
  last_record_time_ = record.time;
  file_of(record.forwarding).append(formatter_.line(record, event.extra), record.time);
}

void LogWriter::tell_queue_loss(size_t source) {
  const uint64_t lost = sources_[source]->lost();
  if (lost == told_lost_[source]) return;
  const LogLoss loss{last_record_time_, LossCause::QueueFull, lost - told_lost_[source]};
  told_lost_[source] = lost;
  own_.queue_lost += loss.lost;
  routing_->fallback->append(formatter_.line(loss), loss.time);
}

void LogWriter::tell_write_loss(LogFile& file) {
  const auto lost = file.take_loss();
  if (lost)
    file.append(formatter_.line(LogLoss{lost->last, LossCause::WriteFailed, lost->lines}), lost->last);
}

void LogWriter::flush_full() {
  const Timestamp now = clock_();
  for (const auto& file : routing_->files) {
    if (file->buffered() < LogFile::kWorthWriting) continue;
    file->flush(now);
    tell_write_loss(*file);
  }
}

void LogWriter::flush_all() {
  const Timestamp now = clock_();
  for (const auto& file : routing_->files) {
    file->flush(now);
    tell_write_loss(*file);
  }
}

void LogWriter::carry_out(Mail mail) {
  for (const StatsRecord& stats : mail.stats) routing_->fallback->append(formatter_.line(stats), stats.time);
  if (mail.routing) {
    read_dry();
    switch_to(std::move(mail.routing));
    ++own_.destinations;
  }
  if (mail.reopen) {
    for (const auto& file : routing_->files) file->reopen(clock_());
    ++own_.reopens;
  }
}

void LogWriter::switch_to(std::unique_ptr<Routing> next) {
  for (auto& fresh : next->files) {
    const auto same = std::find_if(routing_->files.begin(), routing_->files.end(),
                                   [&](const auto& old) { return old && old->path() == fresh->path(); });
    if (same == routing_->files.end()) continue;
    for (auto& [forwarding, file] : next->by_forwarding)
      if (file == fresh.get()) file = same->get();
    if (next->fallback == fresh.get()) next->fallback = same->get();
    fresh = std::move(*same);
  }
  for (const auto& closing : routing_->files) {
    if (!closing) continue;
    closing->flush_now(clock_());
    closing->abandon();
    own_.lines += closing->counters().lines;
    own_.lost += closing->counters().lost;
    own_.write_errors += closing->counters().write_errors;
  }
  routing_ = std::move(next);
  formatter_.renew(routing_->observer);
}

void LogWriter::publish_counters() {
  LogCounters sum = own_;
  for (const auto& file : routing_->files) {
    sum.lines += file->counters().lines;
    sum.lost += file->counters().lost;
    sum.write_errors += file->counters().write_errors;
  }
  const std::lock_guard lock(mutex_);
  published_ = sum;
}

Status LogWriter::set_destinations(const LogDestinations& destinations) {
  auto routing = open_files(destinations);
  if (!routing) return routing.error();
  {
    const std::lock_guard lock(mutex_);
    mail_.routing = std::move(*routing);
  }
  wake_.notify_one();
  return Ok{};
}

void LogWriter::reopen() {
  {
    const std::lock_guard lock(mutex_);
    mail_.reopen = true;
  }
  wake_.notify_one();
}

bool LogWriter::log_stats(StatsRecord stats) {
  {
    const std::lock_guard lock(mutex_);
    if (mail_.stats.size() >= kMostWaitingStats) return false;
    mail_.stats.push_back(std::move(stats));
  }
  wake_.notify_one();
  return true;
}

LogCounters LogWriter::counters() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

}  // namespace postern::control
