// SPDX-License-Identifier: Apache-2.0
// When a resource of a pipeline is busy. PipelineStage belongs to one stream at a time: start = max(now + delay, next
// free), and it is free again after count x interval. SharedStage serves several streams at once, as a bus does that
// feeds many crossbar_tiles: batches of one operation take turns within each interval, and an operation gets the share
// of time that those issued before it leave; work that had to wait is caught up on when there is time to spare.
// Queueing of single items between operations is not modelled: the approximately timed mode is the judge of that.
#pragma once

#include <string>
#include <systemc>
#include <vector>

#include "models/observe/recorder.h"
#include "models/pim/batch.h"

namespace mho::pim {

/// What every resource keeps about itself.
class Resource {
 public:
  /// `module`: hierarchical name; `lane`: which of the module's equal servers this is.
  Resource(std::string module, observe::Kind kind, int lane = 0) : name_(std::move(module)), kind_(kind), lane_(lane) {}
  void record_to(observe::Recorder* recorder) { recorder_ = recorder; }
  const std::string& module() const { return name_; }
  /// Service times of all items so far, added up.
  const sc_core::sc_time& busy_time() const { return busy_time_; }

 protected:
  /// What a batch asked of the resource when it entered.
  struct Stay {
    sc_core::sc_time start, latency, service;
    std::uint64_t work = 0;
  };
  void finish(const Pipeline& pipeline, const Stay& stay);

  std::string name_;

 private:
  observe::Kind kind_;
  int lane_;
  observe::Recorder* recorder_ = nullptr;
  sc_core::sc_time busy_time_;
};

class PipelineStage : public Resource {
 public:
  using Resource::Resource;

  /// The batch arrives at now + delay. Adds waiting and the latency of one item to `delay`, raises the interval.
  /// `work`: what the whole batch asks for, in the unit of the resource's kind; it is only recorded.
  void enter(Pipeline& pipeline, const sc_core::sc_time& latency, const sc_core::sc_time& service,
             sc_core::sc_time& delay, std::uint64_t work = 0);
  /// The downstream call has returned, the interval is final.
  void leave(const Pipeline& pipeline);
  /// Approximately timed: one item of `cause` from now on, or from when the resource is free; returns its end.
  sc_core::sc_time serve(const Pipeline& cause, const sc_core::sc_time& service, std::uint64_t work);
  const sc_core::sc_time& next_free() const { return next_free_; }

 private:
  Stay stay_;
  sc_core::sc_time next_free_;
};

class SharedStage : public Resource {
 public:
  /// From `begin` to `end` this share of the resource's time is spoken for.
  struct Booking {
    sc_core::sc_time begin, end;
    double share = 0.0;
  };

  using Resource::Resource;

  /// As PipelineStage; `latency` of one item without its neighbours, `service` what it occupies the resource for.
  /// Operation 0 is nobody's: each of its batches is an operation of its own.
  void enter(Pipeline& pipeline, const sc_core::sc_time& latency, const sc_core::sc_time& service,
             sc_core::sc_time& delay, std::uint64_t work = 0);
  void leave(const Pipeline& pipeline);
  /// Works in step with another resource that the batch has just entered, and for nobody else: there is nothing to
  /// reserve, only to note once the interval is final.
  void follow(const SharedStage& leader, const Pipeline& pipeline, const sc_core::sc_time& service,
              std::uint64_t work) {
    finish(pipeline, {leader.stay_.start, leader.stay_.latency, service, work});
  }
  /// Approximately timed: one item of `cause` in the time that is left from now on; returns its end.
  sc_core::sc_time serve(const Pipeline& cause, const sc_core::sc_time& service, std::uint64_t work);
  /// All that is spoken for and not yet forgotten. At no time do the shares add up to more than 1.
  std::vector<Booking> bookings() const;

 private:
  /// Batches of one operation that follow each other without a gap within every interval.
  struct Wave {
    std::uint64_t count = 0;                          ///< items of the longest batch
    sc_core::sc_time start, service, work, interval;  ///< service of an item of every batch; work of all of them
  };
  /// From `time` to the next step this share is booked; after the last step nothing is.
  struct Step {
    sc_core::sc_time time;
    double used = 0.0;
  };
  /// Index of the step that holds `time`, -1 before the first.
  std::ptrdiff_t step_at(const sc_core::sc_time& time) const;
  double used_in(std::ptrdiff_t step) const { return step < 0 ? 0.0 : steps_[std::size_t(step)].used; }
  /// First time, from `time` on, at which something is left.
  sc_core::sc_time first_opening(const sc_core::sc_time& time) const;
  /// When all work of the wave is through if its items come one every `interval`, in the time that is left. What it
  /// takes is added to `bookings` where that is given.
  sc_core::sc_time flow(const Wave& wave, const sc_core::sc_time& interval, std::vector<Booking>* bookings) const;
  Wave& wave_at(const sc_core::sc_time& arrival);
  /// Books what the current operation takes; its intervals are final when the next operation comes.
  void book_current();
  void book(const Booking& booking);

  std::vector<Step> steps_;      ///< what operations before the current one have booked
  std::uint64_t operation_ = 0;  ///< the current one
  std::vector<Wave> waves_;      ///< its batches, not yet booked
  Stay stay_;                    ///< of the batch that came last
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
