// SPDX-License-Identifier: Apache-2.0
#include "perf/traffic/pktgen_options.h"

#include <boost/program_options.hpp>
#include <sstream>

#include "control/port_text.h"
#include "perf/traffic/flow_ends.h"
#include "perf/traffic/rate.h"

namespace postern::perf {
namespace {

namespace po = boost::program_options;

constexpr int kUsage = 2;
constexpr const char* kIntroduction =
    "pktgen [OPTION...] PORT [PORT]\n\n"
    "Sends traffic into PORT and takes it back from the second PORT, or from the same one. Counts what was "
    "lost,\n"
    "came twice or out of order, and how long it took.\n"
    "PORT: pci:0000:03:00.0, af_xdp:IF, af_packet:IF, tap:NAME, ring:NAME, pcap:IN,OUT or\n"
    "vdev:NAME,ARGUMENTS for any other virtual device of DPDK, as "
    "vdev:net_memif0,role=server,id=0,socket=/run/a.sock\n";
constexpr const char* kServing =
    "\nWith --serve each line of standard input is a trial: RATE SECONDS [RATE SECONDS]... [frames=N]; the "
    "phases\n"
    "follow each other without a pause. Each answer is one line of JSON. The end of input ends the "
    "program.\n\n"
    "Examples:\n"
    "  pktgen --rate 500kpps --flows 10000 --bidirectional af_packet:g0 af_packet:g1\n"
    "  pktgen --rate 1Gbps --size imix --zipf 1 --duration 60 --json out.json pci:0000:03:00.0 "
    "pci:0000:03:00.1\n"
    "  pktgen --replay management.pcap --probe-every 100 --rate 100k af_xdp:g0 af_xdp:g1\n\n"
    "Exit codes: 0 done, 1 error, 2 usage, 3 packets were lost.\n\nOptions";

po::options_description all_options() {
  po::options_description options(kServing);
  const auto text = [](const char* fallback) { return po::value<std::string>()->default_value(fallback); };
  options.add_options()("help,h", "this text")                                                            //
      ("rate,r", text("max"), "of both directions together: max, 500k, 1.2Mpps or 1Gbps (on the link)")   //
      ("duration,t", po::value<double>()->default_value(10), "seconds")                                   //
      ("size,s", text("64"), "of frames with FCS: 64 to 1518, or imix (7 x 64, 4 x 570, 1 x 1518)")       //
      ("flows,f", po::value<uint32_t>()->default_value(1), "up to 16777216")                              //
      ("zipf,z", po::value<double>()->default_value(0), "exponent of the flows' popularity; 0: uniform")  //
      ("bidirectional,b", "every datagram is answered from the other port")                               //
      ("connections", "TCP connections from SYN to FIN instead of datagrams")                             //
      ("answer", po::value<uint32_t>()->default_value(1024), "bytes that a connection's server answers")  //
      ("replay", text(""), "frames of this capture instead of datagrams")                                 //
      ("loops", po::value<int>()->default_value(0), "how often; 0: until the time is over")               //
      ("probe-every,p", po::value<uint32_t>()->default_value(0),
       "a tagged datagram after every N frames of a replay or of connections, for latency; 0: none")  //
      ("port", po::value<uint16_t>()->default_value(5001), "UDP port of the servers")                 //
      ("vlan", po::value<uint16_t>()->default_value(0), "VLAN of all generated frames; 0: untagged")  //
      ("seed", po::value<uint64_t>()->default_value(1), "the same seed makes the same frames")        //
      ("per-flow", "count loss by flow")                                                              //
      ("core,c", po::value<unsigned>(), "pin the generator to this core")                             //
      ("wait", po::value<double>()->default_value(10), "seconds to wait for the links")               //
      ("serve", "take trials from standard input")                                                    //
      ("quiet,q", "no line per second")                                                               //
      ("json,j", text(""), "write the result to this file");
  return options;
}

Result<PktgenOptions> options_of(const po::variables_map& given) {
  PktgenOptions options;
  for (const std::string& word :
       given.count("ports") ? given["ports"].as<std::vector<std::string>>() : std::vector<std::string>()) {
    const auto port = control::parse_port(word, "pktgen");
    if (!port) return Error{"found \"" + word + "\", expected " + std::string(control::expected_port())};
    options.ports.push_back(*port);
  }
  if (options.ports.empty() || options.ports.size() > 2)
    return Error{"found " + std::to_string(options.ports.size()) + " ports, expected one or two"};

  const auto sizes = FrameSizes::parse(given["size"].as<std::string>());
  if (!sizes) return sizes.error();
  DatagramShape& shape = options.datagrams;
  shape.sizes = *sizes;
  shape.flows = given["flows"].as<uint32_t>();
  shape.zipf = given["zipf"].as<double>();
  shape.server_port = given["port"].as<uint16_t>();
  shape.vlan = given["vlan"].as<uint16_t>();
  shape.seed = given["seed"].as<uint64_t>();
  shape.directions = given.count("bidirectional") ? Directions::Both : Directions::One;
  if (shape.flows == 0 || shape.flows > kMostFlows)
    return Error{"flows: found " + std::to_string(shape.flows) + ", expected 1 to " +
                 std::to_string(kMostFlows)};
  if (!(shape.zipf >= 0) || shape.zipf > 10) return Error{"zipf: expected an exponent from 0 to 10"};
  if (shape.vlan > 4094) return Error{"vlan: found " + std::to_string(shape.vlan) + ", expected up to 4094"};

  options.capture = given["replay"].as<std::string>();
  if (!options.capture.empty() && given.count("connections"))
    return Error{"found both replay and connections, expected one of them"};
  if (!options.capture.empty()) options.content = Content::Recording;
  if (given.count("connections")) options.content = Content::Connections;
  options.answer_bytes = given["answer"].as<uint32_t>();
  if (options.answer_bytes > 1'000'000) return Error{"answer: expected up to 1000000 bytes"};
  options.loops = given["loops"].as<int>();
  options.probe_every = given["probe-every"].as<uint32_t>();
  options.seconds = given["duration"].as<double>();
  options.wait_seconds = given["wait"].as<double>();
  if (!(options.seconds > 0)) return Error{"duration: expected more than 0 seconds"};
  options.bits_on_link = shape.sizes.bits_on_link();
  const auto rate = parse_rate(given["rate"].as<std::string>(), options.bits_on_link);
  if (!rate) return rate.error();
  options.packets_per_second = *rate;
  options.per_flow = given.count("per-flow") != 0;
  options.quiet = given.count("quiet") != 0;
  options.mode = given.count("serve") ? Mode::Serve : Mode::Once;
  if (given.count("core")) options.core = given["core"].as<unsigned>();
  options.json_file = given["json"].as<std::string>();
  return options;
}

}  // namespace

PktgenCommandLine parse_pktgen(int count, const char* const* words) {
  const po::options_description visible = all_options();
  po::options_description all;
  all.add(visible).add_options()("ports", po::value<std::vector<std::string>>());
  po::positional_options_description positions;
  positions.add("ports", -1);
  try {
    po::variables_map given;
    po::store(po::command_line_parser(count, words).options(all).positional(positions).run(), given);
    po::notify(given);
    if (given.count("help")) {
      std::ostringstream text;
      text << kIntroduction << visible;
      return {.options = {}, .text = text.str(), .exit_code = 0};
    }
    Result<PktgenOptions> options = options_of(given);
    if (options) return {.options = *options, .text = {}, .exit_code = 0};
    return {.options = {}, .text = "pktgen: " + options.error().text() + "\n", .exit_code = kUsage};
  } catch (const po::error& wrong) {
    return {.options = {},
            .text = std::string("pktgen: ") + wrong.what() + "; see --help\n",
            .exit_code = kUsage};
  }
}

}  // namespace postern::perf
