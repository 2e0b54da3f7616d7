// SPDX-License-Identifier: Apache-2.0
#include "classify/dns_fault.h"

#include <iterator>

namespace postern::classify {
namespace {

struct Words {
  std::string_view name, meaning;
};

constexpr Words kWords[] = {
    {"none", "nothing is wrong"},
    {"incomplete", "the message is not all here"},
    {"short_header", "a message is shorter than its 12 bytes of header"},
    {"wrong_direction", "a server asks or a client answers"},
    {"reserved_bit", "the reserved bit of the header is set"},
    {"bad_opcode", "the operation is none of query, status, notify and update"},
    {"no_question", "a message that must have a question has none"},
    {"many_questions", "a message has more questions than one"},
    {"query_with_error", "a query has a response code"},
    {"query_with_records", "a query has more records than a query may have"},
    {"truncated_name", "a name goes beyond the end of the message"},
    {"bad_label", "a label is of a type that does not exist"},
    {"name_too_long", "a name is longer than 255 bytes"},
    {"pointer_in_question", "the name of a question is compressed"},
    {"pointer_into_header", "a compression pointer leads into the header"},
    {"pointer_not_backwards", "a compression pointer does not lead to an earlier name"},
    {"truncated_question", "a question goes beyond the end of the message"},
    {"bad_type", "a question is for type 0"},
    {"bad_class", "a question is of a class that does not exist"},
    {"truncated_record", "the header counts more records than there are, or one goes beyond the end"},
    {"trailing_bytes", "bytes follow the last record"},
    {"bad_address_record", "an A or AAAA record has not the length of an address"},
    {"bad_name_record", "the data of a record is not the name that its type has"},
    {"edns_repeated", "a message has two OPT records"},
    {"edns_misplaced", "an OPT record is not an additional one or not of the root"},
    {"bad_edns_options", "an EDNS option goes beyond its record"},
    {"short_frame", "a TCP length says less than a header"},
};
static_assert(std::size(kWords) == kDnsFaults);

}  // namespace

std::string_view dns_fault_name(DnsFault fault) noexcept { return kWords[static_cast<size_t>(fault)].name; }

std::string_view dns_fault_meaning(DnsFault fault) noexcept {
  return kWords[static_cast<size_t>(fault)].meaning;
}

}  // namespace postern::classify
