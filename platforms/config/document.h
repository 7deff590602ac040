// SPDX-License-Identifier: Apache-2.0
// Reads YAML text and files into a Node tree, strictly: a subset of YAML in which every value stands where it is read.
// Inheritance (`base:`) is resolved here; types, units and unknown keys are the reader's business.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "platforms/config/node.h"

namespace mho::config {

/// Largest file, in bytes.
inline constexpr std::size_t kMaxFileBytes = std::size_t{64} << 20;
/// Most values (mappings, sequences, scalars and keys) in one file.
inline constexpr std::size_t kMaxNodes = 1'000'000;
/// Longest key, in bytes (yaml-cpp reads keys of up to 1024 characters, escapes included).
inline constexpr std::size_t kMaxKeyBytes = 250;
/// Longest chain of `base:` files, the first counting one.
inline constexpr int kMaxBaseDepth = 16;

/// The tree of one YAML document; `name` stands for the file in messages. An empty document is a null node.
/// Refused with an InputError: syntax errors, a second document, directives, anchors, aliases, tags, `<<`, duplicate
/// keys, keys that are no scalars, numbers with leading zeros (`010`), tabs and other control characters, text that is
/// not UTF-8, more than kMaxDepth levels, kMaxNodes values or kMaxFileBytes bytes.
Node parse_text(std::string_view text, const std::string& name);

/// The same for a file. Refuses what is missing, unreadable or no regular file (directory, device, pipe).
Node load_file(const std::string& path);

/// Turns the name or path in `name` (a scalar) into the path of a file of `kind` ("system", "network", ...).
/// `name.position().file()` is the file it stands in. Throws `name.position().error(...)` if there is none.
using Resolve = std::function<std::string(const std::string& kind, const Node& name)>;

/// The mapping in file `path` put over the file its top-level key `base` names, and so on; `base` itself is removed.
/// Refuses cycles, chains longer than kMaxBaseDepth, and files that hold no mapping.
Node load_with_base(const std::string& path, const std::string& kind, const Resolve& resolve);

/// The same for a tree already read: resolves its `base`, if any.
Node resolve_base(Node tree, const std::string& kind, const Resolve& resolve);

}  // namespace mho::config
