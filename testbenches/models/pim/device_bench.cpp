// SPDX-License-Identifier: Apache-2.0
// Memory, driver and small networks of the device tests.
#include "testbenches/models/pim/device_bench.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "models/dnn/reference.h"
#include "models/dnn/synthetic/graph_builder.h"
#include "models/mapping/program_image.h"

namespace mho::testbenches {

template <unsigned int BUSWIDTH>
UnkindMemory<BUSWIDTH>::UnkindMemory(sc_core::sc_module_name module_name, std::uint64_t first, std::size_t size)
    : sc_module(module_name), socket("socket"), base(first), bytes(size, 0xa5) {
  socket.register_b_transport(this, &UnkindMemory::access);
}

template <unsigned int BUSWIDTH>
void UnkindMemory<BUSWIDTH>::access(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  CHECK(payload.get_response_status() == tlm::TLM_INCOMPLETE_RESPONSE);
  CHECK(payload.get_byte_enable_ptr() == nullptr);
  CHECK(payload.get_streaming_width() == payload.get_data_length());
  CHECK(payload.get_data_length() > 0);
  CHECK_FALSE(payload.is_dmi_allowed());
  ++accesses;
  const std::uint64_t at = payload.get_address() - base, length = payload.get_data_length();
  const bool inside = payload.get_address() >= base && at < bytes.size() && length <= bytes.size() - at;
  const bool refused = refuse_at >= payload.get_address() && refuse_at - payload.get_address() < length;
  if (inside && !refused) {
    if (payload.is_read())
      std::copy_n(bytes.data() + at, length, payload.get_data_ptr());
    else
      std::copy_n(payload.get_data_ptr(), length, bytes.data() + at);
    (payload.is_read() ? bytes_read : bytes_written) += length;
  }
  const bool is_late = late_at >= payload.get_address() && late_at - payload.get_address() < length;
  delay += is_late ? late : latency;
  if (is_late) late_at = ~std::uint64_t{0};
  if (waits) {
    wait(delay);
    delay = sc_core::SC_ZERO_TIME;
  }
  if (refused)
    payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
  else if (!silent)
    payload.set_response_status(inside ? tlm::TLM_OK_RESPONSE : tlm::TLM_ADDRESS_ERROR_RESPONSE);
}

namespace {

constexpr std::uint64_t kDescriptorAt = 0x40, kImageAt = 0x1000;

pim::AcceleratorConfig accelerator_config(const mapping::Program& program, const mapping::Machine& machine,
                                          const DeviceOptions& options) {
  pim::AcceleratorConfig config;
  config.machine = machine;
  config.chips = options.chips > 0 ? options.chips : program.chips;
  config.crossbar_tiles_built = options.crossbar_tiles_built;
  config.strict_memory = options.strict;
  config.approximate_timing = options.timing;
  return config;
}

}  // namespace

template <unsigned int BUSWIDTH>
Device<BUSWIDTH>::Device(const std::string& name, const dnn::Graph& given, const mapping::Machine& its_machine,
                         const DeviceOptions& options)
    : graph(given),
      machine(its_machine),
      compiled(mapping::compile(graph, machine)),
      image(mapping::encode_image(compiled)),
      memory((name + "_memory").c_str(), options.base, options.memory_bytes),
      accelerator(name.c_str(), accelerator_config(compiled, machine, options), options.recorder),
      driver((name + "_driver").c_str()),
      irq((name + "_irq").c_str()),
      reset((name + "_reset").c_str()),
      options_(options) {
  driver.socket.bind(accelerator.registers);
  accelerator.memory.bind(memory.socket);
  accelerator.irq.bind(irq);
  accelerator.reset.bind(reset);
}

template <unsigned int BUSWIDTH>
std::uint64_t Device<BUSWIDTH>::offset(const char* name) const {
  for (const tlm_kit::RegisterDescription& entry : pim::accelerator_registers())
    if (entry.name == name) return entry.offset;
  FAIL("there is no register " << name);
  return 0;
}

template <unsigned int BUSWIDTH>
std::uint64_t Device<BUSWIDTH>::read(const char* name) {
  for (const tlm_kit::RegisterDescription& entry : pim::accelerator_registers()) {
    if (entry.name != name) continue;
    std::uint64_t value = 0;
    CHECK(driver.send(tlm::TLM_READ_COMMAND, entry.offset, &value, entry.width_bytes()).response ==
          tlm::TLM_OK_RESPONSE);
    return value;
  }
  FAIL("there is no register " << name);
  return 0;
}

template <unsigned int BUSWIDTH>
void Device<BUSWIDTH>::write(const char* name, std::uint64_t value) {
  for (const tlm_kit::RegisterDescription& entry : pim::accelerator_registers())
    if (entry.name == name)
      CHECK(driver.send(tlm::TLM_WRITE_COMMAND, entry.offset, &value, entry.width_bytes()).response ==
            tlm::TLM_OK_RESPONSE);
}

template <unsigned int BUSWIDTH>
std::uint64_t Device<BUSWIDTH>::put(std::uint64_t at, const std::vector<std::uint8_t>& source) {
  REQUIRE(at + source.size() <= memory.bytes.size());
  std::copy(source.begin(), source.end(), memory.bytes.begin() + std::ptrdiff_t(at));
  return options_.base + at;
}

template <unsigned int BUSWIDTH>
void Device<BUSWIDTH>::ring(const pim::Descriptor& descriptor) {
  const auto bytes = pim::to_bytes(descriptor);
  write("DESCRIPTOR", put(kDescriptorAt + options_.skew, {bytes.begin(), bytes.end()}));
  write("DOORBELL", 1);
}

template <unsigned int BUSWIDTH>
void Device<BUSWIDTH>::settle() {
  if (sc_core::sc_pending_activity()) sc_core::sc_start();
}

template <unsigned int BUSWIDTH>
pim::AcceleratorError Device<BUSWIDTH>::finish() {
  settle();
  CHECK((read("STATUS") & pim::kStatusBusy) == 0);
  return pim::AcceleratorError(read("ERROR"));
}

template <unsigned int BUSWIDTH>
pim::AcceleratorError Device<BUSWIDTH>::run(const pim::Descriptor& descriptor) {
  ring(descriptor);
  return finish();
}

template <unsigned int BUSWIDTH>
pim::Descriptor Device<BUSWIDTH>::program_job() {
  write("WINDOW0_BASE", options_.base);
  write("WINDOW0_SIZE", options_.memory_bytes);
  pim::Descriptor descriptor;
  descriptor.opcode = std::uint32_t(pim::Descriptor::Opcode::kProgram);
  descriptor.source = put(kImageAt + options_.skew, image);
  descriptor.source_bytes = image.size();
  return descriptor;
}

template <unsigned int BUSWIDTH>
pim::Descriptor Device<BUSWIDTH>::run_job(const std::vector<Tensors>& inputs) {
  std::vector<std::uint8_t> bytes;
  for (const Tensors& inference : inputs)
    for (const auto& tensor : inference) bytes.insert(bytes.end(), tensor.begin(), tensor.end());
  output_bytes_ = 0;
  for (const int output : graph.outputs) output_bytes_ += graph.tensors[std::size_t(output)].shape.bytes();
  pim::Descriptor descriptor;
  descriptor.opcode = std::uint32_t(pim::Descriptor::Opcode::kRun);
  const std::uint64_t at = kImageAt + image.size() + 64 + options_.skew;
  descriptor.source = put(at, bytes);
  descriptor.source_bytes = bytes.size();
  outputs_at_ = at + bytes.size() + 32 + options_.skew;
  descriptor.destination = put(outputs_at_, std::vector<std::uint8_t>(inputs.size() * output_bytes_, 0xa5));
  descriptor.destination_bytes = inputs.size() * output_bytes_;
  descriptor.inferences = inputs.size();
  return descriptor;
}

template <unsigned int BUSWIDTH>
void Device<BUSWIDTH>::program() {
  REQUIRE(run(program_job()) == pim::AcceleratorError::kNone);
}

template <unsigned int BUSWIDTH>
std::vector<Tensors> Device<BUSWIDTH>::infer(const std::vector<Tensors>& inputs) {
  const pim::Descriptor descriptor = run_job(inputs);
  REQUIRE(run(descriptor) == pim::AcceleratorError::kNone);
  return outputs(inputs.size());
}

template <unsigned int BUSWIDTH>
std::vector<Tensors> Device<BUSWIDTH>::outputs(std::size_t inferences) const {
  std::vector<Tensors> all(inferences);
  auto from = memory.bytes.begin() + std::ptrdiff_t(outputs_at_);
  for (Tensors& inference : all)
    for (const int output : graph.outputs) {
      const auto size = std::ptrdiff_t(graph.tensors[std::size_t(output)].shape.bytes());
      inference.emplace_back(from, from + size);
      from += size;
    }
  return all;
}

template <unsigned int BUSWIDTH>
tlm_utils::simple_initiator_socket<pim::WeightWriter>& Device<BUSWIDTH>::cells_of(const mapping::Placement& placement) {
  const auto& tile = accelerator.core().tiles()[std::size_t(placement.tile)];
  return tile->groups[std::size_t(placement.crossbar_tile)]->writer.cells;
}

template <unsigned int BUSWIDTH>
std::uint64_t Device<BUSWIDTH>::cell_address(const mapping::Placement& placement, int row, int column) const {
  const mapping::CrossbarTileConfig& config = machine.crossbar;
  return std::uint64_t((placement.first_crossbar * config.rows + row) * config.columns + column);
}

template <unsigned int BUSWIDTH>
std::uint8_t Device<BUSWIDTH>::level(const mapping::Placement& placement, int row, int column) {
  std::uint8_t level = 0xff;
  tlm::tlm_generic_payload payload;
  payload.set_read();
  payload.set_address(cell_address(placement, row, column));
  payload.set_data_ptr(&level);
  payload.set_data_length(1);
  CHECK(cells_of(placement)->transport_dbg(payload) == 1);
  return level;
}

template <unsigned int BUSWIDTH>
void Device<BUSWIDTH>::set_level(const mapping::Placement& placement, int row, int column, std::uint8_t level) {
  tlm::tlm_generic_payload payload;
  payload.set_write();
  payload.set_address(cell_address(placement, row, column));
  payload.set_data_ptr(&level);
  payload.set_data_length(1);
  CHECK(cells_of(placement)->transport_dbg(payload) == 1);
}

int crossbar_tiles_used(const mapping::Program& program, const mapping::Machine& machine) {
  int used = 1;
  for (const mapping::LayerPlan& layer : program.layers)
    for (const mapping::Placement& p : layer.placements)
      used = std::max(used, p.tile * machine.crossbar_tiles_per_tile + p.crossbar_tile + 1);
  for (const mapping::FunctionPlan& function : program.functions)
    used = std::max(used, function.tile * machine.crossbar_tiles_per_tile + 1);
  return used;
}

std::vector<Tensors> random_inputs(const dnn::Graph& graph, unsigned seed, std::size_t inferences) {
  std::mt19937 random(seed);
  std::vector<Tensors> inputs(inferences);
  for (Tensors& inference : inputs)
    for (const int input : graph.inputs) {
      std::vector<std::uint8_t> codes(graph.tensors[std::size_t(input)].shape.bytes());
      std::generate(codes.begin(), codes.end(), [&] { return std::uint8_t(random()); });
      inference.push_back(std::move(codes));
    }
  return inputs;
}

std::vector<Tensors> reference_outputs(const dnn::Graph& graph, const std::vector<Tensors>& inputs) {
  const dnn::Reference reference(graph);
  std::vector<Tensors> outputs;
  for (const Tensors& inference : inputs) {
    const Tensors all = reference.run(inference);
    outputs.emplace_back();
    for (const int output : graph.outputs) outputs.back().push_back(all[std::size_t(output)]);
  }
  return outputs;
}

dnn::Graph two_layers(unsigned seed) {
  dnn::GraphBuilder net("two_layers", seed);
  dnn::ConvolutionOptions with_sign;
  with_sign.relu = false;
  const int hidden = net.convolution(net.input({6, 6, 3}), 5, dnn::square_window(3, 1, 1));
  net.convolution(hidden, 4, dnn::square_window(1), with_sign);
  dnn::Graph graph = net.build();
  for (dnn::Tensor& tensor : graph.tensors) tensor.zero_point = 3 + int(tensor.shape.channels);
  return graph;
}

mapping::Machine small_machine() {
  mapping::Machine machine;
  machine.name = "small";
  machine.tiles_per_chip = 8;
  machine.crossbar_tiles_per_tile = 2;
  machine.data_bits = 8;
  machine.weight_slicing = {2, 2, 2, 2};
  machine.crossbar.crossbars = 3;
  machine.crossbar.rows = 32;
  machine.crossbar.columns = 16;
  machine.adc.converters = 3;
  machine.edram.bytes = 4096;
  return machine;
}

template class UnkindMemory<32>;
template class UnkindMemory<64>;
template class Device<32>;
template class Device<64>;

}  // namespace mho::testbenches
