// SPDX-License-Identifier: Apache-2.0
// Plays a Program: writes the weights, then runs the resident pipeline of the ISAAC family. Every node works on its own
// output row; a row starts when its input rows are complete, its consumers have space and its crossbars are free, so
// fill, steady state and stalls of the inter-layer pipeline come out of the simulation. Batches are issued in the order
// (time, node, row, replica) from one thread, so no resource is ever asked about the past.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <queue>
#include <string>
#include <systemc>
#include <vector>

#include "models/mapping/program.h"
#include "models/observe/instrument.h"
#include "models/observe/ledger.h"
#include "models/observe/recorder.h"
#include "models/pim/approximate_timing.h"
#include "models/pim/dma.h"
#include "models/pim/function_unit.h"
#include "models/pim/weight_store.h"
#include "models/tlm/payload_pool.h"
#include "models/tlm/phases.h"

namespace mho::pim {

class ApproximateRows;

/// One job: `inferences` inputs one after the other in main memory, each the graph's inputs in order, codes
/// [height][width][channels]; outputs likewise.
struct RunJob {
  std::uint64_t input_address = 0, output_address = 0;
  std::uint64_t inferences = 0;
};

/// What became of one node in one job, in seconds since the job began.
struct NodeProgress {
  sc_core::sc_time first_start, last_end, busy, input_stall, buffer_stall, interval;
  std::uint64_t rows = 0;
  std::string limited_by;
};

class Scheduler : public sc_core::sc_module, public observe::Instrument {
 public:
  using observe::Instrument::trace;  // sc_object has one of its own
  /// `groups` of each tile that is built; tiles beyond are not.
  Scheduler(sc_core::sc_module_name name, const mapping::Machine& machine, const std::vector<int>& groups, int chips,
            Dma& dma, const ApproximateTiming& timing = {}, observe::Recorder* recorder = nullptr);
  ~Scheduler() override;

  using Socket = tlm_utils::simple_initiator_socket_tagged<Scheduler, 32, BatchProtocol>;
  sc_core::sc_vector<Socket> windows;  ///< one a tile
  sc_core::sc_vector<Socket> jobs;     ///< one a tile
  sc_core::sc_vector<Socket> writers;  ///< one a group

  /// True where every crossbar_tile that the Program uses is built.
  bool fits(const mapping::Program& program) const;
  /// Writes all weights; to be called from a thread, waits until the last row is verified. The Program's levels are
  /// dropped afterwards. False where a writer refused or `stop` was called: what the cells hold is then uncertain.
  bool program(mapping::Program program);
  /// Runs one job to its end or until `stop` is called; false where something was refused or it was stopped.
  bool run(const RunJob& job);
  /// Ends what runs, and forgets what it has completed.
  void stop();
  /// True where source and destination hold all inferences of the job, at least one.
  bool covers(const RunJob& job, std::uint64_t source_bytes, std::uint64_t destination_bytes) const;

  const mapping::Program& loaded() const { return program_; }
  const std::vector<NodeProgress>& progress() const { return progress_; }
  const std::vector<sc_core::sc_time>& completions() const { return completions_; }
  std::uint64_t inferences_done() const { return completions_.size(); }

  std::vector<observe::Statistic> statistics() const override;
  std::vector<observe::Wave> waves() const override;

 private:
  friend class ApproximateRows;
  enum class Blocked : std::uint8_t { kNo, kInput, kSpace, kResource };
  struct Event {
    sc_core::sc_time time;
    enum class Kind : std::uint8_t { kRowDone, kWake } kind;
    int node;
    std::uint64_t row;
    bool operator>(const Event& other) const;
  };
  struct NodeState {
    std::uint64_t next_row = 0;
    Blocked blocked = Blocked::kNo;
    sc_core::sc_time free_at;                    ///< of a function node
    sc_core::sc_time issued_at;                  ///< the last row
    sc_core::sc_time wake_at;                    ///< wake-up already asked for
    sc_core::sc_time done_at;                    ///< of the last row
    sc_core::sc_time lead;                       ///< from a row's start until it first writes, at least
    sc_core::sc_time read_span;                  ///< approximately timed: from the last row's start until it was read
    std::vector<sc_core::sc_time> replica_free;  ///< of a layer
  };
  struct Consumer {
    int node = -1;                                                    ///< -1: network output
    std::uint64_t rows = 0;                                           ///< capacity
    std::uint64_t released = 0;                                       ///< rows it needs no more
    std::deque<std::pair<sc_core::sc_time, std::uint64_t>> releases;  ///< those that are certain to come, by time
    std::deque<std::pair<sc_core::sc_time, std::uint64_t>> expected;  ///< those that an undisturbed row would bring
    std::uint64_t released_by(const sc_core::sc_time& time) const;
  };
  struct TensorState {
    int producer = -1;  ///< node, -1: main memory
    std::uint64_t rows_done = 0;
    std::uint64_t rows_requested = 0;  ///< graph inputs: rows asked of the DMA
    std::vector<Consumer> consumers;
    std::uint64_t staged_at = 0;  ///< network outputs: ring in the staging buffer
    std::uint64_t staged_rows = 0;
    std::uint64_t job_offset = 0;  ///< inputs, outputs: bytes before it in one inference
  };
  struct LayerTables {
    int layer = 0;
    dnn::Requantiser requantiser;
    std::vector<std::size_t> first_placement;  ///< [replica][part], one more at the end
    int windows_a_batch = 1;                   ///< so that a payload stays in the cache
    dnn::Window window{};                      ///< that one vector holds
    int vectors = 1;                           ///< of one row: its windows, fewer where the layer is expanded
  };
  /// Vectors x_first .. of one row that one replica computes.
  struct Share {
    int replica = 0, x_first = 0, count = 0;
  };
  /// When a row is through, as delays from now.
  struct RowTimes {
    sc_core::sc_time done;  ///< last item written
    sc_core::sc_time busy;  ///< crossbars or function unit free for the next row
    sc_core::sc_time read;  ///< last item read from the input's buffer
    sc_core::sc_time first_write;
    sc_core::sc_time interval;  ///< between items
    const char* limited_by = "";
    bool ok = true;
  };
  /// One part of one replica's share of a batch: when its first item is written.
  struct FirstItem {
    sc_core::sc_time delay;
    std::uint64_t count = 0;
  };

  /// Regions that wait for one weight_writer, approximately timed.
  struct Orders {
    Orders(Scheduler& scheduler, int writer);
    std::list<const mapping::Command*> waiting;  ///< takes next to nothing while empty
    tlm_kit::RequestLink link;
  };
  bool write_at_once();
  bool write_by_turns();
  void order_next(int writer);
  int writer_of(const mapping::Command& command) const;
  /// Levels and setup of one placement.
  tlm_kit::PayloadHandle order_of(const mapping::Command& command, tlm_kit::PayloadPool& pool);
  tlm::tlm_sync_enum receive_writer(int writer, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                    sc_core::sc_time& delay);
  void make_tables();
  void find_consumers();
  void start_job(const RunJob& job);
  void handle(const Event& event);
  void take_completed();
  void forget_past_releases();
  void issue_all_ready();
  void request_rows(int tensor);
  bool try_issue(int node);
  Blocked blocked_by(int node, std::uint64_t row) const;
  /// When every consumer has read what lies in the row's place; sc_max_time() where that is not certain yet, or not
  /// even expected.
  sc_core::sc_time space_at(int node, std::uint64_t row, bool expected) const;
  /// Rows of an input that a node needs no more after `row`.
  std::uint64_t released_after(const dnn::Node& node, int input, std::uint64_t row) const;
  /// The node will have read, at about `time`, all that row needs.
  void expect_release(int node, std::uint64_t row, const sc_core::sc_time& time);
  void note_first_write(int node, std::uint64_t row, const sc_core::sc_time& lead);
  /// All codes of the row are written now, those of the rows before it too.
  void publish_row(int node, std::uint64_t row, std::uint64_t command, const sc_core::sc_time& begin,
                   const sc_core::sc_time& interval, const char* limited_by);
  void record_command(int node, std::uint64_t command, const sc_core::sc_time& begin, const sc_core::sc_time& end);
  /// Ends a job: what is under way comes to its end before anything else may begin.
  void drain();
  /// All outputs are stored, and rows that nobody reads, as behind a stride, are computed like the others.
  bool complete() const { return completions_.size() == job_.inferences && rows_left_ == 0; }
  /// False where nothing can happen any more.
  bool wait_for_something();
  void settle();
  /// Looks at the node again at `time`, which lies in the future.
  void wake(int node, const sc_core::sc_time& time);
  void issue(int node);
  RowTimes issue_layer_row(int node, std::uint64_t row);
  RowTimes issue_function_row(int node, std::uint64_t row);
  /// Windows `done` .. `done` + windows_a_batch - 1 of every share, all parts of all replicas at the same time.
  void compute_batch(const LayerTables& tables, std::uint64_t row, const std::vector<Share>& shares, int done,
                     RowTimes& times);
  /// One part of a layer; its psums do not wait for those of other parts.
  bool compute_share(const LayerTables& tables, std::uint64_t row, const Share& share, int part,
                     sc_core::sc_time& delay);
  bool send_placement(const mapping::LayerPlan& layer, const mapping::Placement& placement, std::uint64_t row,
                      const Share& share, sc_core::sc_time& delay);
  bool collect(const LayerTables& tables, std::uint64_t row, const Share& share, int part, sc_core::sc_time& delay);
  std::vector<Share> shares_of(const mapping::LayerPlan& layer, std::uint64_t row, int vectors) const;
  void finish_row(int node, std::uint64_t row, const RowTimes& times);
  void store_row(int tensor, std::uint64_t row);
  /// The node has read, at `time`, all that row and those before it need.
  void release_inputs(int node, std::uint64_t row, const sc_core::sc_time& time);
  Batch batch_for(const mapping::LayerPlan& layer, const mapping::Placement& placement, std::uint64_t row, int x_first,
                  int count) const;
  /// Lays out a batch of this placement; returns its bytes.
  std::size_t lay_out_placement(const mapping::LayerPlan& layer, const mapping::Placement& placement,
                                Batch& batch) const;
  /// What function jobs of a layer's windows have in common.
  void prepare_collection(const mapping::LayerPlan& layer, int replica, int part, int windows);
  void prepare_function_row(int node, std::uint64_t row);
  bool submit(int tile, sc_core::sc_time& delay, std::uint8_t* bytes = nullptr, std::size_t length = 0);
  tlm::tlm_sync_enum receive_window(int tile, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                    sc_core::sc_time& delay);
  tlm::tlm_sync_enum receive_job(int tile, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                 sc_core::sc_time& delay);
  /// When the replicas that share a row are free: all of them, or the first, behind which windows may queue up.
  sc_core::sc_time resource_free(int node, std::uint64_t row, bool first = false) const;
  RingView ring_of(int tensor, int tile, std::uint64_t first_row) const;
  std::vector<RowPlace> places_of(int tensor, std::uint64_t row) const;
  int height_of(int tensor) const { return program_.graph.tensors[std::size_t(tensor)].shape.height; }

  const mapping::Machine machine_;
  const std::vector<int> groups_;
  const int staging_tile_;  ///< number of the DMA in the network
  Dma& dma_;
  mapping::Program program_;

  std::vector<int> layer_of_node_, tile_of_node_;  ///< -1 where it is none
  std::vector<LayerTables> layers_;
  std::vector<std::vector<const mapping::Ring*>> rings_;  ///< [tensor]
  std::vector<TensorState> tensors_;
  std::vector<NodeState> nodes_;
  std::vector<NodeProgress> progress_;
  std::vector<sc_core::sc_time> completions_;
  std::map<std::uint64_t, std::size_t> outputs_stored_;  ///< inference in flight -> outputs that are all in memory
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  RunJob job_;
  std::uint64_t input_bytes_ = 0, output_bytes_ = 0;  ///< of one inference
  sc_core::sc_time job_begin_;
  bool failed_ = false, stopped_ = false;
  sc_core::sc_event stop_event_;

  tlm::tlm_generic_payload payload_;
  Pipeline pipeline_;
  Batch batch_;
  FunctionJob function_job_;
  std::vector<std::uint8_t> data_;
  std::uint64_t operation_ = 0;
  std::uint64_t command_ = 0;  ///< id of the row being issued, 0 where nothing is recorded
  observe::Recorder* const recorder_;
  std::unique_ptr<ApproximateRows> approximate_;
  std::uint64_t rows_left_ = 0;  ///< of the job
  std::uint64_t rows_done_ = 0, approximate_rows_ = 0, inferences_ = 0;

  tlm_kit::PayloadPool order_pool_;
  std::vector<std::unique_ptr<Orders>> orders_;  ///< one a writer
  std::size_t unwritten_ = 0;
  bool written_ = false;
  sc_core::sc_event programmed_;
};

}  // namespace mho::pim
