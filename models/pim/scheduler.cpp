// SPDX-License-Identifier: Apache-2.0
// The event loop of the resident pipeline: what may start, what has ended, who waits for what.
#include "models/pim/scheduler.h"

#include <algorithm>

#include "models/pim/approximate_rows.h"

namespace mho::pim {

using sc_core::sc_time;

bool Scheduler::Event::operator>(const Event& other) const {
  if (time != other.time) return time > other.time;
  if (node != other.node) return node > other.node;
  if (row != other.row) return row > other.row;
  return kind > other.kind;
}

void Scheduler::stop() {
  stopped_ = true;
  completions_.clear();
  stop_event_.notify(sc_core::SC_ZERO_TIME);
}

void Scheduler::start_job(const RunJob& job) {
  job_ = job;
  job_begin_ = sc_core::sc_time_stamp();
  failed_ = stopped_ = false;
  rows_left_ = 0;
  for (const dnn::Node& node : program_.graph.nodes)
    rows_left_ += job_.inferences * std::uint64_t(height_of(node.output));
  events_ = {};
  dma_.clear();
  completions_.clear();
  outputs_stored_.clear();
  progress_.assign(nodes_.size(), {});
  approximate_->start_job();
  for (NodeState& node : nodes_) {
    node.next_row = 0;
    node.blocked = Blocked::kNo;
    node.free_at = node.wake_at = node.done_at = node.issued_at = job_begin_;
    node.lead = node.read_span = sc_time();
    std::fill(node.replica_free.begin(), node.replica_free.end(), job_begin_);
  }
  for (TensorState& tensor : tensors_) {
    tensor.rows_done = tensor.rows_requested = 0;
    for (Consumer& consumer : tensor.consumers) {
      consumer.released = 0;
      consumer.releases.clear();
      consumer.expected.clear();
    }
  }
}

bool Scheduler::covers(const RunJob& job, std::uint64_t source_bytes, std::uint64_t destination_bytes) const {
  const auto holds = [&](std::uint64_t bytes, std::uint64_t one) { return one == 0 || job.inferences <= bytes / one; };
  return job.inferences > 0 && holds(source_bytes, input_bytes_) && holds(destination_bytes, output_bytes_);
}

bool Scheduler::run(const RunJob& job) {
  start_job(job);
  bool look = true;  // some row may be ready
  while (!failed_ && !stopped_ && !complete()) {
    look = !dma_.completed.empty() || look;
    take_completed();
    while (!events_.empty() && events_.top().time <= sc_core::sc_time_stamp()) {
      const Event event = events_.top();
      events_.pop();
      handle(event);
      look = true;
    }
    look = approximate_->step() || look;
    failed_ = failed_ || approximate_->failed();
    if (look) {
      forget_past_releases();
      issue_all_ready();
      look = false;
    }
    if (failed_ || complete()) break;
    if (dma_.completed.empty() && !wait_for_something()) break;
  }
  failed_ = failed_ || (!stopped_ && completions_.size() < job_.inferences);  // the Program's buffers are too small
  const bool done = !failed_ && !stopped_;
  drain();
  return done;
}

bool Scheduler::wait_for_something() {
  const sc_time now = sc_core::sc_time_stamp();
  const sc_time next = events_.empty() ? sc_core::sc_max_time() : events_.top().time;
  const sc_time due = std::min(next, approximate_->next_due());
  if (due != sc_core::sc_max_time())
    wait(std::max(due, now) - now, dma_.done | stop_event_ | approximate_->arrived);
  else if (dma_.pending() > 0 || dma_.busy() || !approximate_->idle())
    wait(dma_.done | stop_event_ | approximate_->arrived);
  else
    return false;
  settle();
  return true;
}

void Scheduler::settle() {
  // All that happens at this moment is taken together, whatever the order in which processes run.
  for (int quiet = 0; quiet < 2;) {
    const std::size_t before = approximate_->arrivals() + dma_.completed.size();
    wait(sc_core::SC_ZERO_TIME);
    quiet = approximate_->arrivals() + dma_.completed.size() == before ? quiet + 1 : 0;
  }
}

void Scheduler::drain() {
  approximate_->abandon();
  while (!approximate_->idle()) {
    const sc_time due = approximate_->next_due();
    if (due == sc_core::sc_max_time())
      wait(approximate_->arrived);
    else
      wait(std::max(due, sc_core::sc_time_stamp()) - sc_core::sc_time_stamp(), approximate_->arrived);
    approximate_->step();
  }
}

void Scheduler::handle(const Event& event) {
  if (event.kind == Event::Kind::kWake) return;  // that time has come is enough
  const int tensor = program_.graph.nodes[std::size_t(event.node)].output;
  tensors_[std::size_t(tensor)].rows_done = event.row + 1;
  ++rows_done_;
  --rows_left_;
  store_row(tensor, event.row);
}

void Scheduler::take_completed() {
  while (!dma_.completed.empty()) {
    const DmaRequest request = std::move(dma_.completed.front());
    dma_.completed.pop_front();
    TensorState& tensor = tensors_[std::size_t(request.tensor)];
    if (dma_.faulted()) {
      failed_ = true;
      return;
    }
    if (request.kind == DmaRequest::Kind::kLoadRow) {
      ++tensor.rows_done;
      continue;
    }
    for (Consumer& consumer : tensor.consumers)
      if (consumer.node < 0) consumer.released = request.row + 1;
    const auto height = std::uint64_t(height_of(request.tensor));
    const std::uint64_t inference = request.row / height;
    if (request.row % height == height - 1 && ++outputs_stored_[inference] == program_.graph.outputs.size()) {
      completions_.push_back(sc_core::sc_time_stamp() - job_begin_);
      ++inferences_;
      outputs_stored_.erase(inference);
    }
  }
}

void Scheduler::issue_all_ready() {
  for (bool progress = true; progress && !failed_;) {
    progress = false;
    for (const int tensor : program_.graph.inputs) request_rows(tensor);
    for (int node = 0; node < int(nodes_.size()) && !failed_; ++node)
      while (!failed_ && try_issue(node)) progress = true;
  }
}

void Scheduler::request_rows(int index) {
  TensorState& tensor = tensors_[std::size_t(index)];
  if (tensor.consumers.empty()) return;  // nobody would ever release a row
  const dnn::Shape& shape = program_.graph.tensors[std::size_t(index)].shape;
  const std::uint64_t all = job_.inferences * std::uint64_t(shape.height);
  const auto has_space = [&](const Consumer& consumer) {
    return tensor.rows_requested < consumer.released + consumer.rows;
  };
  while (tensor.rows_requested < all && std::all_of(tensor.consumers.begin(), tensor.consumers.end(), has_space)) {
    const std::uint64_t row = tensor.rows_requested++, height = std::uint64_t(shape.height);
    DmaRequest request;
    request.address =
        job_.input_address + row / height * input_bytes_ + tensor.job_offset + row % height * shape.row_bytes();
    request.bytes = shape.row_bytes();
    request.places = places_of(index, row);
    request.tensor = index;
    request.row = row;
    dma_.post(std::move(request));
  }
}

void Scheduler::store_row(int index, std::uint64_t row) {
  const TensorState& tensor = tensors_[std::size_t(index)];
  if (tensor.staged_rows == 0) return;
  const dnn::Shape& shape = program_.graph.tensors[std::size_t(index)].shape;
  const auto height = std::uint64_t(shape.height);
  DmaRequest request;
  request.kind = DmaRequest::Kind::kStoreRow;
  request.address =
      job_.output_address + row / height * output_bytes_ + tensor.job_offset + row % height * shape.row_bytes();
  request.bytes = shape.row_bytes();
  request.staged_at = tensor.staged_at + row % tensor.staged_rows * shape.row_bytes();
  request.tensor = index;
  request.row = row;
  dma_.post(std::move(request));
}

std::uint64_t Scheduler::released_after(const dnn::Node& node, int input, std::uint64_t row) const {
  const auto out_height = std::uint64_t(height_of(node.output));
  const std::uint64_t next = row + 1;
  int first_row = height_of(input);
  for (std::size_t i = 0; i < node.inputs.size(); ++i)  // a node may read a tensor twice
    if (node.inputs[i] == input)
      first_row = std::min(first_row, dnn::first_input_row(program_.graph, node, int(next % out_height), i));
  return next / out_height * std::uint64_t(height_of(input)) + std::uint64_t(first_row);
}

void Scheduler::expect_release(int index, std::uint64_t row, const sc_time& time) {
  const dnn::Node& node = program_.graph.nodes[std::size_t(index)];
  for (const int input : node.inputs)
    for (Consumer& consumer : tensors_[std::size_t(input)].consumers)
      if (consumer.node == index) consumer.expected.emplace_back(time, released_after(node, input, row));
}

void Scheduler::release_inputs(int index, std::uint64_t row, const sc_time& time) {
  const dnn::Node& node = program_.graph.nodes[std::size_t(index)];
  for (const int input : node.inputs) {
    TensorState& tensor = tensors_[std::size_t(input)];
    const std::uint64_t count = released_after(node, input, row);
    for (Consumer& consumer : tensor.consumers) {
      if (consumer.node != index) continue;
      consumer.releases.emplace_back(time, count);
      while (!consumer.expected.empty() && consumer.expected.front().second <= count) consumer.expected.pop_front();
    }
    // The DMA asks for a row once there is space; nodes ask for their own wake-up.
    if (tensor.producer < 0) events_.push({time, Event::Kind::kWake, 0, row});
  }
}

std::uint64_t Scheduler::Consumer::released_by(const sc_time& time) const {
  std::uint64_t count = released;
  for (const auto& release : releases) {
    if (release.first > time) break;
    count = std::max(count, release.second);
  }
  return count;
}

void Scheduler::forget_past_releases() {
  const sc_time now = sc_core::sc_time_stamp();
  for (TensorState& tensor : tensors_)
    for (Consumer& consumer : tensor.consumers) {
      consumer.released = consumer.released_by(now);
      while (!consumer.releases.empty() && consumer.releases.front().first <= now) consumer.releases.pop_front();
    }
}

Scheduler::Blocked Scheduler::blocked_by(int index, std::uint64_t row) const {
  const dnn::Node& node = program_.graph.nodes[std::size_t(index)];
  const auto height = std::uint64_t(height_of(node.output));
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const int input = node.inputs[i];
    const std::uint64_t needed = row / height * std::uint64_t(height_of(input)) +
                                 std::uint64_t(dnn::last_input_row(program_.graph, node, int(row % height), i) + 1);
    if (tensors_[std::size_t(input)].rows_done < needed) return Blocked::kInput;
  }
  // A row may start so early that it first writes when the row whose place it takes has been read.
  const bool approximate = approximate_->wants(index, row);
  if (space_at(index, row, approximate) > sc_core::sc_time_stamp() + nodes_[std::size_t(index)].lead)
    return Blocked::kSpace;
  if (!approximate && approximate_->holds(index)) return Blocked::kResource;  // batches do not overtake windows
  return resource_free(index, row, approximate) > sc_core::sc_time_stamp() ? Blocked::kResource : Blocked::kNo;
}

sc_time Scheduler::space_at(int index, std::uint64_t row, bool expected) const {
  const int output = program_.graph.nodes[std::size_t(index)].output;
  sc_time time;
  for (const Consumer& consumer : tensors_[std::size_t(output)].consumers) {
    if (row < consumer.released + consumer.rows) continue;
    const auto frees = [&](const auto& each) { return row < each.second + consumer.rows; };
    const auto certain = std::find_if(consumer.releases.begin(), consumer.releases.end(), frees);
    if (certain != consumer.releases.end()) {
      time = std::max(time, certain->first);
      continue;
    }
    const auto likely = std::find_if(consumer.expected.begin(), consumer.expected.end(), frees);
    if (!expected || likely == consumer.expected.end()) return sc_core::sc_max_time();
    time = std::max(time, likely->first);
  }
  return time;
}

void Scheduler::wake(int index, const sc_time& time) {
  NodeState& state = nodes_[std::size_t(index)];
  if (state.wake_at != time) events_.push({time, Event::Kind::kWake, index, state.next_row});
  state.wake_at = time;
}

bool Scheduler::try_issue(int index) {
  NodeState& state = nodes_[std::size_t(index)];
  const int output = program_.graph.nodes[std::size_t(index)].output;
  if (state.next_row >= job_.inferences * std::uint64_t(height_of(output))) return false;
  const Blocked blocked = blocked_by(index, state.next_row);
  if (blocked == Blocked::kNo) {
    issue(index);
    return true;
  }
  if (blocked == Blocked::kResource) {
    const sc_time free = resource_free(index, state.next_row, approximate_->wants(index, state.next_row));
    if (free > sc_core::sc_time_stamp() && free != sc_core::sc_max_time()) wake(index, free);
  } else {
    state.blocked = blocked;
    const sc_time space = blocked == Blocked::kSpace
                              ? space_at(index, state.next_row, approximate_->wants(index, state.next_row))
                              : sc_core::sc_max_time();
    if (space != sc_core::sc_max_time()) wake(index, space - state.lead);
  }
  return false;
}

void Scheduler::issue(int index) {
  NodeState& state = nodes_[std::size_t(index)];
  NodeProgress& progress = progress_[std::size_t(index)];
  const std::uint64_t row = state.next_row++;
  const sc_time now = sc_core::sc_time_stamp();
  if (progress.rows == 0) progress.first_start = now - job_begin_;
  // Since the last row was issued, where other replicas stood idle even before: rows wait one after the other.
  const sc_time stalled =
      now - std::min(now, std::max(resource_free(index, row, approximate_->wants(index, row)), state.issued_at));
  state.issued_at = now;
  if (progress.rows > 0 && state.blocked == Blocked::kInput) progress.input_stall += stalled;
  if (progress.rows > 0 && state.blocked == Blocked::kSpace) progress.buffer_stall += stalled;
  state.blocked = Blocked::kNo;
  command_ = recorder_ != nullptr ? recorder_->new_id() : 0;
  if (approximate_->wants(index, row)) {
    progress.rows += 1;
    ++approximate_rows_;
    failed_ = !approximate_->issue(index, row);
    return;
  }
  const RowTimes times =
      layer_of_node_[std::size_t(index)] >= 0 ? issue_layer_row(index, row) : issue_function_row(index, row);
  if (!times.ok)
    failed_ = true;
  else
    finish_row(index, row, times);
}

void Scheduler::finish_row(int index, std::uint64_t row, const RowTimes& times) {
  NodeState& state = nodes_[std::size_t(index)];
  NodeProgress& progress = progress_[std::size_t(index)];
  const sc_time now = sc_core::sc_time_stamp();
  // Rows become visible in order even where a later one was quicker.
  state.done_at = std::max(state.done_at, now + times.done);
  events_.push({state.done_at, Event::Kind::kRowDone, index, row});
  record_command(index, command_, now, state.done_at);
  release_inputs(index, row, now + times.read);
  if (progress.rows == 0 || times.first_write < state.lead) state.lead = times.first_write;
  progress.busy += times.busy;
  progress.last_end = state.done_at - job_begin_;
  progress.rows += 1;
  if (times.interval > progress.interval) {
    progress.interval = times.interval;
    progress.limited_by = times.limited_by;
  }
}

void Scheduler::note_first_write(int index, std::uint64_t row, const sc_time& lead) {
  NodeState& state = nodes_[std::size_t(index)];
  if (row == 0 || lead < state.lead) state.lead = lead;
}

void Scheduler::publish_row(int index, std::uint64_t row, std::uint64_t command, const sc_time& begin,
                            const sc_time& interval, const char* limited_by) {
  NodeState& state = nodes_[std::size_t(index)];
  NodeProgress& progress = progress_[std::size_t(index)];
  state.done_at = std::max(state.done_at, sc_core::sc_time_stamp());
  events_.push({state.done_at, Event::Kind::kRowDone, index, row});
  record_command(index, command, begin, state.done_at);
  progress.last_end = state.done_at - job_begin_;
  if (interval > progress.interval) {
    progress.interval = interval;
    progress.limited_by = limited_by;
  }
}

void Scheduler::record_command(int index, std::uint64_t command, const sc_time& begin, const sc_time& end) {
  if (recorder_ == nullptr) return;
  observe::Occupation row;
  row.module = name();
  row.lane = index;
  row.id = command;
  row.node = index;
  row.work = 1;
  row.begin = begin;
  row.end = end;
  row.service = end - begin;
  recorder_->record(row);
}

}  // namespace mho::pim
