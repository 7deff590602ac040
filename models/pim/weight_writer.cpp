// SPDX-License-Identifier: Apache-2.0
// Rows of a region: what both modes share, and the loosely timed mode.
#include "models/pim/weight_writer.h"

#include <algorithm>

#include "models/tlm/duration.h"

namespace mho::pim {

using sc_core::sc_time;

namespace {

const RegionSetup& region_of(const tlm::tlm_generic_payload& payload) { return *payload.get_extension<RegionSetup>(); }

int columns_of(const RegionSetup& region) { return int(region.recombination.coefficient.size()); }

}  // namespace

WeightWriter::WeightWriter(sc_core::sc_module_name module_name, const mapping::WriterConfig& config,
                           const mapping::CrossbarTileConfig& crossbar, observe::Ledger& ledger,
                           observe::Recorder* recorder)
    : sc_module(module_name),
      program("program"),
      setup("setup"),
      cells("cells"),
      config_(config),
      crossbar_(crossbar),
      ledger_(ledger),
      recorder_(recorder),
      crossbars_(std::size_t(crossbar.crossbars)),
      drivers_(std::size_t(config.drivers == 0 ? crossbar.crossbars : std::min(config.drivers, crossbar.crossbars))),
      arbiter_(config.arbitration),
      responses_(
          [this](auto& payload, auto& phase, auto& delay) { return program->nb_transport_bw(payload, phase, delay); }) {
  program.register_b_transport(this, &WeightWriter::write_region);
  program.register_nb_transport_fw(this, &WeightWriter::transport);
  SC_METHOD(step);
  sensitive << wake_;
  dont_initialize();
}

tlm::tlm_response_status WeightWriter::refusal(const tlm::tlm_generic_payload& payload) const {
  const RegionSetup* const region = payload.get_extension<RegionSetup>();
  const bool sound = region != nullptr && payload.is_write() && region->rows >= 1 &&
                     region->columns_per_crossbar >= 1 && region->crossbars >= 1 && region->first_crossbar >= 0 &&
                     region->first_crossbar <= crossbar_.crossbars - region->crossbars &&
                     payload.get_data_length() == std::size_t(region->rows) * std::size_t(columns_of(*region));
  return sound ? tlm::TLM_OK_RESPONSE : tlm::TLM_COMMAND_ERROR_RESPONSE;
}

bool WeightWriter::prepare(tlm::tlm_generic_payload& payload, bool at_once) {
  RegionSetup& region = *payload.get_extension<RegionSetup>();
  region.at_once = at_once;
  region.stored = false;
  sc_time no_time;
  setup->b_transport(payload, no_time);
  return payload.is_response_ok();
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

int WeightWriter::cells_in_row(const RegionSetup& region, int crossbar) {
  const int first = (crossbar - region.first_crossbar) * region.columns_per_crossbar;
  return std::clamp(columns_of(region) - first, 0, region.columns_per_crossbar);
}

std::optional<WeightWriter::RowWrite> WeightWriter::begin_row(tlm::tlm_generic_payload& payload, int crossbar,
                                                              int row) {
  const RegionSetup& region = region_of(payload);
  const int first = (crossbar - region.first_crossbar) * region.columns_per_crossbar;
  RowWrite write;
  write.address = std::uint64_t(crossbar * crossbar_.rows + row) * std::uint64_t(crossbar_.columns);
  write.levels = payload.get_data_ptr() + std::size_t(row) * std::size_t(columns_of(region)) + std::size_t(first);
  write.cells = cells_in_row(region, crossbar);
  before_.resize(std::size_t(write.cells));
  if (!access(tlm::TLM_READ_COMMAND, write.address, before_.data(), write.cells)) return std::nullopt;
  write.steps = arithmetic::count_steps(before_.data(), write.levels, before_.size(), region.paired);
  write.seconds = row_seconds(write.steps.longest_up + write.steps.longest_down);
  return write;
}

bool WeightWriter::end_row(const RowWrite& row, int node) {
  if (!access(tlm::TLM_WRITE_COMMAND, row.address, row.levels, row.cells)) return false;
  observe::Counts& counts = ledger_.of(node);
  counts[observe::Action::kCellWriteSteps] += row.steps.up + row.steps.down;
  counts[observe::Action::kCellsWritten] += row.steps.cells_changed;
  counts[observe::Action::kRowsWritten] += 1;
  steps_ += row.steps.up + row.steps.down;
  ++rows_;
  return true;
}

int WeightWriter::driver_of(int crossbar) const {
  if (drivers_.size() == crossbars_.size()) return crossbar;
  const auto first = std::min_element(drivers_.begin(), drivers_.end(),
                                      [](const Driver& a, const Driver& b) { return a.free < b.free; });
  return int(first - drivers_.begin());
}

void WeightWriter::note(int driver, tlm::tlm_generic_payload& payload, std::uint64_t rows, const sc_time& begin,
                        const sc_time& end) {
  busy_s_ += (end - begin).to_seconds();
  if (recorder_ == nullptr) return;
  Pipeline alone;
  const Pipeline& cause = pipeline_of(payload, alone);
  observe::Occupation occupation;
  occupation.module = name();
  occupation.lane = driver;
  occupation.kind = observe::Kind::kProgram;
  occupation.id = recorder_->new_id();
  occupation.parent = cause.command;
  occupation.operation = cause.operation;
  occupation.node = cause.node;
  occupation.work = rows;
  occupation.begin = begin;
  occupation.end = end;
  occupation.service = end - begin;
  recorder_->record(occupation);
}

double WeightWriter::write_crossbar(tlm::tlm_generic_payload& payload, int crossbar, int node) {
  double seconds = 0.0;
  for (int row = 0; row < region_of(payload).rows; ++row) {
    const std::optional<RowWrite> write = begin_row(payload, crossbar, row);
    if (!write || !end_row(*write, node)) return -1.0;
    seconds += write->seconds;
  }
  return seconds;
}

RegionContent::Crossbar WeightWriter::from_erased(const tlm::tlm_generic_payload& payload, int crossbar) const {
  const RegionSetup& region = region_of(payload);
  const std::vector<std::uint8_t> erased(std::size_t(cells_in_row(region, crossbar)), 0);
  const std::uint8_t* levels =
      payload.get_data_ptr() + std::size_t(crossbar - region.first_crossbar) * std::size_t(region.columns_per_crossbar);
  RegionContent::Crossbar result;
  for (int row = 0; row < region.rows; ++row, levels += columns_of(region)) {
    const arithmetic::WriteSteps steps = arithmetic::count_steps(erased.data(), levels, erased.size(), region.paired);
    result.steps += steps.up + steps.down;
    result.cells_changed += steps.cells_changed;
    result.pulses.push_back(steps.longest_up + steps.longest_down);
  }
  return result;
}

double WeightWriter::count_crossbar(tlm::tlm_generic_payload& payload, int crossbar, int node) {
  const RegionSetup& region = region_of(payload);
  std::vector<RegionContent::Crossbar>& known = region.common->from_erased;
  for (std::size_t i = known.size(); i <= std::size_t(crossbar - region.first_crossbar); ++i)
    known.push_back(from_erased(payload, region.first_crossbar + int(i)));
  const RegionContent::Crossbar& write = known[std::size_t(crossbar - region.first_crossbar)];
  observe::Counts& counts = ledger_.of(node);
  counts[observe::Action::kCellWriteSteps] += write.steps;
  counts[observe::Action::kCellsWritten] += write.cells_changed;
  counts[observe::Action::kRowsWritten] += write.pulses.size();
  steps_ += write.steps;
  rows_ += write.pulses.size();
  double seconds = 0.0;
  for (const int pulses : write.pulses) seconds += row_seconds(pulses);
  return seconds;
}

void WeightWriter::write_region(tlm::tlm_generic_payload& payload, sc_time& delay) {
  payload.set_response_status(refusal(payload));
  if (!payload.is_response_ok()) return;
  if (!orders_.empty() || incoming_.payload != nullptr) {
    payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
    return;
  }
  if (!prepare(payload, region_of(payload).common != nullptr)) return;
  const RegionSetup& region = region_of(payload);
  Pipeline alone;
  const int node = pipeline_of(payload, alone).node;
  const sc_time now = sc_core::sc_time_stamp();
  const int end = region.first_crossbar + region.crossbars;
  sc_time start = now + delay;
  for (int i = region.first_crossbar; i < end; ++i) start = std::max(start, crossbars_[std::size_t(i)].free);
  for (int i = region.first_crossbar; i < end && cells_in_row(region, i) > 0; ++i) {
    const double seconds = region.stored ? count_crossbar(payload, i, node) : write_crossbar(payload, i, node);
    if (seconds < 0.0) {
      payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
      return;
    }
    const int index = driver_of(i);
    Driver& driver = drivers_[std::size_t(index)];
    const sc_time begin = std::max(start, driver.free);
    crossbars_[std::size_t(i)].free = driver.free = begin + tlm_kit::duration(seconds);
    note(index, payload, std::uint64_t(region.rows), begin, driver.free);
    delay = std::max(delay, driver.free - now);
  }
}

std::vector<observe::Statistic> WeightWriter::statistics() const {
  return {{"busy", "time of its drivers spent on rows, added up", "s", busy_s_},
          {"rows", "rows programmed and verified", "rows", double(rows_)},
          {"steps", "level steps of cells, up and down", "steps", double(steps_)}};
}

std::vector<observe::Wave> WeightWriter::waves() const {
  return {{"busy", "drivers that write a row", "drivers", &busy_},
          {"queue", "rows of accepted regions that wait for a driver", "rows", &queue_}};
}

}  // namespace mho::pim
