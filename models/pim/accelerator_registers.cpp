// SPDX-License-Identifier: Apache-2.0
// The register table and the layout of descriptors.
#include "models/pim/accelerator_registers.h"

#include <string>

namespace mho::pim {
namespace {

using tlm_kit::RegisterAccess;
using tlm_kit::RegisterDescription;
using tlm_kit::RegisterField;

constexpr std::uint64_t kWindowsOffset = 0x40, kCountersOffset = 0x80;

template <typename Visit>
void visit_fields(Descriptor& d, Visit visit) {
  visit(0, 4, d.opcode);
  visit(4, 4, d.reserved0);
  visit(8, 8, d.source);
  visit(16, 8, d.source_bytes);
  visit(24, 8, d.destination);
  visit(32, 8, d.destination_bytes);
  visit(40, 8, d.inferences);
  visit(48, 8, d.reserved1);
  visit(56, 8, d.reserved2);
}

const std::vector<RegisterField> kIrqFields = {{"DONE", 0, 1, "a job ended well"}, {"ERROR", 1, 1, "see ERROR"}};

}  // namespace

std::array<std::uint8_t, kDescriptorBytes> to_bytes(const Descriptor& descriptor) {
  std::array<std::uint8_t, kDescriptorBytes> bytes{};
  Descriptor copy = descriptor;
  visit_fields(copy, [&](std::size_t at, int size, std::uint64_t value) {
    for (int i = 0; i < size; ++i) bytes[at + std::size_t(i)] = std::uint8_t(value >> (8 * i));
  });
  return bytes;
}

Descriptor from_bytes(const std::array<std::uint8_t, kDescriptorBytes>& bytes) {
  Descriptor descriptor;
  visit_fields(descriptor, [&](std::size_t at, int size, auto& field) {
    std::uint64_t value = 0;
    for (int i = size; i-- > 0;) value = value << 8 | bytes[at + std::size_t(i)];
    field = std::remove_reference_t<decltype(field)>(value);
  });
  return descriptor;
}

tlm_kit::RegisterTable accelerator_registers() {
  tlm_kit::RegisterTable table = {
      {"ID", 0x00, 32, RegisterAccess::kReadOnly, kAcceleratorId, "constant, \"mho0\"", {}},
      {"VERSION", 0x04, 32, RegisterAccess::kReadOnly, kAcceleratorVersion, "major << 16 | minor", {}},
      {"CTRL",
       0x08,
       32,
       RegisterAccess::kReadWrite,
       0,
       "control",
       {{"RESET", 0, 1, "clears registers and work in flight, reads as 0; conductances stay"}}},
      {"STATUS",
       0x0c,
       32,
       RegisterAccess::kReadOnly,
       0,
       "state; may be polled",
       {{"BUSY", 0, 1, "a job runs"},
        {"PROGRAMMED", 1, 1, "weights are written"},
        {"ERROR", 2, 1, "the last job failed, see ERROR"}}},
      {"IRQ_STATUS", 0x10, 32, RegisterAccess::kWriteOneToClear, 0, "pending; the line is IRQ_STATUS & IRQ_ENABLE",
       kIrqFields},
      {"IRQ_ENABLE", 0x14, 32, RegisterAccess::kReadWrite, 0, "which bits of IRQ_STATUS raise the line", kIrqFields},
      {"DOORBELL", 0x18, 32, RegisterAccess::kWriteOnly, 0, "any write starts the job at DESCRIPTOR", {}},
      {"ERROR",
       0x1c,
       32,
       RegisterAccess::kReadOnly,
       0,
       "error code of the last job",
       {{"CODE", 0, 8,
         "0 none, 1 descriptor, 2 DMA fault, 3 image damaged, 4 image of another machine, 5 not programmed, 6 doorbell "
         "while busy, 7 internal"}}},
      {"DESCRIPTOR", 0x20, 64, RegisterAccess::kReadWrite, 0, "address of a 64-byte descriptor in main memory", {}},
      {"ERROR_ADDRESS", 0x28, 64, RegisterAccess::kReadOnly, 0, "main-memory address of a DMA fault", {}},
  };
  for (int i = 0; i < kDmaWindows; ++i) {
    const std::string name = "WINDOW" + std::to_string(i);
    const std::uint64_t offset = kWindowsOffset + std::uint64_t(i) * 16;
    table.push_back({name + "_BASE", offset, 64, RegisterAccess::kReadWrite, 0, "first address the DMA may touch", {}});
    table.push_back({name + "_SIZE", offset + 8, 64, RegisterAccess::kReadWrite, 0, "bytes from there, 0: closed", {}});
  }
  const auto counter = [&](int index, const char* name, const char* description) {
    table.push_back(
        {name, kCountersOffset + std::uint64_t(index) * 8, 64, RegisterAccess::kReadOnly, 0, description, {}});
  };
  counter(0, "INFERENCES", "inferences completed by the job");
  counter(1, "BUSY_NS", "simulated time from doorbell to the end of the job, in ns");
  counter(2, "CONVERSIONS", "ADC conversions of the job, unit columns included");
  counter(3, "SATURATIONS", "conversions of the job that were clipped");
  counter(4, "BYTES_READ", "bytes the job read from main memory");
  counter(5, "BYTES_WRITTEN", "bytes the job wrote to main memory");
  return table;
}

}  // namespace mho::pim
