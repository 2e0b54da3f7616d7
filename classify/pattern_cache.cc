// SPDX-License-Identifier: Apache-2.0
#include "classify/pattern_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace postern::classify {
namespace {

// magic, checksum of all that follows, length of the key, key, database
constexpr std::string_view kMagic = "postern patterns 1\n";
constexpr size_t kHeader = kMagic.size() + 8 + 4;
constexpr off_t kLargestFile = off_t{1} << 30;

uint64_t fnv(Bytes bytes, uint64_t hash) {
  for (const uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3ull;
  return hash;
}
constexpr uint64_t kSeed = 0xcbf29ce484222325ull, kOtherSeed = 0x9e3779b97f4a7c15ull;

std::string hex(uint64_t value) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text;
}

// An open file that closes itself.
class File {
 public:
  File(const std::string& path, int flags) : fd_(open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  explicit operator bool() const { return fd_ >= 0; }

  std::vector<uint8_t> read_all() const {
    struct stat status {};
    if (fstat(fd_, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > kLargestFile) return {};
    std::vector<uint8_t> content(static_cast<size_t>(status.st_size));
    size_t have = 0;
    while (have < content.size()) {
      const ssize_t n = read(fd_, content.data() + have, content.size() - have);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return {};
      have += static_cast<size_t>(n);
    }
    return content;
  }

  bool write_all(Bytes content) const {
    while (!content.empty()) {
      const ssize_t n = write(fd_, content.data(), content.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return false;
      content = content.subspan(static_cast<size_t>(n));
    }
    return fsync(fd_) == 0;
  }

 private:
  int fd_;
};

std::vector<uint8_t> packed(const std::string& key, Bytes database) {
  std::vector<uint8_t> content(kMagic.begin(), kMagic.end());
  content.resize(kHeader);
  store_be32(&content[kHeader - 4], static_cast<uint32_t>(key.size()));
  content.insert(content.end(), key.begin(), key.end());
  content.insert(content.end(), database.begin(), database.end());
  const uint64_t checksum = fnv(Bytes(content).subspan(kHeader - 4), kSeed);
  store_be32(&content[kMagic.size()], static_cast<uint32_t>(checksum >> 32));
  store_be32(&content[kMagic.size() + 4], static_cast<uint32_t>(checksum));
  return content;
}

std::vector<uint8_t> unpacked(const std::string& key, Bytes content) {
  ByteReader reader(content);
  if (as_text(reader.bytes(kMagic.size())) != kMagic) return {};
  uint64_t checksum = uint64_t{reader.be32()} << 32;
  checksum |= reader.be32();
  if (!reader.ok() || fnv(reader.rest(), kSeed) != checksum) return {};
  const Bytes written_key = reader.bytes(reader.be32());
  if (!reader.ok() || as_text(written_key) != key) return {};
  return {reader.rest().begin(), reader.rest().end()};
}

}  // namespace

std::string PatternCache::file_of(const std::string& key) const {
  return folder_ + "/" + hex(fnv(as_bytes(key), kSeed)) + hex(fnv(as_bytes(key), kOtherSeed)) + ".hs";
}

std::vector<uint8_t> PatternCache::find(const std::string& key) const {
  if (folder_.empty()) {
    const auto kept = memory_.find(key);
    return kept == memory_.end() ? std::vector<uint8_t>() : kept->second;
  }
  const File file(file_of(key), O_RDONLY | O_NONBLOCK);
  return file ? unpacked(key, file.read_all()) : std::vector<uint8_t>();
}

void PatternCache::put(const std::string& key, Bytes serialised) {
  if (folder_.empty()) {
    if (memory_.size() >= kKeptInMemory) memory_.clear();
    memory_[key].assign(serialised.begin(), serialised.end());
    return;
  }
  mkdir(folder_.c_str(), 0700);  // exists already, or the next step fails
  const std::string path = file_of(key), fresh = path + "." + std::to_string(getpid());
  {
    const File file(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW);
    if (!file) return;
    if (file.write_all(packed(key, serialised)) && rename(fresh.c_str(), path.c_str()) == 0) return;
  }
  unlink(fresh.c_str());
}

}  // namespace postern::classify
