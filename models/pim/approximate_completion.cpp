// SPDX-License-Identifier: Apache-2.0
// What becomes of approximately timed windows: registers that are free again, psums that have come together, codes that
// are stored once the row whose place they take has been read.
#include <algorithm>
#include <tuple>

#include "models/pim/approximate_rows.h"
#include "models/pim/scheduler.h"

namespace mho::pim {

using sc_core::sc_time;

bool ApproximateRows::Action::operator>(const Action& other) const {
  const auto order = [](const Action& each) {
    return std::make_tuple(each.time, each.node, each.row, each.x, each.part, each.kind, each.tile,
                           each.feed != nullptr ? each.feed->placement : 0);
  };
  return order(*this) > order(other);
}

ApproximateRows::Action ApproximateRows::action(Kind kind, Window& window, const sc_time& time) const {
  Action what;
  what.time = time;
  what.kind = kind;
  what.window = &window;
  what.node = window.row->node;
  what.row = window.row->row;
  what.x = window.x;
  what.part = window.part;
  return what;
}

void ApproximateRows::arrive(const tlm::tlm_generic_payload& payload, Kind kind) {
  const Origin& origin = *payload.get_extension<Origin>();
  Action what = action(kind, *origin.window, sc_core::sc_time_stamp());
  what.feed = origin.feed;
  what.tile = origin.tile;
  what.ok = kind == Kind::kRead || payload.is_response_ok();
  if (kind == Kind::kCollected) {
    what.interval = payload.get_extension<Pipeline>()->interval;
    what.limited_by = payload.get_extension<Pipeline>()->limited_by;
  }
  inbox_.push_back(what);
  arrived.notify(sc_core::SC_ZERO_TIME);
}

bool ApproximateRows::step() {
  changed_ = false;
  // Sorted, so that the order in which modules were run within the delta cycle does not matter.
  std::vector<Action> come;
  come.swap(inbox_);
  std::sort(come.begin(), come.end(), [](const Action& a, const Action& b) { return b > a; });
  for (const Action& what : come) handle(what);
  while (!due_.empty() && due_.top().time <= sc_core::sc_time_stamp()) {
    const Action what = due_.top();
    due_.pop();
    handle(what);
  }
  return changed_;
}

sc_time ApproximateRows::next_due() const { return due_.empty() ? sc_core::sc_max_time() : due_.top().time; }

void ApproximateRows::handle(const Action& what) {
  take(what);
  if (what.kind != Kind::kRegisterFree && what.kind != Kind::kCollected) return;
  Window& window = *what.window;
  if (--window.payloads == 0 && window.over) windows_.erase(window.self);
}

void ApproximateRows::take(const Action& what) {
  failed_ = failed_ || !what.ok;
  Window& window = *what.window;
  switch (what.kind) {
    case Kind::kRead:
      tile_queues_[std::size_t(what.tile)].reading = false;
      send_next(what.tile);
      return take_read(window);
    case Kind::kRegisterFree: {
      take_register(*what.feed, *window.row);
      if (!what.ok)  // its psums will never be complete
        for (const auto& tile : replica_of(window).tiles) discard(tile.first, window);
      return;
    }
    case Kind::kCollected:
      if (what.interval > window.row->interval) {
        window.row->interval = what.interval;
        window.row->limited_by = what.limited_by;
      }
      return take_collected(window, what.tile);
    case Kind::kForwarded:
      if (--window.awaited == 0) requantise(window);
      return;
    case Kind::kStore:
      return store(window);
    case Kind::kStored:
      return take_stored(window);
  }
}

void ApproximateRows::take_read(Window& window) {
  Row& row = *window.row;
  if (--row.reads_left > 0 || abandoned_) return;
  const sc_time now = sc_core::sc_time_stamp();
  scheduler_.nodes_[std::size_t(row.node)].read_span = now - row.begin;
  // A row may be read before one ahead of it, on other replicas, which then still needs its input.
  for (const auto& each : rows_[std::size_t(row.node)]) {
    if (each->reads_left > 0) break;
    if (!each->released) scheduler_.release_inputs(row.node, each->row, now);
    each->released = true;
  }
  changed_ = true;
  std::vector<Window*> held;
  held.swap(held_);
  for (Window* each : held) store(*each);
}

void ApproximateRows::take_register(Feed& feed, Row& row) {
  feed.register_free = true;
  feed_next(feed);
  const sc_time now = sc_core::sc_time_stamp();
  Scheduler::NodeState& state = scheduler_.nodes_[std::size_t(row.node)];
  if (is_free(feed.layer, feed.replica)) {
    state.replica_free[std::size_t(feed.replica)] = now;
    changed_ = true;
  }
  if (--row.registers_left > 0) return;
  // Rows overlap where replicas are not in step.
  scheduler_.progress_[std::size_t(row.node)].busy += now - std::max(row.begin, state.free_at);
  state.free_at = now;
}

void ApproximateRows::discard(int tile, Window& window) {
  scheduler_.function_job_ = FunctionJob{};
  scheduler_.function_job_.kind = FunctionJob::Kind::kDiscard;
  sc_time delay;
  submit(tile, window, nullptr, 0, delay);
}

int ApproximateRows::home_of(const Window& window) const {
  return scheduler_.program_.layers[std::size_t(window.layer)].home_of(window.replica, window.part);
}

bool ApproximateRows::submit(int tile, Window& window, std::uint8_t* bytes, std::size_t length, sc_time& delay) {
  Pipeline& pipeline = scheduler_.pipeline_;
  pipeline = Pipeline{};
  pipeline.node = window.row->node;
  pipeline.command = window.row->command;
  pipeline.window = window.number;
  pipeline.count = window.items;
  pipeline.interval = window.interval;
  // A stream of items is an operation: those that it writes take turns with those that it reads.
  if (window.items > 1) pipeline.operation = ++scheduler_.operation_;
  return scheduler_.submit(tile, delay, bytes, length);
}

void ApproximateRows::take_collected(Window& window, int tile) {
  const mapping::LayerPlan& layer = scheduler_.program_.layers[std::size_t(window.layer)];
  sc_time delay;
  if (abandoned_ || failed_) discard(tile, window);
  if (tile == home_of(window) || abandoned_ || failed_) {
    if (--window.awaited == 0) requantise(window);
    return;
  }
  scheduler_.prepare_collection(layer, window.replica, window.part, 1);
  scheduler_.function_job_.kind = FunctionJob::Kind::kForward;
  failed_ = !submit(tile, window, nullptr, 0, delay);
  due_.push(action(Kind::kForwarded, window, sc_core::sc_time_stamp() + delay));
}

void ApproximateRows::requantise(Window& window) {
  const auto& tables = scheduler_.layers_[std::size_t(window.layer)];
  const mapping::LayerPlan& layer = scheduler_.program_.layers[std::size_t(window.layer)];
  if (abandoned_ || failed_) {
    discard(home_of(window), window);
    return end_window(window);
  }
  scheduler_.prepare_collection(layer, window.replica, window.part, 1);
  scheduler_.function_job_.kind = FunctionJob::Kind::kRequantise;
  scheduler_.function_job_.requantiser = &tables.requantiser;
  scheduler_.function_job_.x_first = window.x;
  sc_time delay;
  failed_ = !submit(home_of(window), window, window.codes.data(), window.codes.size(), delay);
  due_.push(action(Kind::kStore, window, sc_core::sc_time_stamp() + delay));
}

void ApproximateRows::store(Window& window) {
  if (abandoned_ || failed_) return end_window(window);
  Row& row = *window.row;
  // Not when the place is expected to be free: every consumer must have read what lies in it.
  const sc_time now = sc_core::sc_time_stamp(), free = scheduler_.space_at(row.node, row.row, false);
  if (free == sc_core::sc_max_time()) return held_.push_back(&window);
  if (free > now) return due_.push(action(Kind::kStore, window, free));
  const dnn::Node& node = scheduler_.program_.graph.nodes[std::size_t(row.node)];
  FunctionJob& job = scheduler_.function_job_;
  job = FunctionJob{};
  if (window.layer >= 0)
    scheduler_.prepare_collection(scheduler_.program_.layers[std::size_t(window.layer)], window.replica, window.part,
                                  1);
  job.kind = FunctionJob::Kind::kStore;
  job.graph = &scheduler_.program_.graph;
  job.node = &node;
  job.x_first = window.x;
  job.destinations = scheduler_.places_of(node.output, row.row);
  const int tile = window.layer >= 0 ? home_of(window) : scheduler_.tile_of_node_[std::size_t(row.node)];
  sc_time delay;
  failed_ = !submit(tile, window, window.codes.data(), window.codes.size(), delay);
  if (!row.written) scheduler_.note_first_write(row.node, row.row, now + delay - row.begin);
  row.written = true;
  const sc_time spread = times(scheduler_.pipeline_.interval, window.items - 1);
  due_.push(action(Kind::kStored, window, now + delay + spread));
}

void ApproximateRows::take_stored(Window& window) {
  Row& row = *window.row;
  if (window.layer >= 0) {
    Replica& replica = replica_of(window);
    --replica.open;
    start_windows(replica);
  }
  end_window(window);
  if (!abandoned_ && --row.windows_left == 0) finish(row);
}

void ApproximateRows::end_window(Window& window) {
  window.over = true;
  if (window.payloads == 0) windows_.erase(window.self);
}

void ApproximateRows::finish(Row& row) {
  row.done = true;
  auto& rows = rows_[std::size_t(row.node)];
  // Rows become visible in order even where a later one was quicker.
  while (!rows.empty() && rows.front()->done) {
    scheduler_.publish_row(rows.front()->node, rows.front()->row, rows.front()->command, rows.front()->begin,
                           rows.front()->interval, rows.front()->limited_by);
    rows.pop_front();
  }
  changed_ = true;
}

}  // namespace mho::pim
