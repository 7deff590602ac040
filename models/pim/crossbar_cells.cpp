// SPDX-License-Identifier: Apache-2.0
// Cells of a crossbar_tile as a memory of levels: programming of regions, reading back, altering one cell.
#include <algorithm>
#include <stdexcept>

#include "models/pim/crossbar_tile.h"

namespace mho::pim {

using sc_core::sc_time;

namespace {

/// The highest level of a device; the byte of a pair holds no more.
int highest_level(int cell_bits, bool paired) { return std::min((1 << cell_bits) - 1, paired ? 127 : 255); }

/// Sums of pairs saturate at 16 bits, which their converters cannot tell; all others must not reach them.
bool fits_16_bits(const RegionSetup& region, int cell_bits) {
  const std::int64_t largest_level = (1 << cell_bits) - 1;
  return region.paired || region.rows * largest_level * arithmetic::largest_slice(region.stream) <= INT16_MAX;
}

/// Noise that no two arrays have in common.
bool changes_cells(const RegionSetup& region) { return region.noise && region.noise->model.changes_cells(); }

/// Equal contents with noise of their own lie apart.
std::uint64_t key_of(const RegionSetup& region) {
  return region.noise ? arithmetic::mix(region.content, region.noise->seed) : region.content;
}

bool sticks_on(const RegionSetup& region) { return region.noise && region.noise->model.stuck_on > 0.0; }

/// The array refuses what else is wrong when it is made; this must be known before cells are given up for it.
bool sound(const arithmetic::InputStream& stream, const std::optional<arithmetic::ArrayNoise>& noise) {
  try {
    if (noise) arithmetic::validate(noise->model);
    return !stream.cycles().empty();
  } catch (const std::invalid_argument&) {
    return false;
  }
}

bool sound(const std::vector<arithmetic::FilterRange>& weighted, int rows, int filters) {
  return (weighted.empty() || weighted.size() == std::size_t(rows)) &&
         std::all_of(weighted.begin(), weighted.end(), [filters](const arithmetic::FilterRange& range) {
           return range.first >= 0 && range.count >= 0 && range.first <= filters - range.count;
         });
}

/// What an array holds as well: thousands of replicas would keep it beside the one they share.
void leave_to_array(RegionSetup& region) {
  region.recombination.coefficient = {};
  region.recombination.unit_coefficient = {};
  region.weighted = {};
}

/// A copy of `region` as leave_to_array leaves it.
RegionSetup without_content(RegionSetup& region) {
  arithmetic::Recombination rule = std::move(region.recombination);
  std::vector<arithmetic::FilterRange> weighted = std::move(region.weighted);
  leave_to_array(region);
  RegionSetup copy = region;
  region.recombination = std::move(rule);
  region.weighted = std::move(weighted);
  return copy;
}

/// The array that regions with these levels have in common is there - none has changed cells - and fits this one.
bool shares_array(const RegionSetup& region) {
  if (region.common == nullptr || region.common->array == nullptr) return false;
  const arithmetic::ProgrammedArray& array = *region.common->array;
  return array.noise() == region.noise && array.rows() == region.rows && array.filters() == region.filters &&
         array.columns() == region.filters * region.recombination.columns_per_filter;
}

/// Bits of the highest of these levels.
int bits_of(const std::vector<std::uint8_t>& levels, bool paired) {
  int highest = 0;
  for (const std::uint8_t level : levels) highest |= paired ? std::abs(int(std::int8_t(level))) : int(level);
  int bits = 0;
  while (highest >> bits != 0) ++bits;
  return bits;
}

}  // namespace

std::uint64_t CrossbarTile::crossbar_bytes() const {
  return std::uint64_t(config_.rows) * std::uint64_t(config_.columns);
}

std::uint64_t CrossbarTile::cell_bytes() const { return std::uint64_t(config_.crossbars) * crossbar_bytes(); }

bool CrossbarTile::accepts(const RegionSetup& region) const {
  const int per_filter = region.recombination.columns_per_filter;
  if (region.first_crossbar < 0 || region.crossbars < 1 || region.rows < 1 || region.filters < 1 || per_filter < 1)
    return false;
  if (region.first_crossbar > config_.crossbars - region.crossbars || region.rows > config_.rows) return false;
  if (region.columns_per_crossbar < per_filter || region.columns_per_crossbar > config_.columns) return false;
  if (region.cell_bits < 1 || region.cell_bits > config_.cell_bits) return false;
  if (!sound(region.stream, region.noise) || !sound(region.weighted, region.rows, region.filters)) return false;
  const bool pairs = config_.cell == mapping::CellKind::k2T2R;
  if (region.paired && (!pairs || !region.recombination.digital_unit || region.cell_bits > 7)) return false;
  if (!fits_16_bits(region, sticks_on(region) ? config_.cell_bits : region.cell_bits)) return false;
  const std::size_t columns = std::size_t(region.filters) * std::size_t(per_filter);
  if (columns > std::size_t(region.crossbars) * std::size_t(region.columns_per_crossbar)) return false;
  return region.recombination.coefficient.size() == columns &&
         region.recombination.unit_coefficient.size() == std::size_t(region.filters);
}

void CrossbarTile::prepare(tlm::tlm_generic_payload& payload, sc_time&) {
  RegionSetup* const wanted = payload.get_extension<RegionSetup>();
  if (wanted == nullptr || !accepts(*wanted)) {
    payload.set_response_status(tlm::TLM_COMMAND_ERROR_RESPONSE);
    return;
  }
  const std::size_t cells_wanted = std::size_t(wanted->rows) * wanted->recombination.coefficient.size();
  wanted->stored = wanted->at_once && payload.get_data_length() == cells_wanted && erased(*wanted);
  // What the cells held stays in them until they are rewritten.
  std::vector<std::uint8_t> held;
  if (!wanted->stored) held = held_levels(*wanted);
  displace(*wanted);
  Region& region = regions_[std::size_t(wanted->first_crossbar)];
  const bool shares = wanted->stored && shares_array(*wanted);
  region.setup = shares ? without_content(*wanted) : *wanted;
  region.setup.common = nullptr;
  region.used = true;
  limit(held.data(), held.size(), wanted);
  region.levels = std::move(held);
  region.unwritten = region.levels.size();
  if (shares)
    region.array = wanted->common->array;
  else if (wanted->stored)
    store_at_once(payload, region);
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

std::vector<std::uint8_t> CrossbarTile::held_levels(const RegionSetup& wanted) const {
  const std::size_t columns = wanted.recombination.coefficient.size();
  std::vector<std::uint8_t> held(std::size_t(wanted.rows) * columns, 0);
  for (std::size_t row = 0; row < std::size_t(wanted.rows); ++row)
    for (std::size_t column = 0; column < columns; column += std::size_t(wanted.columns_per_crossbar)) {
      const std::size_t crossbar =
          std::size_t(wanted.first_crossbar) + column / std::size_t(wanted.columns_per_crossbar);
      const std::uint64_t address = (crossbar * std::size_t(config_.rows) + row) * std::size_t(config_.columns);
      const std::size_t count = std::min(std::size_t(wanted.columns_per_crossbar), columns - column);
      debug_read(address, {held.data() + row * columns + column, count});
    }
  return held;
}

bool CrossbarTile::erased(const RegionSetup& wanted) const {
  const int first = wanted.first_crossbar, end = first + wanted.crossbars;
  const auto begin = idle_.begin() + first;
  if (!std::all_of(begin, begin + wanted.crossbars, [](const auto& levels) { return levels.empty(); })) return false;
  return std::none_of(regions_.begin(), regions_.end(), [&](const Region& region) {
    const int used = region.setup.first_crossbar;
    return region.used && used < end && first < used + region.setup.crossbars;
  });
}

void CrossbarTile::store_at_once(const tlm::tlm_generic_payload& payload, Region& region) {
  RegionContent* const common = payload.get_extension<RegionSetup>()->common.get();
  const std::uint8_t* const levels = payload.get_data_ptr();
  region.levels.assign(levels, levels + payload.get_data_length());
  limit(region.levels.data(), region.levels.size(), &region.setup);
  finish(region);
  if (common != nullptr && !changes_cells(region.setup)) common->array = region.array;
}

void CrossbarTile::limit(std::uint8_t* levels, std::size_t count, const RegionSetup* region) const {
  const bool paired = region != nullptr ? region->paired : config_.cell == mapping::CellKind::k2T2R;
  const bool all_bits = region == nullptr || fits_16_bits(*region, config_.cell_bits);
  const int highest = highest_level(all_bits ? config_.cell_bits : region->cell_bits, paired);
  if (paired)
    std::transform(levels, levels + count, levels, [highest](std::uint8_t level) {
      return std::uint8_t(std::clamp<int>(std::int8_t(level), -highest, highest));
    });
  else
    std::transform(levels, levels + count, levels,
                   [highest](std::uint8_t level) { return std::min(level, std::uint8_t(highest)); });
}

void CrossbarTile::displace(const RegionSetup& by) {
  for (Region& region : regions_) {
    const RegionSetup& old = region.setup;
    const int first = old.first_crossbar, end = first + old.crossbars;
    if (!region.used || first >= by.first_crossbar + by.crossbars || by.first_crossbar >= end) continue;
    const bool same_cells = first == by.first_crossbar && old.crossbars == by.crossbars && old.rows == by.rows &&
                            old.columns_per_crossbar == by.columns_per_crossbar &&
                            region.columns() == by.filters * by.recombination.columns_per_filter;
    for (int crossbar = first; crossbar < end && !same_cells; ++crossbar) {
      std::vector<std::uint8_t> levels(static_cast<std::size_t>(crossbar_bytes()));
      debug_read(std::uint64_t(crossbar) * crossbar_bytes(), {levels.data(), levels.size()});
      idle_[std::size_t(crossbar)] = std::move(levels);
    }
    region.used = false;
    region.array.reset();
    region.levels = {};
  }
}

std::vector<std::uint8_t>& CrossbarTile::idle_cells(int crossbar) {
  std::vector<std::uint8_t>& levels = idle_[std::size_t(crossbar)];
  if (levels.empty()) levels.resize(std::size_t(crossbar_bytes()));
  return levels;
}

void CrossbarTile::finish(Region& region) {
  if (region.array != nullptr) return;
  arithmetic::EncodedBlock block;
  block.rows = region.setup.rows;
  block.filters = region.setup.filters;
  block.recombination = std::move(region.setup.recombination);
  block.paired = region.setup.paired;
  block.weighted = std::move(region.setup.weighted);
  block.levels = std::move(region.levels);
  // Somebody may have raised cells above what the weights need; a device that is stuck on is so at its own highest.
  const int used_bits = sticks_on(region.setup) ? config_.cell_bits : bits_of(block.levels, block.paired);
  block.cell_bits = std::max(region.setup.cell_bits, used_bits);
  region.levels = {};
  region.unwritten = 0;
  if (changes_cells(region.setup))
    region.array =
        std::make_shared<const arithmetic::ProgrammedArray>(std::move(block), region.setup.stream, region.setup.noise);
  else
    region.array = store_.share(key_of(region.setup), std::move(block), region.setup.stream, region.setup.noise);
  leave_to_array(region.setup);
}

CrossbarTile::CellRun CrossbarTile::run_at(std::uint64_t address, std::size_t length) const {
  const auto columns = std::uint64_t(config_.columns), rows = std::uint64_t(config_.rows);
  const int column = int(address % columns), row = int(address / columns % rows);
  const int crossbar = int(address / columns / rows);
  CellRun run;
  run.count = std::min(length, std::size_t(config_.columns - column));
  for (const Region& region : regions_) {
    const RegionSetup& held = region.setup;
    if (!region.used || crossbar < held.first_crossbar || crossbar >= held.first_crossbar + held.crossbars) continue;
    const int first = (crossbar - held.first_crossbar) * held.columns_per_crossbar;
    const int stored = std::min(held.columns_per_crossbar, region.columns() - first);
    if (row >= held.rows || column >= stored) return run;
    run.region = &region;
    run.level = std::size_t(row) * std::size_t(region.columns()) + std::size_t(first + column);
    run.count = std::min(run.count, std::size_t(stored - column));
    return run;
  }
  return run;
}

void CrossbarTile::copy_levels(std::uint64_t address, const CellRun& run, std::uint8_t* to) const {
  if (run.region == nullptr) {
    const std::vector<std::uint8_t>& idle = idle_[std::size_t(address / crossbar_bytes())];
    if (idle.empty())
      std::fill_n(to, run.count, std::uint8_t{0});
    else
      std::copy_n(idle.data() + address % crossbar_bytes(), run.count, to);
  } else if (run.region->array == nullptr) {
    std::copy_n(run.region->levels.data() + run.level, run.count, to);
  } else {
    const auto columns = std::size_t(run.region->columns());
    for (std::size_t i = 0; i < run.count; ++i)
      to[i] = std::uint8_t(run.region->array->level(int(run.level / columns), int(run.level % columns + i)));
  }
}

void CrossbarTile::open_for_writing(Region& region) {
  if (region.array == nullptr) return;
  arithmetic::EncodedBlock block = region.array->block();
  region.levels = std::move(block.levels);
  region.setup.recombination = std::move(block.recombination);
  region.setup.weighted = std::move(block.weighted);
  region.array.reset();
}

tlm::tlm_response_status CrossbarTile::admits(tlm::tlm_command, std::uint64_t address, std::uint64_t length) const {
  return address < cell_bytes() && length <= cell_bytes() - address ? tlm::TLM_OK_RESPONSE
                                                                    : tlm::TLM_ADDRESS_ERROR_RESPONSE;
}

void CrossbarTile::read(std::uint64_t address, tlm_kit::ByteSpan bytes, sc_time&) { debug_read(address, bytes); }

void CrossbarTile::write(std::uint64_t address, tlm_kit::ConstByteSpan bytes, sc_time&) { debug_write(address, bytes); }

std::size_t CrossbarTile::debug_read(std::uint64_t address, tlm_kit::ByteSpan bytes) const {
  if (address >= cell_bytes()) return 0;
  const std::size_t length = std::size_t(std::min<std::uint64_t>(bytes.size(), cell_bytes() - address));
  for (std::size_t done = 0; done < length;) {
    const CellRun run = run_at(address + done, length - done);
    copy_levels(address + done, run, bytes.data() + done);
    done += run.count;
  }
  return length;
}

std::size_t CrossbarTile::debug_write(std::uint64_t address, tlm_kit::ConstByteSpan bytes) {
  if (address >= cell_bytes()) return 0;
  const std::size_t length = std::size_t(std::min<std::uint64_t>(bytes.size(), cell_bytes() - address));
  for (std::size_t done = 0; done < length;) {
    const CellRun run = run_at(address + done, length - done);
    const auto store = [&](std::uint8_t* to, const RegionSetup* region) {
      std::copy_n(bytes.data() + done, run.count, to);
      limit(to, run.count, region);
    };
    if (run.region == nullptr) {
      store(idle_cells(int((address + done) / crossbar_bytes())).data() + (address + done) % crossbar_bytes(), nullptr);
    } else {
      Region& region = regions_[std::size_t(run.region->setup.first_crossbar)];
      open_for_writing(region);
      store(region.levels.data() + run.level, &region.setup);
      if (region.unwritten > 0) {
        region.unwritten -= std::min(region.unwritten, run.count);
        if (region.unwritten == 0) finish(region);
      }
    }
    done += run.count;
  }
  return length;
}

}  // namespace mho::pim
