// SPDX-License-Identifier: Apache-2.0
// Files that hold one protobuf message, read with bounds: only regular files, a limited size, a limited nesting.
// Knows nothing about what the message says.
#pragma once

#include <cstdint>
#include <string>

namespace google::protobuf {
class MessageLite;
}

namespace mho::dnn {

/// Larger files are refused; protobuf itself ends at 2 GiB.
inline constexpr std::int64_t kMaxFileBytes = std::int64_t(1) << 30;

/// Parses `path` into `message`; `what` names the content in messages ("an ONNX model"). Throws mho::InputError.
void read_message(const std::string& path, const char* what, google::protobuf::MessageLite& message);

/// Writes `bytes` to a temporary file beside `path` and renames it. Throws mho::InputError.
void write_whole_file(const std::string& path, const std::string& bytes);

}  // namespace mho::dnn
