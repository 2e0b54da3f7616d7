// SPDX-License-Identifier: Apache-2.0
// The signatures of deploy/catalogue/http.yaml, and which applications they find in the text of a request.
#pragma once

#include <set>
#include <string>
#include <vector>

namespace postern::profiles {

struct HttpSignature {
  std::string app_id, pattern, confidence;
  bool nocase = false;
};

// Throws std::runtime_error for a file that is not of this form.
std::vector<HttpSignature> read_http_catalogue(const std::string& path);

class HttpSignatures {
 public:
  explicit HttpSignatures(std::vector<HttpSignature> signatures);
  HttpSignatures(const HttpSignatures&) = delete;
  ~HttpSignatures();

  // Of the highest confidence that is found.
  std::set<std::string> applications(const std::string& text) const;
  const std::vector<HttpSignature>& all() const { return signatures_; }

 private:
  std::vector<HttpSignature> signatures_;
  struct Engine;
  Engine* engine_;
};

}  // namespace postern::profiles
