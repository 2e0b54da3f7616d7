// SPDX-License-Identifier: Apache-2.0
#include "dataplane/adopted_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace postern::dataplane {
namespace {

constexpr std::array<char, 8> kMagic = {'p', 'o', 's', 't', 'a', 'd', 'p', '1'};

}  // namespace

AdoptedFile::AdoptedFile(AdoptedFile&& other) noexcept
    : header_(std::exchange(other.header_, nullptr)),
      entries_(std::exchange(other.entries_, nullptr)),
      free_(std::move(other.free_)),
      left_(std::move(other.left_)) {}

AdoptedFile::~AdoptedFile() {
  if (header_ != nullptr) ::munmap(header_, sizeof(Header) + header_->entries * sizeof(Entry));
}

Result<AdoptedFile> AdoptedFile::open(const std::string& path, uint32_t entries) {
  const auto refused = [&] {
    return Error{std::string(std::strerror(errno)) + ", expected a file to write", path};
  };
  const UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return refused();
  AdoptedFile opened;
  Header before;
  const ssize_t size = sizeof before;
  const bool ours = ::pread(file.get(), &before, sizeof before, 0) == size && before.magic == kMagic &&
                    before.entry_size == sizeof(Entry);
  for (uint32_t i = 0; ours && i < before.entries; ++i) {
    Entry entry;
    const auto at = static_cast<off_t>(sizeof before + i * sizeof entry);
    if (::pread(file.get(), &entry, sizeof entry, at) != static_cast<ssize_t>(sizeof entry)) break;
    if (entry.used != 0 && entry.for_client.size <= 22 && entry.for_server.size <= 22)
      opened.left_.push_back(entry);
  }
  const size_t room = sizeof(Header) + entries * sizeof(Entry);
  if (::ftruncate(file.get(), 0) != 0 || ::ftruncate(file.get(), static_cast<off_t>(room)) != 0)
    return refused();
  void* mapped = ::mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (mapped == MAP_FAILED) return refused();
  opened.header_ = static_cast<Header*>(mapped);
  opened.entries_ = reinterpret_cast<Entry*>(opened.header_ + 1);
  *opened.header_ = {kMagic, sizeof(Entry), entries};
  for (uint32_t i = entries; i > 0; --i) opened.free_.push_back(i - 1);
  return opened;
}

uint32_t AdoptedFile::add(const Entry& entry) noexcept {
  if (free_.empty()) return kNone;
  const uint32_t index = free_.back();
  free_.pop_back();
  entries_[index] = entry;
  entries_[index].used = 1;
  return index;
}

void AdoptedFile::remove(uint32_t index) noexcept {
  if (index == kNone) return;
  entries_[index].used = 0;
  free_.push_back(index);
}

}  // namespace postern::dataplane
