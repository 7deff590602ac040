// SPDX-License-Identifier: Apache-2.0
// The approximately timed half of the scheduler: rows are sent window by window, each to the placements of its replica
// as soon as their input registers are free, and psums come back when they come back; the parts of a replica go their
// ways without each other. A window may only start while its part of the replica has a psum register left, so nothing
// between buffer and function unit can wait for what lies behind it: there is no deadlock, however short the queues.
// Function units, eDRAM writes and links serve one item after the other in the order of requests.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <queue>
#include <systemc>
#include <vector>

#include "models/pim/approximate_timing.h"
#include "models/pim/batch.h"
#include "models/tlm/payload_pool.h"
#include "models/tlm/phases.h"

namespace mho::pim {

class Scheduler;

class ApproximateRows {
 public:
  ApproximateRows(Scheduler& scheduler, const ApproximateTiming& timing);

  /// Tables of the loaded Program.
  void prepare();
  /// Forgets the rows of the job before; nothing of it may be under way.
  void start_job();
  bool enabled() const { return timing_.enabled; }
  /// This row, if it started now, would be approximately timed.
  bool wants(int node, std::uint64_t row) const;
  /// Rows of the node are under way.
  bool holds(int node) const { return !rows_.empty() && !rows_[std::size_t(node)].empty(); }
  /// Starts a row; false where something was refused.
  bool issue(int node, std::uint64_t row);
  /// Takes what has arrived and does what is due. True where another row may have become ready.
  bool step();
  /// Of what is known to come; sc_max_time() where that is nothing.
  sc_core::sc_time next_due() const;
  /// What has come so far and was not taken.
  std::size_t arrivals() const { return inbox_.size(); }
  bool idle() const { return windows_.empty() && payloads_ == 0; }
  bool failed() const { return failed_; }
  /// No window is started or stored any more: what is under way comes to its end for nobody.
  void abandon();
  /// Something has arrived.
  sc_core::sc_event arrived;

  tlm::tlm_sync_enum receive_window(int tile, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase) {
    return window_links_[std::size_t(tile)]->receive(payload, phase);
  }
  tlm::tlm_sync_enum receive_job(int tile, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase) {
    return job_links_[std::size_t(tile)]->receive(payload, phase);
  }

 private:
  struct Row {
    int node = 0;
    std::uint64_t row = 0, command = 0;
    sc_core::sc_time begin, interval;
    std::uint64_t windows_left = 0;
    std::uint64_t reads_left = 0, registers_left = 0;  ///< vectors to be read, and to be driven
    bool released = false, written = false, done = false;
    const char* limited_by = "";
  };
  /// One window of one part of a layer, or a whole row of another node.
  struct Window {
    Row* row = nullptr;
    int layer = -1, replica = 0, part = 0, x = 0;
    std::uint64_t number = 0;
    int awaited = 0;    ///< tiles whose psums have not come to the home tile
    int payloads = 0;   ///< to be answered, those included that wait for a register
    bool over = false;  ///< for nobody any more, but payloads are under way
    std::uint64_t items = 1;
    sc_core::sc_time interval;
    std::vector<std::uint8_t> codes;
    std::list<Window>::iterator self;
  };
  /// The way to one placement.
  struct Feed {
    int layer = 0, replica = 0;
    std::size_t placement = 0;
    bool register_free = true;
    std::deque<Window*> queue;
  };
  /// One part of one replica.
  struct Replica {
    std::vector<Feed> feeds;
    std::vector<std::pair<int, int>> tiles;  ///< tile, placements there; the home tile is the first
    std::deque<Window*> waiting;
    int open = 0;
  };
  /// Who a payload belongs to.
  struct Origin : tlm::tlm_extension<Origin> {
    Window* window = nullptr;
    Feed* feed = nullptr;
    int tile = 0;
    tlm::tlm_extension_base* clone() const override { return new Origin(*this); }
    void copy_from(const tlm::tlm_extension_base& other) override { *this = static_cast<const Origin&>(other); }
  };
  /// Vectors for one tile's buffer. They are sent from the scheduler's thread alone, so that it does not depend on the
  /// order of processes which of them or of the writes asks for the port first.
  struct TileQueue {
    std::deque<tlm::tlm_generic_payload*> waiting;
    bool reading = false;
  };
  enum class Kind : std::uint8_t { kRead, kRegisterFree, kCollected, kForwarded, kStore, kStored };
  /// Something that has happened, or is to be done at `time`.
  struct Action {
    sc_core::sc_time time;
    Kind kind = Kind::kRead;
    Window* window = nullptr;
    Feed* feed = nullptr;
    int tile = 0;
    int node = 0;
    std::uint64_t row = 0;
    int x = 0, part = 0;
    bool ok = true;
    sc_core::sc_time interval;    ///< kCollected: what held the window longest
    const char* limited_by = "";  ///< and where
    bool operator>(const Action& other) const;
  };

  Action action(Kind kind, Window& window, const sc_core::sc_time& time) const;
  void arrive(const tlm::tlm_generic_payload& payload, Kind kind);
  void handle(const Action& what);
  void take(const Action& what);
  void issue_layer(Row& row);
  void issue_function(Row& row);
  void start_windows(Replica& replica);
  void start(Replica& replica, Window& window);
  /// Writes on a payload whom it is about and whom its answer is for.
  void address(tlm::tlm_generic_payload& payload, Window& window, Feed* feed, int tile);
  void collect(Window& window, int tile, int placements);
  void feed_next(Feed& feed);
  void send(Feed& feed, Window& window);
  void take_register(Feed& feed, Row& row);
  void send_next(int tile);
  void take_read(Window& window);
  void take_collected(Window& window, int tile);
  void requantise(Window& window);
  void store(Window& window);
  void take_stored(Window& window);
  void finish(Row& row);
  /// The tile in which the psums of a layer's window meet.
  int home_of(const Window& window) const;
  Replica& replica_of(const Window& window) { return replica_of(window.layer, window.replica, window.part); }
  Replica& replica_of(int layer, int replica, int part);
  /// Nothing of the row in hand, nor of one that waits, uses any part of the replica.
  bool is_free(int layer, int replica);
  /// The psums of a window in one tile are given up.
  void discard(int tile, Window& window);
  bool submit(int tile, Window& window, std::uint8_t* bytes, std::size_t length, sc_core::sc_time& delay);
  void end_window(Window& window);

  Scheduler& scheduler_;
  const ApproximateTiming timing_;
  tlm_kit::PayloadPool pool_;
  std::vector<std::unique_ptr<tlm_kit::RequestLink>> window_links_, job_links_;  ///< one a tile
  std::vector<TileQueue> tile_queues_;
  std::vector<std::vector<Replica>> replicas_;          ///< [layer][replica and part]
  std::vector<std::deque<std::unique_ptr<Row>>> rows_;  ///< [node]: under way, in order
  std::vector<bool> chosen_;                            ///< [node]
  std::list<Window> windows_;
  std::vector<Window*> held_;  ///< finished, but their place is not free yet
  std::vector<Action> inbox_;
  std::priority_queue<Action, std::vector<Action>, std::greater<>> due_;
  std::uint64_t last_number_ = 0;
  std::size_t payloads_ = 0;  ///< under way
  bool changed_ = false, failed_ = false, abandoned_ = false;
};

}  // namespace mho::pim
