// SPDX-License-Identifier: Apache-2.0
#include "tls/key_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace postern::tls {

Result<std::shared_ptr<const KeyLog>> KeyLog::open(const std::string& path) {
  UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return Error{std::string("cannot be opened: ") + std::strerror(errno), path};
  struct stat status {};
  const bool known = ::fstat(file.get(), &status) == 0;
  if (!known || !S_ISREG(status.st_mode) || (status.st_mode & 0077) != 0)
    return Error{"found a key log that others may read, expected a file of mode 0600", path};
  return std::shared_ptr<const KeyLog>(new KeyLog(std::move(file)));
}

void KeyLog::write(std::string_view line) const noexcept {
  char end = '\n';
  const iovec parts[] = {{const_cast<char*>(line.data()), line.size()}, {&end, 1}};
  [[maybe_unused]] const ssize_t put = ::writev(file_.get(), parts, 2);
}

}  // namespace postern::tls
