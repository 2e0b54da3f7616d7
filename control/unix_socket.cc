// SPDX-License-Identifier: Apache-2.0
#include "control/unix_socket.h"

#include <cerrno>
#include <cstring>

namespace postern::control {

Result<sockaddr_un> unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return Error{.message = "socket path \"" + path + "\" has " + std::to_string(path.size()) +
                            " bytes; expected 1 to " + std::to_string(sizeof address.sun_path - 1),
                 .file = {}};
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

UniqueFd unix_stream(int flags) { return UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0)); }

int connect_unix(int fd, const sockaddr_un& address) {
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  return ::connect(fd, generic, sizeof address) == 0 ? 0 : errno;
}

ucred peer_of(int fd) {
  ucred peer{-1, static_cast<uid_t>(-1), static_cast<gid_t>(-1)};
  socklen_t size = sizeof peer;
  // On failure the values above stay: nobody's credentials.
  static_cast<void>(::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size));
  return peer;
}

}  // namespace postern::control
