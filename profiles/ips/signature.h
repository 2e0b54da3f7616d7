// SPDX-License-Identifier: Apache-2.0
// A rule understood: what a packet, a flow and each buffer must be like, and what is said when they are. Made
// by the control thread, immutable afterwards, read by any thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "profiles/ips/buffers.h"
#include "profiles/ips/interval_set.h"
#include "profiles/ips/protocols.h"
#include "profiles/ips/rule_text.h"

namespace postern::profiles::ips {

class Regex;
class Dataset;

enum class Action : uint8_t { Pass, Drop, Reject, Alert };
enum class Severity : uint8_t { Informational, Low, Medium, High, Critical };
std::string_view severity_name(Severity severity);

inline constexpr size_t kMostVariables = 16;  // that byte_extract and byte_math fill, in one rule

// A number of the rule, or what an earlier operation of the same buffer extracted.
struct Number {
  int64_t value = 0;
  int8_t variable = -1;  // -1: the value counts
};

enum class Compare : uint8_t {
  Less,
  LessOrEqual,
  Greater,
  GreaterOrEqual,
  Equal,
  NotEqual,
  And,
  Xor,
  Between
};
struct Range {  // "<10", "!5", "3<>9" (both ends excluded)
  Compare compare = Compare::Equal;
  uint64_t low = 0, high = 0;
  bool holds(uint64_t value) const noexcept;
};

struct Content {
  std::vector<uint8_t> bytes;  // lower case where nocase
  bool negated = false, nocase = false, ends = false;
  bool relative = false;  // to the end of the match before it: distance or within is given
  bool fast = false, fast_only = false;
  uint16_t fast_offset = 0, fast_length = 0;  // fast_pattern:offset,length; 0: all of it
  std::optional<Number> offset, depth, distance, within;
};

struct Pcre {
  std::shared_ptr<const Regex> regex;
  std::string expression;  // with its flags in (?..) form, for the pattern engine
  bool negated = false, relative = false, nocase = false, multiline = false, dotall = false;
};

struct IsDataAt {
  Number at;
  bool negated = false, relative = false;
};

// How byte_test, byte_jump, byte_extract and byte_math read their number.
struct ReadNumber {
  Number count;  // bytes
  Number offset;
  bool relative = false, little = false, text = false;
  int base = 10;      // of text
  uint64_t mask = 0;  // 0: none
};
struct ByteTest {
  ReadNumber read;
  Compare compare = Compare::Equal;
  bool negated = false;
  Number value;
};
struct ByteJump {
  enum class From : uint8_t { Here, Beginning, End } from = From::Here;
  ReadNumber read;
  int64_t multiplier = 1, post_offset = 0;
  bool align = false;
};
struct ByteExtract {
  ReadNumber read;
  int64_t multiplier = 1;
  uint8_t align = 0;  // 0, 2 or 4
  int8_t into = 0;
};
struct ByteMath {
  enum class Operator : uint8_t {
    Add,
    Subtract,
    Multiply,
    Divide,
    ShiftLeft,
    ShiftRight
  } with = Operator::Add;
  ReadNumber read;
  Number right;
  int8_t into = 0;
};
struct BufferSize {  // bsize, urilen
  Range range;
};
struct InDataset {
  std::shared_ptr<const Dataset> dataset;
  bool negated = false;
};
struct Base64;
using Operation = std::variant<Content, Pcre, IsDataAt, ByteTest, ByteJump, ByteExtract, ByteMath, BufferSize,
                               InDataset, std::shared_ptr<const Base64>>;
// base64_decode, and what base64_data asks of the bytes it yields.
struct Base64 {
  uint32_t bytes = 0;  // of encoded text; 0: all
  int64_t offset = 0;
  bool relative = false;
  std::vector<Operation> inside;
};

enum class Transform : uint8_t {
  ToLowercase,
  ToUppercase,
  StripWhitespace,
  CompressWhitespace,
  DotPrefix,
  UrlDecode,
  Xor,
  HeaderLowercase,
  StripPseudoHeaders,
  FromBase64
};
struct TransformStep {
  Transform what;
  std::string key;  // of xor
};

// All that a rule asks of one buffer, in its order.
struct Part {
  BufferKind kind = BufferKind::Packet;
  std::vector<TransformStep> transforms;
  std::vector<Operation> operations;
};

// What must hold for a packet, besides its bytes. Flags as in the TCP header (RFC 9293 section 3.1).
struct TcpFlags {
  enum class How : uint8_t { Exactly, AtLeast, Any, Not } how = How::Exactly;
  uint8_t flags = 0, ignored = 0;
};
enum class Field : uint8_t {
  Ttl,
  IpId,
  Tos,
  IpProtocol,
  IcmpType,
  IcmpCode,
  IcmpId,
  IcmpSequence,
  TcpSequence,
  TcpAck,
  TcpWindow,
  TcpMss,
  PayloadSize,
  ClientStream,
  ServerStream,
  BothStreams,
  EitherStream
};
struct FieldTest {
  Field field;
  Range range;
  bool negated = false;
};
enum class Fragment : uint8_t { DontFragment, MayFragment };

struct FlowBit {
  enum class Do : uint8_t { Set, Unset, Toggle, IsSet, IsNotSet } what = Do::Set;
  std::vector<uint32_t> bits;  // several: any of them
};
enum class Track : uint8_t { Rule, Source, Destination, Pair, Flow };
struct XBit {
  FlowBit::Do what = FlowBit::Do::Set;
  uint32_t bit = 0;
  Track track = Track::Source;
  uint32_t seconds = 0;  // 0: as long as the table keeps it
};
struct FlowInt {
  enum class Do : uint8_t { Set, Add, Subtract, Compare, IsSet, IsNotSet } what = Do::Set;
  Compare compare = Compare::Equal;
  uint32_t variable = 0;
  uint32_t value = 0;
  bool is_condition() const noexcept { return what >= Do::Compare; }
};
struct Rate {
  enum class Kind : uint8_t { Limit, Threshold, Both, Detection } kind = Kind::Limit;
  Track track = Track::Source;
  uint32_t count = 1, seconds = 0;
};

enum class Established : uint8_t { Either, Yes, No };

struct Signature {
  std::string file;
  uint32_t line = 0;
  RuleText text;

  uint32_t sid = 0, rev = 0, gid = 1;
  std::string message, classtype, category;
  uint8_t priority = 3;
  Severity severity = Severity::Low;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::vector<std::pair<std::string, std::string>> references;  // kind, value
  std::string target;                                           // src_ip, dest_ip or empty
  Action action = Action::Alert;
  bool no_alert = false;

  uint8_t transports = kEveryTransport;
  App app = App::Any;
  std::vector<App> not_apps;
  PayloadOf payload_of = PayloadOf::Either;
  uint8_t ip_version = 0;  // 0: both
  AddressSet source, destination;
  PortSet source_ports, destination_ports;
  bool both_ways = false;

  std::optional<Direction> sender;  // flow:to_server, to_client
  Established established = Established::Either;

  bool same_ip = false;
  std::optional<TcpFlags> flags;
  std::vector<FieldTest> fields;
  std::optional<Fragment> fragment;
  std::vector<Part> parts;

  std::vector<FlowBit> flowbits;
  std::vector<XBit> xbits;
  std::vector<FlowInt> flowints;
  std::vector<Rate> rates;

  bool asks_packet() const noexcept { return flags.has_value() || !fields.empty() || fragment.has_value(); }
};

}  // namespace postern::profiles::ips
