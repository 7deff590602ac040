// SPDX-License-Identifier: Apache-2.0
// Where the reports of the test programs end up. SystemC has one such place per process, hence one list.
#include "testbenches/strict_reports.h"

#include <utility>

namespace mho::testbenches {
namespace {

std::vector<ExpectedReports*>& expectations() {
  static std::vector<ExpectedReports*> active;
  return active;
}

void receive_report(const sc_core::sc_report& report, const sc_core::sc_actions& actions) {
  if (report.get_severity() < sc_core::SC_WARNING) {
    sc_core::sc_report_handler::default_handler(report, actions);
    return;
  }
  const bool fatal = report.get_severity() >= sc_core::SC_FATAL;
  const std::vector<ExpectedReports*>& active = expectations();
  for (auto each = active.rbegin(); !fatal && each != active.rend(); ++each) {
    if ((*each)->receive(report)) return;
  }
  throw sc_core::sc_report(report);
}

}  // namespace

bool install_strict_reports() {
  sc_core::sc_report_handler::set_handler(&receive_report);
  return true;
}

ExpectedReports::ExpectedReports(std::string id_prefix) : id_prefix_(std::move(id_prefix)) {
  expectations().push_back(this);
}

// Scopes nest, so the one that ends is the last one that began.
ExpectedReports::~ExpectedReports() { expectations().pop_back(); }

bool ExpectedReports::receive(const sc_core::sc_report& report) {
  if (std::string(report.get_msg_type()).compare(0, id_prefix_.size(), id_prefix_) != 0) return false;
  messages_.emplace_back(report.get_msg());
  return true;
}

}  // namespace mho::testbenches
