// SPDX-License-Identifier: Apache-2.0
// Which name a client asked for when it was sent to the sinkhole, so that its connection there can be told
// by that name. Each worker writes its own table and may read everybody's: the connection has other
// addresses than the query and may belong to another worker. Fixed size; the newest wins its place, and a
// lost entry means a connection without the name.
#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include "base/address.h"
#include "base/time.h"
#include "profiles/dns/name.h"

namespace postern::profiles::dns {

class SinkholedNames {
 public:
  // Places are rounded up to a power of two.
  explicit SinkholedNames(size_t places);

  struct Found {
    Name name;
    Timestamp asked = 0;
  };
  // Owner.
  void remember(const IpAddress& client, const Name& name, Timestamp now) noexcept;
  // Any worker. The name the client was last sent away for; nothing after kLifetime.
  std::optional<Found> find(const IpAddress& client, Timestamp now) const noexcept;
  // Where clients ask through a resolver, it is the resolver that was sent away: the last name of all.
  std::optional<Found> last(Timestamp now) const noexcept;

  size_t memory() const noexcept;

  static constexpr Timestamp kLifetime = 3600 * kSecond;

 private:
  static constexpr size_t kNameWords = 32;  // 255 bytes
  // Odd versions are being written. Words are atomic, so that a torn read is only ever a miss.
  struct Entry {
    std::atomic<uint32_t> version{0};
    std::atomic<uint64_t> asked{0};
    std::atomic<uint64_t> client[2]{};
    std::atomic<uint64_t> name[kNameWords]{};
  };
  struct Copy;
  Entry& place_of(const IpAddress& client) const noexcept;
  static std::optional<Copy> copy_of(const Entry& entry) noexcept;
  static void write(Entry& entry, const IpAddress& client, const Name& name, Timestamp now) noexcept;

  std::unique_ptr<Entry[]> entries_;
  size_t places_;
  Entry last_;
};

}  // namespace postern::profiles::dns
