// SPDX-License-Identifier: Apache-2.0
// The driver of `mho run`.
#include "platforms/host.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace mho {

using sc_core::sc_time;

namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::size_t kBurst = std::size_t{1} << 20;
constexpr double kInterruptLatency = 100e-9;  // [default] until a CPU's handler runs; a pulse of no time has no wave
constexpr double kProgressInterval = 100e-6;  // of simulated time between looks at the counter

std::uint64_t page_aligned(std::uint64_t address) { return (address + kPage - 1) / kPage * kPage; }

}  // namespace

Host::Host(sc_core::sc_module_name module_name, HostJob job, std::uint64_t registers, std::uint64_t memory,
           Progress progress)
    : sc_module(module_name),
      socket("socket"),
      irq("irq"),
      job_(std::move(job)),
      registers_(registers),
      memory_(memory),
      progress_(std::move(progress)) {
  SC_HAS_PROCESS(Host);
  SC_THREAD(run);
}

void Host::run() {
  try {
    drive();
  } catch (...) {
    error_ = std::current_exception();
  }
  done_ = true;
  sc_core::sc_pause();
}

std::vector<observe::Statistic> Host::statistics() const {
  return {{"bytes_read", "bytes read through its socket", "bytes", double(bytes_read_)},
          {"bytes_written", "bytes written through its socket", "bytes", double(bytes_written_)},
          {"interrupts", "interrupts taken", "interrupts", double(interrupts_)},
          {"waited", "time from doorbell to interrupt, all jobs", "s", waited_.to_seconds()}};
}

std::vector<observe::Wave> Host::waves() const {
  return {{"state", "what the driver is at", "", &state_, {"load", "program", "infer", "read", "done"}}};
}

void Host::move(tlm::tlm_command command, std::uint64_t address, std::uint8_t* bytes, std::size_t length) {
  for (std::size_t done = 0; done < length; done += kBurst) {
    const auto part = unsigned(std::min(kBurst, length - done));
    tlm::tlm_generic_payload payload;
    payload.set_command(command);
    payload.set_address(address + done);
    payload.set_data_ptr(bytes + done);
    payload.set_data_length(part);
    payload.set_streaming_width(part);
    sc_time delay;
    socket->b_transport(payload, delay);
    if (!payload.is_response_ok())
      throw std::runtime_error("the host's access to " + std::to_string(address + done) + " was answered with " +
                               payload.get_response_string());
    (command == tlm::TLM_READ_COMMAND ? bytes_read_ : bytes_written_) += part;
    wait(delay);
  }
}

std::uint64_t Host::read_register(const char* name, bool debug) {
  for (const tlm_kit::RegisterDescription& entry : table_) {
    if (entry.name != name) continue;
    std::uint8_t bytes[8] = {};
    if (debug) {
      tlm::tlm_generic_payload payload;
      payload.set_read();
      payload.set_address(registers_ + entry.offset);
      payload.set_data_ptr(bytes);
      payload.set_data_length(entry.width_bytes());
      socket->transport_dbg(payload);
    } else {
      move(tlm::TLM_READ_COMMAND, registers_ + entry.offset, bytes, entry.width_bytes());
    }
    std::uint64_t value = 0;
    for (int i = 8; i-- > 0;) value = value << 8 | bytes[i];
    return value;
  }
  throw std::logic_error(std::string("there is no register ") + name);
}

void Host::write_register(const char* name, std::uint64_t value) {
  for (const tlm_kit::RegisterDescription& entry : table_) {
    if (entry.name != name) continue;
    std::uint8_t bytes[8];
    for (int i = 0; i < 8; ++i) bytes[i] = std::uint8_t(value >> (8 * i));
    return move(tlm::TLM_WRITE_COMMAND, registers_ + entry.offset, bytes, entry.width_bytes());
  }
  throw std::logic_error(std::string("there is no register ") + name);
}

void Host::submit(const pim::Descriptor& descriptor) {
  auto bytes = pim::to_bytes(descriptor);
  move(tlm::TLM_WRITE_COMMAND, memory_, bytes.data(), bytes.size());
  write_register("DESCRIPTOR", memory_);
  write_register("DOORBELL", 1);
}

void Host::await_interrupt() {
  const sc_time begin = sc_core::sc_time_stamp();
  while (!irq.read()) {
    wait(sc_time(kProgressInterval, sc_core::SC_SEC), irq.posedge_event());
    if (progress_) progress_(read_register("INFERENCES", true), job_.inferences);
  }
  ++interrupts_;
  interrupted_at_ = sc_core::sc_time_stamp();
  waited_ += interrupted_at_ - begin;
  wait(sc_time(kInterruptLatency, sc_core::SC_SEC));
  const std::uint64_t error = read_register("ERROR");
  write_register("IRQ_STATUS", pim::kIrqDone | pim::kIrqError);
  wait(irq.negedge_event());
  if (error != 0)
    throw std::runtime_error("the accelerator reports error " + std::to_string(error) + " at address " +
                             std::to_string(read_register("ERROR_ADDRESS")));
}

void Host::drive() {
  const std::uint64_t image = memory_ + kPage, inputs = page_aligned(image + job_.image.size());
  const std::uint64_t outputs = page_aligned(inputs + job_.inputs.size());
  const std::uint64_t output_bytes = job_.inferences * job_.output_bytes;
  if (read_register("ID") != pim::kAcceleratorId) throw std::runtime_error("no accelerator answers at its address");
  move(tlm::TLM_WRITE_COMMAND, image, job_.image.data(), job_.image.size());
  const std::size_t image_bytes = job_.image.size();
  job_.image = {};
  move(tlm::TLM_WRITE_COMMAND, inputs, job_.inputs.data(), job_.inputs.size());
  write_register("WINDOW0_BASE", memory_);
  write_register("WINDOW0_SIZE", outputs + output_bytes - memory_);
  write_register("IRQ_ENABLE", pim::kIrqDone | pim::kIrqError);

  pim::Descriptor descriptor;
  state_ = kProgram;
  descriptor.opcode = std::uint32_t(pim::Descriptor::Opcode::kProgram);
  descriptor.source = image;
  descriptor.source_bytes = image_bytes;
  submit(descriptor);
  await_interrupt();

  state_ = kInfer;
  descriptor.opcode = std::uint32_t(pim::Descriptor::Opcode::kRun);
  descriptor.source = inputs;
  descriptor.source_bytes = job_.inputs.size();
  descriptor.destination = outputs;
  descriptor.destination_bytes = output_bytes;
  descriptor.inferences = job_.inferences;
  submit(descriptor);
  run_begin_ = sc_core::sc_time_stamp();
  await_interrupt();
  run_end_ = interrupted_at_;
  state_ = kRead;
  outputs_.resize(std::size_t(output_bytes));
  move(tlm::TLM_READ_COMMAND, outputs, outputs_.data(), outputs_.size());
  state_ = kDone;
}

}  // namespace mho
