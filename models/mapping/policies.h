// SPDX-License-Identifier: Apache-2.0
// The policies that scenarios can name: a table for each kind, made with the library's own and added to by a program
// before it reads its first scenario. It is a value that is handed on, not a place that everything looks into.
#pragma once

#include <stdexcept>
#include <tuple>
#include <utility>
#include <vector>

#include "models/arithmetic/encoding.h"
#include "models/mapping/machine.h"
#include "models/mapping/policy.h"

namespace mho::mapping {

class Policies {
 public:
  /// The library's own.
  Policies();

  /// Throws std::invalid_argument where the policy is incomplete (check_policy) or its name is taken.
  template <class Made>
  void register_policy(Policy<Made> policy) {
    check_policy(policy.name, policy.description, bool(policy.make), policy.parameters);
    for (const Policy<Made>& known : all<Made>())
      if (known.name == policy.name)
        throw std::invalid_argument("a policy called `" + policy.name + "` is registered already");
    std::get<std::vector<Policy<Made>>>(kinds_).push_back(std::move(policy));
  }

  /// Of one kind, in the order of registration.
  template <class Made>
  const std::vector<Policy<Made>>& all() const {
    return std::get<std::vector<Policy<Made>>>(kinds_);
  }

 private:
  std::tuple<std::vector<EncodingPolicy>> kinds_;  ///< a further kind is a further element
};

}  // namespace mho::mapping
