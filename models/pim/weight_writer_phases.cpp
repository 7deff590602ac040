// SPDX-License-Identifier: Apache-2.0
// The approximately timed mode: regions are queued, and their rows compete for the drivers one by one. Everything
// happens in one process. At each moment it first ends rows and takes regions until nothing new comes, then it hands
// out the drivers, so the result does not depend on the order in which processes run.
#include <algorithm>

#include "models/pim/weight_writer.h"
#include "models/tlm/duration.h"

namespace mho::pim {

using sc_core::sc_time;

namespace {

/// Steps without news before drivers are handed out: who sends the next region in the delta cycle after END_REQ is
/// still in time.
constexpr int kQuietSteps = 2;

}  // namespace

tlm::tlm_sync_enum WeightWriter::transport(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_time& delay) {
  if (phase == tlm::END_RESP) return responses_.end(payload);
  if (phase != tlm::BEGIN_REQ) return tlm::TLM_ACCEPTED;  // phases that nobody here knows are ignored
  responses_.take(payload);
  incoming_ = {&payload, sc_core::sc_time_stamp() + delay, sc_core::sc_delta_count()};
  wake_.notify(sc_core::SC_ZERO_TIME);
  return tlm::TLM_ACCEPTED;
}

void WeightWriter::step() {
  bool news = sc_core::sc_time_stamp() != moment_;
  moment_ = sc_core::sc_time_stamp();
  news |= end_rows();
  news |= take_order();
  news |= start_orders();
  quiet_ = news ? 0 : quiet_ + 1;
  if (quiet_ >= kQuietSteps && hand_out_drivers()) quiet_ = 0;
  std::vector<tlm::tlm_generic_payload*> verified;
  verified.swap(verified_);
  for (tlm::tlm_generic_payload* payload : verified) responses_.respond(*payload);
  settle();
}

bool WeightWriter::end_rows() {
  bool any = false;
  for (Driver& driver : drivers_) {
    if (driver.order == nullptr || driver.free > moment_) continue;
    finish_row(driver);
    any = true;
  }
  return any;
}

bool WeightWriter::take_order() {
  // A region that came in this delta cycle counts as not yet here: it may have come after this step.
  if (incoming_.payload == nullptr || incoming_.arrival > moment_ || incoming_.delta == sc_core::sc_delta_count() ||
      orders_.size() >= crossbars_.size())
    return false;
  tlm::tlm_generic_payload& payload = *incoming_.payload;
  incoming_.payload = nullptr;
  if (const tlm::tlm_response_status status = refusal(payload); status != tlm::TLM_OK_RESPONSE) {
    payload.set_response_status(status);
    verified_.push_back(&payload);
  } else {
    const RegionSetup& region = *payload.get_extension<RegionSetup>();
    orders_.emplace_back();
    Order& order = orders_.back();
    order.payload = &payload;
    for (int i = 0; i < region.crossbars; ++i) {
      const int crossbar = region.first_crossbar + i;
      crossbars_[std::size_t(crossbar)].orders.push_back(&order);
      if (cells_in_row(region, crossbar) > 0) order.unwritten += region.rows;
    }
  }
  responses_.accept(payload);
  return true;
}

bool WeightWriter::start_orders() {
  bool any = false;
  for (auto next = orders_.begin(); next != orders_.end();) {
    Order& order = *next++;
    if (order.started) continue;
    const RegionSetup& region = *order.payload->get_extension<RegionSetup>();
    const auto first = crossbars_.begin() + region.first_crossbar, end = first + region.crossbars;
    const bool ready = std::all_of(first, end, [&](const Crossbar& crossbar) {
      return crossbar.orders.front() == &order && crossbar.free <= moment_;
    });
    if (!ready) continue;
    any = order.started = true;
    if (!prepare(*order.payload, false)) {
      close(order, order.payload->get_response_status());
      continue;
    }
    for (int i = region.first_crossbar; i < region.first_crossbar + region.crossbars; ++i) {
      crossbars_[std::size_t(i)].next_row = 0;
      crossbars_[std::size_t(i)].since = moment_;
      if (cells_in_row(region, i) == 0) crossbars_[std::size_t(i)].drop_first();
    }
  }
  return any;
}

bool WeightWriter::waits(int index) const {
  const Crossbar& crossbar = crossbars_[std::size_t(index)];
  if (crossbar.orders.empty() || crossbar.free > moment_) return false;
  return crossbar.orders.front()->started && !crossbar.orders.front()->failed;
}

bool WeightWriter::hand_out_drivers() {
  bool ended = false;
  for (;;) {
    std::vector<Request> waiting;
    for (int i = 0; i < int(crossbars_.size()); ++i)
      if (waits(i)) waiting.push_back({i, crossbars_[std::size_t(i)].since});
    if (waiting.empty()) return ended;
    const auto idle = [this](const Driver& driver) { return driver.order == nullptr && driver.free <= moment_; };
    if (std::none_of(drivers_.begin(), drivers_.end(), idle)) return ended;
    const int crossbar = waiting[arbiter_.pick(waiting)].client;
    ended |= start_row(crossbar);
  }
}

bool WeightWriter::start_row(int index) {
  Crossbar& crossbar = crossbars_[std::size_t(index)];
  Order& order = *crossbar.orders.front();
  const std::optional<RowWrite> row = begin_row(*order.payload, index, crossbar.next_row);
  if (!row) {
    fail(order);
    return true;
  }
  if (crossbar.next_row == 0 || crossbar.free < moment_) {
    crossbar.begin = moment_;
    crossbar.seconds = 0.0;
  }
  crossbar.seconds += row->seconds;
  crossbar.free = crossbar.begin + tlm_kit::duration(crossbar.seconds);
  ++crossbar.next_row;
  --order.unwritten;
  ++order.being_written;
  Driver& driver = drivers_[std::size_t(driver_of(index))];
  driver = {moment_, crossbar.free, &order, index, *row};
  if (driver.free > moment_) return false;
  finish_row(driver);  // a row that takes no time
  return true;
}

void WeightWriter::finish_row(Driver& driver) {
  Order& order = *driver.order;
  Crossbar& crossbar = crossbars_[std::size_t(driver.crossbar)];
  driver.order = nullptr;
  crossbar.since = moment_;
  --order.being_written;
  tlm::tlm_generic_payload& payload = *order.payload;
  Pipeline alone;
  if (!end_row(driver.row, pipeline_of(payload, alone).node)) return fail(order);
  note(int(&driver - drivers_.data()), payload, 1, driver.begin, driver.free);
  const RegionSetup& region = *payload.get_extension<RegionSetup>();
  if (!order.failed && crossbar.next_row == region.rows) crossbar.drop_first();
  if (order.unwritten + order.being_written == 0)
    close(order, order.failed ? tlm::TLM_GENERIC_ERROR_RESPONSE : tlm::TLM_OK_RESPONSE);
}

void WeightWriter::fail(Order& order) {
  order.failed = true;
  order.unwritten = 0;
  if (order.being_written == 0) close(order, tlm::TLM_GENERIC_ERROR_RESPONSE);
}

void WeightWriter::close(Order& order, tlm::tlm_response_status status) {
  for (Crossbar& crossbar : crossbars_)
    crossbar.orders.erase(std::remove(crossbar.orders.begin(), crossbar.orders.end(), &order), crossbar.orders.end());
  order.payload->set_response_status(status);
  verified_.push_back(order.payload);
  orders_.remove_if([&order](const Order& each) { return &each == &order; });
}

void WeightWriter::settle() {
  if (quiet_ < kQuietSteps) return wake_.notify(sc_core::SC_ZERO_TIME);
  busy_ = std::uint32_t(std::count_if(drivers_.begin(), drivers_.end(), [](const Driver& d) { return d.order; }));
  queue_ = 0;
  for (const Order& order : orders_) queue_ += std::uint32_t(order.unwritten);
  sc_time next = sc_core::sc_max_time();
  const auto consider = [&](const sc_time& time) {
    if (time > moment_) next = std::min(next, time);
  };
  for (const Driver& driver : drivers_) consider(driver.free);
  for (const Crossbar& crossbar : crossbars_) consider(crossbar.free);
  if (incoming_.payload != nullptr) consider(incoming_.arrival);
  if (next != sc_core::sc_max_time()) wake_.notify(next - moment_);
}

}  // namespace mho::pim
