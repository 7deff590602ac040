// SPDX-License-Identifier: Apache-2.0
// Reservation of pipeline resources in the loosely timed mode.
#include "models/pim/pipeline_stage.h"

#include <algorithm>
#include <cmath>

namespace mho::pim {

using sc_core::sc_time;

namespace {

constexpr double kFull = 1.0 - 1e-9;  // shares are sums of quotients
constexpr double kRounding = 0.5;     // of a step of the time resolution

/// Pieces of equal share are one booking, else each would cut those that come after it into as many.
void append(std::vector<SharedStage::Booking>& bookings, const SharedStage::Booking& next) {
  const bool goes_on = !bookings.empty() && bookings.back().end == next.begin && bookings.back().share == next.share;
  if (goes_on)
    bookings.back().end = next.end;
  else
    bookings.push_back(next);
}

/// One item of a batch on its own.
Pipeline item_of(const Pipeline& cause) {
  Pipeline item;
  item.node = cause.node;
  item.command = cause.command;
  return item;
}

}  // namespace

void Resource::finish(const Pipeline& pipeline, const Stay& stay) {
  busy_time_ += times(stay.service, pipeline.count);
  if (recorder_ == nullptr) return;
  observe::Occupation occupation;
  occupation.module = name_.c_str();
  occupation.lane = lane_;
  occupation.kind = kind_;
  occupation.id = recorder_->new_id();
  occupation.parent = pipeline.command;
  occupation.operation = pipeline.operation;
  occupation.node = pipeline.node;
  occupation.items = pipeline.count;
  occupation.work = stay.work;
  occupation.begin = stay.start;
  occupation.end = stay.start + times(pipeline.interval, pipeline.count - 1) + stay.latency;
  occupation.interval = pipeline.interval;
  occupation.service = stay.service;
  recorder_->record(occupation);
}

void PipelineStage::enter(Pipeline& pipeline, const sc_time& latency, const sc_time& service, sc_time& delay,
                          std::uint64_t work) {
  const sc_time now = sc_core::sc_time_stamp();
  stay_ = {std::max(now + delay, next_free_), latency, service, work};
  pipeline.waiting = std::max(pipeline.waiting, stay_.start - (now + delay));
  delay = stay_.start + latency - now;
  raise_interval(pipeline, service, name_);
}

void PipelineStage::leave(const Pipeline& pipeline) {
  next_free_ = stay_.start + times(pipeline.interval, pipeline.count);
  finish(pipeline, stay_);
}

sc_time PipelineStage::serve(const Pipeline& cause, const sc_time& service, std::uint64_t work) {
  Pipeline item = item_of(cause);
  sc_time delay;
  enter(item, service, service, delay, work);
  leave(item);
  return sc_core::sc_time_stamp() + delay;
}

std::ptrdiff_t SharedStage::step_at(const sc_time& time) const {
  const auto after = std::upper_bound(steps_.begin(), steps_.end(), time,
                                      [](const sc_time& t, const Step& step) { return t < step.time; });
  return after - steps_.begin() - 1;
}

sc_time SharedStage::first_opening(const sc_time& time) const {
  std::ptrdiff_t step = step_at(time);
  if (used_in(step) < kFull) return time;
  while (used_in(step) >= kFull) ++step;  // the last step is empty
  return steps_[std::size_t(step)].time;
}

sc_time SharedStage::flow(const Wave& wave, const sc_time& interval, std::vector<Booking>* bookings) const {
  const sc_time last = wave.start + times(interval, wave.count);
  const double pace = std::min(1.0, wave.work.to_double() / (last - wave.start).to_double());
  double waiting = 0.0;  // work that has come and is not done
  sc_time time = wave.start;
  for (std::ptrdiff_t step = step_at(time); time < last || waiting > kRounding;) {
    const bool open_ended = std::size_t(step + 1) >= steps_.size();
    sc_time until = open_ended ? sc_core::sc_max_time() : steps_[std::size_t(step + 1)].time;
    const sc_time next_step = until;
    const double left = used_in(step) < kFull ? 1.0 - used_in(step) : 0.0;
    const double coming = time < last ? pace : 0.0;
    if (time < last) until = std::min(until, last);
    const double rate = waiting > kRounding ? left : std::min(left, coming);
    if (waiting > kRounding && left > coming) {
      const double caught_up = std::ceil(waiting / (left - coming));
      if (caught_up < (until - time).to_double()) until = time + sc_time::from_value(std::uint64_t(caught_up));
    }
    waiting = std::max(0.0, waiting + (coming - rate) * (until - time).to_double());
    if (bookings != nullptr && rate > 0.0) append(*bookings, {time, until, rate});
    if (until == next_step) ++step;
    time = until;
  }
  return time;
}

SharedStage::Wave& SharedStage::wave_at(const sc_time& arrival) {
  for (Wave& wave : waves_)
    if (wave.start <= arrival && arrival <= wave.start + wave.service) return wave;
  waves_.emplace_back();
  waves_.back().start = arrival;
  return waves_.back();
}

void SharedStage::enter(Pipeline& pipeline, const sc_time& latency, const sc_time& service, sc_time& delay,
                        std::uint64_t work) {
  if (pipeline.operation != operation_ || pipeline.operation == 0) book_current();
  operation_ = pipeline.operation;
  const sc_time now = sc_core::sc_time_stamp();
  const sc_time opening = first_opening(now + delay);
  pipeline.waiting = std::max(pipeline.waiting, opening - (now + delay));
  Wave& wave = wave_at(opening);
  // Batches of one operation take turns: this one waits for the service of those before it.
  stay_ = {std::max(opening, wave.start + wave.service), latency, service, work};
  wave.service += service;
  wave.work += times(service, pipeline.count);
  wave.count = std::max(wave.count, pipeline.count);
  delay = stay_.start + latency - now;
  sc_time own;
  for (const Wave& each : waves_) own += each.service;
  raise_interval(pipeline, own, name_);
  if (steps_.empty() || steps_.back().time <= wave.start || wave.service == sc_core::SC_ZERO_TIME) return;
  const sc_time through = flow(wave, pipeline.interval, nullptr);
  const std::uint64_t spread = (through - wave.start).value() / wave.count;
  // Less than a step of the resolution an item is rounding, not contention.
  if (spread > pipeline.interval.value() + 1) raise_interval(pipeline, sc_time::from_value(spread), name_);
}

void SharedStage::leave(const Pipeline& pipeline) {
  finish(pipeline, stay_);
  for (Wave& wave : waves_) wave.interval = std::max(wave.interval, pipeline.interval);
}

sc_time SharedStage::serve(const Pipeline& cause, const sc_time& service, std::uint64_t work) {
  Pipeline item = item_of(cause);
  sc_time delay;
  enter(item, service, service, delay, work);
  // Where others have booked a share of the time, the item takes as long as what they leave allows.
  stay_.latency = std::max(service, item.interval);
  leave(item);
  return stay_.start + stay_.latency;
}

void SharedStage::book_current() {
  // The waves may have begun in what is past by now, so that is forgotten only afterwards.
  for (const Wave& wave : waves_) {
    if (wave.service == sc_core::SC_ZERO_TIME) continue;
    std::vector<Booking> bookings;
    flow(wave, std::max(wave.interval, wave.service), &bookings);
    for (const Booking& booking : bookings) book(booking);
  }
  waves_.clear();
  const std::ptrdiff_t past = step_at(sc_core::sc_time_stamp());
  if (past > 0) steps_.erase(steps_.begin(), steps_.begin() + past);
}

void SharedStage::book(const Booking& booking) {
  const auto cut = [this](const sc_time& time) {
    const std::ptrdiff_t step = step_at(time);
    if (step >= 0 && steps_[std::size_t(step)].time == time) return step;
    steps_.insert(steps_.begin() + (step + 1), Step{time, used_in(step)});
    return step + 1;
  };
  const std::ptrdiff_t first = cut(booking.begin), last = cut(booking.end);
  for (std::ptrdiff_t step = first; step < last; ++step) steps_[std::size_t(step)].used += booking.share;
}

std::vector<SharedStage::Booking> SharedStage::bookings() const {
  SharedStage copy = *this;
  copy.book_current();
  std::vector<Booking> all;
  for (std::size_t i = 0; i + 1 < copy.steps_.size(); ++i)
    if (copy.steps_[i].used > 0.0) all.push_back({copy.steps_[i].time, copy.steps_[i + 1].time, copy.steps_[i].used});
  return all;
}

}  // namespace mho::pim
