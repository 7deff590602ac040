// SPDX-License-Identifier: Apache-2.0
// Walking the tree of modules, and SystemC traces of waves.
#include "models/observe/instrument.h"

#include <algorithm>
#include <cstring>

namespace mho::observe {
namespace {

void collect(const std::vector<sc_core::sc_object*>& objects, std::vector<const sc_core::sc_object*>& found) {
  for (const sc_core::sc_object* object : objects) {
    if (dynamic_cast<const Instrument*>(object) != nullptr) found.push_back(object);
    collect(object->get_child_objects(), found);
  }
}

}  // namespace

void trace(sc_core::sc_trace_file* file, const Wave& wave, const std::string& name) {
  std::visit([&](const auto* variable) { sc_core::sc_trace(file, *variable, name); }, wave.variable);
}

void Instrument::trace(sc_core::sc_trace_file* file) const {
  const auto* object = dynamic_cast<const sc_core::sc_object*>(this);
  const std::string prefix = object != nullptr ? std::string(object->name()) + '.' : "";
  for (const Wave& wave : waves()) observe::trace(file, wave, prefix + wave.name);
}

void for_each_instrument(const sc_core::sc_object* root,
                         const std::function<void(const sc_core::sc_object&, const Instrument&)>& visit) {
  std::vector<const sc_core::sc_object*> found;
  if (root == nullptr) {
    collect(sc_core::sc_get_top_level_objects(), found);
  } else {
    if (dynamic_cast<const Instrument*>(root) != nullptr) found.push_back(root);
    collect(root->get_child_objects(), found);
  }
  std::sort(found.begin(), found.end(), [](const sc_core::sc_object* a, const sc_core::sc_object* b) {
    return std::strcmp(a->name(), b->name()) < 0;
  });
  for (const sc_core::sc_object* object : found) visit(*object, dynamic_cast<const Instrument&>(*object));
}

}  // namespace mho::observe
