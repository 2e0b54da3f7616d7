// SPDX-License-Identifier: Apache-2.0
// posternd: run, check, replay. The only place that catches.
#include <boost/program_options.hpp>
#include <exception>
#include <iostream>

#include "control/check_command.h"
#include "control/daemon.h"
#include "control/flow_name.h"
#include "control/replay_command.h"
#include "control/version.h"

namespace {

namespace po = boost::program_options;
using postern::control::CheckOutput;
using postern::control::StoryOutput;
using Words = std::vector<std::string>;

constexpr int kUsage = 2;
constexpr char kHelp[] =
    "usage: posternd run --site FILE\n"
    "       posternd check [--site FILE] [--pack FILE]... [--json]\n"
    "       posternd replay --pcap IN... [--site FILE] [--out OUT] --log DIR [--workers N]\n"
    "                       [--pattern-cache DIR] [--trace FLOW [--json]]\n"
    "\n"
    "run     forwards between the site's ports until SIGTERM; SIGHUP reopens the logs\n"
    "check   reads everything a commit reads and prints the compiled rules, or every error\n"
    "replay  runs captures through the same pipeline; without --site everything is allowed and logged;\n"
    "        --pattern-cache keeps compiled patterns for the next replay;\n"
    "        --trace tells how a flow came to its verdict: a flow_id of the logs, or "
    "SRC:PORT-DST:PORT/PROTO\n"
    "\n"
    "exit codes: 0 done, 1 error, 2 wrong usage, 3 site or pack is not valid\n";

int usage(const std::string& what) {
  std::cerr << "posternd: " << what << "\n\n" << kHelp;
  return kUsage;
}

po::variables_map parse(const Words& words, const po::options_description& options) {
  po::variables_map values;
  const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
  po::store(po::command_line_parser(words).options(options).positional({}).style(style).run(), values);
  po::notify(values);
  return values;
}

Words list(const po::variables_map& values, const char* name) {
  return values.count(name) != 0 ? values[name].as<Words>() : Words();
}

int run(const Words& words) {
  po::options_description options;
  options.add_options()("site", po::value<std::string>()->required());
  return postern::control::run_daemon(parse(words, options)["site"].as<std::string>(), std::cerr);
}

int check(const Words& words) {
  po::options_description options;
  options.add_options()("site", po::value<std::string>()->default_value(""))("pack", po::value<Words>())(
      "json", "");
  const auto values = parse(words, options);
  const auto output = values.count("json") != 0 ? CheckOutput::Json : CheckOutput::Text;
  return postern::control::run_check(values["site"].as<std::string>(), list(values, "pack"), output,
                                     std::cout);
}

int replay(const Words& words) {
  po::options_description options;
  options.add_options()("pcap", po::value<Words>()->multitoken()->required())(
      "site", po::value<std::string>()->default_value(""))(
      "out", po::value<std::string>()->default_value(""))("log", po::value<std::string>()->required())(
      "workers", po::value<unsigned>()->default_value(0))(
      "pattern-cache", po::value<std::string>()->default_value(""))("trace", po::value<std::string>())("json",
                                                                                                       "");
  const auto values = parse(words, options);
  const unsigned workers = values["workers"].as<unsigned>();
  if (workers > 64) return usage("--workers is " + std::to_string(workers) + ", expected at most 64");
  const bool json = values.count("json") != 0;
  if (json && values.count("trace") == 0) return usage("--json is for --trace FLOW");
  std::optional<postern::dataplane::TraceTarget> trace;
  if (values.count("trace") != 0) {
    const auto target = postern::control::parse_flow_name(values["trace"].as<std::string>());
    if (!target) return usage("--trace: " + target.error().message);
    trace = *target;
  }
  return postern::control::run_replay({.captures = list(values, "pcap"),
                                       .site_file = values["site"].as<std::string>(),
                                       .out = values["out"].as<std::string>(),
                                       .log_directory = values["log"].as<std::string>(),
                                       .workers = workers,
                                       .pattern_cache = values["pattern-cache"].as<std::string>(),
                                       .trace = trace,
                                       .story = json ? StoryOutput::Json : StoryOutput::Text},
                                      std::cout, std::cerr);
}

}  // namespace

int main(int argc, char** argv) {
  Words words(argv + 1, argv + argc);
  if (words.empty()) return usage("expected run, check or replay");
  const std::string command = words.front();
  words.erase(words.begin());
  try {
    if (command == "run") return run(words);
    if (command == "check") return check(words);
    if (command == "replay") return replay(words);
    if (command == "--version") {
      std::cout << "posternd " << postern::control::kVersion << "\n";
      return 0;
    }
    if (command == "help" || command == "--help" || command == "-h") {
      std::cout << kHelp;
      return 0;
    }
  } catch (const po::error& error) {
    return usage(error.what());
  } catch (const std::exception& error) {
    std::cerr << "posternd: " << error.what() << "\n";
    return 1;
  }
  return usage("found \"" + command + "\", expected run, check or replay");
}
