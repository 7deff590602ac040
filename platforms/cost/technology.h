// SPDX-License-Identifier: Apache-2.0
// What actions, components and idle time cost. A figure is a value stated at a configuration together with the law by
// which it moves away from it; outside of what it states it is refused rather than extrapolated. Counts come from a
// run, sums are made in energy_report.h and chip_budget.h.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "models/mapping/machine.h"
#include "models/observe/ledger.h"
#include "platforms/config/node.h"

namespace mho {

/// How a figure follows one parameter of a machine.
struct Dependence {
  enum class Law {
    kOnly,      ///< stated at this value and unknown elsewhere
    kLinear,    ///< in proportion
    kInverse,   ///< in inverse proportion
    kConstant,  ///< known not to follow it
    kTable,     ///< in the ratio of two entries of a table
  };
  std::string key;  ///< of the parameter, as in machine_parameters.h
  double at = 0.0;  ///< where the figure is stated, SI
  Law law = Law::kOnly;
  std::map<double, double> table{};  ///< kTable: parameter -> figure, has an entry for `at`
};

/// An energy (J), power (W) or area (m2).
struct Figure {
  double value = 0.0;
  std::vector<Dependence> dependences{};
  std::string source{};
  std::string path{};  ///< of the key, for messages
  config::Position position{};
};

/// A component of a machine with a row in the report.
struct Component {
  enum class Level { kCrossbarTile, kTile, kChip, kPlatform };
  std::string name;
  Level level = Level::kChip;                                ///< power and area are those of one such part
  Figure power{}, area{}, leakage{};                         ///< 0 where a file has none
  std::vector<std::pair<observe::Action, Figure>> energy{};  ///< of one action
};

/// Word of a level in files: `crossbar_tile`, `tile`, `chip`, `platform`.
const char* name_of(Component::Level level);

struct Technology {
  bool hold = false;                  ///< figures are held constant outside their domain, with a note
  std::vector<std::string> notes;     ///< gaps of the sources, repeated in every report
  std::vector<Component> components;  ///< in the order of the file, which is the order of reports
};

/// Figures scaled to one machine.
class CostModel {
 public:
  /// Where the value of a key of the machine was written.
  using Where = std::function<config::Position(const std::string& key)>;
  /// Throws mho::InputError where a figure does not hold for this machine, naming key, value and domain: at the key if
  /// `where` is given, else at the figure.
  CostModel(const Technology& technology, const mapping::Machine& machine, const Where& where = {});

  struct Costs {
    std::string name;
    Component::Level level = Component::Level::kChip;
    double power_w = 0.0, area_m2 = 0.0, leakage_w = 0.0;      ///< of one part of the level
    std::vector<std::pair<observe::Action, double>> energy_j;  ///< of one action
  };
  const std::vector<Costs>& components() const { return components_; }
  /// The notes of the technology and one for every figure held outside its domain.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  double scaled(const Figure& figure, const mapping::Machine& machine);
  double factor(const Figure& figure, const Dependence& dependence, double value);

  bool hold_;
  Where where_;

  std::vector<Costs> components_;
  std::vector<std::string> notes_;
};

}  // namespace mho
