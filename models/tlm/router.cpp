// SPDX-License-Identifier: Apache-2.0
// Forwarding with translated addresses, there and back: payloads, DMI descriptors and invalidations.
#include "models/tlm/router.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "models/tlm/checked_target.h"

namespace mho::tlm_kit {
namespace {

/// Puts the address that the initiator sent back into the payload, however the call below ends.
class LocalAddress {
 public:
  LocalAddress(tlm::tlm_generic_payload& payload, const AddressRegion& region)
      : payload_(payload), sent_(payload.get_address()) {
    payload_.set_address(region.to_local(sent_));
  }
  ~LocalAddress() { payload_.set_address(sent_); }
  LocalAddress(const LocalAddress&) = delete;
  LocalAddress& operator=(const LocalAddress&) = delete;

 private:
  tlm::tlm_generic_payload& payload_;
  const std::uint64_t sent_;
};

/// What is left of [first, last] inside the region's part of the target; empty when first > last.
AddressBounds clip_to_local(const AddressRegion& region, std::uint64_t first, std::uint64_t last) {
  return {std::max(first, region.local_base), std::min(last, region.local_base + (region.size - 1))};
}

std::uint64_t to_global(const AddressRegion& region, std::uint64_t local) {
  return local - region.local_base + region.base;
}

/// Turns a target's answer into one for the initiator's address space.
bool translate(const AddressRegion& region, std::uint64_t address, bool granted, tlm::tlm_dmi& dmi) {
  const AddressBounds local = clip_to_local(region, dmi.get_start_address(), dmi.get_end_address());
  const std::uint64_t wanted = region.to_local(address);
  // An answer that does not cover the question says nothing; refuse for this one address.
  if (wanted < local.first || wanted > local.last) return refuse_direct_memory(dmi, address, address);
  const std::uint64_t first = to_global(region, local.first);
  const std::uint64_t last = to_global(region, local.last);
  if (!granted) return refuse_direct_memory(dmi, first, last);
  // The pointer belongs to the start address, which clipping may have moved up.
  dmi.set_dmi_ptr(dmi.get_dmi_ptr() + (local.first - dmi.get_start_address()));
  dmi.set_start_address(first);
  dmi.set_end_address(last);
  return true;
}

/// The part of the payload that one access to the target covers: a single beat when it streams.
std::uint64_t footprint(const tlm::tlm_generic_payload& payload) {
  const unsigned int width = payload.get_streaming_width();
  return width == 0 ? payload.get_data_length() : std::min(width, payload.get_data_length());
}

}  // namespace

template <unsigned int BUSWIDTH>
Router<BUSWIDTH>::Router(sc_core::sc_module_name module_name, const RouterConfig& config)
    : sc_core::sc_module(module_name),
      from_initiator("from_initiator", config.initiators),
      to_target("to_target", config.targets),
      hop_latency_(config.hop_latency) {
  for (std::size_t i = 0; i < from_initiator.size(); ++i) {
    const int tag = static_cast<int>(i);
    from_initiator[i].register_b_transport(this, &Router::b_transport, tag);
    from_initiator[i].register_transport_dbg(this, &Router::transport_dbg, tag);
    from_initiator[i].register_get_direct_mem_ptr(this, &Router::get_direct_mem_ptr, tag);
  }
  for (std::size_t i = 0; i < to_target.size(); ++i) {
    to_target[i].register_invalidate_direct_mem_ptr(this, &Router::invalidate_direct_mem_ptr, static_cast<int>(i));
  }
  for (const AddressRegion& region : config.regions) map(region);
}

template <unsigned int BUSWIDTH>
void Router<BUSWIDTH>::map(const AddressRegion& region) {
  if (region.target >= to_target.size()) {
    throw std::invalid_argument("address region '" + region.name + "' belongs to target " +
                                std::to_string(region.target) + " of router '" + name() + "', which has " +
                                std::to_string(to_target.size()));
  }
  map_.add(region);
}

template <unsigned int BUSWIDTH>
void Router<BUSWIDTH>::remap(const std::string& region_name, std::uint64_t new_base) {
  const AddressRegion before = map_.at(region_name);
  map_.move(region_name, new_base);
  for (auto& initiator : from_initiator) initiator->invalidate_direct_mem_ptr(before.base, before.last());
}

template <unsigned int BUSWIDTH>
std::vector<observe::Statistic> Router<BUSWIDTH>::statistics() const {
  return {{"forwarded", "transfers passed on to a target", "transfers", double(forwarded_)},
          {"refused", "transfers to addresses that no target has", "transfers", double(refused_)}};
}

template <unsigned int BUSWIDTH>
void Router<BUSWIDTH>::b_transport(int, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  const AddressRegion* region = map_.find(payload.get_address(), footprint(payload));
  if (!region) {
    ++refused_;
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return;
  }
  const LocalAddress translated(payload, *region);
  ++forwarded_;
  delay += hop_latency_;
  to_target[region->target]->b_transport(payload, delay);
}

template <unsigned int BUSWIDTH>
unsigned int Router<BUSWIDTH>::transport_dbg(int, tlm::tlm_generic_payload& payload) {
  const AddressRegion* region = map_.find(payload.get_address());
  if (!region) return 0;
  const LocalAddress translated(payload, *region);
  // What lies beyond the region is not this target's: ask for less, and count only that.
  const unsigned int length = payload.get_data_length();
  const std::uint64_t room = region->size - (payload.get_address() - region->local_base);
  payload.set_data_length(static_cast<unsigned int>(std::min<std::uint64_t>(length, room)));
  const unsigned int count = to_target[region->target]->transport_dbg(payload);
  payload.set_data_length(length);
  return count;
}

template <unsigned int BUSWIDTH>
bool Router<BUSWIDTH>::get_direct_mem_ptr(int, tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
  const std::uint64_t address = payload.get_address();
  const AddressRegion* region = map_.find(address);
  if (!region) {
    const AddressBounds gap = map_.gap(address);
    return refuse_direct_memory(dmi, gap.first, gap.last);
  }
  bool granted = false;
  {
    const LocalAddress translated(payload, *region);
    granted = to_target[region->target]->get_direct_mem_ptr(payload, dmi);
  }
  dmi.set_read_latency(dmi.get_read_latency() + hop_latency_);
  dmi.set_write_latency(dmi.get_write_latency() + hop_latency_);
  return translate(*region, address, granted, dmi);
}

template <unsigned int BUSWIDTH>
void Router<BUSWIDTH>::invalidate_direct_mem_ptr(int target, sc_dt::uint64 first, sc_dt::uint64 last) {
  // A target may be visible at several places: each of them becomes invalid.
  for (const AddressRegion& region : map_.regions()) {
    if (region.target != static_cast<std::size_t>(target)) continue;
    const AddressBounds local = clip_to_local(region, first, last);
    if (local.first > local.last) continue;
    for (auto& initiator : from_initiator) {
      initiator->invalidate_direct_mem_ptr(to_global(region, local.first), to_global(region, local.last));
    }
  }
}

template class Router<32>;
template class Router<64>;

}  // namespace mho::tlm_kit
