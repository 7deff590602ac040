// SPDX-License-Identifier: Apache-2.0
// The smallest virtual platform: an initiator, a memory and the accelerator. It reads the ID register through the
// socket as a driver would and fails where that is not what the manual says.
#include <tlm_utils/simple_initiator_socket.h>
#include <cstdio>
#include <systemc>

#include "models/pim/pim_accelerator.h"
#include "models/tlm/memory.h"

struct Cpu : sc_core::sc_module {
  explicit Cpu(sc_core::sc_module_name module_name) : sc_module(module_name), bus("bus"), irq("irq") {
    SC_HAS_PROCESS(Cpu);
    SC_THREAD(run);
  }
  void run() {
    std::uint8_t bytes[4] = {};
    tlm::tlm_generic_payload payload;
    payload.set_read();
    payload.set_address(0);
    payload.set_data_ptr(bytes);
    payload.set_data_length(4);
    payload.set_streaming_width(4);
    sc_core::sc_time delay;
    bus->b_transport(payload, delay);
    found = payload.is_response_ok() && bytes[0] == 'm' && bytes[1] == 'h' && bytes[2] == 'o' && bytes[3] == '0';
  }
  tlm_utils::simple_initiator_socket<Cpu> bus;
  sc_core::sc_in<bool> irq;
  bool found = false;
};

int sc_main(int, char**) {
  mho::pim::AcceleratorConfig config;
  config.crossbar_tiles_built = 1;
  mho::tlm_kit::MemoryConfig memory_config;
  memory_config.size_bytes = 1 << 20;

  Cpu cpu("cpu");
  mho::tlm_kit::Memory<32> memory("memory", memory_config);
  mho::pim::PimAccelerator<32> pim("pim0", config);
  sc_core::sc_signal<bool> irq;
  cpu.bus.bind(pim.registers);
  pim.memory.bind(memory.socket);
  pim.irq.bind(irq);
  cpu.irq.bind(irq);
  sc_core::sc_start();
  std::printf("accelerator %s\n", cpu.found ? "found" : "NOT found");
  return cpu.found ? 0 : 1;
}
