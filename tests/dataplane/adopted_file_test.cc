// SPDX-License-Identifier: Apache-2.0
#include "dataplane/adopted_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "packets.h"

namespace postern::dataplane {
namespace {

class AdoptedFileTest : public testing::Test {
 protected:
  ~AdoptedFileTest() override { std::filesystem::remove(path_); }
  AdoptedFile open(uint32_t entries = 4) { return std::move(AdoptedFile::open(path_, entries).value()); }
  static AdoptedFile::Entry entry(uint16_t port) {
    AdoptedFile::Entry entry;
    entry.client = {ip("10.1.0.5"), port};
    entry.server = {ip("fd03::1"), 443};
    entry.client_port = PortIndex{3};
    entry.for_client.size = 18;
    return entry;
  }
  std::string path_ = std::filesystem::temp_directory_path() / ("adopted" + std::to_string(getpid()));
};

TEST_F(AdoptedFileTest, TellsTheNextProcessWhatWasLeft) {
  {
    AdoptedFile file = open();
    file.add(entry(1));
    const uint32_t second = file.add(entry(2));
    file.add(entry(3));
    file.remove(second);
  }
  const AdoptedFile next = open();
  ASSERT_EQ(next.left().size(), 2u);
  EXPECT_EQ(next.left()[0].client.port, 1);
  EXPECT_EQ(next.left()[1].client.port, 3);
  EXPECT_EQ(next.left()[1].server.address, ip("fd03::1"));
  EXPECT_EQ(next.left()[1].client_port.value, 3);
}

TEST_F(AdoptedFileTest, BeginsAnewForEveryProcess) {
  { open().add(entry(1)); }
  { open(); }
  EXPECT_TRUE(open().left().empty());
}

TEST_F(AdoptedFileTest, HasRoomForSoManyAndNoMore) {
  AdoptedFile file = open(2);
  const uint32_t first = file.add(entry(1));
  file.add(entry(2));
  EXPECT_EQ(file.add(entry(3)), AdoptedFile::kNone);
  file.remove(AdoptedFile::kNone);
  file.remove(first);
  EXPECT_EQ(file.add(entry(3)), first);
}

TEST_F(AdoptedFileTest, BelievesNothingThatItDidNotWrite) {
  std::ofstream(path_) << std::string(4096, 'x');
  EXPECT_TRUE(open().left().empty());
}

TEST_F(AdoptedFileTest, BelievesNoHeaderLongerThanOneCanBe) {
  {
    AdoptedFile::Entry strange = entry(1);
    strange.for_server.size = 200;
    open().add(strange);
  }
  EXPECT_TRUE(open().left().empty());
}

TEST_F(AdoptedFileTest, IsReadableByItsOwnerAlone) {
  open();
  struct stat state {};
  ASSERT_EQ(::stat(path_.c_str(), &state), 0);
  EXPECT_EQ(state.st_mode & 0777, 0600u);
}

TEST_F(AdoptedFileTest, NamesAFileThatCannotBe) {
  const auto opened = AdoptedFile::open("/nowhere/adopted", 4);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().file, "/nowhere/adopted");
}

}  // namespace
}  // namespace postern::dataplane
