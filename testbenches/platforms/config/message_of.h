// SPDX-License-Identifier: Apache-2.0
// Runs something that should refuse its input and gives the message, for comparison with the exact expected line.
#pragma once

#include <string>

#include "models/input_error.h"

/// what() of the InputError that `action` throws; "no error" if it throws none. Other exceptions pass.
template <class Action>
std::string message_of(const Action& action) {
  try {
    action();
  } catch (const mho::InputError& error) {
    return error.what();
  }
  return "no error";
}
