// SPDX-License-Identifier: Apache-2.0
// Classes that inferences should get, from an ONNX tensor of integers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mho {

/// The first `count` labels of a file; messages call what they belong to `item` ("an inference"). Throws
/// mho::InputError where there are fewer, where they are no integers, or where one is no class.
std::vector<std::int64_t> load_labels(const std::string& path, std::size_t count, const std::string& item,
                                      std::size_t classes);

}  // namespace mho
