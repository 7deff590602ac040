// SPDX-License-Identifier: Apache-2.0
// The three rules of arbitration.
#include "models/pim/arbiter.h"

#include <algorithm>
#include <limits>
#include <tuple>

namespace mho::pim {

std::size_t Arbiter::pick(const std::vector<Request>& waiting) {
  // Smaller goes first.
  const auto rank = [this](const Request& request) {
    const bool comes_round_later = rule_ == mapping::Arbitration::kRoundRobin && request.client <= last_;
    const sc_core::sc_time since = rule_ == mapping::Arbitration::kFirstCome ? request.since : sc_core::sc_time();
    return std::make_tuple(since, comes_round_later, request.client, request.since);
  };
  const auto next = std::min_element(waiting.begin(), waiting.end(),
                                     [&](const Request& a, const Request& b) { return rank(a) < rank(b); });
  last_ = next->client;
  return std::size_t(next - waiting.begin());
}

}  // namespace mho::pim
