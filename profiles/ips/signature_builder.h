// SPDX-License-Identifier: Apache-2.0
// A signature in the making: keeps which buffer is current and which content the next modifier belongs to.
// Errors say what was found; the reader of the rules adds keyword, file and line. Control thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "profiles/ips/classification.h"
#include "profiles/ips/dataset.h"
#include "profiles/ips/names.h"
#include "profiles/ips/signature.h"
#include "profiles/ips/variables.h"

namespace postern::profiles::ips {

// What rules refer to and the site has.
struct RuleSite {
  Variables variables = usual_variables();
  Classifications classifications = usual_classifications();
  FileSource files;  // empty: rules that name files are refused
};

enum class Relation : uint8_t { Absolute, Relative };

class SignatureBuilder {
 public:
  SignatureBuilder(const RuleSite& site, StateNames& names) : site_(site), names_(names) {}

  Signature& signature() { return signature_; }
  const RuleSite& site() const { return site_; }
  StateNames& names() { return names_; }

  Status header(const RuleText& text);
  Status finish();  // what can only be judged when all options are read

  void use_buffer(const BufferName& buffer);
  Status move_content_to(const BufferName& buffer);
  Status transform(TransformStep step);
  Status open_base64_data();
  bool in_base64() const { return open_base64_ != nullptr; }

  void add(Operation operation, Relation relation = Relation::Absolute);
  void add_to(BufferKind kind, Operation operation);  // the current buffer stays
  Status add_to_named(const BufferName& buffer, Operation operation);
  Result<Content*> last_content();  // whose modifier is read

  Result<Number> number_or_variable(std::string_view text) const;
  Result<int8_t> new_variable(std::string_view name);

 private:
  struct Place {
    std::shared_ptr<Base64> base64;  // set: in there, not in a part
    size_t part = 0;
  };
  std::vector<Operation>& operations(const Place& place);
  void put(const Place& place, Operation operation);
  size_t part_of(BufferKind kind, const std::vector<TransformStep>& transforms);
  Status imply(const BufferName& buffer);
  Status finish_content(const Content& content) const;
  Status finish_part(const Part& part);
  std::string severity_of_metadata() const;

  const RuleSite& site_;
  StateNames& names_;
  Signature signature_;
  BufferKind kind_ = BufferKind::Packet;
  bool sticky_ = false;  // a sticky buffer is current
  std::vector<TransformStep> transforms_;
  std::shared_ptr<Base64> open_base64_;  // base64_data is current
  std::shared_ptr<Base64> last_base64_;  // what the next base64_data means
  bool have_last_ = false;
  Place last_;  // of the operation added last
  bool have_content_ = false;
  Place content_;  // of the content added last
  size_t content_index_ = 0;
  std::map<std::string, int8_t, std::less<>> variables_;
  std::vector<const BufferName*> used_;
};

}  // namespace postern::profiles::ips
