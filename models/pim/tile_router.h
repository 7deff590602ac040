// SPDX-License-Identifier: Apache-2.0
// One router of the tile network and the links between chips. Routers stand in a mesh, tiles are concentrated on them;
// the way is fixed, first along x, then along y (ISAAC: concentrated mesh, routing known at compile time). A router
// queues at its outputs: each of them, to a neighbour, to a tile or to the chip's link, is a link of 32-bit flits of
// its own, and packets for different outputs never wait for each other. A packet pays its length once and one hop at
// every router; flits are counted at every output. Codes for several tiles pass a link once and are copied where their
// ways part, where the machine's routers can do that. Left out: the link from a tile into its router, which what
// leaves by several outputs would share; the size of queues and what full ones hold back; wormholes that block others;
// virtual channels.
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

/// Remembers the packet that passed last and when it left by each way, to know copies of it. Ways of one source part
/// like the branches of a tree, so a copy comes when the packet did; a way that the bytes have gone costs nothing more.
class Fork {
 public:
  /// `multicast`: false where every copy passes by itself.
  Fork(int ways, bool multicast) : multicast_(multicast), left_(std::size_t(ways)), departures_(std::size_t(ways)) {}
  /// A packet has come for this way; true where the same bytes have left by it.
  bool is_copy(const Pipeline& pipeline, int way);
  void depart(int way, const sc_core::sc_time& delay) {
    departures_[std::size_t(way)] = sc_core::sc_time_stamp() + delay;
  }
  sc_core::sc_time delay(int way) const { return departures_[std::size_t(way)] - sc_core::sc_time_stamp(); }

 private:
  bool multicast_;
  std::uint64_t number_ = 0;
  std::vector<bool> left_;
  std::vector<sc_core::sc_time> departures_;
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
  std::vector<SharedStage> links_;  ///< [output], each a lane of the log
  Fork fork_;
  std::uint64_t carried_ = 0;  ///< flits
};

/// The links that join the chips. Those of one chip carry all that it sends, to whichever chip; what comes in has links
/// of its own.
class HyperTransport : public sc_core::sc_module, public observe::Instrument {
 public:
  using observe::Instrument::trace;  // sc_object has one of its own
  HyperTransport(sc_core::sc_module_name name, const mapping::HyperTransportConfig& config, int chips,
                 RoutingTable chip_of_tile, bool multicast, observe::Ledger& ledger,
                 observe::Recorder* recorder = nullptr);

  tlm_utils::multi_passthrough_target_socket<HyperTransport> in;               ///< one a chip, in order
  sc_core::sc_vector<tlm_utils::simple_initiator_socket<HyperTransport>> out;  ///< one a chip

  std::vector<observe::Statistic> statistics() const override;

 private:
  void pass_on(int from_chip, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned int debug(int from_chip, tlm::tlm_generic_payload& payload);
  int chip_of(std::uint64_t address) const;

  const mapping::HyperTransportConfig config_;
  const RoutingTable chip_of_tile_;
  observe::Ledger& ledger_;
  std::vector<SharedStage> links_;  ///< [sending chip], each a lane of the log
  Fork fork_;
  std::uint64_t carried_ = 0;  ///< bits
};

}  // namespace mho::pim
