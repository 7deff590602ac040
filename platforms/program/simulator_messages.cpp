// SPDX-License-Identifier: Apache-2.0
// Stands in front of SystemC's own way of reporting, which prints information to standard output.
#include "platforms/program/simulator_messages.h"

#include <iostream>
#include <systemc>

namespace mho {
namespace {

void print_to_stderr(const sc_core::sc_report& report, const sc_core::sc_actions& actions) {
  if ((actions & sc_core::SC_DISPLAY) != 0) std::cerr << report.what() << std::endl;
  sc_core::sc_report_handler::default_handler(report, actions & ~sc_core::sc_actions(sc_core::SC_DISPLAY));
}

}  // namespace

void send_simulator_messages_to_stderr() { sc_core::sc_report_handler::set_handler(print_to_stderr); }

}  // namespace mho
