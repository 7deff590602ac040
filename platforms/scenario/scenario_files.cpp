// SPDX-License-Identifier: Apache-2.0
// Names are looked up as FOLDER/systems/NAME.yaml, FOLDER/networks/NAME.yaml (or NAME/model.onnx), FOLDER/NAME.yaml.
#include "platforms/scenario/scenario_files.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "platforms/config/suggest.h"

namespace mho {
namespace {

namespace fs = std::filesystem;

/// Files that may stand for `name`, in the order in which they are tried.
std::vector<fs::path> candidates(const std::string& folder, const std::string& kind, const std::string& name) {
  const fs::path root(folder);
  if (kind == "system") return {root / "systems" / (name + ".yaml")};
  if (kind == "network") return {root / "networks" / (name + ".yaml"), root / "networks" / name / "model.onnx"};
  return {root / (name + ".yaml")};
}

fs::path folder_of(const std::string& folder, const std::string& kind) {
  if (kind == "system") return fs::path(folder) / "systems";
  if (kind == "network") return fs::path(folder) / "networks";
  return folder;
}

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() > end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

}  // namespace

bool is_path(const std::string& written) {
  return written.find('/') != std::string::npos || ends_with(written, ".yaml") || ends_with(written, ".onnx") ||
         ends_with(written, ".pb");
}

std::string path_from(const config::Position& where, const std::string& written) {
  const fs::path path(written);
  const bool on_command_line = where.file().empty() || where.file().compare(0, 2, "--") == 0;
  if (path.is_absolute() || on_command_line) return path.lexically_normal().string();
  return (fs::path(where.file()).parent_path() / path).lexically_normal().string();
}

std::vector<std::string> ScenarioFiles::names(const std::string& kind) const {
  std::vector<std::string> found;
  for (const std::string& folder : folders_) {
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder_of(folder, kind), error)) {
      const std::string stem = entry.path().stem().string();
      const bool claims = kind == "system" && ends_with(stem, "_claims");
      if (entry.path().extension() == ".yaml" && !claims) found.push_back(stem);
      if (kind == "network" && is_file(entry.path() / "model.onnx")) found.push_back(entry.path().filename().string());
    }
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

std::string ScenarioFiles::find(const std::string& kind, const config::Node& name) const {
  const std::string& written = name.text();
  if (!name.is(config::Node::Kind::scalar) || written.empty())
    throw name.position().error("`" + kind + "` is " + name.describe(), "the name or path of a " + kind);
  if (is_path(written)) {
    const std::string path = path_from(name.position(), written);
    if (is_file(path)) return path;
    throw name.position().error("there is no file " + excerpt(path), "the name or path of a " + kind);
  }
  for (const std::string& folder : folders_)
    for (const fs::path& candidate : candidates(folder, kind, written))
      if (is_file(candidate)) return candidate.string();
  const std::vector<std::string> known = names(kind);
  const std::string meant = config::nearest(written, known);
  throw name.position().error(
      "there is no " + kind + " " + excerpt(written) + (meant.empty() ? "" : "; did you mean `" + meant + "`?"),
      known.empty() ? "a path" : config::alternatives(known) + ", or a path");
}

config::Resolve ScenarioFiles::resolver() const {
  return [this](const std::string& kind, const config::Node& name) { return find(kind, name); };
}

}  // namespace mho
