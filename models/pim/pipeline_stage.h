// SPDX-License-Identifier: Apache-2.0
// When a resource of a pipeline is busy. PipelineStage belongs to one stream at a time: start = max(now + delay, next
// free), and it is free again after count x interval. SharedStage serves several streams at once, as a bus does that
// feeds many crossbar_tiles: batches of one operation take turns within each interval, and an operation gets the share
// of time that those issued before it leave. Queueing of single items between operations is not modelled: the
// approximately timed mode is the judge of that.
#pragma once

#include <string>
#include <systemc>
#include <vector>

#include "models/observe/recorder.h"
#include "models/pim/batch.h"

namespace mho::pim {

class PipelineStage {
 public:
  explicit PipelineStage(std::string name) : name_(std::move(name)) {}
  void record_to(observe::Recorder* recorder) { recorder_ = recorder; }

  /// The batch arrives at now + delay. Adds waiting and the latency of one item to `delay`, raises the interval.
  void enter(Pipeline& pipeline, const sc_core::sc_time& latency, const sc_core::sc_time& service,
             sc_core::sc_time& delay);
  /// The downstream call has returned, the interval is final.
  void leave(const Pipeline& pipeline);
  const sc_core::sc_time& next_free() const { return next_free_; }

 private:
  std::string name_;
  observe::Recorder* recorder_ = nullptr;
  sc_core::sc_time start_, latency_, next_free_;
};

class SharedStage {
 public:
  explicit SharedStage(std::string name) : name_(std::move(name)) {}
  void record_to(observe::Recorder* recorder) { recorder_ = recorder; }

  /// As PipelineStage; `latency` of one item without its neighbours, `service` what it occupies the resource for.
  void enter(Pipeline& pipeline, const sc_core::sc_time& latency, const sc_core::sc_time& service,
             sc_core::sc_time& delay);
  void leave(const Pipeline& pipeline);

 private:
  /// The batches of one operation on this resource: from `start` to `end` they use `share` of its time.
  struct Wave {
    std::uint64_t operation = 0;
    sc_core::sc_time start, end, service;
    double share = 0.0;
    sc_core::sc_time batch_start, batch_latency;  ///< of the batch that came last
  };
  /// Share of time that other operations leave at `time`, and until when that holds.
  double left_over(std::uint64_t operation, const sc_core::sc_time& time, sc_core::sc_time& until) const;
  /// First time, from `time` on, at which something is left.
  sc_core::sc_time first_opening(std::uint64_t operation, sc_core::sc_time time) const;
  /// When `count` items of `service` are through, one every `interval` at best, in what others leave from `start` on.
  sc_core::sc_time finish(const Pipeline& pipeline, const sc_core::sc_time& start, const sc_core::sc_time& service,
                          const sc_core::sc_time& interval) const;
  Wave& wave_of(std::uint64_t operation, const sc_core::sc_time& start);
  void forget_past();

  std::string name_;
  observe::Recorder* recorder_ = nullptr;
  std::vector<Wave> waves_;
};

/// `count` times a time, without rounding.
inline sc_core::sc_time times(const sc_core::sc_time& time, std::uint64_t count) {
  return sc_core::sc_time::from_value(time.value() * count);
}

/// Raises the interval to `service` in the name of `module`.
inline void raise_interval(Pipeline& pipeline, const sc_core::sc_time& service, const std::string& module) {
  if (service > pipeline.interval) {
    pipeline.interval = service;
    pipeline.limited_by = module.c_str();
  }
}

/// The pipeline extension of a payload, or `alone` - one item - where it has none.
inline Pipeline& pipeline_of(tlm::tlm_generic_payload& payload, Pipeline& alone) {
  Pipeline* const pipeline = payload.get_extension<Pipeline>();
  return pipeline != nullptr ? *pipeline : alone;
}

}  // namespace mho::pim
