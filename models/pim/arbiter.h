// SPDX-License-Identifier: Apache-2.0
// Who is served next where several wait for one server. Modules collect the requests of one moment for a delta cycle
// before they pick, so the result does not depend on the order in which processes run.
#pragma once

#include <cstddef>
#include <systemc>
#include <vector>

#include "models/mapping/machine.h"

namespace mho::pim {

/// Someone who waits.
struct Request {
  int client = 0;
  sc_core::sc_time since;
};

class Arbiter {
 public:
  explicit Arbiter(mapping::Arbitration rule) : rule_(rule) {}

  /// Round robin: the next number after the one served last; fixed priority: the lowest; first come: the one that
  /// waits longest, of equals the lowest. Of two requests of one client the older one, of equals the first listed.
  /// @param waiting at least one, in any order.
  /// @return index into `waiting` of the request to serve; its client is remembered as the one served last.
  std::size_t pick(const std::vector<Request>& waiting);

 private:
  mapping::Arbitration rule_;
  int last_ = -1;
};

}  // namespace mho::pim
