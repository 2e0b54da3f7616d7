// SPDX-License-Identifier: Apache-2.0
#include "classify/pattern_set.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace postern::classify {
namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "postern_patterns_XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~Folder() { fs::remove_all(path_); }
  std::string path() const { return (path_ / "cache").string(); }
  std::vector<fs::path> files() const {
    std::vector<fs::path> all;
    if (fs::exists(path()))
      for (const auto& entry : fs::directory_iterator(path())) all.push_back(entry.path());
    return all;
  }

 private:
  fs::path path_;
};

std::string content(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}
void overwrite(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

const std::vector<Pattern> kPatterns = {{.expression = "^SSH-2"},
                                        {.expression = "abc", .nocase = true},
                                        {.expression = "a.c$", .multiline = true}};

uint64_t found_in(const PatternSet& set, std::string_view text) {
  ScanScratch scratch;
  EXPECT_TRUE(set.fit(scratch));
  std::array<uint64_t, 1> found{};
  set.scan(as_bytes(text), scratch, found);
  return found[0];
}

PatternSet compiled(const std::vector<Pattern>& patterns, PatternCache& cache) {
  auto set = PatternSet::compile(patterns, cache);
  if (!set) std::abort();
  return std::move(*set);
}

std::string error_of(const std::string& expression) {
  PatternCache cache;
  const std::vector<Pattern> patterns = {{.expression = "a"},
                                         {.expression = expression, .file = "apps.yaml", .line = 7}};
  const auto set = PatternSet::compile(patterns, cache);
  return set ? "" : set.error().text();
}

TEST(PatternSet, TellsEveryPatternThatMatches) {
  PatternCache cache;
  const PatternSet set = compiled(kPatterns, cache);
  EXPECT_EQ(set.size(), 3u);
  EXPECT_GT(set.memory(), 0u);
  EXPECT_EQ(found_in(set, "SSH-2.0-x"), 1u);
  EXPECT_EQ(found_in(set, "xABC abc"), 2u | 4u);
  EXPECT_EQ(found_in(set, "a\nc\nlast"), 4u);  // a dot is any byte, and the line ends there
  EXPECT_EQ(found_in(set, " SSH-2.0"), 0u);
  EXPECT_EQ(found_in(set, ""), 0u);
}

TEST(PatternSet, AnEmptyOneMatchesNothing) {
  PatternCache cache;
  const PatternSet set = compiled({}, cache);
  EXPECT_EQ(set.size(), 0u);
  EXPECT_EQ(found_in(set, "anything"), 0u);
}

TEST(PatternSet, ErrorsNameThePatternAndItsLine) {
  EXPECT_EQ(error_of("(open").find("apps.yaml:7: pattern '(open' does not compile: "), 0u);
  EXPECT_EQ(error_of("a*").find("apps.yaml:7: pattern 'a*' does not compile: Pattern matches empty buffer"),
            0u)
      << error_of("a*");
  EXPECT_EQ(error_of(std::string("a\0b", 3)),
            "apps.yaml:7: pattern has a NUL byte, expected \\x00 in its place");
}

TEST(PatternCache, WithAFolderKeepsWhatWasCompiled) {
  const Folder folder;
  PatternCache cache(folder.path());
  compiled(kPatterns, cache);
  ASSERT_EQ(folder.files().size(), 1u);
  const auto written = fs::last_write_time(folder.files()[0]);
  PatternCache later(folder.path());
  const PatternSet set = compiled(kPatterns, later);
  EXPECT_EQ(found_in(set, "SSH-2.0-x"), 1u);
  EXPECT_EQ(fs::last_write_time(folder.files()[0]), written);
  std::vector<Pattern> other = kPatterns;
  other[1].nocase = false;
  compiled(other, later);
  EXPECT_EQ(folder.files().size(), 2u);
}

TEST(PatternCache, WithoutAFolderKeepsThemInMemory) {
  PatternCache cache;
  const std::string key = "patterns";
  const std::vector<uint8_t> database = {1, 2, 3};
  EXPECT_TRUE(cache.find(key).empty());
  cache.put(key, database);
  EXPECT_EQ(cache.find(key), database);
  EXPECT_TRUE(cache.find("others").empty());
}

TEST(PatternCache, IgnoresDamagedFilesAndWritesThemAnew) {
  const Folder folder;
  PatternCache cache(folder.path());
  compiled(kPatterns, cache);
  const fs::path file = folder.files().at(0);
  const std::string good = content(file);
  for (size_t at = 0; at < good.size(); at += 97) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x20);
    overwrite(file, bad);
    EXPECT_EQ(found_in(compiled(kPatterns, cache), "SSH-2.0-x"), 1u) << at;
    ASSERT_EQ(content(file), good) << at;
  }
  for (const size_t size : {size_t{0}, size_t{10}, size_t{40}, good.size() - 1}) {
    overwrite(file, good.substr(0, size));
    EXPECT_EQ(found_in(compiled(kPatterns, cache), "SSH-2.0-x"), 1u) << size;
    ASSERT_EQ(content(file), good) << size;
  }
}

TEST(PatternCache, IgnoresDatabasesOfAnotherHyperscan) {
  const Folder folder;
  PatternCache cache(folder.path());
  compiled(kPatterns, cache);
  const fs::path file = folder.files().at(0);
  const std::string good = content(file);
  // After the first line: checksum, length of the key, key, database; its fifth byte is of the version.
  const size_t at = good.find('\n') + 9;
  const std::string key = good.substr(at + 4, load_be32(as_bytes(good).subspan(at).data()));
  std::vector<uint8_t> database = cache.find(key);
  ASSERT_FALSE(database.empty());
  database[4] ^= 1;
  cache.put(key, database);
  ASSERT_EQ(cache.find(key), database);
  EXPECT_EQ(found_in(compiled(kPatterns, cache), "SSH-2.0-x"), 1u);
  EXPECT_EQ(content(file), good);
}

TEST(PatternCache, DoesNotTakeAFileForThatOfAnotherKey) {
  const Folder folder;
  PatternCache cache(folder.path());
  cache.put("one", as_bytes("database"));
  EXPECT_EQ(cache.find("one").size(), 8u);
  fs::rename(cache.file_of("one"), cache.file_of("other"));  // as if their names met
  EXPECT_TRUE(cache.find("other").empty());
}

TEST(PatternCache, WithAFolderThatCannotBeWrittenOnlyCostsTime) {
  PatternCache cache("/proc/postern_cannot_be");
  EXPECT_EQ(found_in(compiled(kPatterns, cache), "SSH-2.0-x"), 1u);
}

}  // namespace
}  // namespace postern::classify
