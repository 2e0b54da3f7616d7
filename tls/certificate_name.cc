// SPDX-License-Identifier: Apache-2.0
#include "tls/certificate_name.h"

#include "tls/der_reader.h"

namespace postern::tls {
namespace {

struct Attribute {
  std::string_view oid;  // as encoded
  std::string_view name;
};

// The attributes of RFC 4519, RFC 5280 and the CA/Browser Forum under OpenSSL's short names.
constexpr Attribute kAttributes[] = {
    {{"\x55\x04\x03", 3}, "CN"},
    {{"\x55\x04\x04", 3}, "SN"},
    {{"\x55\x04\x05", 3}, "serialNumber"},
    {{"\x55\x04\x06", 3}, "C"},
    {{"\x55\x04\x07", 3}, "L"},
    {{"\x55\x04\x08", 3}, "ST"},
    {{"\x55\x04\x09", 3}, "street"},
    {{"\x55\x04\x0a", 3}, "O"},
    {{"\x55\x04\x0b", 3}, "OU"},
    {{"\x55\x04\x0c", 3}, "title"},
    {{"\x55\x04\x0d", 3}, "description"},
    {{"\x55\x04\x0f", 3}, "businessCategory"},
    {{"\x55\x04\x11", 3}, "postalCode"},
    {{"\x55\x04\x29", 3}, "name"},
    {{"\x55\x04\x2a", 3}, "GN"},
    {{"\x55\x04\x2b", 3}, "initials"},
    {{"\x55\x04\x2e", 3}, "dnQualifier"},
    {{"\x55\x04\x61", 3}, "organizationIdentifier"},
    {{"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", 9}, "emailAddress"},
    {{"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x02", 9}, "unstructuredName"},
    {{"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01", 10}, "UID"},
    {{"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", 10}, "DC"},
    {{"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x01", 11}, "jurisdictionL"},
    {{"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x02", 11}, "jurisdictionST"},
    {{"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x03", 11}, "jurisdictionC"},
};

class NameWriter {
 public:
  NameText text;

  bool write(Bytes name) noexcept {
    DerReader sets(name);
    bool first_set = true;
    while (!sets.at_end()) {
      DerReader attributes(sets.expect(der::kSet));
      if (!sets.ok() || attributes.at_end()) return false;
      bool first = true;
      while (!attributes.at_end()) {
        DerReader attribute(attributes.expect(der::kSequence));
        const Bytes oid = attribute.expect(der::kObjectId);
        const DerReader::Value value = attribute.any();
        if (!attributes.ok() || !attribute.at_end() || oid.empty()) return false;
        if (!first_set || !first) text.append(first ? ", " : " + ");
        if (!write_type(oid) || !write_value(value)) return false;
        first = first_set = false;
      }
    }
    return true;
  }

 private:
  bool write_type(Bytes oid) noexcept {
    for (const Attribute& attribute : kAttributes) {
      if (attribute.oid != as_text(oid)) continue;
      text.append(attribute.name);
      text.append('=');
      return true;
    }
    return write_oid(oid);
  }

  // X.690 section 8.19; arcs above 32 bits are refused, nobody has one.
  bool write_oid(Bytes oid) noexcept {
    uint32_t arc = 0;
    bool inside = false, first = true;
    for (const uint8_t byte : oid) {
      if ((!inside && byte == 0x80) || arc >> 25 != 0) return false;
      arc = arc << 7 | (byte & 0x7f);
      inside = (byte & 0x80) != 0;
      if (inside) continue;
      if (first) {
        const uint32_t root = arc < 80 ? arc / 40 : 2;
        text.append_decimal(root);
        arc -= root * 40;
      }
      text.append('.');
      text.append_decimal(arc);
      arc = 0;
      first = false;
    }
    text.append('=');
    return !inside;
  }

  bool write_value(const DerReader::Value& value) noexcept {
    if (value.tag == der::kUtf8String) return write_utf8(value.content);
    const size_t width = value.tag == der::kBmpString ? 2 : value.tag == der::kUniversalString ? 4 : 1;
    if (value.content.size() % width != 0) return false;
    for (size_t at = 0; at < value.content.size(); at += width) {
      uint32_t point = 0;
      for (size_t i = 0; i < width; ++i) point = point << 8 | value.content[at + i];
      if (point > 0x10ffff) return false;
      write_point(point, at == 0, at + width == value.content.size());
    }
    return true;
  }

  // Bytes that are no UTF-8 (RFC 3629) are shown one by one.
  bool write_utf8(Bytes content) noexcept {
    for (size_t at = 0; at < content.size();) {
      const uint8_t lead = content[at];
      const size_t length = lead < 0x80   ? 1
                            : lead < 0xc2 ? 0
                            : lead < 0xe0 ? 2
                            : lead < 0xf0 ? 3
                            : lead < 0xf5 ? 4
                                          : 0;
      uint32_t point = length < 2 ? lead : lead & (0x7f >> length);
      bool good = length != 0 && content.size() - at >= length;
      for (size_t i = 1; good && i < length; ++i) {
        good = content[at + i] >> 6 == 2;
        point = point << 6 | (content[at + i] & 0x3f);
      }
      good = good && !(length == 3 && (point < 0x800 || point >> 11 == 0x1b)) &&
             !(length == 4 && (point < 0x10000 || point > 0x10ffff));
      const size_t taken = good ? length : 1;
      if (good) {
        write_point(point, at == 0, at + taken == content.size());
      } else {
        text.append_escape(lead);
      }
      at += taken;
    }
    return true;
  }

  void write_point(uint32_t point, bool first, bool last) noexcept {
    constexpr std::string_view kSpecial = ",+\"\\<>;";
    if (point >= 0x80) return write_wide(point);
    const char c = static_cast<char>(point);
    if (point < 0x20 || point == 0x7f) return text.append_escape(static_cast<uint8_t>(point));
    const bool edge = (c == ' ' && (first || last)) || (c == '#' && first);
    if (!edge && kSpecial.find(c) == std::string_view::npos) return text.append(c);
    const char escaped[] = {'\\', c};
    text.append({escaped, 2});
  }

  // As UTF-8. Controls, surrogates and what turns the direction of writing are escaped: a log line must look
  // like what it is.
  void write_wide(uint32_t point) noexcept {
    std::array<uint8_t, 4> bytes;
    size_t length = 0;
    if (point < 0x800) {
      bytes[length++] = static_cast<uint8_t>(0xc0 | point >> 6);
    } else {
      if (point < 0x10000) {
        bytes[length++] = static_cast<uint8_t>(0xe0 | point >> 12);
      } else {
        bytes[length++] = static_cast<uint8_t>(0xf0 | point >> 18);
        bytes[length++] = static_cast<uint8_t>(0x80 | (point >> 12 & 0x3f));
      }
      bytes[length++] = static_cast<uint8_t>(0x80 | (point >> 6 & 0x3f));
    }
    bytes[length++] = static_cast<uint8_t>(0x80 | (point & 0x3f));
    const bool hidden = point < 0xa0 || point >> 11 == 0x1b || (point >= 0x200b && point <= 0x200f) ||
                        (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069) ||
                        point == 0xfeff;
    const Bytes encoded = Bytes(bytes).first(length);
    if (!hidden) return text.append(as_text(encoded));
    for (const uint8_t byte : encoded) text.append_escape(byte);
  }
};

}  // namespace

NameLine name_line(Bytes name) noexcept {
  NameWriter writer;
  if (!writer.write(name)) return {};
  return {true, writer.text};
}

}  // namespace postern::tls
