// SPDX-License-Identifier: Apache-2.0
// Says what the bytes of a flow are: all signatures of the catalogue compiled into one pattern database per
// layer and sender, decoders beside them. Built on the control thread, immutable; workers bring a scratch of
// their own. Identification is noexcept and allocates nothing.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "classify/evidence.h"
#include "classify/pattern_set.h"
#include "classify/policy.h"
#include "classify/signature.h"

namespace postern::classify {

class ApplicationEngine {
 public:
  // Bytes of a direction, or of a text, that are ever looked at.
  static constexpr size_t kLongestPrefix = 16640;  // decoders (a TLS hello)
  static constexpr size_t kLongestPattern = 2048;  // patterns

  // Databases come from `cache` when it holds those of the same patterns and Hyperscan, and go there
  // otherwise. Errors name file and line of the signature.
  static Result<ApplicationEngine> compile(const std::vector<Signature>& signatures,
                                           const std::vector<Application>& applications, PatternCache& cache);
  ApplicationEngine(ApplicationEngine&&) noexcept;
  ApplicationEngine& operator=(ApplicationEngine&&) noexcept;
  ~ApplicationEngine();

  // Scratch for one worker; fits every database of this engine.
  Result<ScanScratch> make_scratch() const;

  // The application of the first bytes; kApplicationUnidentified when nothing fits and nothing that follows
  // in this direction could. High confidence goes before medium, medium before low; among equals a signature
  // whose ports hold the server's goes first, then the catalogue's order; a fitting child of the best is a
  // more exact name for it. While a stronger signature may still fit, no weaker one is the answer, unless
  // only the weaker one is on its own port.
  Identification identify(const Evidence& evidence, ScanScratch& scratch) const noexcept;

  // A more exact application inside `base`, from a text of that layer; `base` when there is none. `base` is
  // http for layer Http, tls or quic for layer Tls, or an application that has children.
  AppId refine(Layer layer, AppId base, std::string_view text, const Evidence& where,
               ScanScratch& scratch) const noexcept;

  // What a text of this layer could turn out to be.
  const std::vector<AppId>& named_by(Layer layer) const noexcept;

  // Whether any signature could make another application out of `base`.
  bool refines(AppId base) const noexcept;

  // One line per application that was considered and what spoke for or against it, best first. Control
  // thread.
  struct Opinion {
    AppId application;
    Fit fit;
    std::string why;  // "pattern fits, decoder ssh says yes", "needs 9 bytes", ...
  };
  std::vector<Opinion> explain(const Evidence& evidence, ScanScratch& scratch) const;

  struct Tables;  // classify/engine_tables.h

 private:
  explicit ApplicationEngine(std::unique_ptr<Tables> tables);
  std::unique_ptr<Tables> tables_;
};

}  // namespace postern::classify
