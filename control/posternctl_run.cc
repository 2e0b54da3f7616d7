// SPDX-License-Identifier: Apache-2.0
#include "control/posternctl_run.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <chrono>
#include <thread>

#include "control/api_client.h"
#include "control/command_table.h"
#include "control/reply_view.h"
#include "control/table_printer.h"
#include "control/version.h"

namespace postern::control {
namespace {

namespace po = boost::program_options;
using Words = std::vector<std::string>;

// `--soc` meaning --socket today would mean something else the day another option begins like it.
constexpr int kStyle = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;

struct Invocation {
  std::string socket;
  bool json = false, help = false, version = false;
  Words rest;  // everything else, in order
};

Invocation read_globals(const Words& arguments, const std::string& default_socket) {
  po::options_description globals;
  globals.add_options()("socket", po::value<std::string>()->default_value(default_socket))("json", "")(
      "help,h", "")("version", "");
  const auto parsed =
      po::command_line_parser(arguments).options(globals).style(kStyle).allow_unregistered().run();
  po::variables_map values;
  po::store(parsed, values);
  return {values["socket"].as<std::string>(), values.count("json") != 0, values.count("help") != 0,
          values.count("version") != 0, po::collect_unrecognized(parsed.options, po::include_positional)};
}

Result<Arguments> read_arguments(const Command& command, const Words& words) {
  static constexpr char kWord[] = "word";
  po::options_description known;
  known.add_options()(kWord, po::value<Words>());
  for (const Option& option : command.options) {
    const std::string name(option.name);
    if (option.takes == Takes::Nothing) {
      known.add_options()(name.c_str(), "");
    } else {
      known.add_options()(name.c_str(), po::value<Words>());
    }
  }
  po::positional_options_description positionals;
  positionals.add(kWord, -1);
  const auto parsed =
      po::command_line_parser(words).options(known).positional(positionals).style(kStyle).run();

  Arguments arguments;
  size_t position = 0;
  for (const auto& option : parsed.options) {
    if (option.position_key < 0) {
      for (const Option& row : command.options)
        if (row.name == option.string_key && row.takes != Takes::Many && arguments.has(option.string_key))
          return Error{.message = "--" + option.string_key + " is given twice", .file = {}};
      arguments.add(option.string_key, option.value.empty() ? "" : option.value[0]);
      continue;
    }
    if (position == command.positionals.size())
      return Error{.message = "\"" + option.value[0] + "\" is too much", .file = {}};
    arguments.add(std::string(command.positionals[position++].name), option.value[0]);
  }
  if (position < command.positionals.size() && command.positionals[position].need == Need::Required)
    return Error{.message = std::string(command.positionals[position].name) + " is missing", .file = {}};
  return arguments;
}

std::string usage_of(const Command& command) {
  std::string line = "posternctl " + std::string(command.name);
  if (!command.usage.empty()) line.append(" ").append(command.usage);
  return line;
}

std::string overview() {
  TablePrinter list({{}, {}});
  for (const Command& command : commands())
    list.add(
        {"  " + std::string(command.name) +
             (command.usage.size() > 24 || command.usage.empty() ? "" : " " + std::string(command.usage)),
         std::string(command.summary)});
  list.add({"  help [COMMAND]", "this text, or more about a command"});
  TablePrinter options({{}, {}});
  options.add({"  --socket PATH", std::string("control socket of posternd (default $POSTERN_SOCKET or ") +
                                      kDefaultSocket + ")"});
  options.add({"  --json", "print the answer as JSON"});
  options.add({"  --version", "print the version"});
  return "usage: posternctl [--socket PATH] [--json] COMMAND\n\ncommands:\n" + list.text() + "\noptions:\n" +
         options.text() + "\nexit codes: 0 done, 1 error, 2 wrong usage, 3 the policy is not valid\n";
}

std::string help_of(const Command& command) {
  std::string text = "usage: " + usage_of(command) + "\n\n" + std::string(command.summary) + "\n" +
                     std::string(command.help);
  if (command.options.empty()) return text;
  TablePrinter options({{}, {}});
  for (const Option& option : command.options)
    options.add(
        {"  --" + std::string(option.name) + " " + std::string(option.value), std::string(option.help)});
  return text + "\noptions:\n" + options.text();
}

ExitCode usage_error(Console& console, const std::string& message, const std::string& hint) {
  console.err << "posternctl: " << printable(message) << "\n" << hint;
  return ExitCode::Usage;
}

ExitCode print_help(Console& console, const Words& words) {
  if (words.empty()) {
    console.out << overview();
    return ExitCode::Ok;
  }
  const Command* command = find_command(words);
  if (command == nullptr) return usage_error(console, "no command \"" + words[0] + "\"", overview());
  console.out << help_of(*command);
  return ExitCode::Ok;
}

ExitCode print_failure(Console& console, const Reply& reply, bool as_json) {
  if (as_json) {
    console.err << failure_as_json(reply).dump(2, ' ', false, nlohmann::json::error_handler_t::replace)
                << "\n";
    return reply.code;
  }
  console.err << "posternctl: " << printable(reply.error) << "\n";
  for (const Error& error : reply.errors) console.err << printable(error.text()) << "\n";
  return reply.code;
}

ExitCode print_reply(Console& console, const Command& command, const Arguments& arguments,
                     const Reply& reply) {
  const auto zero_rows = arguments.has("all") ? ZeroRows::Show : ZeroRows::Hide;
  console.out << show(command.view, reply.result, zero_rows);
  return ExitCode::Ok;
}

// Asks on while there is more to come. Text appears as it comes; the result has the arrays of all replies.
Result<Reply> follow(Console& console, const Invocation& invocation, const Command& command,
                     const Arguments& arguments, ApiClient& client, Reply reply) {
  constexpr auto kPause = std::chrono::milliseconds(200);
  nlohmann::json whole = reply.result;
  while (command.further != nullptr) {
    const auto next = command.further(reply.result);
    if (!next) break;
    console.out.flush();
    std::this_thread::sleep_for(kPause);
    auto more = client.call(*next);
    if (!more) return Reply::failure(ExitCode::Failed, more.error().message);
    if (!more->ok()) return more;
    reply = std::move(*more);
    if (!invocation.json) print_reply(console, command, arguments, reply);
    whole.erase("session");
    for (const auto& [key, value] : reply.result.items()) {
      if (value.is_array() && whole.contains(key)) {
        whole[key].insert(whole[key].end(), value.begin(), value.end());
      } else {
        whole[key] = value;
      }
    }
  }
  return Reply::success(std::move(whole));
}

ExitCode ask(Console& console, const Invocation& invocation, const Command& command,
             const Arguments& arguments) {
  const auto request = request_of(command, arguments);
  if (!request) return usage_error(console, request.error().message, "usage: " + usage_of(command) + "\n");
  auto client = ApiClient::connect(invocation.socket);
  const auto reply = client ? client->call(*request) : Result<Reply>(client.error());
  if (!reply)
    return print_failure(console, Reply::failure(ExitCode::Failed, reply.error().message), invocation.json);
  if (!reply->ok()) return print_failure(console, *reply, invocation.json);
  if (!invocation.json) print_reply(console, command, arguments, *reply);
  auto whole = follow(console, invocation, command, arguments, *client, *reply);
  if (!whole->ok()) return print_failure(console, *whole, invocation.json);
  if (invocation.json)
    console.out << whole->result.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  return ExitCode::Ok;
}

}  // namespace

ExitCode run_posternctl(const Words& arguments, Console& console) {
  const Invocation invocation = read_globals(arguments, console.default_socket);
  Words words = invocation.rest;
  if (invocation.version) {
    console.out << "posternctl " << kVersion << "\n";
    return ExitCode::Ok;
  }
  const bool help_word = !words.empty() && words[0] == "help";
  if (help_word) words.erase(words.begin());
  if (help_word || invocation.help) return print_help(console, words);
  if (words.empty()) return usage_error(console, "no command", overview());
  const Command* command = find_command(words);
  if (command == nullptr) {
    std::string typed = words[0];
    if (words.size() > 1) typed += " " + words[1];
    return usage_error(console, "no command \"" + typed + "\"", overview());
  }
  words.erase(words.begin(), words.begin() + 1 + std::count(command->name.begin(), command->name.end(), ' '));
  const auto read = read_arguments(*command, words);
  if (!read) return usage_error(console, read.error().message, "usage: " + usage_of(*command) + "\n");
  const ExitCode code = ask(console, invocation, *command, *read);
  console.out.flush();
  if (code != ExitCode::Ok || console.out) return code;
  console.err << "posternctl: cannot write the answer\n";
  return ExitCode::Failed;
}

}  // namespace postern::control
