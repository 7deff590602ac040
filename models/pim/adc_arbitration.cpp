// SPDX-License-Identifier: Apache-2.0
// The approximately timed shared_adc: slices wait in one queue of finite length for the converters of their crossbars,
// each converter picks its next slice by the rule of arbitration. A slice that recovers comes after the one that
// speculated was converted, so it is known what is to be converted when its turn comes.
#include <algorithm>

#include "models/arithmetic/success_flags.h"
#include "models/pim/shared_adc.h"
#include "models/pim/slice.h"

namespace mho::pim {

using sc_core::sc_time;

tlm::tlm_sync_enum SharedAdc::receive(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_time& delay) {
  if (phase == tlm::END_RESP) return back_.end(payload);
  if (phase != tlm::BEGIN_REQ) return tlm::TLM_ACCEPTED;
  back_.take(payload);
  const Slice* const slice = slice_of(payload);
  // The whole vector is looked at, so that what follows may trust it.
  tlm::tlm_generic_payload* const vector = slice != nullptr ? &slice->vector() : nullptr;
  if (vector == nullptr || delay != sc_core::SC_ZERO_TIME || vector->get_address() != payload.get_address() ||
      !accepts(*vector, slice->batch()))
    return back_.answered(payload, tlm::TLM_COMMAND_ERROR_RESPONSE, phase);
  if (queue_ >= std::uint32_t(config_.queue)) {
    held_back_ = &payload;
    return tlm::TLM_ACCEPTED;
  }
  enqueue(payload);
  return back_.accepted(phase);
}

tlm::tlm_sync_enum SharedAdc::receive_back(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_time&) {
  return onward_.receive(payload, phase);
}

void SharedAdc::enqueue(tlm::tlm_generic_payload& payload) {
  const int first = int(payload.get_address());
  Batch& batch = slice_of(payload)->batch();
  const int last = first + batch.crossbars - 1;
  batch.spoilt = batch.spoilt || loses(batch);
  const sc_time now = sc_core::sc_time_stamp();
  conversions_in_flight_.push_back({&payload, now, 0, false});
  Conversion& conversion = conversions_in_flight_.back();
  for (int i = first / crossbars_per_converter_; i <= last / crossbars_per_converter_; ++i) {
    Converter& converter = converters_[std::size_t(i)];
    converter.waiting.push_back(&conversion);
    converter.requests.push_back({first, now});
    ++conversion.unfinished;
  }
  longest_queue_ = std::max(longest_queue_, ++queue_);
  requests_settle_.news();
}

void SharedAdc::grant() {
  if (!requests_settle_.settled()) return;
  for (std::size_t i = 0; i < converters_.size(); ++i)
    if (converters_[i].current == nullptr && !converters_[i].waiting.empty()) begin(int(i), converters_[i]);
  notify_finish();
  if (held_back_ == nullptr || queue_ >= std::uint32_t(config_.queue)) return;
  tlm::tlm_generic_payload& accepted = *held_back_;
  held_back_ = nullptr;
  enqueue(accepted);
  back_.accept(accepted);
}

void SharedAdc::begin(int index, Converter& converter) {
  const auto next = std::ptrdiff_t(converter.arbiter.pick(converter.requests));
  Conversion& conversion = *converter.waiting[std::size_t(next)];
  converter.waiting.erase(converter.waiting.begin() + next);
  converter.requests.erase(converter.requests.begin() + next);
  converter.current = &conversion;
  if (!conversion.begun) --queue_;
  conversion.begun = true;
  ++busy_;
  waited_ += sc_core::sc_time_stamp() - conversion.arrival;
  const Slice& slice = *slice_of(*conversion.payload);
  Share share = share_of(slice.batch(), int(conversion.payload->get_address()), index);
  if (slice.cycle().use == arithmetic::InputCycle::Use::kRecover) {
    const std::int16_t* const speculated = slice.speculated();
    const auto columns = std::size_t(share.columns);
    share.conversions = speculated != nullptr ? arithmetic::count_failed(speculated + share.column, columns) : 0;
    share.slice_time = time_of(double(share.conversions));
  }
  converter.until = share.conversions > 0 ? converter.stage.serve(slice.pipeline(), share.slice_time, share.conversions)
                                          : sc_core::sc_time_stamp();
}

void SharedAdc::notify_finish() {
  sc_time next = sc_core::sc_max_time();
  for (const Converter& converter : converters_)
    if (converter.current != nullptr) next = std::min(next, converter.until);
  if (!leaving_.empty()) next = std::min(next, leaving_.begin()->first);
  if (next != sc_core::sc_max_time()) finish_event_.notify(next - sc_core::sc_time_stamp());
}

void SharedAdc::finish() {
  const sc_time now = sc_core::sc_time_stamp();
  bool free = false;
  for (Converter& converter : converters_) {
    if (converter.current == nullptr || converter.until > now) continue;
    Conversion& conversion = *converter.current;
    converter.current = nullptr;
    --busy_;
    free = free || !converter.waiting.empty();
    if (--conversion.unfinished == 0) complete(conversion);
  }
  while (!leaving_.empty() && leaving_.begin()->first <= now) {
    tlm::tlm_generic_payload& payload = *leaving_.begin()->second;
    leaving_.erase(leaving_.begin());
    payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    onward_.send(payload);
    payload.release();
  }
  if (free) requests_settle_.news();
  notify_finish();
}

void SharedAdc::complete(Conversion& conversion) {
  tlm::tlm_generic_payload& payload = *conversion.payload;
  const Slice& slice = *slice_of(payload);
  count(convert_slice(slice), slice.pipeline());
  const sc_time now = sc_core::sc_time_stamp();
  // All slices of a vector go through here: their time together is what the vector holds the converters for.
  slice.pipeline().converting += now - conversion.arrival;
  raise_interval(slice.pipeline(), slice.pipeline().converting, converters_.front().stage.module());
  payload.acquire();  // until the codes have gone on
  leaving_.emplace(std::max(now, conversion.arrival + slice.batch().slice_time), &payload);
  conversions_in_flight_.remove_if([&](const Conversion& each) { return &each == &conversion; });
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
  back_.respond(payload);
}

std::vector<observe::Statistic> SharedAdc::statistics() const {
  sc_time busy;
  for (const Converter& converter : converters_) busy += converter.stage.busy_time();
  return {{"busy", "time of conversions, added up over the converters", "s", busy.to_seconds()},
          {"conversions", "conversions, those of unit columns included", "conversions", double(conversions_)},
          {"saturations", "conversions whose sum lay outside the range and was not read again", "conversions",
           double(saturations_)},
          {"failures", "speculated codes at a bound of the range", "conversions", double(failures_)},
          {"recoveries", "conversions of columns that were read again", "conversions", double(recoveries_)},
          {"waited", "time slices waited for a converter, approximately timed", "s", waited_.to_seconds()},
          {"longest_queue", "slices that waited at once, approximately timed", "slices", double(longest_queue_)}};
}

std::vector<observe::Wave> SharedAdc::waves() const {
  return {{"busy", "converters that convert", "converters", &busy_},
          {"queue", "slices that wait for a converter", "slices", &queue_},
          {"conversions", "conversions so far, those of unit columns included", "conversions", &conversions_},
          {"failures", "speculated codes at a bound of the range so far", "conversions", &failures_}};
}

}  // namespace mho::pim
