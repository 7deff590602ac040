// SPDX-License-Identifier: Apache-2.0
// Row-by-row programming of a region.
#include "models/pim/weight_writer.h"

#include <algorithm>

#include "models/arithmetic/write_pulses.h"
#include "models/tlm/duration.h"

namespace mho::pim {

using sc_core::sc_time;

WeightWriter::WeightWriter(sc_core::sc_module_name module_name, const mapping::WriterConfig& config,
                           const mapping::CrossbarTileConfig& crossbar, observe::Ledger& ledger)
    : sc_module(module_name),
      program("program"),
      setup("setup"),
      cells("cells"),
      config_(config),
      crossbar_(crossbar),
      ledger_(ledger),
      next_free_(std::size_t(crossbar.crossbars)) {
  program.register_b_transport(this, &WeightWriter::write_region);
}

bool WeightWriter::access(tlm::tlm_command command, std::uint64_t address, std::uint8_t* bytes, int length) {
  tlm::tlm_generic_payload payload;
  payload.set_command(command);
  payload.set_address(address);
  payload.set_data_ptr(bytes);
  payload.set_data_length(unsigned(length));
  payload.set_streaming_width(unsigned(length));
  sc_time time;
  cells->b_transport(payload, time);
  return payload.is_response_ok();
}

double WeightWriter::write_row(std::uint64_t address, const std::uint8_t* levels, int cells_in_row, int node) {
  before_.resize(std::size_t(cells_in_row));
  after_.assign(levels, levels + cells_in_row);
  if (!access(tlm::TLM_READ_COMMAND, address, before_.data(), cells_in_row)) return -1.0;
  const arithmetic::WriteSteps steps = arithmetic::count_steps(before_.data(), after_.data(), before_.size());
  if (!access(tlm::TLM_WRITE_COMMAND, address, after_.data(), cells_in_row)) return -1.0;
  observe::Counts& counts = ledger_.of(node);
  counts[observe::Action::kCellWriteSteps] += steps.up + steps.down;
  counts[observe::Action::kCellsWritten] += steps.cells_changed;
  counts[observe::Action::kRowsWritten] += 1;
  return config_.setup_s + config_.pulse_s * double(steps.longest_up + steps.longest_down);
}

void WeightWriter::write_region(tlm::tlm_generic_payload& payload, sc_time& delay) {
  const RegionSetup* const region = payload.get_extension<RegionSetup>();
  payload.set_response_status(tlm::TLM_COMMAND_ERROR_RESPONSE);
  if (region == nullptr || !payload.is_write()) return;
  const int columns = int(region->recombination.coefficient.size());
  if (payload.get_data_length() != std::size_t(region->rows) * std::size_t(columns)) return;
  sc_time no_time;
  setup->b_transport(payload, no_time);
  if (!payload.is_response_ok()) return;

  Pipeline alone;
  const int node = pipeline_of(payload, alone).node;
  const sc_time now = sc_core::sc_time_stamp(), arrival = now + delay;
  for (int crossbar = 0; crossbar < region->crossbars; ++crossbar) {
    const int first = crossbar * region->columns_per_crossbar;
    const int count = std::min(region->columns_per_crossbar, columns - first);
    if (count <= 0) break;
    double seconds = 0.0;
    for (int row = 0; row < region->rows; ++row) {
      const int physical_row = (region->first_crossbar + crossbar) * crossbar_.rows + row;
      const double row_seconds =
          write_row(std::uint64_t(physical_row) * std::uint64_t(crossbar_.columns),
                    payload.get_data_ptr() + std::size_t(row) * std::size_t(columns) + std::size_t(first), count, node);
      if (row_seconds < 0.0) {
        payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
        return;
      }
      seconds += row_seconds;
    }
    sc_time& free = next_free_[std::size_t(region->first_crossbar + crossbar)];
    free = std::max(free, arrival) + tlm_kit::duration(seconds);
    delay = std::max(delay, free - now);
  }
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

}  // namespace mho::pim
