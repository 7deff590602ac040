// SPDX-License-Identifier: Apache-2.0
// Reservation of pipeline resources in the loosely timed mode.
#include "models/pim/pipeline_stage.h"

#include <algorithm>
#include <cmath>

namespace mho::pim {

using sc_core::sc_time;

namespace {

void record(observe::Recorder* recorder, const std::string& name, const Pipeline& pipeline, const sc_time& start,
            const sc_time& latency) {
  if (recorder == nullptr) return;
  observe::Occupation occupation;
  occupation.module = name.c_str();
  occupation.operation = pipeline.operation;
  occupation.node = pipeline.node;
  occupation.items = pipeline.count;
  occupation.begin = start;
  occupation.end = start + times(pipeline.interval, pipeline.count - 1) + latency;
  occupation.interval = pipeline.interval;
  recorder->record(occupation);
}

}  // namespace

void PipelineStage::enter(Pipeline& pipeline, const sc_time& latency, const sc_time& service, sc_time& delay) {
  const sc_time now = sc_core::sc_time_stamp();
  start_ = std::max(now + delay, next_free_);
  latency_ = latency;
  delay = start_ + latency - now;
  raise_interval(pipeline, service, name_);
}

void PipelineStage::leave(const Pipeline& pipeline) {
  next_free_ = start_ + times(pipeline.interval, pipeline.count);
  record(recorder_, name_, pipeline, start_, latency_);
}

double SharedStage::left_over(std::uint64_t operation, const sc_time& time, sc_time& until) const {
  double used = 0.0;
  until = sc_core::sc_max_time();
  for (const Wave& wave : waves_) {
    if (wave.operation == operation || wave.end <= time) continue;
    if (wave.start <= time) used += wave.share;
    until = std::min(until, wave.start <= time ? wave.end : wave.start);
  }
  constexpr double kFull = 1.0 - 1e-9;
  return used < kFull ? 1.0 - used : 0.0;
}

sc_time SharedStage::first_opening(std::uint64_t operation, sc_time time) const {
  sc_time until;
  while (left_over(operation, time, until) <= 0.0) time = until;
  return time;
}

sc_time SharedStage::finish(const Pipeline& pipeline, const sc_time& start, const sc_time& service,
                            const sc_time& interval) const {
  const double pace = service / interval;
  double work = service.to_double() * double(pipeline.count);
  sc_time time = start;
  for (;;) {
    sc_time until;
    const double rate = std::min(pace, left_over(pipeline.operation, time, until));
    if (until == sc_core::sc_max_time() || work <= rate * (until - time).to_double())
      return time + sc_time::from_value(std::uint64_t(std::ceil(work / rate)));
    work -= rate * (until - time).to_double();
    time = until;
  }
}

void SharedStage::forget_past() {
  const sc_time now = sc_core::sc_time_stamp();
  const auto past = [&](const Wave& wave) { return wave.end > sc_core::SC_ZERO_TIME && wave.end <= now; };
  waves_.erase(std::remove_if(waves_.begin(), waves_.end(), past), waves_.end());
}

SharedStage::Wave& SharedStage::wave_of(std::uint64_t operation, const sc_time& start) {
  auto found = std::find_if(waves_.begin(), waves_.end(),
                            [&](const Wave& wave) { return wave.operation == operation; });
  // A wave that is over before this batch starts is none that it could take turns with.
  const bool over = found != waves_.end() && found->end > sc_core::SC_ZERO_TIME && found->end <= start;
  if (found == waves_.end()) found = waves_.insert(waves_.end(), Wave{});
  if (over || found->operation != operation || found->service == sc_core::SC_ZERO_TIME) {
    *found = Wave{};
    found->operation = operation;
    found->start = start;
  }
  return *found;
}

void SharedStage::enter(Pipeline& pipeline, const sc_time& latency, const sc_time& service, sc_time& delay) {
  forget_past();
  const sc_time now = sc_core::sc_time_stamp();
  sc_time start = first_opening(pipeline.operation, now + delay);
  Wave& wave = wave_of(pipeline.operation, start);
  // Batches of one operation take turns: this one waits for the service of those before it.
  start = std::max(start, wave.start + wave.service);
  wave.service += service;
  wave.batch_start = start;
  wave.batch_latency = latency;
  delay = start + latency - now;
  raise_interval(pipeline, wave.service, name_);
  if (waves_.size() == 1 || wave.service == sc_core::SC_ZERO_TIME) return;
  const sc_time through = finish(pipeline, wave.start, wave.service, pipeline.interval);
  const std::uint64_t spread = (through - wave.start).value() / pipeline.count;
  // Less than a step of the resolution an item is rounding, not contention.
  if (spread > pipeline.interval.value() + 1) raise_interval(pipeline, sc_time::from_value(spread), name_);
}

void SharedStage::leave(const Pipeline& pipeline) {
  for (Wave& wave : waves_) {
    if (wave.operation != pipeline.operation) continue;
    wave.end = std::max(wave.end, wave.start + times(pipeline.interval, pipeline.count));
    wave.share = pipeline.interval > sc_core::SC_ZERO_TIME ? wave.service / pipeline.interval : 0.0;
    record(recorder_, name_, pipeline, wave.batch_start, wave.batch_latency);
  }
}

}  // namespace mho::pim
