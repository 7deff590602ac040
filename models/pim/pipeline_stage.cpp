// SPDX-License-Identifier: Apache-2.0
// Reservation of pipeline resources in the loosely timed mode.
#include "models/pim/pipeline_stage.h"

#include <algorithm>
#include <cmath>

namespace mho::pim {

using sc_core::sc_time;

namespace {

constexpr double kFull = 1.0 - 1e-9;                     // shares are sums of quotients
constexpr double kRounding = 0.5;                        // of a step of the time resolution
constexpr std::uint64_t kNobody = ~std::uint64_t{0};     // no operation has this number

/// Pieces of equal share are one booking, else each would cut those that come after it into as many.
void book(std::vector<SharedStage::Booking>& bookings, const SharedStage::Booking& next) {
  const bool goes_on = !bookings.empty() && bookings.back().end == next.begin && bookings.back().share == next.share;
  if (goes_on)
    bookings.back().end = next.end;
  else
    bookings.push_back(next);
}

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
  pipeline.waiting = std::max(pipeline.waiting, start_ - (now + delay));
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
    if (operation != 0 && wave.operation == operation) continue;
    for (const Booking& booking : wave.bookings) {
      if (booking.end <= time) continue;
      if (booking.begin <= time) used += booking.share;
      until = std::min(until, booking.begin <= time ? booking.end : booking.begin);
    }
  }
  return used < kFull ? 1.0 - used : 0.0;
}

sc_time SharedStage::first_opening(std::uint64_t operation, sc_time time) const {
  sc_time until;
  while (left_over(operation, time, until) <= 0.0) time = until;
  return time;
}

sc_time SharedStage::flow(const Wave& wave, const sc_time& interval, std::vector<Booking>* bookings) const {
  const sc_time last = wave.start + times(interval, wave.count);
  const double pace = std::min(1.0, wave.work.to_double() / (last - wave.start).to_double());
  double waiting = 0.0;  // work that has come and is not done
  sc_time time = wave.start;
  while (time < last || waiting > kRounding) {
    sc_time until;
    const double left = left_over(bookings != nullptr ? kNobody : wave.operation, time, until);
    const double coming = time < last ? pace : 0.0;
    if (time < last) until = std::min(until, last);
    const double rate = waiting > kRounding ? left : std::min(left, coming);
    if (waiting > kRounding && waiting < (left - coming) * (until - time).to_double())
      until = std::min(until, time + sc_time::from_value(std::uint64_t(std::ceil(waiting / (left - coming)))));
    waiting = std::max(0.0, waiting + (coming - rate) * (until - time).to_double());
    if (bookings != nullptr && rate > 0.0) book(*bookings, {time, until, rate});
    time = until;
  }
  return time;
}

void SharedStage::forget_past() {
  const sc_time now = sc_core::sc_time_stamp();
  const auto past = [&](const Wave& wave) {
    return wave.left && std::all_of(wave.bookings.begin(), wave.bookings.end(),
                                    [&](const Booking& booking) { return booking.end <= now; });
  };
  waves_.erase(std::remove_if(waves_.begin(), waves_.end(), past), waves_.end());
}

SharedStage::Wave& SharedStage::wave_of(std::uint64_t operation, const sc_time& arrival) {
  for (Wave& wave : waves_) {
    const bool meets = wave.start <= arrival && arrival <= wave.start + wave.service;
    if (operation != 0 && wave.operation == operation && meets) return wave;
  }
  waves_.emplace_back();
  waves_.back().operation = operation;
  waves_.back().start = arrival;
  return waves_.back();
}

void SharedStage::enter(Pipeline& pipeline, const sc_time& latency, const sc_time& service, sc_time& delay) {
  forget_past();
  const sc_time now = sc_core::sc_time_stamp();
  const sc_time opening = first_opening(pipeline.operation, now + delay);
  pipeline.waiting = std::max(pipeline.waiting, opening - (now + delay));
  Wave& wave = wave_of(pipeline.operation, opening);
  // Batches of one operation take turns: this one waits for the service of those before it.
  batch_start_ = wave.start + wave.service > opening ? wave.start + wave.service : opening;
  batch_latency_ = latency;
  wave.service += service;
  wave.work += times(service, pipeline.count);
  wave.count = std::max(wave.count, pipeline.count);
  delay = batch_start_ + latency - now;
  sc_time own;
  bool alone = true;
  for (const Wave& other : waves_) {
    if (&other == &wave || (pipeline.operation != 0 && other.operation == pipeline.operation)) own += other.service;
    else alone = false;
  }
  raise_interval(pipeline, own, name_);
  if (alone || wave.service == sc_core::SC_ZERO_TIME) return;
  const sc_time through = flow(wave, pipeline.interval, nullptr);
  const std::uint64_t spread = (through - wave.start).value() / wave.count;
  // Less than a step of the resolution an item is rounding, not contention.
  if (spread > pipeline.interval.value() + 1) raise_interval(pipeline, sc_time::from_value(spread), name_);
}

void SharedStage::leave(const Pipeline& pipeline) {
  record(recorder_, name_, pipeline, batch_start_, batch_latency_);
  // The interval may have grown since the earlier batches of this operation: all are booked anew.
  const auto concerns = [&](const Wave& wave) {
    return pipeline.operation != 0 ? wave.operation == pipeline.operation : &wave == &waves_.back();
  };
  for (Wave& wave : waves_)
    if (concerns(wave)) wave.bookings.clear();
  for (Wave& wave : waves_) {
    if (!concerns(wave)) continue;
    wave.left = true;
    std::vector<Booking> bookings;
    if (wave.service > sc_core::SC_ZERO_TIME) flow(wave, pipeline.interval, &bookings);
    wave.bookings = std::move(bookings);
  }
}

std::vector<SharedStage::Booking> SharedStage::bookings() const {
  std::vector<Booking> all;
  for (const Wave& wave : waves_) all.insert(all.end(), wave.bookings.begin(), wave.bookings.end());
  return all;
}

}  // namespace mho::pim
