// SPDX-License-Identifier: Apache-2.0
#include "control/pack_schema.h"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_set>
#include <utility>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "control/embedded_text.h"
#include "control/map_reader.h"
#include "control/pack_keys.h"

namespace postern::control {
namespace {

using Json = nlohmann::json;

// A place in schema and pack at once; `schema` is null where the schema says nothing.
struct Place {
  const Json* schema;
  const Node* node;
  std::string path;  // rules[3].zones
};

class Schema {
 public:
  explicit Schema(Json root) : root_(std::move(root)) {}

  const Json& root() const { return root_; }

  const Json* resolved(const Json* schema) const {
    while (schema != nullptr && schema->is_object() && schema->contains("$ref"))
      schema = &root_.at(Json::json_pointer(schema->at("$ref").get<std::string>().substr(1)));
    return schema;
  }
  const Json* property(const Json* schema, const std::string& key) const {
    if (schema == nullptr || is_authors_own(key)) return nullptr;
    const auto properties = schema->find("properties");
    if (properties == schema->end() || !properties->contains(key)) return nullptr;
    return resolved(&properties->at(key));
  }
  const Json* items(const Json* schema) const {
    if (schema == nullptr || !schema->contains("items")) return nullptr;
    return resolved(&schema->at("items"));
  }

 private:
  Json root_;
};

std::string joined(const std::string& path, const std::string& key) {
  return path.empty() ? key : path + "." + key;
}

std::string named(const std::string& path) { return path.empty() ? "the pack" : path; }

std::vector<std::string_view> texts(const Json& list) {
  std::vector<std::string_view> out;
  for (const Json& item : list) out.push_back(item.get_ref<const std::string&>());
  return out;
}

std::vector<std::string_view> keys_of(const Json& schema) {
  std::vector<std::string_view> out;
  for (const auto& [key, unused] : schema.at("properties").items()) out.push_back(key);
  return out;
}

std::string expectation(const Json& schema) {
  if (schema.contains("enum")) return expected_one_of(texts(schema.at("enum")));
  if (schema.contains("description")) return schema.at("description").get<std::string>();
  const std::string type = schema.value("type", "a value");
  if (type == "integer")
    return "a whole number from " + schema.at("minimum").dump() + " to " + schema.at("maximum").dump();
  if (type == "boolean") return "true or false";
  if (type == "object") return "a mapping with the keys " + expected_one_of(keys_of(schema));
  return type;
}

// The pack as JSON for the validator. A plain YAML scalar becomes the type the schema wants at its place, if
// it reads as one. Looks on the way at what the validator would be slow or recursive with: length of texts,
// repeats in lists.
class TypedTree {
 public:
  TypedTree(const Schema& schema, Findings& findings) : schema_(schema), findings_(findings) {}

  Json build(const Place& at) {
    switch (at.node->kind) {
      case Node::Kind::Map:
        return build_map(at);
      case Node::Kind::List:
        return build_list(at);
      case Node::Kind::Null:
        return nullptr;
      case Node::Kind::Bool:
        return at.node->text == "true";
      case Node::Kind::Number:
        if (const auto whole = as_integer(*at.node, {INT64_MIN, INT64_MAX})) return *whole;
        return std::strtod(at.node->text.c_str(), nullptr);
      case Node::Kind::Plain:
        return build_plain(at);
      case Node::Kind::Text:
        break;
    }
    return build_text(at);
  }

 private:
  Json build_map(const Place& at) {
    Json out = Json::object();
    for (const Node::Entry& entry : at.node->entries) {
      // What the author keeps under x_ is nobody's business, so it is not even converted.
      if (is_authors_own(entry.key))
        out[entry.key] = nullptr;
      else
        out[entry.key] =
            build({schema_.property(at.schema, entry.key), &entry.value, joined(at.path, entry.key)});
    }
    return out;
  }

  Json build_list(const Place& at) {
    Json out = Json::array();
    const Json* item_schema = schema_.items(at.schema);
    const bool unique = at.schema != nullptr && at.schema->value("uniqueItems", false);
    std::unordered_set<std::string_view> seen;
    for (size_t i = 0; i < at.node->items.size(); ++i) {
      const Node& item = at.node->items[i];
      if (unique && item.is_scalar() && !seen.insert(item.text).second)
        findings_.error(item.line,
                        at.path + ": found " + item.found() + " twice, expected " + expectation(*at.schema));
      out.push_back(build({item_schema, &item, at.path + "[" + std::to_string(i) + "]"}));
    }
    return out;
  }

  Json build_plain(const Place& at) {
    if (at.node->is_nothing()) return nullptr;
    const std::string wanted = at.schema == nullptr ? "" : at.schema->value("type", "");
    if (wanted == "integer")
      if (const auto whole = as_integer(*at.node, {INT64_MIN, INT64_MAX})) return *whole;
    if (wanted == "boolean")
      if (const auto flag = as_flag(*at.node)) return *flag;
    return build_text(at);
  }

  Json build_text(const Place& at) {
    const size_t most = at.schema == nullptr ? SIZE_MAX : at.schema->value("maxLength", SIZE_MAX);
    if (at.node->text.size() > most)
      findings_.error(at.node->line, at.path + ": found " + at.node->found() + " of " +
                                         std::to_string(at.node->text.size()) + " bytes, expected " +
                                         expectation(*at.schema));
    return at.node->text;
  }

  const Schema& schema_;
  Findings& findings_;
};

// "<root>", "[rules]", "[3]" of the validator to the place it means.
Place place_of(const Schema& schema, const Document& pack, const std::vector<std::string>& steps) {
  Place at{schema.resolved(&schema.root()), &pack.root, ""};
  for (const std::string& step : steps) {
    if (step.size() < 2 || step.front() != '[') continue;
    const std::string name = step.substr(1, step.size() - 2);
    if (at.node->kind == Node::Kind::List) {
      const size_t index = std::strtoull(name.c_str(), nullptr, 10);
      at = {schema.items(at.schema), &at.node->items.at(index), at.path + "[" + name + "]"};
      continue;
    }
    at = {schema.property(at.schema, name), at.node->find(name), joined(at.path, name)};
  }
  return at;
}

// By line, then text: the order of the file, each mistake once.
using Mistakes = std::set<std::pair<uint32_t, std::string>>;

Mistakes unknown_keys(const Schema& schema, const Place& at) {
  Mistakes out;
  const bool own_keys = at.schema->contains("patternProperties");
  for (const Node::Entry& entry : at.node->entries) {
    if (schema.property(at.schema, entry.key) != nullptr || (own_keys && is_authors_own(entry.key))) continue;
    out.emplace(entry.line, named(at.path) + ": unknown key " + in_quotes(entry.key) + ", expected " +
                                expected_one_of(keys_of(*at.schema)) +
                                (own_keys ? "; keys of your own begin with x_" : ""));
  }
  return out;
}

Mistakes mistakes_of(const Schema& schema, const Place& at, const std::string& description) {
  constexpr std::string_view kMissing = "Missing required property '";
  if (at.node == nullptr || at.schema == nullptr || description.starts_with("Failed to validate")) return {};
  if (description.starts_with(kMissing)) {
    const std::string key = description.substr(kMissing.size(), description.rfind('\'') - kMissing.size());
    const Json* wanted = schema.property(at.schema, key);
    return {{at.node->line, named(at.path) + ": no key " + in_quotes(key) + ", expected " +
                                (wanted == nullptr ? "one" : expectation(*wanted))}};
  }
  if (description.starts_with("Object contains a property")) return unknown_keys(schema, at);
  return {{at.node->line,
           named(at.path) + ": found " + at.node->found() + ", expected " + expectation(*at.schema)}};
}

Json without_unique_items(Json schema) {
  if (schema.is_object()) schema.erase("uniqueItems");
  if (schema.is_structured())
    for (Json& part : schema) part = without_unique_items(std::move(part));
  return schema;
}

Mistakes validate(const Schema& schema, const Document& pack, const Json& typed) {
  using valijson::adapters::NlohmannJsonAdapter;
  const Json plain = without_unique_items(schema.root());
  valijson::Schema compiled;
  valijson::SchemaParser(valijson::SchemaParser::kDraft7)
      .populateSchema(NlohmannJsonAdapter(plain), compiled);
  valijson::ValidationResults results;
  valijson::Validator validator;
  Mistakes mistakes;
  if (validator.validate(compiled, NlohmannJsonAdapter(typed), &results)) return mistakes;
  for (const auto& problem : results)
    mistakes.merge(mistakes_of(schema, place_of(schema, pack, problem.context), problem.description));
  // The validator said no: whatever it meant, the pack is not accepted.
  if (mistakes.empty()) mistakes.emplace(pack.root.line, "does not fit the schema of packs");
  return mistakes;
}

}  // namespace

Findings check_pack_schema(const Document& pack) {
  Findings findings(pack.file);
  try {
    const Schema schema(Json::parse(pack_schema_text()));
    const Json typed = TypedTree(schema, findings).build({schema.resolved(&schema.root()), &pack.root, ""});
    // Texts that are too long stay away from the validator: its regular expressions recurse once per
    // character.
    if (!findings.clean()) return findings;
    for (const auto& [line, message] : validate(schema, pack, typed)) findings.error(line, message);
  } catch (const std::exception& problem) {
    findings.error(0, std::string("cannot be checked against the schema of packs: ") + problem.what());
  }
  return findings;
}

}  // namespace postern::control
