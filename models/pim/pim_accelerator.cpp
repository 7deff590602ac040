// SPDX-License-Identifier: Apache-2.0
// Assembly of the accelerator, its registers, and when a job begins and ends.
#include "models/pim/pim_accelerator.h"

#include <algorithm>
#include <stdexcept>

namespace mho::pim {

using sc_core::sc_time;

namespace {

const AcceleratorConfig& checked(const AcceleratorConfig& config) {
  mapping::validate(config.machine);
  if (config.approximate_timing.psum_registers < 1)
    throw std::invalid_argument("approximate timing with " + std::to_string(config.approximate_timing.psum_registers) +
                                " psum registers");
  if (config.chips < 1) throw std::invalid_argument("an accelerator of " + std::to_string(config.chips) + " chips");
  return config;
}

std::vector<int> groups_of_tiles(const AcceleratorConfig& config) {
  const int tiles = config.chips * config.machine.tiles_per_chip, per_tile = config.machine.crossbar_tiles_per_tile;
  int left = config.crossbar_tiles_built > 0 ? config.crossbar_tiles_built : tiles * per_tile;
  std::vector<int> groups;
  for (; left > 0 && int(groups.size()) < tiles; left -= per_tile) groups.push_back(std::min(left, per_tile));
  return groups;
}

}  // namespace

AcceleratorCore::AcceleratorCore(sc_core::sc_module_name module_name, const AcceleratorConfig& config,
                                 observe::Recorder* recorder)
    : sc_module(module_name),
      irq("irq"),
      config_(checked(config)),
      bank_(accelerator_registers()),
      observation_{ledger_, programming_, store_, recorder, config_.column_sums},
      dma_("dma", ledger_, recorder),
      doorbell_("doorbell"),
      irq_changed_("irq_changed") {
  const std::vector<int> groups = groups_of_tiles(config_);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const std::string tile_name = "tile_" + std::to_string(i);
    tiles_.push_back(std::make_unique<PimTile>(tile_name.c_str(), config_.machine, int(i), groups[i], observation_));
  }
  scheduler_ = std::make_unique<Scheduler>("scheduler", config_.machine, groups, config_.chips, dma_,
                                           config_.approximate_timing, observation_.recorder);
  network_ = std::make_unique<TileNetwork>("network", config_.machine, config_.chips, tiles_, dma_, observation_);
  std::size_t writer = 0;
  for (std::size_t i = 0; i < tiles_.size(); ++i) {
    scheduler_->windows[i].bind(tiles_[i]->buffer.windows);
    scheduler_->jobs[i].bind(tiles_[i]->function.jobs);
    for (const auto& group : tiles_[i]->groups) scheduler_->writers[writer++].bind(group->writer.program);
  }
  dma_.set_strict(config_.strict_memory);
  connect_registers();
  SC_HAS_PROCESS(AcceleratorCore);
  SC_THREAD(work);
  SC_METHOD(drive_irq);
  sensitive << irq_changed_;
}

void AcceleratorCore::connect_registers() {
  using tlm_kit::RegisterWrite;
  bank_["CTRL"].on_write([this](const RegisterWrite& write, sc_time&) {
    if ((write.after & kControlReset) != 0) reset();
  });
  bank_["STATUS"].value_from([this] {
    const bool failed = bank_["ERROR"].value() != 0;
    return (busy_ ? kStatusBusy : 0u) | (programmed_ ? kStatusProgrammed : 0u) | (failed ? kStatusError : 0u);
  });
  bank_["DOORBELL"].on_write([this](const RegisterWrite&, sc_time& delay) {
    if (busy_) {
      bank_["ERROR"].set(std::uint64_t(AcceleratorError::kBusy));
      return;
    }
    busy_ = true;
    job_begin_ = sc_core::sc_time_stamp() + delay;
    bank_["ERROR"].set(0);
    doorbell_.notify(delay);
  });
  for (const char* name : {"IRQ_STATUS", "IRQ_ENABLE"})
    bank_[name].on_write([this](const RegisterWrite&, sc_time& delay) { irq_changed_.notify(delay); });
  bank_["INFERENCES"].value_from([this] { return scheduler_->inferences_done(); });
  bank_["BUSY_NS"].value_from([this] {
    const sc_time now = sc_core::sc_time_stamp();
    const sc_time time = busy_ ? std::max(now, job_begin_) - job_begin_ : job_time_;
    return std::uint64_t(time.to_seconds() * 1e9);
  });
  bank_["CONVERSIONS"].value_from(
      [this] { return count(observe::Action::kConversions) + count(observe::Action::kUnitConversions); });
  bank_["SATURATIONS"].value_from([this] { return count(observe::Action::kSaturations); });
  bank_["BYTES_READ"].value_from([this] { return count(observe::Action::kMemoryBytesRead); });
  bank_["BYTES_WRITTEN"].value_from([this] { return count(observe::Action::kMemoryBytesWritten); });
}

void AcceleratorCore::drive_irq() {
  irq_level_ = (bank_["IRQ_STATUS"].value() & bank_["IRQ_ENABLE"].value()) != 0;
  irq.write(irq_level_);
}

std::vector<observe::Wave> AcceleratorCore::waves() const {
  return {{"busy", "a job runs, from doorbell to interrupt", "", &busy_},
          {"irq", "level of the interrupt line", "", &irq_level_}};
}

void AcceleratorCore::reset() {
  bank_.reset();
  irq_changed_.notify(sc_core::SC_ZERO_TIME);
  doorbell_.cancel();
  dma_.clear();
  scheduler_->stop();
  ledger_.resize(ledger_.nodes());
  job_time_ = sc_time();
  busy_ = false;
  abandoned_ = working_;
}

void AcceleratorCore::work() {
  for (;;) {
    while (!busy_ || job_begin_ > sc_core::sc_time_stamp()) wait(doorbell_);
    working_ = true;
    open_windows();
    ledger_.resize(ledger_.nodes());
    const AcceleratorError error = execute();
    working_ = false;
    if (!abandoned_) {
      busy_ = false;
      job_time_ = sc_core::sc_time_stamp() - job_begin_;
      finish_job(error);
    } else if (!busy_) {
      ledger_.resize(ledger_.nodes());  // what was counted between reset and here
    }
    abandoned_ = false;
  }
}

void AcceleratorCore::finish_job(AcceleratorError error) {
  const bool failed = error != AcceleratorError::kNone;
  if (failed) {
    bank_["ERROR"].set(std::uint64_t(error));
    if (error == AcceleratorError::kDmaFault) bank_["ERROR_ADDRESS"].set(dma_.fault_address());
  }
  bank_["IRQ_STATUS"].set(bank_["IRQ_STATUS"].value() | (failed ? kIrqError : kIrqDone));
  irq_changed_.notify(sc_core::SC_ZERO_TIME);
}

template <unsigned int BUSWIDTH>
PimAccelerator<BUSWIDTH>::PimAccelerator(sc_core::sc_module_name module_name, const AcceleratorConfig& config,
                                         observe::Recorder* recorder)
    : sc_module(module_name),
      core_("core", config, recorder),
      registers("registers", core_.bank()),
      memory("memory"),
      irq("irq"),
      reset("reset"),
      dma_socket_("dma_socket") {
  dma_socket_.bind(memory);
  core_.irq.bind(irq);
  core_.dma().transport = [this](tlm::tlm_generic_payload& payload, sc_time& delay) {
    dma_socket_->b_transport(payload, delay);
  };
}

template <unsigned int BUSWIDTH>
void PimAccelerator<BUSWIDTH>::end_of_elaboration() {
  if (reset.size() == 0) return;
  sc_core::sc_spawn_options options;
  options.spawn_method();
  options.dont_initialize();
  options.set_sensitivity(&reset[0]->posedge_event());
  sc_core::sc_spawn([this] { core_.reset(); }, "on_reset", &options);
}

template <unsigned int BUSWIDTH>
void PimAccelerator<BUSWIDTH>::trace(sc_core::sc_trace_file* file) const {
  observe::for_each_instrument(
      this, [file](const sc_core::sc_object&, const observe::Instrument& instrument) { instrument.trace(file); });
}

template class PimAccelerator<32>;
template class PimAccelerator<64>;

}  // namespace mho::pim
