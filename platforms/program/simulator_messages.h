// SPDX-License-Identifier: Apache-2.0
// Keeps what SystemC says out of the results: its reports go to standard error, because standard output belongs to
// summaries that programs read.
#pragma once

namespace mho {

/// Sends the text of all SystemC reports to standard error; what they do besides (throw, stop, abort) stays.
void send_simulator_messages_to_stderr();

}  // namespace mho
