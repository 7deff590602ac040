// SPDX-License-Identifier: Apache-2.0
// A weight_writer between a crossbar_tile and a programmer that speaks both kinds of transport. All phases are watched,
// everything that is recorded is kept. Several benches can stand side by side.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "models/tlm/payload_pool.h"
#include "models/tlm/phase_monitor.h"
#include "testbenches/models/pim/region_bench.h"

namespace mho::testbenches {

inline sc_core::sc_time ns(int count) { return {double(count), sc_core::SC_NS}; }

/// 10 ns before each row, 50 ns a pulse.
mapping::WriterConfig slow_writer(int drivers = 0,
                                  mapping::Arbitration arbitration = mapping::Arbitration::kRoundRobin);

/// One filter on one crossbar; each row takes as many pulses as its number says.
RegionData rows_of(const std::vector<int>& pulses, int crossbar);

/// Crossbar 0: rows of 1 and 2 pulses, 60 and 110 ns; crossbar 1: of 3 and 0 pulses, 160 and 10 ns.
RegionData two_crossbars();

/// Keeps what it is given.
struct KeptRecords : observe::Recorder {
  void record(const observe::Occupation& occupation) override { records.push_back(occupation); }
  std::vector<observe::Occupation> records;
};

/// A region to program, and what came of it.
struct Submission {
  Submission(const RegionData& data, int at_nanoseconds)
      : region(data), at(at_nanoseconds, sc_core::SC_NS), has_setup(true) {}

  RegionData region;
  sc_core::sc_time at;     ///< the programmer sends it then, or once those before it are accepted
  sc_core::sc_time delay;  ///< annotated
  bool has_setup;
  pim::Pipeline pipeline;
  sc_core::sc_time accepted = sc_core::sc_max_time(), verified = sc_core::sc_max_time();
  tlm::tlm_response_status response = tlm::TLM_INCOMPLETE_RESPONSE;
};

/// Sends submissions in order. Blocking: at their times, whatever the delays of those before.
class Programmer : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(Programmer);
  explicit Programmer(sc_core::sc_module_name name);

  tlm_utils::simple_initiator_socket<Programmer, 32, pim::BatchProtocol> out;
  std::vector<Submission> submissions;
  bool blocking = false;
  bool hasty = false;  ///< the next request goes within the call that accepts the last one
  /// What BEGIN_RESP is answered with; after TLM_ACCEPTED, END_RESP follows `thinks` later.
  tlm::tlm_sync_enum answer = tlm::TLM_COMPLETED;
  sc_core::sc_time thinks;
  tlm_kit::PayloadPool pool;

 private:
  struct Index;  ///< extension: number of the submission
  void run();
  void send(Submission& submission);
  void send_next();
  void end_responses();
  tlm::tlm_sync_enum hear(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay);

  std::size_t next_ = 0;
  bool waiting_ = false;  ///< a request is not accepted yet
  sc_core::sc_event accepted_, responded_;
  tlm::tlm_generic_payload* unended_ = nullptr;
};

/// Between a writer and its cells: refuses one access.
class FaultyCells : public sc_core::sc_module {
 public:
  explicit FaultyCells(sc_core::sc_module_name name);
  tlm_utils::simple_target_socket<FaultyCells> in;
  tlm_utils::simple_initiator_socket<FaultyCells> out;
  int refuse = -1;  ///< number of the access, from 0

 private:
  void transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned int debug(tlm::tlm_generic_payload& payload) { return out->transport_dbg(payload); }
  int accesses_ = 0;
};

struct WriterBench : sc_core::sc_module {
  WriterBench(sc_core::sc_module_name name, const mapping::WriterConfig& writer,
              const mapping::CrossbarTileConfig& crossbars = small_crossbars());
  std::uint8_t level(int crossbar, int row, int column);
  /// All cells of the crossbar_tile.
  std::vector<std::uint8_t> levels();
  /// No rule of the protocol was broken, nothing is left in flight.
  bool settled() const;
  /// Of a statistic or wave of the writer.
  double statistic(const std::string& name) const;
  std::uint32_t wave(const std::string& name) const;
  /// Begin and end of all that was recorded, in ns and in the order in which it ended.
  std::vector<std::pair<int, int>> rows_in_ns() const;
  /// Blocking transport outside of the programmer's processes: response, and delay afterwards.
  std::pair<tlm::tlm_response_status, sc_core::sc_time> block(RegionData region);

  const mapping::CrossbarTileConfig config;
  observe::Ledger ledger, programming;
  pim::WeightStore store;
  KeptRecords recorder;
  pim::CrossbarTile tile;
  pim::WeightWriter writer;
  FaultyCells cells;
  Programmer programmer;
  tlm_kit::PhaseMonitor<32, pim::BatchProtocol> monitor;
  BatchSource input;
  BatchSink sink;
};

}  // namespace mho::testbenches
