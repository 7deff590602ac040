// SPDX-License-Identifier: Apache-2.0
// The library's own policies, and what is asked of everybody's.
#include "models/mapping/policies.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>

#include "models/arithmetic/centre_offset.h"
#include "models/arithmetic/slicing.h"

namespace mho::mapping {
namespace {

std::unique_ptr<arithmetic::WeightEncoding> make_biased(const Machine& machine, const PolicyValues&) {
  return arithmetic::make_biased_encoding(arithmetic::Slicing(machine.weight_slicing));
}

/// Turns over every column whose all-ones response would set the top bit of the lossless code, whatever ADC is bound.
std::unique_ptr<arithmetic::WeightEncoding> make_flip(const Machine& machine, const PolicyValues&) {
  const int bits = arithmetic::lossless_adc_bits(machine.crossbar.rows, machine.dac_bits, machine.crossbar.cell_bits);
  const std::int64_t half = std::int64_t{1} << (bits - 1);
  const std::int64_t top = (std::int64_t{1} << machine.dac_bits) - 1;
  return arithmetic::make_flip_encoding(arithmetic::Slicing(machine.weight_slicing), (half + top - 1) / top);
}

/// Levels with a sign need pairs of devices, whose machines add up inputs digitally.
void check_pairs(const Machine& machine) {
  if (machine.crossbar.cell != CellKind::k2T2R || machine.input_sum != InputSum::kDigital)
    throw std::invalid_argument("levels have a sign (crossbar.cell: 2t2r and input_sum: digital)");
}

std::unique_ptr<arithmetic::WeightEncoding> make_centre_offset(const Machine& machine, const PolicyValues&) {
  check_pairs(machine);
  return arithmetic::make_centre_offset_encoding(arithmetic::Slicing(machine.weight_slicing));
}

std::unique_ptr<arithmetic::WeightEncoding> make_zero_offset(const Machine& machine, const PolicyValues&) {
  check_pairs(machine);
  return arithmetic::make_zero_offset_encoding(arithmetic::Slicing(machine.weight_slicing));
}

bool is_identifier(const std::string& name) {
  const auto plain = [](unsigned char c) { return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '_'; };
  return !name.empty() && name.size() <= 60 && std::islower(static_cast<unsigned char>(name[0])) != 0 &&
         std::all_of(name.begin(), name.end(), plain);
}

bool is_one_line(const std::string& text) {
  return !text.empty() && std::none_of(text.begin(), text.end(), [](unsigned char c) { return std::iscntrl(c) != 0; });
}

void check_value(const std::string& policy, const PolicyParameter& parameter, double value) {
  const bool inside = value >= parameter.lowest && value <= parameter.highest;  // false of what is no number
  if (inside && (!parameter.whole || value == std::floor(value))) return;
  const auto text = [&](double number) {
    const bool whole = std::abs(number) < 1e15 && number == std::floor(number);
    return whole ? std::to_string(std::int64_t(number)) : std::to_string(number);
  };
  throw std::invalid_argument("`" + parameter.name + "` of `" + policy + "` is " + text(value) + " (" +
                              (parameter.whole ? "a whole number from " : "") + text(parameter.lowest) + " to " +
                              text(parameter.highest) + ")");
}

}  // namespace

template <>
std::vector<EncodingPolicy> built_in_policies() {
  return {{"flip", "biased, columns above half range complemented: one ADC bit less (ISAAC)", make_flip, {}},
          {"biased", "unsigned after adding half the range, which the unit column takes off again", make_biased, {}},
          {"centre_offset",
           "signed offsets from the centre that balances a filter's columns (RAELLA)",
           make_centre_offset,
           {}},
          {"zero_offset", "signed offsets from the code of 0: differential pairs", make_zero_offset, {}}};
}

Policies::Policies() : kinds_{built_in_policies<arithmetic::WeightEncoding>()} {}

void check_policy(const std::string& name, const std::string& description, bool has_maker,
                  const std::vector<PolicyParameter>& parameters) {
  const auto refuse = [&](const std::string& problem) {
    throw std::invalid_argument("policy `" + name + "` " + problem);
  };
  const std::string words = " (lower-case letters, digits and _, a letter first)";
  if (!is_identifier(name)) refuse("has a name that scenarios cannot write" + words);
  if (!is_one_line(description)) refuse("lacks a description of one line");
  if (!has_maker) refuse("has no function that makes it");
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const PolicyParameter& parameter = parameters[i];
    if (!is_identifier(parameter.name) || parameter.name == "name")
      refuse("has a parameter `" + parameter.name + "` that scenarios cannot write" + words);
    if (!is_one_line(parameter.description))
      refuse("has a parameter `" + parameter.name + "` without a description of one line");
    for (std::size_t k = 0; k < i; ++k)
      if (parameters[k].name == parameter.name) refuse("has two parameters `" + parameter.name + "`");
    if (parameter.whole && !(std::abs(parameter.lowest) < 1e15 && std::abs(parameter.highest) < 1e15))
      refuse("has a whole parameter `" + parameter.name + "` beyond 1e15");
    check_value(name, parameter, parameter.otherwise);
  }
}

PolicyValues policy_values(const std::string& policy, const std::vector<PolicyParameter>& parameters,
                           const PolicyValues& changes) {
  PolicyValues values;
  for (const PolicyParameter& parameter : parameters) {
    const auto change = changes.find(parameter.name);
    const double value = change == changes.end() ? parameter.otherwise : change->second;
    check_value(policy, parameter, value);
    values.emplace(parameter.name, value);
  }
  for (const auto& [name, value] : changes)
    if (values.count(name) == 0) throw std::invalid_argument("policy `" + policy + "` has no parameter `" + name + "`");
  return values;
}

}  // namespace mho::mapping
