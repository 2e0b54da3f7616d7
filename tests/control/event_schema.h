// SPDX-License-Identifier: Apache-2.0
// Holds lines of the log against deploy/schema/event.schema.json.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "control/eve.h"
#include "tests/control/sample_records.h"

namespace postern::control {

class EventSchema : public testing::Test {
 protected:
  EventSchema() {
    std::ifstream file(POSTERN_SOURCE_ROOT "/deploy/schema/event.schema.json");
    document_ = nlohmann::json::parse(file, nullptr, false);
    EXPECT_TRUE(document_.is_object()) << "cannot read deploy/schema/event.schema.json";
    valijson::SchemaParser parser;
    parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(document_), schema_);
  }

  bool accepts(const nlohmann::json& event) {
    valijson::Validator validator;
    return validator.validate(schema_, valijson::adapters::NlohmannJsonAdapter(event), nullptr);
  }
  void expect_valid(std::string_view line) {
    ++lines_;
    EXPECT_TRUE(accepts(nlohmann::json::parse(line))) << line;
  }
  void expect_valid(const dataplane::LogRecord& record, Bytes extra = {}) {
    expect_valid(formatter_.line(record, extra));
  }

  Sample sample_;
  EveFormatter formatter_{sample_.names, "rack12"};
  nlohmann::json document_;
  valijson::Schema schema_;
  int lines_ = 0;
};

}  // namespace postern::control
