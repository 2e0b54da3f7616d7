// SPDX-License-Identifier: Apache-2.0
// Writes captures of generated traffic; perf/README.md tells which. The same options give the same bytes.
#include <fmt/format.h>

#include <array>
#include <boost/program_options.hpp>
#include <filesystem>
#include <iostream>
#include <memory>

#include "perf/traffic/connections.h"
#include "perf/traffic/datagrams.h"
#include "perf/traffic/flow_ends.h"
#include "perf/traffic/management_mix.h"
#include "perf/traffic/pcap_file.h"

namespace postern::perf {
namespace {

namespace po = boost::program_options;

constexpr Timestamp kStart = 1'767'225'600 * kSecond;  // 2026-01-01

struct Capture {
  std::string name;
  std::unique_ptr<FrameSource> source;
  uint64_t packets = 0;  // at most
  double packets_per_second = 1e6;
};

Status write(const Capture& capture, const std::string& path) {
  auto file = PcapFile::create(path);
  if (!file) return file.error();
  constexpr size_t kBurst = 32;
  std::vector<std::array<uint8_t, kFrameRoom>> rooms(kBurst);
  std::array<uint64_t, 2> sequence{};
  for (uint64_t written = 0; written < capture.packets;) {
    std::array<Frame, kBurst> frames;
    const auto wanted = static_cast<size_t>(std::min<uint64_t>(kBurst, capture.packets - written));
    for (size_t i = 0; i < wanted; ++i) frames[i].room = rooms[i].data();
    const size_t made = capture.source->make(std::span(frames).first(wanted));
    for (size_t i = 0; i < made; ++i) {
      const Frame& frame = frames[i];
      if (frame.tag_at != 0)
        tag_frame(frame, {.side = frame.side, .sequence = sequence[static_cast<size_t>(frame.side)]++});
      const double since = static_cast<double>(written++) / capture.packets_per_second;
      file->write(kStart + static_cast<Timestamp>(since * 1e9), Bytes(frame.room, frame.length));
    }
    if (made < wanted) break;
  }
  return file->close();
}

po::options_description all_options() {
  po::options_description options(
      "captures [OPTION...] FILE      one capture\n"
      "captures --set FOLDER          the standard set: flows 100, 10k, 1M; 64 B, IMIX, 1518 B; uniform and "
      "Zipf;\n"
      "                               connections; the management mix (4.2 GB)\n\n"
      "Exit codes: 0 done, 1 error, 2 usage.\n\nOptions");
  const auto text = [](const char* fallback) { return po::value<std::string>()->default_value(fallback); };
  options.add_options()("help,h", "this text")                                                              //
      ("shape", text("datagrams"), "datagrams, connections or management")                                  //
      ("size,s", text("64"), "of datagrams with FCS: 64 to 1518, or imix")                                  //
      ("flows,f", po::value<uint32_t>()->default_value(100), "datagrams: flows; else: connections in all")  //
      ("zipf,z", po::value<double>()->default_value(0), "exponent of the flows' popularity; 0: uniform")    //
      ("bidirectional,b", "every datagram is answered")                                                     //
      ("packets,n", po::value<uint64_t>()->default_value(0),
       "at most; 0: as the shape and the flows need")                                                     //
      ("answer", po::value<uint32_t>()->default_value(1024), "bytes that a connection's server answers")  //
      ("seed", po::value<uint64_t>()->default_value(1), "the same seed makes the same bytes")             //
      ("quick", "of the set only what has up to 10k flows (220 MB)")                                      //
      ("captures", text(POSTERN_SOURCE_ROOT "/tests/captures"),
       "folder of the conversations that are mixed")  //
      ("set", text(""), "write the standard set into this folder");
  return options;
}

struct DatagramCapture {
  uint32_t flows;
  std::string size;
  double zipf;
  Directions directions = Directions::One;
  uint64_t packets = 0, seed = 1;
};

Result<Capture> datagrams(const std::string& name, const DatagramCapture& wanted) {
  const auto sizes = FrameSizes::parse(wanted.size);
  if (!sizes) return sizes.error();
  Capture capture{.name = name};
  capture.source = std::make_unique<Datagrams>(DatagramShape{.flows = wanted.flows,
                                                             .zipf = wanted.zipf,
                                                             .sizes = *sizes,
                                                             .directions = wanted.directions,
                                                             .seed = wanted.seed});
  capture.packets = wanted.packets != 0 ? wanted.packets : std::max(wanted.flows, 20'000u);
  return capture;
}

Capture connections(const std::string& name, uint32_t flows, uint32_t answer, uint64_t seed) {
  auto source =
      std::make_unique<Connections>(ConnectionShape{.flows = flows, .answer_bytes = answer, .seed = seed});
  const uint64_t packets = source->packets_of_connection() * uint64_t{flows};
  return {.name = name, .source = std::move(source), .packets = packets};
}

Result<Capture> management(const std::string& name, const std::string& folder, uint32_t flows,
                           uint64_t seed) {
  auto mix = ManagementMix::read(management_parts(folder), std::min(flows, 256u), flows, seed);
  if (!mix) return mix.error();
  return Capture{
      .name = name, .source = std::make_unique<ManagementMix>(std::move(*mix)), .packets = ~uint64_t{0}};
}

Status write_set(const std::string& folder, const std::string& captures, bool quick) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) return Error{failed.message(), folder};
  const auto put = [&](Result<Capture> capture) -> Status {
    if (!capture) return capture.error();
    std::cout << capture->name << std::endl;
    return write(*capture, folder + "/" + capture->name + ".pcap");
  };
  const struct {
    const char* name;
    uint32_t flows;
  } kFlows[] = {{"100", 100}, {"10k", 10'000}, {"1M", 1'000'000}};
  for (const auto& [flows_name, flows] : kFlows) {
    if (quick && flows > 10'000) continue;
    for (const char* size : {"64", "imix", "1518"})
      for (const double zipf : {0.0, 1.0}) {
        const std::string name = fmt::format("{}_{}_{}", size, flows_name, zipf == 0 ? "uniform" : "zipf");
        if (Status done = put(datagrams(name, {.flows = flows, .size = size, .zipf = zipf})); !done)
          return done;
      }
    if (flows > 10'000) continue;
    if (Status done = put(connections(fmt::format("connections_{}", flows_name), flows, 1024, 1)); !done)
      return done;
    if (Status done = put(management(fmt::format("management_{}", flows_name), captures, flows, 1)); !done)
      return done;
  }
  return Ok{};
}

Result<Capture> one_capture(const po::variables_map& given, const std::string& name) {
  const std::string shape = given["shape"].as<std::string>();
  const uint32_t flows = given["flows"].as<uint32_t>();
  const uint64_t seed = given["seed"].as<uint64_t>();
  const uint64_t packets = given["packets"].as<uint64_t>();
  if (flows == 0 || flows > kMostFlows) return Error{fmt::format("flows: expected 1 to {}", kMostFlows)};
  if (shape == "datagrams")
    return datagrams(name, {.flows = flows,
                            .size = given["size"].as<std::string>(),
                            .zipf = given["zipf"].as<double>(),
                            .directions = given.count("bidirectional") ? Directions::Both : Directions::One,
                            .packets = packets,
                            .seed = seed});
  Result<Capture> capture =
      Error{"shape: found " + shape + ", expected datagrams, connections or management"};
  if (shape == "connections") capture = connections(name, flows, given["answer"].as<uint32_t>(), seed);
  if (shape == "management") capture = management(name, given["captures"].as<std::string>(), flows, seed);
  if (capture && packets != 0) capture->packets = packets;
  return capture;
}

int run(const po::variables_map& given) {
  const std::string set = given["set"].as<std::string>();
  const auto files =
      given.count("file") ? given["file"].as<std::vector<std::string>>() : std::vector<std::string>();
  if (files.size() + !set.empty() != 1) {
    std::cerr << "captures: expected one FILE, or --set FOLDER; see --help\n";
    return 2;
  }
  Status done = Ok{};
  if (!set.empty()) {
    done = write_set(set, given["captures"].as<std::string>(), given.count("quick") != 0);
  } else {
    const Result<Capture> capture = one_capture(given, files[0]);
    done = capture ? write(*capture, files[0]) : Status(capture.error());
  }
  if (done) return 0;
  std::cerr << "captures: " << done.error().text() << "\n";
  return 1;
}

}  // namespace
}  // namespace postern::perf

int main(int count, char** words) {
  const auto visible = postern::perf::all_options();
  postern::perf::po::options_description all;
  all.add(visible).add_options()("file", postern::perf::po::value<std::vector<std::string>>());
  postern::perf::po::positional_options_description positions;
  positions.add("file", -1);
  postern::perf::po::variables_map given;
  try {
    store(postern::perf::po::command_line_parser(count, words).options(all).positional(positions).run(),
          given);
    notify(given);
  } catch (const postern::perf::po::error& wrong) {
    std::cerr << "captures: " << wrong.what() << "; see --help\n";
    return 2;
  }
  if (given.count("help")) {
    std::cout << visible;
    return 0;
  }
  return postern::perf::run(given);
}
