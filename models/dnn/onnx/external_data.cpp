// SPDX-License-Identifier: Apache-2.0
// A location is taken apart before it is opened, and what it leads to is looked at afterwards: neither `..` nor a link
// leads out of the folder.
#include "models/dnn/onnx/external_data.h"

#include <charconv>
#include <filesystem>
#include <fstream>

#include "models/dnn/onnx/stored_tensor.h"
#include "models/input_error.h"

namespace mho::dnn {

namespace {

namespace fs = std::filesystem;

constexpr const char* kInside = "a file in the model's folder, named relative to it";

struct Place {
  std::string location;
  std::int64_t offset = 0, length = -1;
};

std::int64_t number(const std::string& text) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || last != end || value < 0)
    throw TensorFault("has external data at " + excerpt(text), "offset and length of 0 or more");
  return value;
}

Place place_of(const onnx::TensorProto& stored) {
  Place place;
  for (const onnx::StringStringEntryProto& entry : stored.external_data()) {
    if (entry.key() == "location") place.location = entry.value();
    if (entry.key() == "offset") place.offset = number(entry.value());
    if (entry.key() == "length") place.length = number(entry.value());
  }
  if (place.location.empty()) throw TensorFault("keeps its data in another file, which it does not name", kInside);
  return place;
}

fs::path checked_path(const std::string& location, const std::string& folder) {
  const std::string problem = "keeps its data in " + excerpt(location);
  const fs::path relative(location);
  if (folder.empty() || relative.is_absolute() || location.find('\0') != std::string::npos)
    throw TensorFault(problem, folder.empty() ? "data inside the file" : kInside);
  for (const fs::path& part : relative)
    if (part == "..") throw TensorFault(problem, kInside);
  std::error_code error;
  const fs::path root = fs::canonical(folder, error);
  const fs::path path = error ? fs::path() : fs::canonical(root / relative, error);
  if (error) throw TensorFault(problem + ", which cannot be opened: " + error.message(), kInside);
  const fs::path inside = path.lexically_relative(root);
  if (inside.empty() || *inside.begin() == ".." || !fs::is_regular_file(path, error))
    throw TensorFault(problem, kInside);
  return path;
}

}  // namespace

std::vector<std::uint8_t> read_external(const onnx::TensorProto& stored, const std::string& folder,
                                        std::int64_t expected) {
  const Place place = place_of(stored);
  const fs::path path = checked_path(place.location, folder);
  if (place.length >= 0 && place.length != expected)
    throw TensorFault("holds " + std::to_string(place.length) + " bytes",
                      std::to_string(expected) + " for its dimensions");
  std::error_code error;
  const auto size = std::int64_t(fs::file_size(path, error));
  if (error || expected > size || place.offset > size - expected)
    throw TensorFault("ends beyond the end of " + excerpt(place.location),
                      std::to_string(expected) + " bytes from " + std::to_string(place.offset));
  std::vector<std::uint8_t> raw(static_cast<std::size_t>(expected));
  std::ifstream file(path, std::ios::binary);
  file.seekg(place.offset);
  if (!file.read(reinterpret_cast<char*>(raw.data()), expected))
    throw TensorFault("cannot be read from " + excerpt(place.location), kInside);
  return raw;
}

}  // namespace mho::dnn
