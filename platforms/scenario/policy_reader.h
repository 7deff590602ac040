// SPDX-License-Identifier: Apache-2.0
// How a scenario chooses a policy: by name, `encoding: flip`, or by name and parameters, `encoding: {name: mine,
// offset: 3}`. The same for every kind of policy.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "models/mapping/policy.h"
#include "platforms/config/value_type.h"

namespace mho {

/// What of a policy has nothing to do with its kind.
struct PolicyKeys {
  std::string name;
  std::vector<mapping::PolicyParameter> parameters;
};

/// Place of the policy that the node at `path` names, and values of its parameters. Throws mho::InputError at an
/// unknown name or parameter, with what is known, and at a value out of range.
std::pair<std::size_t, mapping::PolicyValues> read_policy(const config::Node& node, const std::string& path,
                                                          const std::vector<PolicyKeys>& policies);
/// The name, or a mapping where the policy has parameters.
config::Node write_policy(const std::string& name, const std::vector<PolicyKeys>& policies,
                          const mapping::PolicyValues& values);
/// "`flip` or `biased`".
std::string policy_names(const std::vector<PolicyKeys>& policies);

/// The choice of one of `policies`, which are of one kind.
template <class Made>
config::ValueType<mapping::PolicyChoice<Made>> policy_type(const std::vector<mapping::Policy<Made>>& policies) {
  using Choice = mapping::PolicyChoice<Made>;
  std::vector<PolicyKeys> keys;
  for (const mapping::Policy<Made>& policy : policies) keys.push_back({policy.name, policy.parameters});
  config::ValueType<Choice> type;
  type.type = "policy";
  type.allowed = policy_names(keys);
  type.read = [policies, keys](const config::Node& node, const std::string& path) {
    const auto [place, values] = read_policy(node, path, keys);
    return Choice(policies[place], values);
  };
  type.write = [keys](const Choice& choice) { return write_policy(choice.name(), keys, choice.values()); };
  return type;
}

}  // namespace mho
