// SPDX-License-Identifier: Apache-2.0
// The one table of key spellings of the rules kit. Some were read literally in published material, some are
// inferred from headings; should the publisher write one differently, its row changes and nothing else: a
// pack is brought to our spelling before the schema and the loader see it.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "control/document.h"

namespace postern::control {

struct Spelling {
  std::string_view written;  // as a pack has it
  std::string_view ours;     // as schema and loader have it
};

std::span<const Spelling> kit_spellings();

// Keys that begin with `x_` belong to the author of the pack; neither they nor what is below them is touched.
bool is_authors_own(std::string_view key);

// Keys without a row stay as they are. Two spellings of one key in one mapping are an error.
Result<Document> in_our_spelling(Document document, std::span<const Spelling> spellings);

}  // namespace postern::control
