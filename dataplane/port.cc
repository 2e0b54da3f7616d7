// SPDX-License-Identifier: Apache-2.0
#include "dataplane/port.h"

#include <net/if.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ring.h>

#include <algorithm>
#include <cstring>

#include "dataplane/interface_watch.h"
#include "dataplane/owner.h"

namespace postern::dataplane {
namespace {

using Kind = PortSpec::Kind;

constexpr uint16_t kRxDescriptors = 1024, kTxDescriptors = 1024;
constexpr unsigned kRingSize = 4096;
constexpr uint32_t kOverhead = 18;  // Ethernet header and FCS, as DPDK counts

Error port_error(const PortSpec& spec, const std::string& what) {
  return Error{"port " + spec.text + ": " + what};
}

unsigned xdp_queues(const PortSpec& spec) { return InterfaceWatch().channels(spec.device).combined; }

std::string device_arguments(const PortSetup& setup) {
  const PortSpec& spec = setup.spec;
  const std::string number = std::to_string(setup.number), queues = std::to_string(setup.workers);
  const unsigned frame = frame_room(setup.mtu);
  switch (spec.kind) {
    case Kind::AfXdp:
      // Every queue: what arrives at one without a socket would go to the kernel instead of the wire.
      return "net_af_xdp" + number + ",iface=" + spec.device +
             ",start_queue=0,queue_count=" + std::to_string(xdp_queues(spec));
    case Kind::AfPacket:
      return "net_af_packet" + number + ",iface=" + spec.device + ",qpairs=" + queues +
             ",framesz=" + std::to_string(frame) + ",blocksz=" + std::to_string(std::max(frame, 4096u)) +
             ",framecnt=1024,qdisc_bypass=1";
    case Kind::Tap:
      return "net_tap" + number + ",iface=" + spec.device;
    case Kind::Pcap:
      return "net_pcap" + number + ",rx_pcap=" + spec.device +
             (spec.output.empty() ? "" : ",tx_pcap=" + spec.output);
    default:
      return spec.device;
  }
}

// Two in-process rings NAME-rx and NAME-tx; a load generator in the same process takes the other ends.
Result<uint16_t> open_ring(const PortSpec& spec) {
  rte_ring* rings[2];
  const char* suffixes[2] = {"-rx", "-tx"};
  for (int i = 0; i < 2; ++i) {
    const std::string name = spec.device + suffixes[i];
    rings[i] = rte_ring_lookup(name.c_str());
    if (rings[i] == nullptr) rings[i] = rte_ring_create(name.c_str(), kRingSize, SOCKET_ID_ANY, 0);
    if (rings[i] == nullptr) return port_error(spec, std::string("no ring: ") + rte_strerror(rte_errno));
  }
  const int id = rte_eth_from_rings(spec.device.c_str(), &rings[0], 1, &rings[1], 1, 0);
  if (id < 0) return port_error(spec, std::string("no ring port: ") + rte_strerror(rte_errno));
  return static_cast<uint16_t>(id);
}

Result<uint16_t> probe(const PortSetup& setup) {
  const PortSpec& spec = setup.spec;
  if (spec.kind == Kind::Ring) return open_ring(spec);
  const std::string interface = kernel_interface(spec);
  if (spec.kind != Kind::Tap && !interface.empty() && if_nametoindex(interface.c_str()) == 0)
    return port_error(spec, "there is no interface " + interface + " in this network namespace");
  const InterfaceWatch::Channels channels = InterfaceWatch().channels(interface);
  if (spec.kind == Kind::AfXdp && channels.receive > channels.combined)
    return port_error(spec, "it receives on " + std::to_string(channels.receive) +
                                " queues and AF_XDP can open " + std::to_string(channels.combined) +
                                " of them; set as many: ethtool -L " + interface + " rx " +
                                std::to_string(channels.combined));
  const std::string arguments = device_arguments(setup);
  if (spec.kind != Kind::Pci) {
    if (const int error = rte_dev_probe(arguments.c_str()); error != 0)
      return port_error(spec, std::string("the driver refused it: ") + rte_strerror(-error));
  }
  uint16_t id = 0;
  const std::string device = arguments.substr(0, arguments.find(','));
  if (rte_eth_dev_get_port_by_name(device.c_str(), &id) != 0)
    return port_error(spec, spec.kind == Kind::Pci
                                ? "no DPDK driver holds this PCI device; is it bound to vfio-pci?"
                                : "the driver made no port");
  return id;
}

// Lets the NIC put both directions of an address pair into the queue of their owner.
void spread_by_owner(uint16_t id, const rte_eth_dev_info& capabilities, unsigned queues) {
  if (capabilities.reta_size == 0 || capabilities.reta_size > RTE_ETH_RSS_RETA_SIZE_512) return;
  rte_eth_rss_reta_entry64 table[RTE_ETH_RSS_RETA_SIZE_512 / RTE_ETH_RETA_GROUP_SIZE] = {};
  for (unsigned i = 0; i < capabilities.reta_size; ++i) {
    rte_eth_rss_reta_entry64& group = table[i / RTE_ETH_RETA_GROUP_SIZE];
    group.mask = ~uint64_t{0};
    group.reta[i % RTE_ETH_RETA_GROUP_SIZE] = static_cast<uint16_t>((i % kRetaSize) % queues);
  }
  rte_eth_dev_rss_reta_update(id, table, capabilities.reta_size);
}

constexpr uint64_t kAddressHash =
    RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_FRAG_IPV4 | RTE_ETH_RSS_IPV6 | RTE_ETH_RSS_FRAG_IPV6;

struct RssKey {
  uint8_t bytes[52];
  RssKey() {
    for (size_t i = 0; i < sizeof bytes; i += 2) {
      bytes[i] = kSymmetricKey >> 8;
      bytes[i + 1] = kSymmetricKey & 0xff;
    }
  }
};

Status configure(const PortSetup& setup, Port& port) {
  const PortSpec& spec = setup.spec;
  rte_eth_dev_info capabilities{};
  if (const int error = rte_eth_dev_info_get(port.id, &capabilities); error != 0)
    return port_error(spec, std::string("cannot be asked for its abilities: ") + rte_strerror(-error));
  const unsigned queues = spec.kind == Kind::AfXdp ? xdp_queues(spec) : setup.workers;
  port.rx_queues = static_cast<uint16_t>(std::min<unsigned>(queues, capabilities.max_rx_queues));
  port.tx_queues = static_cast<uint16_t>(std::min<unsigned>(queues, capabilities.max_tx_queues));

  RssKey key;
  rte_eth_conf config{};
  const bool rss = spec.kind == Kind::Pci && port.rx_queues > 1 && port.rx_queues == setup.workers &&
                   (capabilities.flow_type_rss_offloads & kAddressHash) == kAddressHash &&
                   capabilities.hash_key_size <= sizeof key.bytes;
  if (rss) {
    config.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    config.rx_adv_conf.rss_conf = {
        .rss_key = key.bytes, .rss_key_len = capabilities.hash_key_size, .rss_hf = kAddressHash};
  }
  // Some virtual drivers state less than they carry; their buffers and the kernel's MTU are what counts.
  const uint32_t stated =
      capabilities.max_rx_pktlen > kOverhead ? capabilities.max_rx_pktlen - kOverhead : setup.mtu;
  const bool in_kernel = !kernel_interface(spec).empty();
  if (!in_kernel && setup.mtu > std::min<uint32_t>(stated, capabilities.max_mtu))
    return port_error(spec, "carries an MTU of at most " +
                                std::to_string(std::min<uint32_t>(stated, capabilities.max_mtu)) +
                                ", the site asks for " + std::to_string(setup.mtu));
  if (in_kernel && !InterfaceWatch().raise_mtu(kernel_interface(spec), setup.mtu))
    return port_error(spec, "its interface refuses an MTU of " + std::to_string(setup.mtu));
  config.rxmode.mtu = std::min({uint32_t{setup.mtu}, stated, uint32_t{capabilities.max_mtu}});
  config.rxmode.offloads = capabilities.rx_offload_capa & RTE_ETH_RX_OFFLOAD_CHECKSUM;
  if (rte_eth_dev_configure(port.id, port.rx_queues, port.tx_queues, &config) != 0)
    return port_error(
        spec, "refused " + std::to_string(port.rx_queues) + " queues and MTU " + std::to_string(setup.mtu));

  uint16_t rx_descriptors = kRxDescriptors, tx_descriptors = kTxDescriptors;
  rte_eth_dev_adjust_nb_rx_tx_desc(port.id, &rx_descriptors, &tx_descriptors);
  const int socket = rte_eth_dev_socket_id(port.id);
  for (uint16_t queue = 0; queue < port.rx_queues; ++queue) {
    const int error = rte_eth_rx_queue_setup(port.id, queue, rx_descriptors, static_cast<unsigned>(socket),
                                             nullptr, setup.pool);
    if (error != 0) return port_error(spec, std::string("refused a receive queue: ") + rte_strerror(-error));
  }
  for (uint16_t queue = 0; queue < port.tx_queues; ++queue) {
    const int error =
        rte_eth_tx_queue_setup(port.id, queue, tx_descriptors, static_cast<unsigned>(socket), nullptr);
    if (error != 0) return port_error(spec, std::string("refused a transmit queue: ") + rte_strerror(-error));
  }
  if (const int error = rte_eth_dev_start(port.id); error != 0)
    return port_error(spec, std::string("did not start: ") + rte_strerror(-error));
  // Ports that cannot filter (rings, captures) answer with an error and hand over everything anyway.
  rte_eth_promiscuous_enable(port.id);
  rte_eth_allmulticast_enable(port.id);
  // Where the NIC refuses the table, packets still reach their owner: workers hand them over.
  if (rss) spread_by_owner(port.id, capabilities, setup.workers);
  return Ok{};
}

}  // namespace

unsigned frame_room(uint16_t mtu) {
  constexpr unsigned kDefault = 2048, kPage = 4096, kHeader = 48;
  const unsigned needed = mtu + 22u + kHeader;
  return needed <= kDefault ? kDefault : (needed + kPage - 1) / kPage * kPage;
}

std::string kernel_interface(const PortSpec& spec) {
  const bool in_kernel = spec.kind == Kind::AfXdp || spec.kind == Kind::AfPacket || spec.kind == Kind::Tap;
  return in_kernel ? spec.device : std::string();
}

uint16_t mtu_limit(const PortSpec& spec) {
  switch (spec.kind) {
    case Kind::AfXdp:
      return 3498;  // a frame lives in one page beside DPDK's headroom
    case Kind::Tap:
      return 1500;  // the driver sends no longer ones
    default:
      return 0;
  }
}

Result<Port> open_port(const PortSetup& setup) {
  const uint16_t limit = mtu_limit(setup.spec);
  if (limit != 0 && setup.mtu > limit)
    return port_error(setup.spec, "carries an MTU of at most " + std::to_string(limit) +
                                      ", the site asks for " + std::to_string(setup.mtu));
  const Result<uint16_t> id = probe(setup);
  if (!id) return id.error();
  Port port;
  port.id = *id;
  char name[RTE_ETH_NAME_MAX_LEN] = {};
  rte_eth_dev_get_name_by_port(port.id, name);
  port.device = name;
  if (const Status status = configure(setup, port); !status) {
    close_port(port);
    return status.error();
  }
  return port;
}

void close_port(const Port& port) {
  rte_eth_dev_info capabilities{};
  rte_device* device = rte_eth_dev_info_get(port.id, &capabilities) == 0 ? capabilities.device : nullptr;
  rte_eth_dev_stop(port.id);
  rte_eth_dev_close(port.id);
  if (device != nullptr) rte_dev_remove(device);
}

}  // namespace postern::dataplane
