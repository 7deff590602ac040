// SPDX-License-Identifier: Apache-2.0
// The programmer's view of pim_accelerator: register table, bits, error codes and the descriptor that a doorbell makes
// it fetch. Documentation, firmware header and SVD are generated from the table.
#pragma once

#include <array>
#include <cstdint>

#include "models/tlm/register_table.h"

namespace mho::pim {

constexpr std::uint32_t kAcceleratorId = 0x306f686d;  ///< "mho0"
constexpr std::uint32_t kAcceleratorVersion = 0x00010000;
constexpr int kDmaWindows = 4;

/// CTRL
constexpr std::uint32_t kControlReset = 1u << 0;
/// STATUS
constexpr std::uint32_t kStatusBusy = 1u << 0;
constexpr std::uint32_t kStatusProgrammed = 1u << 1;
constexpr std::uint32_t kStatusError = 1u << 2;
/// IRQ_STATUS, IRQ_ENABLE
constexpr std::uint32_t kIrqDone = 1u << 0;
constexpr std::uint32_t kIrqError = 1u << 1;

/// ERROR
enum class AcceleratorError : std::uint32_t {
  kNone = 0,
  kDescriptor = 1,     ///< unknown opcode, reserved field not zero, or buffers too small for the job
  kDmaFault = 2,       ///< outside the DMA windows, or refused by memory; see ERROR_ADDRESS
  kImage = 3,          ///< not a program image, or damaged
  kMachine = 4,        ///< an image for another machine
  kNotProgrammed = 5,  ///< RUN before PROGRAM
  kBusy = 6,           ///< doorbell while a job runs; the job goes on
  kInternal = 7,       ///< a module refused its part of the work
};

/// What DESCRIPTOR points to: 64 bytes, little endian.
struct Descriptor {
  enum class Opcode : std::uint32_t { kProgram = 1, kRun = 2 };
  std::uint32_t opcode = 0;
  std::uint32_t reserved0 = 0;
  std::uint64_t source = 0;  ///< image, or inputs one inference after the other
  std::uint64_t source_bytes = 0;
  std::uint64_t destination = 0;  ///< RUN: outputs one inference after the other
  std::uint64_t destination_bytes = 0;
  std::uint64_t inferences = 0;  ///< RUN
  std::uint64_t reserved1 = 0, reserved2 = 0;
};
constexpr std::size_t kDescriptorBytes = 64;
std::array<std::uint8_t, kDescriptorBytes> to_bytes(const Descriptor& descriptor);
Descriptor from_bytes(const std::array<std::uint8_t, kDescriptorBytes>& bytes);

/// The register file.
tlm_kit::RegisterTable accelerator_registers();

}  // namespace mho::pim
