// SPDX-License-Identifier: Apache-2.0
// The approximately timed crossbar_tile: the input register takes a vector, one slice of it is read in every cycle, its
// column sums wait in sample and hold until the converters are done with them. A slice that finds sample and hold
// occupied holds the array; a vector that arrives at an idle array waits for the clock. Cycles that recover columns
// whose speculation failed come whether one has failed or not; their sums are worked out for the columns that the
// converters ask for.
#include <algorithm>

#include "models/pim/crossbar_tile.h"
#include "models/pim/slice.h"

namespace mho::pim {

using sc_core::sc_time;

tlm::tlm_sync_enum CrossbarTile::receive(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_time& delay) {
  if (phase == tlm::END_RESP) return back_.end(payload);
  if (phase != tlm::BEGIN_REQ) return tlm::TLM_ACCEPTED;
  back_.take(payload);
  if (!is_single_vector(payload, delay)) return back_.answered(payload, tlm::TLM_COMMAND_ERROR_RESPONSE, phase);
  const tlm::tlm_response_status status = check(payload);
  if (status != tlm::TLM_OK_RESPONSE) return back_.answered(payload, status, phase);
  Region& region = regions_[std::size_t(payload.get_address())];
  const bool last_slice = region.driven != nullptr && region.slice + 1 == std::uint32_t(slices_of(region));
  if (region.loaded != nullptr || (region.driven != nullptr && !last_slice)) {
    region.asking = &payload;
    return tlm::TLM_ACCEPTED;
  }
  load(region, payload);
  return back_.accepted(phase);
}

tlm::tlm_sync_enum CrossbarTile::receive_back(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_time&) {
  return onward_.receive(payload, phase);
}

void CrossbarTile::load(Region& region, tlm::tlm_generic_payload& payload) {
  region.loaded = &payload;
  if (region.driven == nullptr)
    region.due = std::max(sc_core::sc_time_stamp() + next_edge(sc_core::SC_ZERO_TIME), region.stage.next_free());
  cycle_event_.notify(sc_core::SC_ZERO_TIME);
}

void CrossbarTile::cycle() {
  const sc_time now = sc_core::sc_time_stamp();
  bool ended = false;
  for (Region& region : regions_) ended = end_slice(region) || ended;
  // Converters that end at this moment have freed their samples one delta cycle later, whoever is run first.
  if (ended) return cycle_event_.notify(sc_core::SC_ZERO_TIME);
  sc_time next = sc_core::sc_max_time();
  for (Region& region : regions_) {
    advance(region);
    if (region.state == Region::kReading || (region.state == Region::kIdle && region.loaded != nullptr))
      next = std::min(next, region.due);
  }
  if (next > now && next != sc_core::sc_max_time()) cycle_event_.notify(next - now);
}

bool CrossbarTile::end_slice(Region& region) {
  const sc_time now = sc_core::sc_time_stamp();
  if (region.state != Region::kReading || region.due > now) return false;
  region.state = Region::kHolding;
  region.due = now;
  --busy_;
  return true;
}

void CrossbarTile::advance(Region& region) {
  const sc_time now = sc_core::sc_time_stamp();
  if (region.state == Region::kHolding && region.held == nullptr) sample(region);
  if (region.state == Region::kIdle && region.loaded != nullptr && region.due <= now) start(region);
}

void CrossbarTile::start(Region& region) {
  tlm::tlm_generic_payload& loaded = *region.loaded;
  region.loaded = nullptr;
  const tlm::tlm_response_status status = check(loaded);  // the region may have been programmed since
  if (status != tlm::TLM_OK_RESPONSE) {
    loaded.set_response_status(status);
    back_.respond(loaded);
    return load_next(region);
  }
  region.driven = &loaded;
  region.driving = region.array;
  tlm::tlm_generic_payload& vector = *region.driven;
  Pipeline& pipeline = *vector.get_extension<Pipeline>();
  multiply(*region.driving, region.setup, vector, *vector.get_extension<Batch>(), pipeline);
  raise_interval(pipeline, times(cycle_, std::uint64_t(slices_of(region))), region.stage.module());
  region.slice = 0;
  begin_slice(region);
}

void CrossbarTile::begin_slice(Region& region) {
  region.state = Region::kReading;
  ++busy_;
  region.due = region.stage.serve(*region.driven->get_extension<Pipeline>(), cycle_, 1);
  if (region.slice + 1 < std::uint32_t(slices_of(region))) return;
  // Drivers hold the last slice themselves: the register may take the next vector.
  region.driven->acquire();  // the array still needs it
  region.driven->set_response_status(tlm::TLM_OK_RESPONSE);
  back_.respond(*region.driven);
  load_next(region);
}

void CrossbarTile::load_next(Region& region) {
  if (region.asking == nullptr) return;
  tlm::tlm_generic_payload& next = *region.asking;
  region.asking = nullptr;
  load(region, next);
  back_.accept(next);
}

void CrossbarTile::sample(Region& region) {
  held_ += sc_core::sc_time_stamp() - region.due;
  tlm::tlm_generic_payload& vector = *region.driven;
  const Batch& batch = *vector.get_extension<Batch>();
  const int slices = slices_of(region), index = int(region.slice);
  auto slice = batch.pool->acquire(0);
  slice->set_extension(new Slice(vector, region.driving, index, slices));
  slice->set_address(vector.get_address());
  if (!batch.exact) {
    const auto bytes = unsigned(region.driving->sums_stride()) * 2;
    slice->set_command(tlm::TLM_WRITE_COMMAND);
    slice->set_data_ptr(vector.get_data_ptr() + sums_at(batch, region.driving->cycles()[std::size_t(index)]));
    slice->set_data_length(bytes);
    slice->set_streaming_width(bytes);
  }
  region.held = slice.get();
  if (index + 1 < slices) {
    ++region.slice;
    begin_slice(region);
  } else {
    region.state = Region::kIdle;
    region.driven = nullptr;
    vector.release();
    if (region.loaded != nullptr) start(region);
  }
  onward_.send(*slice);
}

void CrossbarTile::free_sample(tlm::tlm_generic_payload& slice) {
  regions_[std::size_t(slice.get_address())].held = nullptr;
  cycle_event_.notify(sc_core::SC_ZERO_TIME);
}

std::vector<observe::Statistic> CrossbarTile::statistics() const {
  sc_time busy;
  for (const Region& region : regions_) busy += region.stage.busy_time();
  return {{"busy", "time of crossbar cycles, added up over the regions", "s", busy.to_seconds()},
          {"held", "time slices waited for their sample and hold, approximately timed", "s", held_.to_seconds()}};
}

std::vector<observe::Wave> CrossbarTile::waves() const {
  std::vector<observe::Wave> waves{{"busy", "regions whose arrays are read", "regions", &busy_}};
  for (const Region& region : regions_) {
    waves.push_back({region.waves.state.c_str(),
                     "what the region that begins at this crossbar does",
                     "",
                     &region.state,
                     {"idle", "reading", "holding"}});
    waves.push_back({region.waves.slice.c_str(), "input slice being read", "slice", &region.slice});
  }
  return waves;
}

}  // namespace mho::pim
