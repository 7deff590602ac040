// SPDX-License-Identifier: Apache-2.0
// Command lines of this program in processes of their own, several at a time: one process can simulate only once.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "platforms/program/run_main.h"

namespace mho {

/// Starts this program's file again with `arguments` and waits for its end; its results go nowhere. The child ends
/// when the caller's thread does. A child that a signal ended has exit code 128 + signal, one that could not be
/// started 127, and `err` says so.
ChildResult run_child(const std::vector<std::string>& arguments);

/// Performs all commands, at most `jobs` at a time. The caller's thread calls `done` after each, with the index of the
/// command, and `waiting` several times a second meanwhile.
void run_children(const std::vector<std::vector<std::string>>& commands, int jobs, const RunChild& run,
                  const std::function<void(std::size_t, const ChildResult&)>& done,
                  const std::function<void()>& waiting);

/// Processors that this process may use, at least 1.
int processors();

}  // namespace mho
