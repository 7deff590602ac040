// SPDX-License-Identifier: Apache-2.0
// Files and inheritance: reads a configuration file without trusting its size or kind, and puts it over the files that
// `base:` names. The rest of document.h is in document.cpp.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>
#include <vector>

#include "platforms/config/document.h"

namespace mho::config {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBaseKey = "base";

InputError file_error(const std::string& path, const std::string& problem) {
  return InputError(path, 0, 0, problem, "a YAML file");
}

/// Refuses everything but regular files before opening: a pipe would block, a device never ends.
void check_kind(const std::string& path) {
  std::error_code error;
  if (path.empty() || path.find('\0') != std::string::npos) throw file_error(path, "not a file name");
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) throw file_error(path, "no such file");
  if (error) throw file_error(path, "cannot be read: " + error.message());
  if (status.type() == fs::file_type::directory) throw file_error(path, "a directory");
  if (status.type() != fs::file_type::regular) throw file_error(path, "not a regular file");
}

std::string file_text(const std::string& path) {
  check_kind(path);
  std::ifstream in(path, std::ios::binary);
  if (!in) throw file_error(path, "cannot be opened");
  std::string text;
  std::vector<char> chunk(std::size_t{1} << 16);
  while (in && text.size() <= kMaxFileBytes) {  // sizes of files under /proc are not to be trusted
    in.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    text.append(chunk.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad()) throw file_error(path, "cannot be read");
  return text;
}

std::string identity(const std::string& path) {
  std::error_code error;
  const fs::path canonical = fs::canonical(path, error);
  return error ? path : canonical.string();
}

Node load_mapping(const std::string& path) {
  Node tree = load_file(path);
  if (!tree.is(Node::Kind::mapping)) throw tree.position().error("the document is " + tree.describe(), "a mapping");
  return tree;
}

/// `open` holds the files whose base is being resolved.
Node inherit(Node tree, const std::string& kind, const Resolve& resolve, std::vector<std::string>& open) {
  const Node* base = tree.find(kBaseKey);
  if (base == nullptr) return tree;
  if (!base->is(Node::Kind::scalar) || base->text().empty())
    throw base->position().error("`base` is " + base->describe(), "the name or path of a " + kind);
  const std::string path = resolve(kind, *base);
  const std::string file = identity(path);
  if (std::find(open.begin(), open.end(), file) != open.end())
    throw base->position().error("`base` " + excerpt(base->text()) + " inherits from itself", "no cycles");
  if (open.size() >= static_cast<std::size_t>(kMaxBaseDepth))
    throw base->position().error("too many files inherit from each other", std::to_string(kMaxBaseDepth) + " files");
  open.push_back(file);
  Node parent;
  try {
    parent = load_mapping(path);
  } catch (const InputError& error) {
    if (error.line() > 0) throw;  // a mistake in the file; else the file itself is the mistake
    throw base->position().error("`base` " + excerpt(path) + ": " + error.problem(), error.allowed());
  }
  parent = inherit(std::move(parent), kind, resolve, open);
  tree.erase({kBaseKey});
  parent.merge(tree);
  return parent;
}

}  // namespace

Node load_file(const std::string& path) { return parse_text(file_text(path), path); }

Node load_with_base(const std::string& path, const std::string& kind, const Resolve& resolve) {
  std::vector<std::string> open{identity(path)};
  return inherit(load_mapping(path), kind, resolve, open);
}

Node resolve_base(Node tree, const std::string& kind, const Resolve& resolve) {
  std::vector<std::string> open{identity(tree.position().file())};
  return inherit(std::move(tree), kind, resolve, open);
}

}  // namespace mho::config
