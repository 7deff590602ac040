// SPDX-License-Identifier: Apache-2.0
// Programs the crossbars of one crossbar_tile with program-and-verify: each row is read, one pulse a level step moves
// it (SET phase, then RESET phase; of pairs both devices), the next row follows. A driver writes one row of one
// crossbar at a time; crossbars share the drivers where there are fewer. A region begins when all its crossbars are
// free. Blocking transport deals whole crossbars, in order, to the driver that is free first: work and counts are those
// of non-blocking transport, but rows of different crossbars do not take turns, so a region that shares drivers with
// others may end earlier or later. Left out: failing pulses, wear, drivers for part of a row.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <list>
#include <optional>
#include <systemc>
#include <vector>

#include "models/arithmetic/write_pulses.h"
#include "models/mapping/machine.h"
#include "models/observe/instrument.h"
#include "models/observe/ledger.h"
#include "models/observe/recorder.h"
#include "models/pim/arbiter.h"
#include "models/pim/crossbar_tile.h"
#include "models/tlm/link_target_socket.h"
#include "models/tlm/phases.h"

namespace mho::pim {

class WeightWriter : public sc_core::sc_module, public observe::Instrument {
 public:
  using observe::Instrument::trace;  // sc_object has one of its own
  SC_HAS_PROCESS(WeightWriter);
  /// `ledger`: programming is counted apart from computing.
  WeightWriter(sc_core::sc_module_name name, const mapping::WriterConfig& config,
               const mapping::CrossbarTileConfig& crossbar, observe::Ledger& ledger,
               observe::Recorder* recorder = nullptr);

  /// A write of levels[row][column] with a RegionSetup extension programs that region. Blocking: `delay` grows by the
  /// time until its last row is verified; refused with TLM_GENERIC_ERROR_RESPONSE while others are under way.
  /// Non-blocking: END_REQ when the region is queued, which as many can be as there are crossbars; BEGIN_RESP when the
  /// last row is verified. Rows of all regions compete for the drivers.
  tlm_kit::LinkTargetSocket<WeightWriter, 32, BatchProtocol> program;
  tlm_utils::simple_initiator_socket<WeightWriter, 32, BatchProtocol> setup;
  tlm_utils::simple_initiator_socket<WeightWriter> cells;

  std::vector<observe::Statistic> statistics() const override;
  std::vector<observe::Wave> waves() const override;

 private:
  /// One row of one crossbar on its way from old levels to new ones.
  struct RowWrite {
    std::uint64_t address = 0;
    std::uint8_t* levels = nullptr;
    int cells = 0;
    arithmetic::WriteSteps steps;
    double seconds = 0.0;
  };
  /// A region that came by non-blocking transport.
  struct Order {
    tlm::tlm_generic_payload* payload = nullptr;
    bool started = false, failed = false;
    int unwritten = 0;      ///< rows of all crossbars whose writing has not begun
    int being_written = 0;  ///< rows at drivers
  };
  struct Crossbar {
    sc_core::sc_time free;       ///< no row at a driver from then on
    std::vector<Order*> orders;  ///< the first one's rows are next; a deque would take 600 bytes while empty
    void drop_first() { orders.erase(orders.begin()); }
    int next_row = 0;        ///< of the first order
    sc_core::sc_time since;  ///< next_row waits for a driver
    sc_core::sc_time begin;  ///< of the first order's first row
    double seconds = 0.0;    ///< its rows took so far; rounded to simulated time once
  };
  struct Driver {
    sc_core::sc_time begin, free;
    Order* order = nullptr;  ///< null: idle
    int crossbar = 0;
    RowWrite row;
  };
  struct Incoming {
    tlm::tlm_generic_payload* payload = nullptr;
    sc_core::sc_time arrival;
    sc_dt::uint64 delta = 0;  ///< cycle in which it came
  };

  tlm::tlm_response_status refusal(const tlm::tlm_generic_payload& payload) const;
  static int cells_in_row(const RegionSetup& region, int crossbar);
  bool prepare(tlm::tlm_generic_payload& payload, bool at_once);
  /// Reads the old levels of a row; nothing where the cells refuse.
  std::optional<RowWrite> begin_row(tlm::tlm_generic_payload& payload, int crossbar, int row);
  bool end_row(const RowWrite& row, int node);
  bool access(tlm::tlm_command command, std::uint64_t address, std::uint8_t* bytes, int length);
  /// The crossbar's own driver, or the one that is free first where drivers are shared.
  int driver_of(int crossbar) const;
  /// Counts and records that a driver was busy.
  void note(int driver, tlm::tlm_generic_payload& payload, std::uint64_t rows, const sc_core::sc_time& begin,
            const sc_core::sc_time& end);

  void write_region(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  /// Seconds, negative where the cells refuse.
  double write_crossbar(tlm::tlm_generic_payload& payload, int crossbar, int node);
  /// Of a crossbar that was erased and is written already: counts, and seconds.
  double count_crossbar(tlm::tlm_generic_payload& payload, int crossbar, int node);
  RegionContent::Crossbar from_erased(const tlm::tlm_generic_payload& payload, int crossbar) const;
  double row_seconds(int pulses) const { return config_.setup_s + config_.pulse_s * double(pulses); }

  tlm::tlm_sync_enum transport(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay);
  void step();
  // Each returns whether anything happened.
  bool end_rows();
  bool take_order();
  bool start_orders();
  bool hand_out_drivers();
  bool waits(int crossbar) const;
  /// True where it is through already.
  bool start_row(int crossbar);
  void finish_row(Driver& driver);
  /// Gives up the rows that wait.
  void fail(Order& order);
  void close(Order& order, tlm::tlm_response_status status);
  /// Goes on at once while there is news; else shows the waves and waits for what comes next.
  void settle();

  const mapping::WriterConfig config_;
  const mapping::CrossbarTileConfig crossbar_;
  observe::Ledger& ledger_;
  observe::Recorder* const recorder_;
  std::vector<Crossbar> crossbars_;
  std::vector<Driver> drivers_;
  std::vector<std::uint8_t> before_;
  double busy_s_ = 0.0;
  std::uint64_t rows_ = 0, steps_ = 0;

  Arbiter arbiter_;
  tlm_kit::ResponseLink responses_;
  Incoming incoming_;
  std::list<Order> orders_;                          ///< in the order in which they came
  std::vector<tlm::tlm_generic_payload*> verified_;  ///< to be answered
  sc_core::sc_event wake_;
  sc_core::sc_time moment_ = sc_core::sc_max_time();  ///< of the last step
  int quiet_ = 0;                                     ///< steps of this moment without news
  std::uint32_t busy_ = 0, queue_ = 0;                ///< waves
};

}  // namespace mho::pim
