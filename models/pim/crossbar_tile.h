// SPDX-License-Identifier: Apache-2.0
// The crossbars behind one input register: input codes in, raw column sums out, one input slice a cycle. Cells are a
// memory of levels that a weight_writer or a debugger reaches; conductances survive reset. Cycles start on a common
// clock (ISAAC, ISCA 2016, section VI: stages of 100 ns). A cell is a device, or a pair of devices whose level has a
// sign (RAELLA's 2T2R). Noise is the array's (models/arithmetic/noise.h); wire resistance is left out.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <memory>
#include <optional>
#include <string>
#include <systemc>
#include <vector>

#include "models/mapping/machine.h"
#include "models/observe/instrument.h"
#include "models/observe/ledger.h"
#include "models/pim/batch.h"
#include "models/pim/pipeline_stage.h"
#include "models/pim/weight_store.h"
#include "models/tlm/checked_target.h"
#include "models/tlm/link_target_socket.h"
#include "models/tlm/phases.h"

namespace mho::pim {

/// What a region of consecutive crossbars is about to store: shape, encoding and how inputs are streamed.
struct RegionSetup : tlm::tlm_extension<RegionSetup> {
  int first_crossbar = 0, crossbars = 1;
  int rows = 0, filters = 0, cell_bits = 0;
  bool paired = false;                            ///< 2T2R: levels have a sign
  std::vector<arithmetic::FilterRange> weighted;  ///< as EncodedBlock's
  std::optional<arithmetic::ArrayNoise>
      noise;                     ///< of fidelity noisy; where it changes cells, the array is never shared
  int columns_per_crossbar = 0;  ///< columns that hold weights in a full crossbar
  arithmetic::Recombination recombination;
  arithmetic::InputStream stream;
  std::uint64_t content = 0;  ///< equal for replicas of the same weights
  /// Shared by regions whose payloads carry the same levels, so that they are kept and counted once; null: no other.
  std::shared_ptr<RegionContent> common;
  /// The payload's data are all levels, [row][column]; where every cell of the region is erased they are stored at
  /// once.
  bool at_once = false;
  bool stored = false;  ///< set by the tile: it has stored them

  tlm::tlm_extension_base* clone() const override { return new RegionSetup(*this); }
  void copy_from(const tlm::tlm_extension_base& other) override { *this = static_cast<const RegionSetup&>(other); }
};

class CrossbarTile : public sc_core::sc_module, public observe::Instrument, private tlm_kit::TargetDevice {
 public:
  using observe::Instrument::trace;  // sc_object has one of its own
  CrossbarTile(sc_core::sc_module_name name, const mapping::CrossbarTileConfig& config, observe::Ledger& ledger,
               WeightStore& store, observe::Recorder* recorder = nullptr);

  /// Batches of codes; the address is the first crossbar of the region. Non-blocking: END_REQ when the input register
  /// has taken a vector, BEGIN_RESP when its last slice is being driven, so that the register is free again.
  tlm_kit::LinkTargetSocket<CrossbarTile, 32, BatchProtocol> input;
  /// A RegionSetup extension prepares the region that is programmed next.
  tlm_kit::LinkTargetSocket<CrossbarTile, 32, BatchProtocol> setup;
  /// Sums go on; the address stays the first crossbar.
  tlm_utils::simple_initiator_socket<CrossbarTile, 32, BatchProtocol> sums;

  /// Levels in bytes, of pairs in two's complement: address = (crossbar * rows + row) * columns + column. A level
  /// beyond an end of the device's range is stored as that end (of the region's, where sums would leave 16 bits).
  /// Writing takes no time here: pulses are the weight_writer's.
  tlm_kit::CheckedTargetSocket<32> cells;

  std::vector<observe::Statistic> statistics() const override;
  std::vector<observe::Wave> waves() const override;

  std::uint64_t cell_bytes() const;
  std::uint64_t crossbar_bytes() const;

 private:
  /// Names of the waves of one region.
  struct RegionWaves {
    explicit RegionWaves(const std::string& crossbar) : state(crossbar + ".state"), slice(crossbar + ".slice") {}
    std::string state, slice;
  };
  struct Region {
    bool used = false;
    RegionSetup setup;
    std::shared_ptr<const arithmetic::ProgrammedArray> array;  ///< null while levels change
    std::vector<std::uint8_t> levels;                          ///< [row][column] while there is no array
    std::size_t unwritten = 0;                                 ///< cells still to come before the array is made
    PipelineStage stage;
    Region(std::string name, int crossbar)
        : stage(std::move(name), observe::Kind::kArray, crossbar), waves("crossbar_" + std::to_string(crossbar)) {}
    int columns() const { return setup.filters * setup.recombination.columns_per_filter; }

    // Approximately timed.
    enum State : std::uint32_t { kIdle, kReading, kHolding };
    tlm::tlm_generic_payload* asking = nullptr;  ///< waits for the input register
    tlm::tlm_generic_payload* loaded = nullptr;  ///< in the input register, not driven yet
    tlm::tlm_generic_payload* driven = nullptr;
    tlm::tlm_generic_payload* held = nullptr;                    ///< slice in sample and hold
    std::shared_ptr<const arithmetic::ProgrammedArray> driving;  ///< stays even if the region is programmed meanwhile
    std::uint32_t state = kIdle, slice = 0;
    sc_core::sc_time due;  ///< kIdle: when `loaded` may start; kReading: when the slice is through
    RegionWaves waves;
  };

  void compute(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  /// What is wrong with a batch of codes, or TLM_OK_RESPONSE; finishes its region.
  tlm::tlm_response_status check(const tlm::tlm_generic_payload& payload);
  void count(const arithmetic::ProgrammedArray& array, const Batch& batch, const std::uint8_t* codes, int node);
  /// Codes to sums or psums, in place; counts.
  void multiply(const arithmetic::ProgrammedArray& array, const RegionSetup& setup, tlm::tlm_generic_payload& payload,
                Batch& batch, const Pipeline& pipeline);

  tlm::tlm_sync_enum receive(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay);
  tlm::tlm_sync_enum receive_back(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay);
  void load(Region& region, tlm::tlm_generic_payload& payload);
  /// The vector that waits for the input register, if there is one.
  void load_next(Region& region);
  /// At every end of a slice, arrival of a vector or release of a sample and hold.
  void cycle();
  bool end_slice(Region& region);
  void advance(Region& region);
  static int slices_of(const Region& region) { return int(region.driving->cycles().size()); }
  void start(Region& region);
  void begin_slice(Region& region);
  void sample(Region& region);
  void free_sample(tlm::tlm_generic_payload& slice);

  void prepare(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  /// No cell of these crossbars was ever written.
  bool erased(const RegionSetup& region) const;
  void store_at_once(const tlm::tlm_generic_payload& payload, Region& region);
  /// What the cells of a region-to-be hold.
  std::vector<std::uint8_t> held_levels(const RegionSetup& wanted) const;
  bool accepts(const RegionSetup& setup) const;
  /// What cells of a region, or of none, take when they are given these levels; in place.
  void limit(std::uint8_t* levels, std::size_t count, const RegionSetup* region) const;
  /// The array of a region, made of its levels where they have changed.
  void finish(Region& region);
  /// The input register is read at an edge of the tile's clock: delay until the first one at now + delay or later.
  sc_core::sc_time next_edge(const sc_core::sc_time& delay) const;

  /// `count` cells side by side in one row of one crossbar, at `level` of `region`; null where no region stores.
  struct CellRun {
    const Region* region = nullptr;
    std::size_t level = 0, count = 0;
  };
  CellRun run_at(std::uint64_t address, std::size_t length) const;
  void copy_levels(std::uint64_t address, const CellRun& run, std::uint8_t* to) const;
  void open_for_writing(Region& region);
  /// Ends the regions on whose crossbars another one is prepared; cells outside that one keep what they hold.
  void displace(const RegionSetup& by);
  /// Cells of one crossbar, whether a region stores in them or not.
  std::vector<std::uint8_t>& idle_cells(int crossbar);

  tlm::tlm_response_status admits(tlm::tlm_command, std::uint64_t address, std::uint64_t length) const override;
  void read(std::uint64_t address, tlm_kit::ByteSpan bytes, sc_core::sc_time& delay) override;
  void write(std::uint64_t address, tlm_kit::ConstByteSpan bytes, sc_core::sc_time& delay) override;
  std::size_t debug_read(std::uint64_t address, tlm_kit::ByteSpan bytes) const override;
  std::size_t debug_write(std::uint64_t address, tlm_kit::ConstByteSpan bytes) override;

  const mapping::CrossbarTileConfig config_;
  observe::Ledger& ledger_;
  WeightStore& store_;
  const sc_core::sc_time cycle_;
  std::vector<Region> regions_;  ///< indexed by first crossbar
  /// [crossbar][row][column]: levels of cells outside all regions; empty where all of them are erased.
  std::vector<std::vector<std::uint8_t>> idle_;

  tlm_kit::RequestLink onward_;
  tlm_kit::ResponseLink back_;
  sc_core::sc_event cycle_event_;
  sc_core::sc_time held_;  ///< that slices waited for their sample and hold, all regions
  std::uint32_t busy_ = 0;
};

}  // namespace mho::pim
