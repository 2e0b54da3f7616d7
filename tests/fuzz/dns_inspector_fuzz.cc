// SPDX-License-Identifier: Apache-2.0
// Any bytes as a query and as an answer: what is read without fault libldns can read, and so can it what is
// forged from it, with id, question and length as they must be. Any bytes as a stream of messages.
//
// needs: base classify profiles
//
// links: ldns
#include <array>
#include <cstddef>
#include <cstdint>

#include "profiles/dns/inspector.h"

// Last, for it defines true and false.
#include <ldns/ldns.h>

using namespace postern;
using namespace postern::profiles::dns;

namespace {

void demand(bool condition) {
  if (!condition) __builtin_trap();
}

bool ldns_reads(Bytes message) {
  ldns_pkt* packet = nullptr;
  const ldns_status status = ldns_wire2pkt(&packet, message.data(), message.size());
  if (status == LDNS_STATUS_OK) ldns_pkt_free(packet);
  return status == LDNS_STATUS_OK;
}

// Fed by the first byte: lists that say everything, so that every reply is made.
const ListRule& local_rule() {
  static const ListRule rule{ListAction::Local,
                             {{kTypeCname, 60, std::string("\006walled\000", 8), true},
                              {kTypeTxt, 60, std::string(200, '\001'), false}}};
  return rule;
}

void forge_all(const Message& message) {
  std::array<uint8_t, kForgedRoom> room;
  for (const Transport transport : {Transport::Udp, Transport::Tcp})
    for (const Reply reply :
         {Reply::Sinkhole, Reply::NxDomain, Reply::NoData, Reply::Truncated, Reply::Local}) {
      const Forgery forgery{reply, Sinkhole::documentation(), &local_rule()};
      const size_t size = forge_answer(message, forgery, transport, room);
      demand(size <= room.size());
      if (size == 0) continue;
      const size_t prefix = transport == Transport::Tcp ? 2 : 0;
      const Bytes answer = Bytes(room).first(size).subspan(prefix);
      if (prefix != 0) demand(load_be16(room.data()) == answer.size());
      demand(answer[0] == message.bytes[0] && answer[1] == message.bytes[1]);
      const size_t question = message.question_end - classify::kDnsHeaderSize;
      demand(std::memcmp(&answer[classify::kDnsHeaderSize], &message.bytes[classify::kDnsHeaderSize],
                         question) == 0);
      demand(read_message(answer, classify::DnsRole::Response).fault == Fault::None);
      demand(ldns_reads(answer));
      demand(forge_answer(message, forgery, transport, std::span(room).first(size / 2)) <= size / 2);
    }
}

const Settings& settings() {
  static const Settings made = [] {
    Settings s;
    DomainPolicyBuilder builder(1);
    demand(static_cast<bool>(
        builder.add({"l", "l", "com\nexample\n", ListFormat::Plain, Category::C2, std::nullopt})));
    s.lists = builder.build();
    s.management = PrefixRules({{*Prefix::parse("10.0.0.0/8"), RuleRef::of(1, 0)}});
    return s;
  }();
  return made;
}

void judge(Bytes bytes) {
  static Inspector inspector(1, {64, 64, 64, 64});
  static Timestamp now = kSecond;
  now += kMillisecond;
  const Exchange exchange{};
  const Verdict asked = inspector.query(exchange, bytes, settings(), now);
  demand((asked.fault != Fault::None) == (asked.reason == Reason::Malformed));
  if (asked.fault == Fault::None) {
    forge_all(inspector.message());
    demand(Name::parse(inspector.message().name.text()) == inspector.message().name);
  }
  inspector.answer(exchange, bytes, settings(), now);
  inspector.sinkholed().last(now);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes(data, size);
  judge(bytes);
  for (Bytes rest = bytes; !rest.empty();) {
    const Frame frame = next_frame(rest);
    if (frame.fault != Fault::None) break;
    judge(frame.message);
    rest = rest.subspan(frame.size);
  }
  return 0;
}
