// SPDX-License-Identifier: Apache-2.0
// The modules of one tile outside of a machine, a phase monitor spliced into every link, driven window by window as a
// scheduler does it: buffer -> bus -> crossbar_tiles -> converters -> shift-and-add units -> function unit. Vectors are
// numbered; everything they cause is counted and recorded for the node of that number.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/pim/bus.h"
#include "models/pim/edram_buffer.h"
#include "models/pim/function_unit.h"
#include "models/pim/settling.h"
#include "models/tlm/phase_monitor.h"
#include "testbenches/models/pim/approximate_bench.h"
#include "testbenches/models/pim/region_bench.h"

namespace mho::testbenches {

struct TileOptions {
  int groups = 1;
  mapping::CrossbarTileConfig crossbars = small_crossbars();
  mapping::AdcConfig adc;
  mapping::BusConfig bus;
  mapping::EdramConfig edram;
  mapping::FunctionUnitConfig function;
  bool reversed = false;  ///< modules are made in the opposite order
  TileOptions() { adc.converters = crossbars.crossbars; }
};

/// What came of one vector, in ns.
struct Answered {
  double accepted = -1.0, register_free = -1.0, collected = -1.0;
  tlm::tlm_response_status response = tlm::TLM_INCOMPLETE_RESPONSE, collection = tlm::TLM_INCOMPLETE_RESPONSE;
  std::vector<std::int32_t> psums;
};

class TileChain : public sc_core::sc_module {
 public:
  using Monitor = tlm_kit::PhaseMonitor<32, pim::BatchProtocol>;
  TileChain(sc_core::sc_module_name name, const TileOptions& options);
  ~TileChain() override;

  /// Programs a region of random weights into one crossbar_tile; returns its number.
  int add_region(unsigned seed, int group, int first_crossbar, int rows, int filters, int slices = 8);
  /// Writes `codes` to the buffer and sends them to a region now; returns the number of the vector.
  int send(int region, const std::vector<std::uint8_t>& codes, bool exact = false);
  /// As send, each as soon as the register of the region is free again.
  void send_all(int region, int vectors, unsigned seed, bool exact = false);
  std::int32_t expected(int vector, int filter) const;
  /// What came of the vectors of one region, in order.
  std::vector<Answered> answered_of(int region) const;
  /// Psums of every vector are right, all phases kept the rules, no transaction is open, no payload lent.
  void check_all();
  /// Records of one vector, by begin.
  std::vector<observe::Occupation> of(observe::Kind kind, int vector) const;

  Records records;
  observe::Ledger ledger;
  std::vector<Answered> answered;  ///< [vector]

 private:
  struct Group {
    std::unique_ptr<pim::CrossbarTile> tile;
    std::unique_ptr<pim::SharedAdc> adc;
    std::unique_ptr<pim::ShiftAddUnit> shift_add;
    std::unique_ptr<BatchSource> setup;
    std::unique_ptr<TestInitiator<>> cells;
  };
  struct Vector {
    int region = 0;
    std::vector<std::uint8_t> codes;
    dnn::Tensor tensor;
    dnn::Window window;
  };
  struct Number : tlm::tlm_extension<Number> {
    int vector = 0;
    tlm::tlm_extension_base* clone() const override { return new Number(*this); }
    void copy_from(const tlm::tlm_extension_base& other) override { *this = static_cast<const Number&>(other); }
  };
  void build(int part);
  template <typename From, typename To>
  void link(const std::string& name, From& from, To& to);
  void take_psums(int vector, tlm::tlm_generic_payload& payload);
  tlm::tlm_sync_enum back_windows(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time&) {
    return window_link_.receive(payload, phase);
  }
  tlm::tlm_sync_enum back_jobs(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time&) {
    return job_link_.receive(payload, phase);
  }

  const TileOptions options_;
  pim::WeightStore store_;
  tlm_kit::PayloadPool pool_;
  tlm_utils::simple_initiator_socket<TileChain, 32, pim::BatchProtocol> windows_, jobs_;
  tlm_kit::RequestLink window_link_, job_link_;
  std::unique_ptr<pim::EdramBuffer> buffer_;
  std::unique_ptr<pim::Bus> bus_;
  std::unique_ptr<pim::FunctionUnit> function_;
  std::unique_ptr<TestInitiator<>> remote_;
  std::unique_ptr<UnkindMemory<32>> network_;
  std::vector<Group> groups_;
  std::vector<std::unique_ptr<Monitor>> monitors_;
  std::vector<RegionData> regions_;
  std::vector<int> region_groups_;
  std::vector<std::unique_ptr<Vector>> vectors_;
  struct Rest {
    int vectors = 0;
    unsigned seed = 0;
    bool exact = false;
  };
  std::vector<Rest> rest_;  ///< [region]
  void resend();
  std::vector<int> ready_;  ///< regions whose register is free since this moment
  pim::Settling ready_settle_;
  dnn::Graph graph_;
};

}  // namespace mho::testbenches
