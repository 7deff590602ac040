// SPDX-License-Identifier: Apache-2.0
// A policy is what differs between published machines, in plain C++ and chosen by name. Here is what all kinds have in
// common - a name, parameters, and a function that makes it for a machine - and the choice that a machine description
// carries. Nothing is global: a choice holds its policy, so machines of one simulation may differ.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace mho::arithmetic {
class WeightEncoding;
}

namespace mho::mapping {

struct Machine;

/// A number that a scenario may give beside the policy's name: `encoding: {name: mine, offset: 3}`.
struct PolicyParameter {
  std::string name;
  std::string description;
  double otherwise = 0.0;            ///< where the scenario says nothing
  double lowest = 0.0, highest = 0;  ///< both allowed
  bool whole = false;                ///< an integer
};

/// Values of all parameters of a policy, by name.
using PolicyValues = std::map<std::string, double>;

/// `Made` is the kind: what a machine calls. A maker reads the machine's geometry; it throws std::invalid_argument with
/// one sentence where machine or values do not suit it.
template <class Made>
struct Policy {
  std::string name;         ///< as scenarios write it
  std::string description;  ///< one line
  std::function<std::unique_ptr<Made>(const Machine&, const PolicyValues&)> make;
  std::vector<PolicyParameter> parameters;
};

/// Policies of a kind that come with the library, the default first.
template <class Made>
std::vector<Policy<Made>> built_in_policies();

/// Values of all parameters: `changes` where given. Throws std::invalid_argument for one that is unknown or out of
/// range.
PolicyValues policy_values(const std::string& policy, const std::vector<PolicyParameter>& parameters,
                           const PolicyValues& changes);
/// Throws std::invalid_argument where names are no identifiers or occur twice, or a text or a default is missing.
void check_policy(const std::string& name, const std::string& description, bool has_maker,
                  const std::vector<PolicyParameter>& parameters);

/// The policy that a machine uses, with its values.
template <class Made>
class PolicyChoice {
 public:
  /// The library's default.
  PolicyChoice() : PolicyChoice(built_in_policies<Made>().front()) {}
  /// One of the library's, as in `machine.encoding = "biased"`. Throws std::invalid_argument where there is none.
  PolicyChoice(const char* built_in) : PolicyChoice(named(built_in_policies<Made>(), built_in)) {}
  /// Any policy, whether it is registered somewhere or not.
  explicit PolicyChoice(Policy<Made> policy, const PolicyValues& changes = {}) {
    check_policy(policy.name, policy.description, bool(policy.make), policy.parameters);
    values_ = policy_values(policy.name, policy.parameters, changes);
    policy_ = std::make_shared<const Policy<Made>>(std::move(policy));
  }

  const std::string& name() const { return policy_->name; }
  const PolicyValues& values() const { return values_; }
  std::unique_ptr<Made> make(const Machine& machine) const {
    std::unique_ptr<Made> made = policy_->make(machine, values_);
    if (!made) throw std::invalid_argument("`" + name() + "` made nothing");
    return made;
  }

 private:
  static Policy<Made> named(const std::vector<Policy<Made>>& policies, const std::string& name) {
    std::string known;
    for (const Policy<Made>& policy : policies) {
      if (policy.name == name) return policy;
      known += (known.empty() ? "" : " or ") + policy.name;
    }
    throw std::invalid_argument("no built-in policy is called `" + name + "` (" + known + ")");
  }

  std::shared_ptr<const Policy<Made>> policy_;
  PolicyValues values_;
};

using EncodingPolicy = Policy<arithmetic::WeightEncoding>;
using EncodingChoice = PolicyChoice<arithmetic::WeightEncoding>;

template <>
std::vector<EncodingPolicy> built_in_policies();

}  // namespace mho::mapping
