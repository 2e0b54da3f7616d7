// SPDX-License-Identifier: Apache-2.0
// Unix stream sockets by path. Any thread.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace postern::control {

// The error says how long a path may be.
Result<sockaddr_un> unix_address(const std::string& path);

// A socket of type SOCK_STREAM | SOCK_CLOEXEC | `flags`; invalid, with errno set, when the system has none
// left.
UniqueFd unix_stream(int flags);

// Result of connect(2): 0, or the errno it failed with.
int connect_unix(int fd, const sockaddr_un& address);

// Who holds the other end of a connected socket; pid, uid and gid are -1 when the system does not say.
ucred peer_of(int fd);

}  // namespace postern::control
