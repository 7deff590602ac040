// SPDX-License-Identifier: Apache-2.0
// Makes every SystemC warning, error and fatal report fail the test that causes it, unless the test said
// that it expects it. Including this file anywhere in a test program is enough; including it more often
// changes nothing.
#pragma once

#include <cstddef>
#include <string>
#include <systemc>
#include <vector>

namespace mho::testbenches {

/// Makes reports strict for the whole process. Returns true, for use in an initialiser.
bool install_strict_reports();

/// Installs before main; a variable in the header, since a static library's object files are only linked
/// when something refers to them.
inline const bool kStrictReports = install_strict_reports();

/// While it lives, warnings and errors whose id begins with `id_prefix` are kept here instead of thrown.
/// Fatal reports always throw, because nothing sensible can follow them. The innermost match receives.
class ExpectedReports {
 public:
  explicit ExpectedReports(std::string id_prefix);
  ~ExpectedReports();
  ExpectedReports(const ExpectedReports&) = delete;
  ExpectedReports& operator=(const ExpectedReports&) = delete;

  /// Number of reports received; a test must look at it, else it would also pass without the report.
  std::size_t count() const { return messages_.size(); }
  const std::vector<std::string>& messages() const { return messages_; }
  /// Keeps `report` if it is one of ours.
  bool receive(const sc_core::sc_report& report);

 private:
  const std::string id_prefix_;
  std::vector<std::string> messages_;
};

}  // namespace mho::testbenches
