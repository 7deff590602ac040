// SPDX-License-Identifier: Apache-2.0
// Words for messages: the one a user probably meant, and lists of those that are allowed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mho::config {

/// Edits (insert, delete, replace, swap neighbours; letters of either case are alike) between two words.
int edit_distance(std::string_view a, std::string_view b);

/// The nearest of `candidates`, if it is at most a third of the word away (at least one edit); else empty.
/// Looks at the first thousand candidates only: they may come from the user as well.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// "`a`, `b` or `c`"; empty for none.
std::string alternatives(const std::vector<std::string>& words);

}  // namespace mho::config
