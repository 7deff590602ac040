// SPDX-License-Identifier: Apache-2.0
// One router of the tile network and the links between chips. Routers stand in a mesh, tiles are concentrated on them;
// the way is fixed, first along x, then along y (ISAAC: concentrated mesh, routing known at compile time). A packet
// pays its length once and one hop at every router; flits are counted at every router. Codes for several tiles pass a
// router once and leave by all outputs at the same time, counted at each, where the machine's routers can do that.
#pragma once

#include <tlm_utils/multi_passthrough_target_socket.h>
#include <tlm_utils/simple_initiator_socket.h>
#include <systemc>
#include <vector>

#include "models/mapping/machine.h"
#include "models/observe/instrument.h"
#include "models/observe/ledger.h"
#include "models/pim/pipeline_stage.h"

namespace mho::pim {

/// Output of a router for each destination; -1 where there is none.
using RoutingTable = std::vector<int>;

/// Remembers the packet that passed last, to know copies of it: the bytes pass once and leave by all their ways at the
/// same time. Ways of one source part like the branches of a tree, so a copy comes when the packet did.
class Fork {
 public:
  /// `multicast`: false where every copy passes by itself.
  Fork(int ways, bool multicast) : multicast_(multicast), taken_(std::size_t(ways)) {}
  /// A packet has come; true where it is a copy of the last one.
  bool is_copy(const Pipeline& pipeline);
  /// True the first time that the bytes leave by this way.
  bool take(int way);
  void depart(const sc_core::sc_time& delay) { departure_ = sc_core::sc_time_stamp() + delay; }
  sc_core::sc_time delay() const { return departure_ - sc_core::sc_time_stamp(); }

 private:
  bool multicast_;
  std::uint64_t number_ = 0;
  std::vector<bool> taken_;
  sc_core::sc_time departure_;
};

class TileRouter : public sc_core::sc_module, public observe::Instrument {
 public:
  using observe::Instrument::trace;  // sc_object has one of its own
  /// `outputs`: how many sockets `out` has; `local_outputs` of them, the first, lead to tiles and get offsets instead
  /// of addresses. `entries`: bindings of `in`, the first, that come from tiles rather than routers.
  TileRouter(sc_core::sc_module_name name, const mapping::RouterConfig& config, int outputs, int local_outputs,
             int entries, RoutingTable table, observe::Ledger& ledger, observe::Recorder* recorder = nullptr);

  tlm_utils::multi_passthrough_target_socket<TileRouter> in;
  sc_core::sc_vector<tlm_utils::simple_initiator_socket<TileRouter>> out;

  std::vector<observe::Statistic> statistics() const override;

 private:
  void pass_on(int from, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned int debug(int from, tlm::tlm_generic_payload& payload);
  int output_of(std::uint64_t address) const;

  const mapping::RouterConfig config_;
  const int local_outputs_, entries_;
  const RoutingTable table_;
  observe::Ledger& ledger_;
  SharedStage stage_;
  Fork fork_;
  std::uint64_t carried_ = 0;  ///< flits, bits
};

/// The links that join the chips: all traffic between two chips passes here.
class HyperTransport : public sc_core::sc_module, public observe::Instrument {
 public:
  using observe::Instrument::trace;  // sc_object has one of its own
  HyperTransport(sc_core::sc_module_name name, const mapping::HyperTransportConfig& config, int chips,
                 RoutingTable chip_of_tile, bool multicast, observe::Ledger& ledger,
                 observe::Recorder* recorder = nullptr);

  tlm_utils::multi_passthrough_target_socket<HyperTransport> in;
  sc_core::sc_vector<tlm_utils::simple_initiator_socket<HyperTransport>> out;  ///< one a chip

  std::vector<observe::Statistic> statistics() const override;

 private:
  void pass_on(int from, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned int debug(int from, tlm::tlm_generic_payload& payload);
  int chip_of(std::uint64_t address) const;

  const mapping::HyperTransportConfig config_;
  const RoutingTable chip_of_tile_;
  observe::Ledger& ledger_;
  SharedStage stage_;
  std::vector<Fork> forks_;    ///< [chip]
  std::uint64_t carried_ = 0;  ///< flits, bits
};

}  // namespace mho::pim
