// SPDX-License-Identifier: Apache-2.0
#include "perf/traffic/dns_measure.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace postern::perf {
namespace {

using namespace profiles::dns;

constexpr uint64_t kSeed = 20260101;

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "cannot read %s (deploy/install-deps)\n", path.c_str());
    std::exit(1);
  }
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

bool is_stopped(const Verdict& verdict) { return verdict.act != Act::Pass; }

}  // namespace

Settings detector_settings() {
  Settings settings;
  const std::string suffixes = "/usr/share/publicsuffix/public_suffix_list.dat";
  const std::string services = POSTERN_SOURCE_ROOT "/deploy/dns/lookup_services.txt";
  settings.suffixes = PublicSuffixes::read(text_of(suffixes), suffixes, kSeed).value();
  const std::string text = text_of(services);
  DomainPolicyBuilder builder(kSeed);
  if (!builder.add({"lookup_services", services, text, ListFormat::Plain, Category::None, std::nullopt}))
    std::abort();
  settings.lookup_services = builder.build();
  return settings;
}

DnsMeasured measure_shape(const DnsShape& shape, const Settings& settings) {
  Inspector inspector(kSeed);
  DnsMeasured measured;
  for (const DnsTalk& talk : shape.talks) {
    const uint8_t client[4] = {10, 4, 0, static_cast<uint8_t>(talk.client)};
    static constexpr uint8_t kServer[4] = {10, 2, 0, 53};
    const Exchange exchange{IpAddress::from_v4(client), IpAddress::from_v4(kServer), 40000, 53,
                            Transport::Udp};
    ++measured.names;
    if (measured.after) ++measured.names_after_first;
    bool stopped = is_stopped(inspector.query(exchange, as_bytes(talk.query), settings, talk.at));
    const std::string name = inspector.message().name.text();
    if (!stopped)
      stopped =
          is_stopped(inspector.answer(exchange, as_bytes(talk.answer), settings, talk.at + kMillisecond));
    if (!stopped) continue;
    ++measured.stopped;
    if (measured.after)
      ++measured.stopped_after_first;
    else {
      measured.after = talk.at - shape.talks.front().at;
      measured.first_stopped = name;
    }
  }
  return measured;
}

}  // namespace postern::perf
