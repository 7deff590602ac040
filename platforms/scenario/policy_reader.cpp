// SPDX-License-Identifier: Apache-2.0
// The mapping form is read by a strict reader of its own, so that parameters are refused as any key is.
#include "platforms/scenario/policy_reader.h"

#include <cstdint>

#include "platforms/config/reader.h"
#include "platforms/config/suggest.h"

namespace mho {
namespace {

using config::Node;
using config::Reader;
using mapping::PolicyParameter;
using mapping::PolicyValues;

std::vector<std::string> words(const std::vector<PolicyKeys>& policies) {
  std::vector<std::string> names;
  for (const PolicyKeys& policy : policies) names.push_back(policy.name);
  return names;
}

double read_parameter(Reader& reader, const PolicyParameter& p) {
  if (p.whole)
    return double(reader.get(p.name, config::integer64(std::int64_t(p.lowest), std::int64_t(p.highest)),
                             std::int64_t(p.otherwise), p.description));
  return reader.get(p.name, config::real({p.lowest, p.highest, false}), p.otherwise, p.description);
}

}  // namespace

std::pair<std::size_t, PolicyValues> read_policy(const Node& node, const std::string& path,
                                                 const std::vector<PolicyKeys>& policies) {
  if (!node.is(Node::Kind::mapping)) return {config::find_word(node, path, words(policies)), {}};
  Node around = Node::mapping(node.position());
  around.set(path, node);
  Reader root(around);
  Reader reader = root.section(path, "a policy");
  reader.get("name", config::word(words(policies)), config::kRequired, "of the policy");
  const std::size_t place = config::find_word(*reader.peek("name"), path + ".name", words(policies));
  PolicyValues values;
  for (const PolicyParameter& parameter : policies[place].parameters)
    values[parameter.name] = read_parameter(reader, parameter);
  root.finish();
  return {place, values};
}

Node write_policy(const std::string& name, const std::vector<PolicyKeys>& policies, const PolicyValues& values) {
  const Node plain = Node::scalar(name, false);
  if (values.empty()) return plain;
  Node mapping = Node::mapping();
  mapping.set("name", plain);
  for (const PolicyKeys& policy : policies) {
    if (policy.name != name) continue;
    for (const PolicyParameter& parameter : policy.parameters) {
      const double value = values.at(parameter.name);
      mapping.set(parameter.name, parameter.whole ? config::integer64(INT64_MIN, INT64_MAX).write(std::int64_t(value))
                                                  : config::real(config::kAnyReal).write(value));
    }
  }
  return mapping;
}

std::string policy_names(const std::vector<PolicyKeys>& policies) { return config::alternatives(words(policies)); }

}  // namespace mho
