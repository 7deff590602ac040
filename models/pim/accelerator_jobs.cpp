// SPDX-License-Identifier: Apache-2.0
// Jobs of the accelerator: fetching descriptors and images, and refusing what is not meant for this machine before
// anything is changed or much memory is taken for it.
#include <algorithm>
#include <array>
#include <utility>

#include "models/input_error.h"
#include "models/mapping/program_image.h"
#include "models/mapping/rings.h"
#include "models/pim/addresses.h"
#include "models/pim/pim_accelerator.h"

namespace mho::pim {

using sc_core::sc_time;

namespace {

/// Of images: they are only believed as far as memory delivers them.
constexpr std::uint64_t kFetchBytes = std::uint64_t{1} << 20;
constexpr std::uint64_t kBelieved = 8;

/// No image for the machine is larger: beside the levels stand at most three numbers a column and the graph.
std::uint64_t largest_image(const AcceleratorConfig& config) {
  constexpr std::uint64_t kGraphBytes = std::uint64_t{64} << 20, kBytesACell = 16;
  const mapping::CrossbarTileConfig& crossbar = config.machine.crossbar;
  const std::uint64_t cells = std::uint64_t(crossbar.rows) * std::uint64_t(crossbar.columns);
  const auto crossbars = std::uint64_t(config.chips) * std::uint64_t(config.machine.crossbars_per_chip());
  return kGraphBytes + kBytesACell * cells * crossbars;
}

/// Space that the Program asks for beside the tiles' own: rings that are lent space follow each other, and a network
/// output keeps no more rows than it has, and one that is being stored.
bool buffers_are_bounded(const mapping::Program& program, const mapping::Machine& machine) {
  std::vector<std::int64_t> end(std::size_t(program.tiles), machine.edram.bytes);
  for (const mapping::Ring& ring : program.rings)
    if (ring.spilled_to >= 0) end[std::size_t(ring.tile)] += mapping::ring_bytes(program.graph, ring);
  const auto ring_fits = [&](const mapping::Ring& ring) {
    const std::int64_t last = ring.offset + mapping::ring_bytes(program.graph, ring);
    return last <= end[std::size_t(ring.tile)] && last <= std::int64_t(kPsumWindow);
  };
  const auto buffer_fits = [&](const mapping::RowBuffer& buffer) {
    return buffer.consumer >= 0 || buffer.rows <= program.graph.tensors[std::size_t(buffer.tensor)].shape.height + 1;
  };
  return std::all_of(program.rings.begin(), program.rings.end(), ring_fits) &&
         std::all_of(program.buffers.begin(), program.buffers.end(), buffer_fits);
}

}  // namespace

void AcceleratorCore::open_windows() {
  std::vector<DmaWindow> windows;
  for (int i = 0; i < kDmaWindows; ++i) {
    const std::string name = "WINDOW" + std::to_string(i);
    windows.push_back({bank_[name + "_BASE"].value(), bank_[name + "_SIZE"].value()});
  }
  dma_.open(std::move(windows));
}

bool AcceleratorCore::fetch(std::uint64_t address, std::uint8_t* bytes, std::size_t length) {
  return dma_.transfer(tlm::TLM_READ_COMMAND, address, bytes, length) && !abandoned_;
}

AcceleratorError AcceleratorCore::execute() {
  std::array<std::uint8_t, kDescriptorBytes> bytes{};
  if (!fetch(bank_["DESCRIPTOR"].value(), bytes.data(), bytes.size())) return AcceleratorError::kDmaFault;
  const Descriptor descriptor = from_bytes(bytes);
  if (descriptor.reserved0 != 0 || descriptor.reserved1 != 0 || descriptor.reserved2 != 0)
    return AcceleratorError::kDescriptor;
  switch (Descriptor::Opcode(descriptor.opcode)) {
    case Descriptor::Opcode::kProgram:
      return execute_program(descriptor);
    case Descriptor::Opcode::kRun:
      return execute_run(descriptor);
  }
  return AcceleratorError::kDescriptor;
}

AcceleratorError AcceleratorCore::fetch_image(const Descriptor& descriptor, std::vector<std::uint8_t>& image) {
  image.resize(mapping::kProgramImageHeaderBytes);
  if (descriptor.source_bytes < image.size()) return AcceleratorError::kImage;
  if (!fetch(descriptor.source, image.data(), image.size())) return AcceleratorError::kDmaFault;
  std::uint64_t bytes = 0;
  try {
    bytes = mapping::image_bytes(image.data());
  } catch (const InputError&) {
    return AcceleratorError::kImage;
  }
  if (bytes > descriptor.source_bytes || bytes < image.size()) return AcceleratorError::kImage;
  if (bytes > largest_image(config_)) return AcceleratorError::kMachine;
  while (image.size() < bytes) {
    const std::uint64_t done = image.size(), part = std::min(kFetchBytes, bytes - done);
    // Believed for good once a part of it is there: from then on it never moves while it grows.
    if (done >= bytes / kBelieved) image.reserve(std::size_t(bytes));
    image.resize(std::size_t(done + part));
    if (!fetch(descriptor.source + done, image.data() + done, std::size_t(part))) return AcceleratorError::kDmaFault;
  }
  return AcceleratorError::kNone;
}

AcceleratorError AcceleratorCore::execute_program(const Descriptor& descriptor) {
  std::vector<std::uint8_t> image;
  const AcceleratorError fetched = fetch_image(descriptor, image);
  if (fetched != AcceleratorError::kNone) return fetched;
  mapping::Program program;
  try {
    program = mapping::open_image(std::move(image));
  } catch (const InputError&) {
    return AcceleratorError::kImage;
  }
  try {
    mapping::validate(program, config_.machine);
  } catch (const InputError&) {
    return AcceleratorError::kMachine;
  }
  if (program.chips != config_.chips || !scheduler_->fits(program) || !buffers_are_bounded(program, config_.machine))
    return AcceleratorError::kMachine;
  return load(std::move(program));
}

AcceleratorError AcceleratorCore::load(mapping::Program program) {
  for (const mapping::Ring& ring : program.rings)
    tiles_[std::size_t(ring.tile)]->buffer.reach(ring.offset + std::uint64_t(mapping::ring_bytes(program.graph, ring)));
  const observe::Counts fetching = ledger_.of(-1);
  ledger_.resize(program.graph.nodes.size());
  ledger_.of(-1) = fetching;
  programming_.resize(program.graph.nodes.size());
  const sc_time begin = sc_core::sc_time_stamp();
  programmed_ = false;  // until the last row is verified
  programmed_ = scheduler_->program(std::move(program));
  programming_time_ = sc_core::sc_time_stamp() - begin;
  return programmed_ ? AcceleratorError::kNone : AcceleratorError::kInternal;
}

AcceleratorError AcceleratorCore::execute_run(const Descriptor& descriptor) {
  if (!programmed_) return AcceleratorError::kNotProgrammed;
  const RunJob job{descriptor.source, descriptor.destination, descriptor.inferences};
  if (!scheduler_->covers(job, descriptor.source_bytes, descriptor.destination_bytes))
    return AcceleratorError::kDescriptor;
  if (scheduler_->run(job)) return AcceleratorError::kNone;
  return dma_.faulted() ? AcceleratorError::kDmaFault : AcceleratorError::kInternal;
}

}  // namespace mho::pim
