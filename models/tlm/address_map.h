// SPDX-License-Identifier: Apache-2.0
// Address decoding as data: which region of an address space belongs to which target. Plain C++, no
// simulation; routers and the checks of a platform description use the same code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace mho::tlm_kit {

/// `size` bytes from `base` that belong to one target, whose own addresses start at `local_base`.
struct AddressRegion {
  std::string name;  ///< for messages
  std::uint64_t base = 0;
  std::uint64_t size = 0;        ///< bytes, more than zero
  std::size_t target = 0;        ///< index of the target
  std::uint64_t local_base = 0;  ///< the target's address of the first byte

  std::uint64_t last() const { return base + (size - 1); }
  bool contains(std::uint64_t address) const { return address >= base && address - base < size; }
  std::uint64_t to_local(std::uint64_t address) const { return address - base + local_base; }
};

/// Addresses from `first` to `last`, both included, so that the whole space can be said.
struct AddressBounds {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

/// Disjoint regions, kept in order of their base.
class AddressMap {
 public:
  /// @throw std::invalid_argument when empty, when it wraps around in either address space, or when it
  ///   overlaps another region; the message names both.
  void add(const AddressRegion& region);
  /// Moves the region called `name` to `new_base`, or leaves the map alone and throws as add();
  /// std::out_of_range when there is no such region.
  void move(const std::string& name, std::uint64_t new_base);

  const std::vector<AddressRegion>& regions() const { return regions_; }
  /// @return the region that holds `address`, or null.
  const AddressRegion* find(std::uint64_t address) const;
  /// @return the region that holds all `length` bytes from `address`, or null: also when they cross from
  ///   one region into the next. A length of 0 is looked up like 1.
  const AddressRegion* find(std::uint64_t address, std::uint64_t length) const;
  /// @return the unmapped addresses around an unmapped `address`.
  AddressBounds gap(std::uint64_t address) const;
  /// @return the region called `name`; std::out_of_range when there is none.
  const AddressRegion& at(const std::string& name) const;

 private:
  std::vector<AddressRegion> regions_;
};

}  // namespace mho::tlm_kit
