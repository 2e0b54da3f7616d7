// SPDX-License-Identifier: Apache-2.0
#include "control/log_writer.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/control/eventually.h"
#include "tests/control/sample_records.h"
#include "tests/control/temporary_directory.h"

namespace postern::control {
namespace {

namespace fs = std::filesystem;
using dataplane::LogEvent;
using dataplane::LogRecord;
using nlohmann::json;

// A ring as a worker has one: bounded, and the producer counts what it could not put in.
class FakeSource : public LogSource {
 public:
  explicit FakeSource(size_t most = SIZE_MAX) : most_(most) {}

  bool push(const LogRecord& record, Bytes extra = {}) {
    const std::lock_guard lock(mutex_);
    if (events_.size() >= most_) {
      ++lost_;
      return false;
    }
    events_.push_back({record, {extra.begin(), extra.end()}});
    return true;
  }
  size_t read(std::span<LogEvent> events) override {
    const std::lock_guard lock(mutex_);
    const size_t count = std::min(events.size(), events_.size());
    std::copy_n(events_.begin(), count, events.begin());
    events_.erase(events_.begin(), events_.begin() + static_cast<ptrdiff_t>(count));
    return count;
  }
  uint64_t lost() const override {
    const std::lock_guard lock(mutex_);
    return lost_;
  }

 private:
  mutable std::mutex mutex_;
  std::deque<LogEvent> events_;
  size_t most_;
  uint64_t lost_ = 0;
};

class LogWriting : public testing::Test {
 protected:
  LogDestinations destinations(const std::string& standard = "default.json",
                               const std::string& urgent = "urgent.json") {
    return {"rack12",
            {{sample_.standard, directory_ / standard}, {sample_.urgent, directory_ / urgent}},
            sample_.standard};
  }
  std::unique_ptr<LogWriter> open(const LogDestinations& destinations) {
    auto writer = LogWriter::open(sample_.names, {&source_}, destinations, [this] { return now_.load(); });
    EXPECT_TRUE(writer) << (writer ? "" : writer.error().text());
    return writer ? std::move(*writer) : nullptr;
  }
  LogRecord numbered(uint64_t flow_id) const {
    LogRecord record = sample_.https();
    record.flow_id = flow_id;
    return record;
  }
  // Every line of these files must be whole; flow ids in the order found.
  std::vector<uint64_t> flow_ids(std::initializer_list<std::string> names) const {
    std::vector<uint64_t> ids;
    for (const std::string& name : names) {
      std::istringstream lines(content_of(directory_ / name));
      for (std::string line; std::getline(lines, line);) {
        const json event = json::parse(line, nullptr, false);
        EXPECT_TRUE(event.is_object()) << name << ": " << line;
        if (event.is_object() && event.contains("flow_id")) ids.push_back(event["flow_id"]);
      }
    }
    return ids;
  }
  static std::vector<uint64_t> numbers(uint64_t first, uint64_t end) {
    std::vector<uint64_t> all;
    for (uint64_t i = first; i < end; ++i) all.push_back(i);
    return all;
  }
  void settle(LogWriter& writer) {
    while (writer.poll_once() != 0) {
    }
  }

  Sample sample_;
  TemporaryDirectory directory_;
  FakeSource source_;
  std::atomic<Timestamp> now_{0};
};

TEST_F(LogWriting, PutsEveryRecordIntoTheFileOfItsForwarding) {
  const auto writer = open(destinations());
  source_.push(sample_.https());
  source_.push(sample_.dropped_ipmi());
  settle(*writer);
  EXPECT_EQ(flow_ids({"default.json"}), std::vector<uint64_t>{1234567890123});
  EXPECT_EQ(flow_ids({"urgent.json"}), std::vector<uint64_t>{42});
}

TEST_F(LogWriting, PutsARecordWithoutForwardingIntoTheFallback) {
  const auto writer = open(destinations());
  LogRecord record = numbered(5);
  record.forwarding = ForwardingId{};
  source_.push(record);
  settle(*writer);
  EXPECT_EQ(flow_ids({"default.json"}), std::vector<uint64_t>{5});
}

TEST_F(LogWriting, KeepsTheOrderWhenTwoForwardingsShareAFile) {
  const auto writer = open(destinations("one.json", "one.json"));
  for (uint64_t i = 0; i < 10; ++i) {
    LogRecord record = numbered(i + 1);
    record.forwarding = i % 2 == 0 ? sample_.standard : sample_.urgent;
    source_.push(record);
  }
  settle(*writer);
  EXPECT_EQ(flow_ids({"one.json"}), numbers(1, 11));
}

TEST_F(LogWriting, AppendsToWhatAnEarlierDaemonWrote) {
  for (uint64_t i = 1; i <= 2; ++i) {
    const auto writer = open(destinations());
    source_.push(numbered(i));
    settle(*writer);
  }
  EXPECT_EQ(flow_ids({"default.json"}), numbers(1, 3));
}

TEST_F(LogWriting, CreatesMissingDirectoriesAndFilesThatOthersCannotRead) {
  const mode_t before = ::umask(0);
  const auto writer = open(destinations("deep/down/a.json"));
  ::umask(before);
  struct stat file {};
  ASSERT_EQ(::stat((directory_ / "deep/down/a.json").c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0640u);
  ASSERT_EQ(::stat((directory_ / "deep/down").c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0750u);
}

TEST_F(LogWriting, SaysWhichDirectoryCannotBeMade) {
  { std::ofstream(directory_ / "file") << "not a directory"; }
  const auto writer = LogWriter::open(sample_.names, {&source_}, destinations("file/sub/a.json"));
  ASSERT_FALSE(writer);
  EXPECT_NE(writer.error().message.find(directory_ / "file"), std::string::npos) << writer.error().message;
}

TEST_F(LogWriting, RefusesAFifoThatNobodyReadsInsteadOfWaiting) {
  ASSERT_EQ(::mkfifo((directory_ / "default.json").c_str(), 0600), 0);
  const auto writer = LogWriter::open(sample_.names, {&source_}, destinations());
  ASSERT_FALSE(writer);
  EXPECT_NE(writer.error().message.find("default.json"), std::string::npos);
}

TEST_F(LogWriting, RefusesDestinationsWithoutAFallback) {
  LogDestinations none = destinations();
  none.fallback = ForwardingId{99};
  EXPECT_FALSE(LogWriter::open(sample_.names, {&source_}, none));
}

TEST_F(LogWriting, WritesStatsToTheFallback) {
  const auto writer = open(destinations());
  ASSERT_TRUE(writer->log_stats(StatsRecord{.time = kSampleTime, .received = 3}));
  settle(*writer);
  EXPECT_EQ(json::parse(content_of(directory_ / "default.json"))["stats"]["received"], 3);
}

TEST_F(LogWriting, RefusesStatsWhenTooManyWait) {
  const auto writer = open(destinations());
  int taken = 0;
  while (taken < 1000 && writer->log_stats(StatsRecord{})) ++taken;
  EXPECT_EQ(taken, 16);
}

TEST_F(LogWriting, TellsWhatAFullRingLost) {
  FakeSource small(2);
  auto writer = LogWriter::open(sample_.names, {&small}, destinations());
  ASSERT_TRUE(writer);
  for (uint64_t i = 1; i <= 5; ++i) small.push(numbered(i));
  settle(**writer);
  const std::string text = content_of(directory_ / "default.json");
  EXPECT_NE(text.find(R"("anomaly":{"type":"log_loss","cause":"queue_full","lost":3})"), std::string::npos)
      << text;
  EXPECT_EQ((*writer)->counters().queue_lost, 3u);
  EXPECT_EQ(flow_ids({"default.json"}), numbers(1, 3));
}

TEST_F(LogWriting, FollowsARenamedFileUntilItIsToldToReopen) {
  const auto writer = open(destinations());
  source_.push(numbered(1));
  settle(*writer);
  fs::rename(directory_ / "default.json", directory_ / "old.json");
  source_.push(numbered(2));
  settle(*writer);
  writer->reopen();
  settle(*writer);
  source_.push(numbered(3));
  settle(*writer);
  EXPECT_EQ(flow_ids({"old.json"}), numbers(1, 3));
  EXPECT_EQ(flow_ids({"default.json"}), numbers(3, 4));
}

TEST_F(LogWriting, StaysWithTheOldFileWhileTheNewOneCannotBeOpened) {
  const auto writer = open(destinations("sub/a.json"));
  fs::rename(directory_ / "sub", directory_ / "away");
  { std::ofstream(directory_ / "sub") << "in the way"; }
  writer->reopen();
  source_.push(numbered(1));
  settle(*writer);
  EXPECT_EQ(flow_ids({"away/a.json"}), numbers(1, 2));
  EXPECT_GT(writer->counters().write_errors, 0u);

  fs::remove(directory_ / "sub");
  now_ += 2 * kSecond;
  source_.push(numbered(2));
  settle(*writer);
  EXPECT_EQ(flow_ids({"sub/a.json"}), numbers(2, 3));
}

TEST_F(LogWriting, RotatesUnderLoadWithoutLosingALine) {
  constexpr uint64_t kRecords = 30'000;
  constexpr int kRotations = 20;
  auto writer = LogWriter::open(sample_.names, {&source_}, destinations());
  ASSERT_TRUE(writer);
  (*writer)->start();
  std::thread producer([&] {
    for (uint64_t i = 1; i <= kRecords; ++i) source_.push(numbered(i));
  });
  for (int i = 0; i < kRotations; ++i) {
    fs::rename(directory_ / "default.json", directory_ / ("default.json." + std::to_string(i)));
    (*writer)->reopen();
    ASSERT_TRUE(eventually([&] { return (*writer)->counters().reopens == static_cast<uint64_t>(i) + 1; }));
  }
  producer.join();
  (*writer)->stop();
  std::vector<uint64_t> all;
  for (int i = 0; i < kRotations; ++i) {
    const auto part = flow_ids({"default.json." + std::to_string(i)});
    all.insert(all.end(), part.begin(), part.end());
  }
  const auto last = flow_ids({"default.json"});
  all.insert(all.end(), last.begin(), last.end());
  EXPECT_EQ(all, numbers(1, kRecords + 1));
  EXPECT_EQ((*writer)->counters().lines, kRecords);
  EXPECT_EQ((*writer)->counters().lost, 0u);
}

TEST_F(LogWriting, WritesWhatWaitsBeforeItStops) {
  auto writer = LogWriter::open(sample_.names, {&source_}, destinations());
  ASSERT_TRUE(writer);
  (*writer)->start();
  for (uint64_t i = 1; i <= 1000; ++i) source_.push(numbered(i));
  (*writer)->stop();
  EXPECT_EQ(flow_ids({"default.json"}), numbers(1, 1001));
}

TEST_F(LogWriting, SwitchesDestinationsAfterTheRecordsThatWait) {
  const auto writer = open(destinations("old.json"));
  for (uint64_t i = 1; i <= 1000; ++i) source_.push(numbered(i));
  ASSERT_TRUE(writer->set_destinations(destinations("new.json")));
  settle(*writer);
  source_.push(numbered(1001));
  settle(*writer);
  EXPECT_EQ(flow_ids({"old.json"}), numbers(1, 1001));
  EXPECT_EQ(flow_ids({"new.json"}), numbers(1001, 1002));
  EXPECT_EQ(writer->counters().lines, 1001u);
}

TEST_F(LogWriting, KeepsAFileThatBothDestinationsName) {
  const auto writer = open(destinations("same.json", "old.json"));
  fs::rename(directory_ / "same.json", directory_ / "moved.json");
  ASSERT_TRUE(writer->set_destinations(destinations("same.json", "new.json")));
  source_.push(numbered(1));
  settle(*writer);
  source_.push(numbered(2));
  settle(*writer);
  // Not re-opened by the switch: rotation alone decides that.
  EXPECT_EQ(flow_ids({"moved.json"}), numbers(1, 3));
}

TEST_F(LogWriting, ChangesNothingWhenADestinationCannotBeOpened) {
  const auto writer = open(destinations());
  { std::ofstream(directory_ / "file") << ""; }
  EXPECT_FALSE(writer->set_destinations(destinations("file/a.json")));
  source_.push(numbered(1));
  settle(*writer);
  EXPECT_EQ(flow_ids({"default.json"}), numbers(1, 2));
}

// The disk is full: /dev/full says ENOSPC to every write.
class FullDisk : public LogWriting {
 protected:
  FullDisk() { fs::create_symlink("/dev/full", directory_ / "default.json"); }
  void make_room() {
    fs::remove(directory_ / "default.json");
    now_ += 2 * kSecond;
  }
  static size_t line_size(const LogRecord& record, const Names& names) {
    return EveFormatter(names, "rack12").line(record).size();
  }
};

TEST_F(FullDisk, AsksTheDiskAgainOnlyAfterASecond) {
  const auto writer = open(destinations());
  source_.push(numbered(1));
  for (int i = 0; i < 100; ++i) writer->poll_once();
  EXPECT_EQ(writer->counters().write_errors, 1u);
  now_ += kSecond;
  for (int i = 0; i < 100; ++i) writer->poll_once();
  EXPECT_EQ(writer->counters().write_errors, 2u);
}

TEST_F(FullDisk, LosesNothingWhileTheBufferHasRoom) {
  const auto writer = open(destinations());
  for (uint64_t i = 1; i <= 100; ++i) source_.push(numbered(i));
  settle(*writer);
  make_room();
  writer->reopen();
  settle(*writer);
  EXPECT_EQ(flow_ids({"default.json"}), numbers(1, 101));
  EXPECT_EQ(writer->counters().lost, 0u);
}

TEST_F(FullDisk, CountsWhatDoesNotFitAndTellsItWhereTheLinesAreMissing) {
  const auto writer = open(destinations());
  constexpr uint64_t kRecords = 10'000;
  for (uint64_t i = 1; i <= kRecords; ++i) source_.push(numbered(1'000'000 + i));
  settle(*writer);
  const uint64_t fits = LogFile::kMostBuffered / line_size(numbered(1'000'001), sample_.names);
  EXPECT_EQ(writer->counters().lost, kRecords - fits);
  make_room();
  writer->reopen();
  settle(*writer);
  source_.push(numbered(7));
  settle(*writer);

  std::vector<uint64_t> expected = numbers(1'000'001, 1'000'001 + fits);
  expected.push_back(7);
  EXPECT_EQ(flow_ids({"default.json"}), expected);
  const std::string text = content_of(directory_ / "default.json");
  const size_t told = text.find(R"("cause":"write_failed","lost":)" + std::to_string(kRecords - fits) + "}");
  ASSERT_NE(told, std::string::npos);
  EXPECT_LT(told, text.find("\"flow_id\":7,"));
  EXPECT_EQ(writer->counters().lost, kRecords - fits);
}

TEST_F(FullDisk, DoesNotStopTheReadingOfOtherFilesAndSources) {
  const auto writer = open(destinations());
  for (uint64_t i = 1; i <= 20'000; ++i) source_.push(numbered(i));
  source_.push(sample_.dropped_ipmi());
  settle(*writer);
  EXPECT_EQ(writer->counters().records, 20'001u);
  EXPECT_EQ(flow_ids({"urgent.json"}), std::vector<uint64_t>{42});
}

TEST_F(FullDisk, EndsWhenToldAndCountsWhatWasNeverWritten) {
  auto writer = LogWriter::open(sample_.names, {&source_}, destinations());
  ASSERT_TRUE(writer);
  (*writer)->start();
  for (uint64_t i = 1; i <= 10; ++i) source_.push(numbered(i));
  (*writer)->stop();
  EXPECT_EQ((*writer)->counters().lost, 10u);
  EXPECT_EQ((*writer)->counters().lines, 0u);
}

// A file may grow to so many bytes and no further: writes end in the middle of a line, as on a disk that
// fills up.
class GrowthLimit {
 public:
  explicit GrowthLimit(rlim_t bytes) : handler_(::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~GrowthLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, handler_);
  }
  GrowthLimit(const GrowthLimit&) = delete;
  GrowthLimit& operator=(const GrowthLimit&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST_F(LogWriting, FinishesALineThatTheFullDiskCutInTwo) {
  const auto writer = open(destinations());
  {
    const GrowthLimit limit(2000);
    for (uint64_t i = 1; i <= 10; ++i) source_.push(numbered(i));
    settle(*writer);
    EXPECT_EQ(fs::file_size(directory_ / "default.json"), 2000u);
  }
  now_ += 2 * kSecond;
  settle(*writer);
  EXPECT_EQ(flow_ids({"default.json"}), numbers(1, 11));
  EXPECT_EQ(writer->counters().lines, 10u);
}

TEST_F(LogWriting, BeginsACutLineAgainInTheFileAfterRotation) {
  const auto writer = open(destinations());
  uint64_t whole_lines = 0;
  {
    const GrowthLimit limit(2000);
    for (uint64_t i = 1; i <= 10; ++i) source_.push(numbered(i));
    settle(*writer);
    whole_lines = writer->counters().lines;
    fs::rename(directory_ / "default.json", directory_ / "old.json");
    writer->reopen();
    writer->poll_once();
  }
  now_ += 2 * kSecond;
  settle(*writer);
  EXPECT_EQ(flow_ids({"default.json"}), numbers(whole_lines + 1, 11));
  EXPECT_EQ(writer->counters().lines, 10u);
}

}  // namespace
}  // namespace postern::control
