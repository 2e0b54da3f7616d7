// SPDX-License-Identifier: Apache-2.0
#include "control/document.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "control/json_reader.h"
#include "control/yaml_reader.h"

namespace postern::control {
namespace {

class FileDescriptor {
 public:
  explicit FileDescriptor(int number) : number_(number) {}
  ~FileDescriptor() {
    if (number_ >= 0) ::close(number_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

Error file_error(const std::string& path, const std::string& message) { return {message, path, 0}; }

}  // namespace

const Node::Entry* Node::entry(std::string_view key) const {
  for (const Entry& e : entries)
    if (e.key == key) return &e;
  return nullptr;
}

const Node* Node::find(std::string_view key) const {
  const Entry* e = entry(key);
  return e == nullptr ? nullptr : &e->value;
}

bool Node::is_nothing() const {
  if (kind == Kind::Null) return true;
  return kind == Kind::Plain && (text.empty() || text == "~" || text == "null");
}

std::string Node::found() const {
  switch (kind) {
    case Kind::List:
      return items.empty() ? "an empty list" : "a list";
    case Kind::Map:
      return entries.empty() ? "an empty mapping" : "a mapping";
    case Kind::Number:
    case Kind::Bool:
      return text;
    case Kind::Null:
    case Kind::Plain:
    case Kind::Text:
      break;
  }
  return is_nothing() ? "nothing" : in_quotes(text);
}

std::string in_quotes(std::string_view text) {
  constexpr size_t kShown = 60;
  std::string out = "\"";
  size_t shown = std::min(text.size(), kShown);
  while (shown < text.size() && shown > 0 && (static_cast<uint8_t>(text[shown]) & 0xc0) == 0x80) --shown;
  for (const char c : text.substr(0, shown)) {
    if (c == '\n')
      out += "\\n";
    else if (static_cast<uint8_t>(c) < 0x20 || c == 0x7f)
      out += '?';
    else
      out += c;
  }
  return out + (shown < text.size() ? "...\"" : "\"");
}

Result<std::string> read_operator_file(const std::string& path) {
  // O_NONBLOCK: a FIFO would otherwise wait for a writer.
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.number() < 0) return file_error(path, std::string("cannot be opened: ") + std::strerror(errno));
  struct stat status {};
  if (::fstat(file.number(), &status) != 0)
    return file_error(path, std::string("cannot be read: ") + std::strerror(errno));
  if (S_ISDIR(status.st_mode)) return file_error(path, "is a directory; expected a file");
  if (!S_ISREG(status.st_mode)) return file_error(path, "is a device or pipe; expected an ordinary file");
  const auto size = static_cast<size_t>(status.st_size);
  if (size > kMostFileBytes)
    return file_error(path, "is " + std::to_string(size >> 20) + " MiB long; expected at most " +
                                std::to_string(kMostFileBytes >> 20) + " MiB");
  std::string text(size, '\0');
  size_t have = 0;
  while (have < size) {
    const ssize_t got = ::read(file.number(), text.data() + have, size - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return file_error(path, std::string("cannot be read: ") + std::strerror(errno));
    if (got == 0) break;
    have += static_cast<size_t>(got);
  }
  text.resize(have);
  return text;
}

Result<Document> parse_document(std::string_view text, const std::string& file, const ReadLimits& limits) {
  auto root = file.ends_with(".json") ? read_json(text, file, limits) : read_yaml(text, file, limits);
  if (!root) return root.error();
  return Document{file, std::move(*root)};
}

Result<Document> read_document(const std::string& path, const ReadLimits& limits) {
  const auto text = read_operator_file(path);
  if (!text) return text.error();
  return parse_document(*text, path, limits);
}

std::string beside(const std::string& file, const std::string& path) {
  return (std::filesystem::absolute(file).parent_path() / path).lexically_normal().string();
}

}  // namespace postern::control
