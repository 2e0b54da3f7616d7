// SPDX-License-Identifier: Apache-2.0
// The shipped catalogue as a policy holds it. Mistakes in it end the program: they are found by the tests.
// One thread.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "classify/application_engine.h"
#include "control/catalogue_loader.h"

namespace postern::perf {

struct Shipped {
  std::unique_ptr<control::Names> names = std::make_unique<control::Names>();
  std::vector<classify::Application> applications;
  std::vector<classify::Signature> signatures;
};

inline Shipped shipped() {
  const control::LoadedCatalogue loaded = control::shipped_catalogue();
  Shipped out;
  out.applications = control::applications_of(loaded.entries, {}, *out.names);
  out.signatures = control::signatures_of(loaded.entries, *out.names);
  return out;
}

template <typename T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().text().c_str());
    std::exit(1);
  }
  return std::move(*result);
}

inline classify::ApplicationEngine engine_of(const std::vector<classify::Signature>& signatures,
                                             const std::vector<classify::Application>& applications) {
  classify::PatternCache cache;
  return must(classify::ApplicationEngine::compile(signatures, applications, cache));
}

}  // namespace postern::perf
