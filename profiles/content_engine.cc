// SPDX-License-Identifier: Apache-2.0
#include "profiles/content_engine.h"

#include <algorithm>
#include <cstring>

namespace postern::profiles {

using classify::PatternSet;
using classify::ScanMode;

Result<std::shared_ptr<const ContentEngine>> ContentEngine::compile(Setup setup,
                                                                    classify::PatternCache& cache) {
  std::shared_ptr<ContentEngine> engine(new ContentEngine);
  std::vector<classify::Pattern> patterns;
  for (ByteSignature& signature : setup.antivirus) {
    engine->names_.push_back(std::move(signature.name));
    patterns.push_back(std::move(signature.pattern));
  }
  auto compiled = PatternSet::compile(patterns, cache, ScanMode::Joined);
  if (!compiled) return compiled.error();
  engine->antivirus_ = std::move(*compiled);
  engine->scratches_.resize(setup.readers);
  for (classify::ScanScratch& scratch : engine->scratches_)
    if (const Status fits = engine->antivirus_.fit(scratch); !fits) return fits.error();
  return std::shared_ptr<const ContentEngine>(std::move(engine));
}

std::string_view ContentEngine::find(Bytes before, Bytes bytes, unsigned reader) const noexcept {
  const auto found = antivirus_.scan_joined(before, bytes, scratches_[reader]);
  return found ? std::string_view(names_[*found]) : std::string_view();
}

std::string_view ContentInspection::inspect(Direction direction, Bytes bytes, const ContentEngine& engine,
                                            unsigned reader) noexcept {
  if (bytes.empty()) return {};
  Tail& tail = tails_[static_cast<size_t>(direction)];
  const std::string_view found = engine.find(Bytes(tail.bytes).first(tail.size), bytes, reader);
  tail.append(bytes);
  return found;
}

void ContentInspection::Tail::append(Bytes more) noexcept {
  const Bytes last = more.last(std::min(more.size(), bytes.size()));
  const size_t kept = std::min<size_t>(size, bytes.size() - last.size());
  std::memmove(bytes.data(), bytes.data() + size - kept, kept);
  std::memcpy(bytes.data() + kept, last.data(), last.size());
  size = static_cast<uint16_t>(kept + last.size());
}

}  // namespace postern::profiles
