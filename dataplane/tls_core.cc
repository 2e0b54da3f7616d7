// SPDX-License-Identifier: Apache-2.0
#include "dataplane/tls_core.h"

#include <pthread.h>
#include <rte_lcore.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <future>

#include "dataplane/private_network.h"
#include "dataplane/tcp_flags.h"
#include "dataplane/tls_certificate.h"

namespace postern::dataplane {
namespace {

constexpr unsigned kBatch = 64;
constexpr unsigned kMessages = 256;                  // of one round: more of them join to one segment
constexpr int kSleep = 200;                          // milliseconds
constexpr unsigned kMostFrames = 1400;               // of one segment of 64 KB, at the least MSS of Linux
constexpr Timestamp kHandshakeLimit = 10 * kSecond;  // for both sides
constexpr Timestamp kRulingLimit = 5 * kSecond;      // for a worker that hangs
constexpr Timestamp kAfterlife = 90 * kSecond;  // what the kernel may still have to say of an ended session
constexpr Timestamp kSweepEvery = kSecond;
constexpr Timestamp kTicketKeysLive = 12 * 3600 * kSecond;  // made anew with the credentials

// The IP packet of a frame without padding; empty when it is cut.
Bytes ip_packet(Bytes frame) noexcept {
  if (frame.size() < 20) return {};
  const size_t size = frame[0] >> 4 == 4 ? load_be16(&frame[2]) : size_t{40} + load_be16(&frame[4]);
  return size <= frame.size() ? frame.first(size) : Bytes{};
}

PacketEnds ends_of(Bytes packet, const TcpPlace& place) noexcept {
  const bool v4 = packet[0] >> 4 == 4;
  const auto address = [&](size_t v4_at, size_t v6_at) {
    return v4 ? IpAddress::from_v4(&packet[v4_at]) : IpAddress::from_v6(&packet[v6_at]);
  };
  return {{address(12, 8), load_be16(&packet[place.tcp])},
          {address(16, 24), load_be16(&packet[place.tcp + 2u])}};
}

}  // namespace

Result<std::unique_ptr<TlsCore>> TlsCore::start(const TlsCoreSetup& setup) {
  std::unique_ptr<TlsCore> core(new TlsCore(setup));
  std::promise<Status> prepared;
  auto outcome = prepared.get_future();
  core->thread_ = std::thread([&prepared, it = core.get()] {
    Status status = it->prepare();
    const bool ok = static_cast<bool>(status);
    prepared.set_value(std::move(status));
    if (ok) it->run();
  });
  if (const Status status = outcome.get(); !status) return status.error();
  return core;
}

TlsCore::~TlsCore() { stop(); }

void TlsCore::stop() {
  stop_.store(true);
  if (thread_.joinable()) thread_.join();
}

Status TlsCore::prepare() {
  pthread_setname_np(pthread_self(), ("tls-" + std::to_string(setup_.number)).c_str());
  if (setup_.cpu) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(*setup_.cpu, &one);
    if (pthread_setaffinity_np(pthread_self(), sizeof one, &one) != 0)
      return Error{"tls: core " + std::to_string(*setup_.cpu) +
                   " cannot be used, expected one of this machine"};
  }
  rte_thread_register();  // a cache of buffers; without it they are only slower to get
  auto digests = tls::Digests::make();
  if (!digests) return digests.error();
  digests_.emplace(std::move(*digests));
  client_settings_ = tls::new_client_settings();
  if (client_settings_ == nullptr) return Error{"tls: OpenSSL has no memory"};
  next_credentials_ = setup_.credentials;
  if (const Status status = renew_credentials(); !status) return status;
  Result<UniqueFd> interface = enter_private_network(setup_.mtu);
  if (!interface) return interface.error();
  port_.emplace(std::move(*interface));
  if (!setup_.adopted_file.empty()) {
    Result<AdoptedFile> file = AdoptedFile::open(setup_.adopted_file, setup_.sessions);
    if (!file) return file.error();
    adopted_file_.emplace(std::move(*file));
    disturb_orphans();
  }
  events_ = UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event by_level{EPOLLIN, {.ptr = nullptr}};
  for (const int fd : {port_->descriptor(), link_.wake.get()})
    if (!events_ || ::epoll_ctl(events_.get(), EPOLL_CTL_ADD, fd, &by_level) != 0)
      return Error{"tls: no epoll"};
  return Ok{};
}

void TlsCore::run() {
  policy_.emplace(*setup_.policy, *setup_.quiescence, setup_.number);
  view_.reader = setup_.reader;
  while (!stop_.load(std::memory_order_relaxed)) {
    view_.snapshot = &policy_->next_round();
    link_.rounds.fetch_add(1, std::memory_order_relaxed);
    // The control thread has made the same credentials before it published them.
    const bool old = setup_.clock.now() - renewed_at_ >= kTicketKeysLive;
    if (renewed_.exchange(false) || old) [[maybe_unused]]
      const Status same = renew_credentials();
    const unsigned work = take_messages() + take_segments() + advance_busy();
    sleep_or_poll(work == 0);
    const Timestamp now = setup_.clock.now();
    if (now - swept_at_ >= kSweepEvery) sweep(now);
  }
  for (Adopted* adopted : table_.all())
    if (adopted->ended == 0) end(*adopted, DecryptReason::Shutdown);
  while (take_segments() > 0) continue;
  policy_.reset();
  rte_thread_unregister();
}

// The fence stands between raising the flag and the look into the ring, see Adopter::wake.
void TlsCore::sleep_or_poll(bool idle) {
  std::array<epoll_event, kBatch> events;
  int patience = 0;
  if (idle) {
    link_.asleep.store(true, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    patience = rte_ring_empty(link_.inbox) != 0 ? kSleep : 0;
  }
  policy_->sleep();
  const int count = ::epoll_wait(events_.get(), events.data(), kBatch, patience);
  policy_->wake();
  view_.snapshot = &policy_->next_round();
  link_.asleep.store(false, std::memory_order_relaxed);
  for (int i = 0; i < count; ++i) {
    if (events[i].data.ptr != nullptr) {
      on_event(*static_cast<Adopted*>(events[i].data.ptr), events[i].events);
      continue;
    }
    uint64_t wakes = 0;
    [[maybe_unused]] const ssize_t got = ::read(link_.wake.get(), &wakes, sizeof wakes);
  }
}

unsigned TlsCore::take_messages() {
  rte_mbuf* messages[kMessages];
  const unsigned count =
      rte_ring_dequeue_burst(link_.inbox, reinterpret_cast<void**>(messages), kMessages, nullptr);
  for (unsigned i = 0; i < count; ++i) {
    const TlsTag tag = read_tag(*messages[i]);
    if (tag.kind == TlsMessage::Packet) {
      carry_in(*messages[i], tag);
      continue;
    }
    port_->flush();
    if (tag.kind == TlsMessage::Adopt) {
      begin(*messages[i], tag);
    } else if (tag.kind == TlsMessage::Ruling) {
      if (Adopted* adopted = table_.find(tag)) obey(*adopted, read_body<ClearRuling>(*messages[i]));
    } else if (Adopted* adopted = table_.find(tag)) {
      if (adopted->ended == 0) end(*adopted, DecryptReason::PolicyChanged);
      if (tag.kind == TlsMessage::Forget) forget(*adopted);
    }
  }
  port_->flush();
  rte_pktmbuf_free_bulk(messages, count);
  return count;
}

// Packets of a session that has ended go in, too: the kernel has no socket for them and resets their sender.
void TlsCore::carry_in(const rte_mbuf& message, const TlsTag& tag) {
  Adopted* adopted = table_.find(tag);
  const Bytes frame{rte_pktmbuf_mtod(&message, const uint8_t*), rte_pktmbuf_data_len(&message)};
  const EthernetHeader ethernet = ethernet_of(frame);
  const Bytes packet = ip_packet(frame.subspan(ethernet.size));
  if (adopted == nullptr || packet.empty() || !table_.owns_addresses(*adopted))
    return counters_.strange_packets.add(1);
  const Direction direction =
      tag.port.value == adopted->request.client_port.value ? Direction::ToServer : Direction::ToClient;
  // An ICMP error is a router's, whose address no peer expects.
  if (find_tcp(packet)) adopted->ethernet[static_cast<size_t>(direction)] = ethernet;
  counters_.packets_in.add(1);
  port_->put(packet);
}

void TlsCore::begin(const rte_mbuf& message, const TlsTag& tag) {
  auto fresh = std::make_unique<Adopted>();
  fresh->tag = tag;
  fresh->request = read_body<AdoptionRequest>(message);
  fresh->begun = setup_.clock.now();
  const SessionReport refused{.event = SessionReport::Event::Ended, .facts = fresh->request.facts};
  const auto refuse = [&](DecryptReason reason) {
    SessionReport why = refused;
    why.reason = why.facts.decrypt_reason = reason;
    counters_.reasons[static_cast<size_t>(reason)].add(1);
    report(*fresh, why);
  };
  if (table_.size() >= setup_.sessions) return refuse(DecryptReason::Full);
  auto credentials = credentials_.of(fresh->request.mode);
  if (credentials == nullptr) return refuse(DecryptReason::NoEngine);
  errno = 0;
  if (const Status status = adopt_legs(*fresh); !status) {
    const bool no_socket = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    return refuse(no_socket ? DecryptReason::Full : DecryptReason::AdoptionFailed);
  }
  const Timestamp taken = (setup_.clock.now() - fresh->request.asked) / kMicrosecond;
  const auto bucket = std::lower_bound(TlsCounters::kLatencies.begin(), TlsCounters::kLatencies.end(), taken);
  counters_.latencies[static_cast<size_t>(bucket - TlsCounters::kLatencies.begin())].add(1);
  counters_.adopted.add(1);
  fresh->ethernet = {fresh->request.for_server, fresh->request.for_client};
  if (adopted_file_)
    fresh->file_entry = adopted_file_->add({.client = fresh->request.to_client.remote,
                                            .server = fresh->request.to_server.remote,
                                            .client_port = fresh->request.client_port,
                                            .for_client = fresh->request.for_client,
                                            .for_server = fresh->request.for_server});
  open_session(table_.add(std::move(fresh)), std::move(credentials));
}

Status TlsCore::adopt_legs(Adopted& adopted) {
  Result<UniqueFd> client = adopt(adopted.request.to_client);
  if (!client) return client.error();
  Result<UniqueFd> server = adopt(adopted.request.to_server);
  if (!server) return server.error();
  adopted.client = std::move(*client);
  adopted.server = std::move(*server);
  return Ok{};
}

// A session that cannot be is begun all the same: its two sockets can tell both peers so.
void TlsCore::open_session(Adopted& adopted, std::shared_ptr<tls::ServerCredentials> credentials) {
  const classify::TlsFacts& facts = adopted.request.facts;
  tls::SessionHello hello{.server_name = std::string(facts.server_name.view()),
                          .alpn = {},
                          .highest_version = facts.client_version,
                          .server = adopted.request.to_server.remote.address,
                          .scope = scope_of(adopted.request)};
  const Bytes alpn = as_bytes(facts.alpn_offered.view());
  hello.alpn.assign(alpn.begin(), alpn.end());
  adopted.credentials = std::move(credentials);
  const DecryptReason refusal = adopted.credentials->admits(hello);
  auto reader = std::make_unique<ClearReader>(view_, adopted.request);
  adopted.reader = reader.get();
  adopted.session =
      std::make_unique<tls::Session>(tls::Session::Setup{.hello = std::move(hello),
                                                         .credentials = *adopted.credentials,
                                                         .client_settings = client_settings_.get(),
                                                         .rooms = *rooms_,
                                                         .client_socket = adopted.client.get(),
                                                         .server_socket = adopted.server.get(),
                                                         .inspector = std::move(reader),
                                                         .upstream = &upstream_,
                                                         .key_log = setup_.key_log});
  if (refusal != DecryptReason::None) return end(adopted, refusal);
  epoll_event by_edge{EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {.ptr = &adopted}};
  for (const int fd : {adopted.client.get(), adopted.server.get()})
    if (::epoll_ctl(events_.get(), EPOLL_CTL_ADD, fd, &by_edge) != 0)
      return end(adopted, DecryptReason::Full);
  advance(adopted);
}

void TlsCore::on_event(Adopted& adopted, uint32_t events) {
  if (adopted.ended != 0) return;
  // Before both handshakes are over nobody reads from the client, and so nobody would notice that it has
  // left.
  if ((events & EPOLLERR) != 0 && !adopted.session->established()) {
    adopted.session->advance();  // its last alert may still be there
    adopted.session->abort(DecryptReason::PeerReset);
  }
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) adopted.session->expect_end();
  advance(adopted);
}

void TlsCore::advance(Adopted& adopted) {
  const tls::Session::Progress progress = adopted.session->advance();
  if (adopted.session->established() && !adopted.opened) {
    adopted.opened = true;
    counters_.opened.add(1);
    note_facts(adopted);
    report(adopted, {.event = SessionReport::Event::Opened, .facts = adopted.request.facts});
  }
  if (!ask(adopted)) return end(adopted, DecryptReason::NoVerdict);
  if (progress == tls::Session::Progress::Over) return end(adopted, adopted.session->reason());
  if (progress == tls::Session::Progress::Waiting || adopted.busy) return;
  adopted.busy = true;
  busy_.push_back(&adopted);
}

// Bytes that begin to wait are told to the flow's worker. False: the question cannot be put.
bool TlsCore::ask(Adopted& adopted) {
  for (const Direction direction : {Direction::ToServer, Direction::ToClient}) {
    Timestamp& asked = adopted.asked[static_cast<size_t>(direction)];
    if (asked != 0 || !adopted.session->holds(direction)) continue;
    asked = setup_.clock.now();
    rte_mbuf* message = rte_pktmbuf_alloc(setup_.links->pool);
    if (message == nullptr) return false;
    write_body(*message, adopted.reader->finding(direction));
    TlsTag tag = adopted.tag;
    tag.kind = TlsMessage::Finding;
    if (!send(tag, message)) return false;
  }
  return true;
}

void TlsCore::obey(Adopted& adopted, const ClearRuling& ruling) {
  if (adopted.ended != 0) return;
  if (ruling.refusal != DecryptReason::None) return end(adopted, ruling.refusal);
  adopted.asked[static_cast<size_t>(ruling.direction)] = 0;
  adopted.reader->ruled(ruling);
  adopted.session->pass(ruling.direction);
  advance(adopted);
}

unsigned TlsCore::advance_busy() {
  std::vector<Adopted*> now;
  now.swap(busy_);
  for (Adopted* adopted : now) {
    adopted->busy = false;
    if (adopted->ended == 0) advance(*adopted);
  }
  return static_cast<unsigned>(now.size());
}

// Whatever is no orderly end resets both peers.
void TlsCore::end(Adopted& adopted, DecryptReason reason) {
  adopted.ended = setup_.clock.now();
  const tls::CertificateFault fault = adopted.session->fault();
  learn(adopted, reason);
  for (const Direction direction : {Direction::ToServer, Direction::ToClient})
    counters_.clear_bytes[static_cast<size_t>(direction)].add(adopted.session->bytes(direction));
  adopted.session.reset();
  adopted.reader = nullptr;
  if (reason != DecryptReason::None)
    for (const int fd : {adopted.client.get(), adopted.server.get()}) reset_on_close(fd);
  adopted.client = UniqueFd();
  adopted.server = UniqueFd();
  if (adopted_file_) adopted_file_->remove(adopted.file_entry);
  counters_.ended.add(1);
  counters_.reasons[static_cast<size_t>(reason)].add(1);
  adopted.request.facts.decrypt_reason = reason;
  adopted.request.facts.certificate_fault = static_cast<uint8_t>(fault);
  report(adopted, {.event = SessionReport::Event::Ended,
                   .reason = reason,
                   .was_open = adopted.opened,
                   .facts = adopted.request.facts});
}

void TlsCore::forget(Adopted& adopted) {
  std::erase(busy_, &adopted);
  table_.erase(adopted);
}

bool TlsCore::workers_have_room() const {
  return std::all_of(setup_.links->workers.begin(), setup_.links->workers.end(),
                     [](rte_ring* ring) { return rte_ring_free_count(ring) > kMostFrames; });
}

// What the workers have no room for waits in the kernel.
unsigned TlsCore::take_segments() {
  unsigned count = 0;
  while (count < kBatch && workers_have_room()) {
    const auto outgoing = port_->take();
    if (!outgoing) break;
    carry_out(*outgoing);
    ++count;
  }
  return count;
}

void TlsCore::carry_out(const ExceptionPort::Outgoing& outgoing) {
  const auto place = find_tcp(outgoing.packet);
  const AdoptedTable::Route route =
      place ? table_.route(ends_of(outgoing.packet, *place)) : AdoptedTable::Route{};
  if (route.adopted == nullptr) return counters_.strange_packets.add(1);
  const EthernetHeader& ethernet = route.adopted->ethernet[static_cast<size_t>(route.direction)];
  TlsTag tag = route.adopted->tag;
  tag.kind = TlsMessage::Frame;
  tag.port = route.adopted->out(route.direction);
  FrameCutter cutter(outgoing, *place, ethernet.view());
  while (!cutter.done() && send_frames(cutter, tag)) continue;
}

// As many as fit a batch. False: no buffer, and the rest is lost.
bool TlsCore::send_frames(FrameCutter& cutter, const TlsTag& tag) {
  rte_mbuf* frames[kBatch];
  unsigned made = 0;
  bool room = true;
  for (; made < kBatch && !cutter.done(); ++made) {
    rte_mbuf* frame = rte_pktmbuf_alloc(setup_.links->pool);
    const auto size = static_cast<uint16_t>(cutter.next_size());
    room = frame != nullptr && size <= rte_pktmbuf_tailroom(frame);
    if (!room) {
      rte_pktmbuf_free(frame);
      counters_.lost_frames.add(1);
      break;
    }
    cutter.write_next(reinterpret_cast<uint8_t*>(rte_pktmbuf_append(frame, size)));
    write_tag(*frame, tag);
    frames[made] = frame;
  }
  counters_.packets_out.add(made);
  const unsigned taken = rte_ring_enqueue_burst(setup_.links->workers[tag.worker],
                                                reinterpret_cast<void**>(frames), made, nullptr);
  rte_pktmbuf_free_bulk(frames + taken, made - taken);
  counters_.lost_frames.add(made - taken);
  return room;
}

void TlsCore::sweep(Timestamp now) {
  swept_at_ = now;
  for (Adopted* adopted : table_.all()) {
    const Timestamp age = now - adopted->begun;
    if (adopted->ended != 0) {
      if (now - adopted->ended >= kAfterlife) forget(*adopted);
    } else if (!adopted->opened && age >= kHandshakeLimit) {
      end(*adopted, DecryptReason::HandshakeTimeout);
    } else if (std::any_of(adopted->asked.begin(), adopted->asked.end(),
                           [now](Timestamp asked) { return asked != 0 && now - asked >= kRulingLimit; })) {
      end(*adopted, DecryptReason::NoVerdict);
    }
  }
}

// What the worker would have read from the server's first flight.
void TlsCore::note_facts(Adopted& adopted) {
  const tls::SessionFacts shown = adopted.session->facts();
  classify::TlsFacts& facts = adopted.request.facts;
  count_leaves();
  facts.server_hello = facts.server_complete = true;
  facts.certificate_fault = static_cast<uint8_t>(adopted.session->fault());
  facts.version = shown.version;
  facts.cipher_suite = shown.cipher_suite;
  facts.alpn_chosen = shown.alpn;
  facts.resumed = shown.client_resumed;
  counters_.client_resumed.add(shown.client_resumed ? 1 : 0);
  counters_.server_resumed.add(shown.server_resumed ? 1 : 0);
  if (!shown.certificate.empty()) note_certificate(facts, shown.certificate, *digests_);
}

// Peers of a process that has died. Each is sent an acknowledgement out of its window, which it answers with
// what it expects (RFC 9293 section 3.10.7.4); that answer is of no known flow and is reset exactly.
void TlsCore::disturb_orphans() {
  const auto send = [this](const BareSegment& segment, const EthernetHeader& ethernet, PortIndex port) {
    rte_mbuf* frame = rte_pktmbuf_alloc(setup_.links->pool);
    if (frame == nullptr) return counters_.lost_frames.add(1);
    auto* room = reinterpret_cast<uint8_t*>(rte_pktmbuf_append(frame, kMostBareFrame));
    const size_t size = write_frame(segment, ethernet.view(), room);
    rte_pktmbuf_trim(frame, static_cast<uint16_t>(kMostBareFrame - size));
    write_tag(*frame, {.kind = TlsMessage::Frame, .port = port});
    if (rte_ring_enqueue(setup_.links->workers[0], frame) == 0) return;
    rte_pktmbuf_free(frame);
    counters_.lost_frames.add(1);
  };
  for (const AdoptedFile::Entry& entry : adopted_file_->left()) {
    send({.from = entry.server, .to = entry.client, .flags = kAck}, entry.for_client, entry.client_port);
    send({.from = entry.client, .to = entry.server, .flags = kAck}, entry.for_server,
         entry.client_port.opposite());
  }
}

void TlsCore::report(const Adopted& adopted, const SessionReport& report) {
  rte_mbuf* message = rte_pktmbuf_alloc(setup_.links->pool);
  if (message == nullptr) return counters_.lost_frames.add(1);
  write_body(*message, report);
  TlsTag tag = adopted.tag;
  tag.kind = TlsMessage::Report;
  send(tag, message);
}

// False: the worker's ring is full, and the message is gone.
bool TlsCore::send(TlsTag tag, rte_mbuf* message) {
  write_tag(*message, tag);
  if (rte_ring_enqueue(setup_.links->workers[tag.worker], message) == 0) return true;
  rte_pktmbuf_free(message);
  counters_.lost_frames.add(1);
  return false;
}

}  // namespace postern::dataplane
