// SPDX-License-Identifier: Apache-2.0
// Look-up by binary search and the checks that make it unambiguous; see address_map.h.
#include "models/tlm/address_map.h"

#include <algorithm>
#include <limits>
#include <sstream>
#include <stdexcept>

namespace mho::tlm_kit {
namespace {

constexpr std::uint64_t kLastAddress = std::numeric_limits<std::uint64_t>::max();

std::string text(const AddressRegion& region) {
  std::ostringstream out;
  out << "'" << region.name << "' [0x" << std::hex << region.base << ", 0x" << region.last() << "]";
  return out.str();
}

void check_alone(const AddressRegion& region) {
  if (region.size == 0) throw std::invalid_argument("address region '" + region.name + "' is empty");
  if (region.size - 1 > kLastAddress - region.base || region.size - 1 > kLastAddress - region.local_base) {
    throw std::invalid_argument("address region '" + region.name + "' wraps around the end of the address space");
  }
}

bool overlap(const AddressRegion& one, const AddressRegion& other) {
  return one.base <= other.last() && other.base <= one.last();
}

bool starts_before(const AddressRegion& one, const AddressRegion& other) { return one.base < other.base; }

}  // namespace

void AddressMap::add(const AddressRegion& region) {
  check_alone(region);
  for (const AddressRegion& other : regions_) {
    if (other.name == region.name) throw std::invalid_argument("two address regions are called '" + region.name + "'");
    if (overlap(region, other)) {
      throw std::invalid_argument("address region " + text(region) + " overlaps " + text(other));
    }
  }
  regions_.insert(std::upper_bound(regions_.begin(), regions_.end(), region, starts_before), region);
}

void AddressMap::move(const std::string& name, std::uint64_t new_base) {
  AddressMap changed;
  AddressRegion moved = at(name);
  moved.base = new_base;
  for (const AddressRegion& region : regions_) {
    if (region.name != name) changed.add(region);
  }
  changed.add(moved);
  regions_.swap(changed.regions_);
}

const AddressRegion* AddressMap::find(std::uint64_t address) const {
  const auto after =
      std::upper_bound(regions_.begin(), regions_.end(), address,
                       [](std::uint64_t wanted, const AddressRegion& region) { return wanted < region.base; });
  if (after == regions_.begin()) return nullptr;
  const AddressRegion& candidate = *(after - 1);
  return candidate.contains(address) ? &candidate : nullptr;
}

const AddressRegion* AddressMap::find(std::uint64_t address, std::uint64_t length) const {
  const AddressRegion* region = find(address);
  if (!region || length == 0) return region;
  return length - 1 <= region->last() - address ? region : nullptr;
}

AddressBounds AddressMap::gap(std::uint64_t address) const {
  AddressBounds bounds{0, kLastAddress};
  for (const AddressRegion& region : regions_) {
    if (region.last() < address) bounds.first = region.last() + 1;
    if (region.base > address) {
      bounds.last = region.base - 1;
      break;
    }
  }
  return bounds;
}

const AddressRegion& AddressMap::at(const std::string& name) const {
  for (const AddressRegion& region : regions_) {
    if (region.name == name) return region;
  }
  throw std::out_of_range("there is no address region '" + name + "'");
}

}  // namespace mho::tlm_kit
