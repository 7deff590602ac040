// SPDX-License-Identifier: Apache-2.0
// Jobs of a function unit: requantisation, forwarding of psums, rows of pooling and element-wise operators.
#include "models/pim/function_unit.h"

#include <algorithm>

#include "models/pim/addresses.h"
#include "models/tlm/byte_enables.h"
#include "models/tlm/duration.h"

namespace mho::pim {

using sc_core::sc_time;

FunctionUnit::FunctionUnit(sc_core::sc_module_name module_name, int tile, const mapping::FunctionUnitConfig& config,
                           observe::Ledger& ledger, observe::Recorder* recorder)
    : sc_module(module_name),
      psums("psums"),
      remote_psums("remote_psums"),
      jobs("jobs"),
      buffer("buffer"),
      network("network"),
      tile_(tile),
      config_(config),
      ledger_(ledger),
      function_(name(), observe::Kind::kFunction),
      rules_(*this, {}),
      adding_("adding"),
      jobs_back_(
          [this](auto& payload, auto& phase, auto& delay) { return jobs->nb_transport_bw(payload, phase, delay); }) {
  psums.register_b_transport(this, &FunctionUnit::accumulate);
  remote_psums.register_b_transport(this, &FunctionUnit::remote_access);
  remote_psums.register_transport_dbg(this, &FunctionUnit::debug);
  jobs.register_b_transport(this, &FunctionUnit::serve);
  psums.register_nb_transport_fw(this, &FunctionUnit::receive_psums);
  jobs.register_nb_transport_fw(this, &FunctionUnit::receive_job);
  function_.record_to(recorder);
  SC_HAS_PROCESS(FunctionUnit);
  SC_METHOD(finish_additions);
  sensitive << adding_.get_event();
  dont_initialize();
}

void FunctionUnit::serve(tlm::tlm_generic_payload& payload, sc_time& delay) {
  const FunctionJob* const job = payload.get_extension<FunctionJob>();
  Pipeline alone;
  Pipeline& pipeline = pipeline_of(payload, alone);
  bool done = false;
  if (job != nullptr && job->kind == FunctionJob::Kind::kDiscard) {
    forget(pipeline.window);
    done = true;
  } else if (job != nullptr && job->node != nullptr && job->graph != nullptr) {
    switch (job->kind) {
      case FunctionJob::Kind::kRequantise:
        done = requantise(*job, payload, pipeline, delay);
        break;
      case FunctionJob::Kind::kForward:
        done = forward(*job, pipeline, delay);
        break;
      case FunctionJob::Kind::kRow:
        done = compute_row(*job, payload, pipeline, delay);
        break;
      case FunctionJob::Kind::kStore:
        done = store(*job, payload, pipeline, delay);
        break;
      case FunctionJob::Kind::kDiscard:
      case FunctionJob::Kind::kCollect:
        break;
    }
  }
  payload.set_response_status(done ? tlm::TLM_OK_RESPONSE : tlm::TLM_COMMAND_ERROR_RESPONSE);
}

bool FunctionUnit::requantise(const FunctionJob& job, tlm::tlm_generic_payload& payload, Pipeline& pipeline,
                              sc_time& delay) {
  const auto filters = std::size_t(job.filters), of_window = std::size_t(job.expansion) * filters;
  std::vector<std::int32_t>& accumulators = accumulators_of(pipeline.window);
  if (job.requantiser == nullptr || accumulators.size() != std::size_t(job.windows) * of_window) return false;
  const int pixels = std::min(job.windows * job.expansion, job.graph->output_of(*job.node).shape.width - job.x_first);
  if (pixels < 1) return false;
  const std::size_t outputs = std::size_t(pixels) * filters;
  const auto channels = std::size_t(job.graph->output_of(*job.node).shape.channels);
  if (job.first_filter < 0 || std::size_t(job.first_filter) + filters > channels) return false;
  const std::size_t length = job.destinations.empty() ? outputs : spread(job, std::size_t(pixels));
  codes_.resize(length);
  job.requantiser->apply(accumulators.data(), pixels, job.first_filter, job.filters, codes_.data(),
                         length == outputs ? filters : channels);
  forget(pipeline.window);
  const std::size_t cropped = outputs % of_window;
  if (cropped == 0 || cropped == outputs || pipeline.count == 1)
    return pass_on(job, {0, length}, outputs, payload, pipeline, delay);
  sc_time last_delay = delay;
  --pipeline.count;
  const bool written = pass_on(job, {0, outputs - cropped}, outputs - cropped, payload, pipeline, delay);
  Pipeline last = pipeline;
  ++pipeline.count;
  last.operation = 0;  // nobody's: it does not take turns with those before it
  last.count = 1;
  last_delay += times(pipeline.interval, pipeline.count - 1);
  return written && pass_on(job, {outputs - cropped, cropped}, cropped, payload, last, last_delay);
}

bool FunctionUnit::pass_on(const FunctionJob& job, const Codes& codes, std::size_t outputs,
                           tlm::tlm_generic_payload& payload, Pipeline& pipeline, sc_time& delay) {
  ledger_.of(pipeline.node)[observe::Action::kFunctionOutputs] += outputs;
  const std::size_t of_window = std::min(outputs, std::size_t(job.expansion) * std::size_t(job.filters));
  const sc_time service = tlm_kit::duration(double(of_window), config_.outputs_per_s);
  function_.enter(pipeline, std::max(tlm_kit::duration(config_.function_s), service), service, delay, outputs);
  delay += tlm_kit::duration(config_.write_s);
  const int channels = job.graph->output_of(*job.node).shape.channels;
  const std::size_t at = std::size_t(job.x_first) * std::size_t(channels) + std::size_t(job.first_filter);
  const bool written = deliver(job, at, codes, payload, pipeline, delay);
  function_.leave(pipeline);
  return written;
}

bool FunctionUnit::forward(const FunctionJob& job, Pipeline& pipeline, sc_time& delay) {
  std::vector<std::int32_t>& accumulators = accumulators_of(pipeline.window);
  if (accumulators.empty()) return false;
  const bool sent = access(false, tlm::TLM_WRITE_COMMAND, tile_address(job.home_tile, kPsumWindow),
                           reinterpret_cast<std::uint8_t*>(accumulators.data()),
                           accumulators.size() * sizeof(std::int32_t), pipeline, delay);
  forget(pipeline.window);
  return sent;
}

bool FunctionUnit::read_sources(const FunctionJob& job, Pipeline& pipeline, std::uint64_t& codes, sc_time& delay) {
  const dnn::Node& node = *job.node;
  row_slots_.assign(node.inputs.size(), {});
  std::size_t slot = 0;
  const sc_time begin = delay;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const dnn::Shape& shape = job.graph->input_of(node, i).shape;
    row_slots_[i].assign(std::size_t(shape.height), -1);
    const int last = dnn::last_input_row(*job.graph, node, job.y, i);
    for (int y = dnn::first_input_row(*job.graph, node, job.y, i); y <= last; ++y, ++slot) {
      if (row_copies_.size() <= slot) row_copies_.emplace_back();
      row_copies_[slot].resize(shape.row_bytes());
      const RingView& ring = job.sources[i];
      sc_time side = begin;  // rows are read side by side, item by item
      if (!access(true, tlm::TLM_READ_COMMAND, ring.address(ring.first_row + std::uint64_t(y)),
                  row_copies_[slot].data(), shape.row_bytes(), pipeline, side))
        return false;
      if (ring.spilled) ledger_.of(pipeline.node)[observe::Action::kSpilledBytes] += shape.row_bytes();
      row_slots_[i][std::size_t(y)] = int(slot);
      codes += shape.row_bytes();
      delay = std::max(delay, side);
    }
  }
  return true;
}

bool FunctionUnit::compute_row(const FunctionJob& job, tlm::tlm_generic_payload& payload, Pipeline& pipeline,
                               sc_time& delay) {
  if (job.node->op == dnn::Operator::kConvolution || job.sources.size() != job.node->inputs.size()) return false;
  std::uint64_t codes_read = 0;
  if (!read_sources(job, pipeline, codes_read, delay)) return false;
  const dnn::Shape& shape = job.graph->output_of(*job.node).shape;
  codes_.resize(shape.row_bytes());
  dnn::compute_row(
      *job.graph, *job.node, job.y,
      [this](int input, int y) -> const std::uint8_t* {
        const int slot = row_slots_[std::size_t(input)][std::size_t(y)];
        return slot < 0 ? nullptr : row_copies_[std::size_t(slot)].data();
      },
      codes_.data());
  observe::Counts& counts = ledger_.of(pipeline.node);
  counts[observe::Action::kFunctionOutputs] += codes_.size();
  const std::uint64_t products = dnn::digital_macs(*job.graph, *job.node) / std::uint64_t(shape.height);
  counts[products > 0 ? observe::Action::kFunctionProducts : observe::Action::kPoolInputs] +=
      products > 0 ? products : codes_read;
  const auto items = double(pipeline.count);
  const sc_time service = products > 0 ? tlm_kit::duration(double(products) / items, config_.products_per_s)
                                       : tlm_kit::duration(double(codes_read) / items, config_.pooled_per_s);
  function_.enter(pipeline, tlm_kit::duration(config_.function_s) + service, service, delay, codes_.size());
  delay += tlm_kit::duration(config_.write_s);
  enables_.clear();
  const bool written = deliver(job, 0, {0, codes_.size()}, payload, pipeline, delay);
  function_.leave(pipeline);
  return written;
}

bool FunctionUnit::deliver(const FunctionJob& job, std::size_t at, const Codes& codes,
                           tlm::tlm_generic_payload& payload, Pipeline& pipeline, sc_time& delay) {
  std::uint8_t* const from = codes_.data() + codes.first;
  if (!job.destinations.empty() || payload.get_data_ptr() == nullptr)
    return write(job, at + codes.first, from, codes.length, pipeline, delay);
  if (payload.get_data_length() != codes.length) return false;
  std::copy_n(from, codes.length, payload.get_data_ptr());
  return true;
}

bool FunctionUnit::store(const FunctionJob& job, tlm::tlm_generic_payload& payload, Pipeline& pipeline,
                         sc_time& delay) {
  const dnn::Shape& shape = job.graph->output_of(*job.node).shape;
  const auto channels = std::size_t(shape.channels), first = std::size_t(job.first_filter);
  if (payload.get_data_ptr() == nullptr || job.first_filter < 0 || first + std::size_t(job.filters) > channels)
    return false;
  enables_.clear();  // the codes of one window, or of whole pixels
  return write(job, std::size_t(job.x_first) * channels + first, payload.get_data_ptr(), payload.get_data_length(),
               pipeline, delay);
}

std::size_t FunctionUnit::spread(const FunctionJob& job, std::size_t pixels) {
  const auto channels = std::size_t(job.graph->output_of(*job.node).shape.channels), filters = std::size_t(job.filters);
  enables_.clear();
  if (filters == channels || pixels == 1) return pixels * filters;
  enables_.assign(channels, TLM_BYTE_DISABLED);
  std::fill_n(enables_.begin(), filters, TLM_BYTE_ENABLED);
  return (pixels - 1) * channels + filters;
}

void FunctionUnit::forget(std::uint64_t window) {
  if (window == 0) {
    accumulators_.clear();
  } else {
    const auto open = open_windows_.find(window);
    if (open == open_windows_.end()) return;
    tlm::tlm_generic_payload* const collector = open->second.collector;
    open_windows_.erase(open);
    open_ = std::uint32_t(open_windows_.size());
    if (collector == nullptr) return;
    collector->set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
    jobs_back_.respond(*collector);
  }
}

bool FunctionUnit::write(const FunctionJob& job, std::size_t at, std::uint8_t* bytes, std::size_t length,
                         Pipeline& pipeline, sc_time& delay) {
  sc_time last = delay;
  pipeline.multicast = std::uint64_t(tile_ + 1) << 40 | ++multicasts_;
  for (const RowPlace& place : job.destinations) {
    sc_time arrival = delay;
    const bool local = place.tile == tile_;
    const std::uint64_t address = local ? place.offset + at : tile_address(place.tile, place.offset + at);
    if (!access(local, tlm::TLM_WRITE_COMMAND, address, bytes, length, pipeline, arrival, &enables_)) return false;
    if (place.spilled) ledger_.of(pipeline.node)[observe::Action::kSpilledBytes] += moved_;
    last = std::max(last, arrival);
  }
  pipeline.multicast = 0;
  delay = last;
  return true;
}

bool FunctionUnit::access(bool local, tlm::tlm_command command, std::uint64_t address, std::uint8_t* bytes,
                          std::size_t length, Pipeline& pipeline, sc_time& delay, std::vector<std::uint8_t>* enables) {
  tlm::tlm_generic_payload payload;
  payload.set_command(command);
  payload.set_address(address);
  payload.set_data_ptr(bytes);
  payload.set_data_length(unsigned(length));
  payload.set_streaming_width(unsigned(length));
  if (enables != nullptr && !enables->empty()) {
    payload.set_byte_enable_ptr(enables->data());
    payload.set_byte_enable_length(unsigned(enables->size()));
  }
  payload.set_extension(&pipeline);
  if (local)
    buffer->b_transport(payload, delay);
  else
    network->b_transport(payload, delay);
  moved_ = tlm_kit::enabled_bytes(payload);
  payload.clear_extension(&pipeline);
  return payload.is_response_ok();
}

}  // namespace mho::pim
