// SPDX-License-Identifier: Apache-2.0
#include "http_catalogue.h"

#include <hs/hs.h>
#include <yaml.h>

#include <cstdio>
#include <map>
#include <memory>
#include <stdexcept>

namespace postern::profiles {
namespace {

using Document = std::unique_ptr<yaml_document_t, void (*)(yaml_document_t*)>;

std::string scalar(const yaml_node_t* node) {
  if (node == nullptr || node->type != YAML_SCALAR_NODE) throw std::runtime_error("no scalar");
  return {reinterpret_cast<const char*>(node->data.scalar.value), node->data.scalar.length};
}

std::map<std::string, const yaml_node_t*> map_of(yaml_document_t* document, const yaml_node_t* node) {
  if (node == nullptr || node->type != YAML_MAPPING_NODE) throw std::runtime_error("no map");
  std::map<std::string, const yaml_node_t*> out;
  for (auto* pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; ++pair)
    out[scalar(yaml_document_get_node(document, pair->key))] = yaml_document_get_node(document, pair->value);
  return out;
}

std::vector<const yaml_node_t*> list_of(yaml_document_t* document, const yaml_node_t* node) {
  if (node == nullptr || node->type != YAML_SEQUENCE_NODE) throw std::runtime_error("no list");
  std::vector<const yaml_node_t*> out;
  for (auto* item = node->data.sequence.items.start; item < node->data.sequence.items.top; ++item)
    out.push_back(yaml_document_get_node(document, *item));
  return out;
}

void load(yaml_document_t* document, const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) throw std::runtime_error("cannot read " + path);
  yaml_parser_t parser;
  yaml_parser_initialize(&parser);
  yaml_parser_set_input_file(&parser, file);
  const bool good = yaml_parser_load(&parser, document) != 0;
  yaml_parser_delete(&parser);
  std::fclose(file);
  if (!good) throw std::runtime_error(path + " is no YAML");
}

}  // namespace

std::vector<HttpSignature> read_http_catalogue(const std::string& path) {
  yaml_document_t document;
  load(&document, path);
  const Document owner(&document, yaml_document_delete);
  std::vector<HttpSignature> out;
  auto root = map_of(&document, yaml_document_get_root_node(&document));
  for (const yaml_node_t* node : list_of(&document, root["applications"])) {
    auto entry = map_of(&document, node);
    for (const yaml_node_t* item : list_of(&document, entry["signatures"])) {
      auto signature = map_of(&document, item);
      if (scalar(signature["layer"]) != "http") continue;  // facts of a handshake
      out.push_back({scalar(entry["app_id"]), scalar(signature["pattern"]), scalar(signature["confidence"]),
                     scalar(signature["nocase"]) == "true"});
    }
  }
  return out;
}

struct HttpSignatures::Engine {
  hs_database_t* database = nullptr;
  hs_scratch_t* scratch = nullptr;
};

HttpSignatures::HttpSignatures(std::vector<HttpSignature> signatures)
    : signatures_(std::move(signatures)), engine_(new Engine) {
  std::vector<const char*> patterns;
  std::vector<unsigned> flags, ids;
  for (const HttpSignature& signature : signatures_) {
    patterns.push_back(signature.pattern.c_str());
    flags.push_back(HS_FLAG_SINGLEMATCH | HS_FLAG_DOTALL | (signature.nocase ? HS_FLAG_CASELESS : 0u));
    ids.push_back(static_cast<unsigned>(ids.size()));
  }
  hs_compile_error_t* error = nullptr;
  if (hs_compile_multi(patterns.data(), flags.data(), ids.data(), static_cast<unsigned>(ids.size()),
                       HS_MODE_BLOCK, nullptr, &engine_->database, &error) != HS_SUCCESS)
    throw std::runtime_error(error->expression < 0 ? error->message
                                                   : patterns[static_cast<size_t>(error->expression)] +
                                                         std::string(": ") + error->message);
  hs_alloc_scratch(engine_->database, &engine_->scratch);
}

HttpSignatures::~HttpSignatures() {
  hs_free_scratch(engine_->scratch);
  hs_free_database(engine_->database);
  delete engine_;
}

std::set<std::string> HttpSignatures::applications(const std::string& text) const {
  std::set<unsigned> found;
  const std::string seen = text.substr(0, 2048);
  hs_scan(
      engine_->database, seen.data(), static_cast<unsigned>(seen.size()), 0, engine_->scratch,
      [](unsigned id, unsigned long long, unsigned long long, unsigned, void* out) {
        static_cast<std::set<unsigned>*>(out)->insert(id);
        return 0;
      },
      &found);
  for (const char* confidence : {"high", "medium"}) {
    std::set<std::string> out;
    for (const unsigned id : found)
      if (signatures_[id].confidence == confidence) out.insert(signatures_[id].app_id);
    if (!out.empty()) return out;
  }
  return {};
}

}  // namespace postern::profiles
