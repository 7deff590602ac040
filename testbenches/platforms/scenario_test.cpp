// SPDX-License-Identifier: Apache-2.0
// From YAML to a checked Scenario: layers, defaults, derived values, every field of the machine, and refusals.
#include <catch2/catch.hpp>
#include <functional>

#include "platforms/config/document.h"
#include "platforms/config/writer.h"
#include "testbenches/platforms/program.h"

using namespace mho;
using namespace mho::testbenches;
using mapping::Arbitration;
using mapping::Machine;

namespace {

Machine machine_with(const std::vector<std::string>& overrides, const std::string& system = "isaac_8b") {
  return scenario_with(overrides, system).platform.machine;
}

Scenario load(const std::string& file, const std::vector<std::string>& overrides = {}) {
  ScenarioRequest request;
  request.file = file;
  request.overrides = overrides;
  return load_scenario(request, project_files());
}

std::string refusal_of_file(const std::string& file) {
  try {
    load(file);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("isaac is the machine that mapping::Machine describes by default") {
  const Machine machine = machine_with({}, "isaac");
  const Machine published;
  CHECK(machine.name == "isaac");
  CHECK(machine.data_bits == 16);
  CHECK(machine.weight_slicing == std::vector<int>(8, 2));
  CHECK(machine.tiles_per_chip == published.tiles_per_chip);
  CHECK(machine.crossbar_tiles_per_tile == published.crossbar_tiles_per_tile);
  CHECK(machine.crossbar.input_register_bytes == published.crossbar.input_register_bytes);
  CHECK(machine.crossbar.cycle_s == published.crossbar.cycle_s);
  CHECK(machine.adc.bits == published.adc.bits);
  CHECK(machine.adc.rate_hz == published.adc.rate_hz);
  CHECK(machine.adc.converters == published.adc.converters);
  CHECK(machine.adc.queue == published.adc.queue);
  CHECK(machine.adc.arbitration == Arbitration::kRoundRobin);
  CHECK(machine.bus.queue == published.bus.queue);
  CHECK(machine.writer.drivers == 0);
  CHECK(machine.edram.bytes == published.edram.bytes);
  CHECK(machine.edram.line_s == published.edram.line_s);
  CHECK(machine.bus.bytes_per_s == published.bus.bytes_per_s);
  CHECK(machine.router.hop_s == Approx(published.router.hop_s).epsilon(1e-3));
  CHECK(machine.crossbars_per_chip() == 16128);
}

TEST_CASE("isaac_8b is isaac with 8-bit data in four slices") {
  const Machine machine = machine_with({});
  CHECK(machine.name == "isaac_8b");
  CHECK(machine.data_bits == 8);
  CHECK(machine.weight_slicing == std::vector<int>(4, 2));
  CHECK(machine.filters_per_crossbar(int(machine.weight_slicing.size())) == 32);
  CHECK(machine.crossbar.input_register_bytes == 2048);
  CHECK(machine.adc.bits == 8);
}

namespace {

struct Reach {
  const char* change;
  std::function<bool(const Machine&)> reached;
};
const Reach kReaches[] = {
    {"machine=mine", [](const Machine& m) { return m.name == "mine"; }},
    {"chips=3", [](const Machine& m) { return m.chips == 3; }},
    {"chip.tiles=7", [](const Machine& m) { return m.tiles_per_chip == 7; }},
    {"tile.crossbar_tiles=5", [](const Machine& m) { return m.crossbar_tiles_per_tile == 5; }},
    {"crossbars=16", [](const Machine& m) { return m.crossbar.crossbars == 16; }},
    {"crossbar.rows=64", [](const Machine& m) { return m.crossbar.rows == 64; }},
    {"crossbar.columns=96", [](const Machine& m) { return m.crossbar.columns == 96; }},
    {"crossbar.cell_bits=4", [](const Machine& m) { return m.crossbar.cell_bits == 4; }},
    {"crossbar.cycle=50 ns", [](const Machine& m) { return m.crossbar.cycle_s == 50e-9; }},
    {"crossbar.input_register=4 KiB", [](const Machine& m) { return m.crossbar.input_register_bytes == 4096; }},
    {"adc.bits=6", [](const Machine& m) { return m.adc.bits == 6; }},
    {"adc.signed=true", [](const Machine& m) { return m.adc.is_signed; }},
    {"adc.rate=2.56 GS/s", [](const Machine& m) { return m.adc.rate_hz == 2.56e9; }},
    {"adc.converters=4", [](const Machine& m) { return m.adc.converters == 4; }},
    {"adc.arbitration=first_come", [](const Machine& m) { return m.adc.arbitration == Arbitration::kFirstCome; }},
    {"adc.queue=3", [](const Machine& m) { return m.adc.queue == 3; }},
    {"data_bits=16", [](const Machine& m) { return m.data_bits == 16; }},
    {"dac.bits=2", [](const Machine& m) { return m.dac_bits == 2; }},
    {"weight_slicing=[2, 2, 2, 1, 1]",
     [](const Machine& m) {
       return m.weight_slicing == std::vector<int>{2, 2, 2, 1, 1};
     }},
    {"encoding=biased", [](const Machine& m) { return m.encoding.name() == "biased"; }},
    {"input_slicing=[1, 1, 1, 1, 1, 1, 1, 1]",
     [](const Machine& m) { return m.input_slicing == std::vector<int>(8, 1); }},
    {"speculation=[1, 1, 1, 1, 1, 1, 1, 1]", [](const Machine& m) { return m.speculation == std::vector<int>(8, 1); }},
    {"signed_inputs=two_passes", [](const Machine& m) { return m.signed_inputs == mapping::SignedInputs::kTwoPasses; }},
    {"input_sum=digital", [](const Machine& m) { return m.input_sum == mapping::InputSum::kDigital; }},
    {"weight_slicing={logits.sum.Gemm: [1, 1, 1, 1, 2, 2]}",
     [](const Machine& m) {
       return m.slicing_of("logits.sum.Gemm") == std::vector<int>{1, 1, 1, 1, 2, 2} &&
              m.slicing_of("other") == std::vector<int>(4, 2);
     }},
    {"toeplitz=true", [](const Machine& m) { return m.toeplitz; }},
    {"replication=greedy", [](const Machine& m) { return m.replication == mapping::Replication::kGreedy; }},
    {"fidelity=noisy", [](const Machine& m) { return m.fidelity == mapping::Fidelity::kNoisy; }},
    {"replication=none", [](const Machine& m) { return m.replication == mapping::Replication::kNone; }},
    {"fidelity=sliced", [](const Machine& m) { return m.fidelity == mapping::Fidelity::kSliced; }},
    {"edram.size=128 KiB", [](const Machine& m) { return m.edram.bytes == 131072; }},
    {"edram.line=64 B", [](const Machine& m) { return m.edram.line_bytes == 64; }},
    {"edram.line_time=2 ns", [](const Machine& m) { return m.edram.line_s == 2e-9; }},
    {"bus.latency=3 ns", [](const Machine& m) { return m.bus.latency_s == 3e-9; }},
    {"bus.bandwidth=10 GB/s", [](const Machine& m) { return m.bus.bytes_per_s == 10e9; }},
    {"bus.arbitration=fixed_priority",
     [](const Machine& m) { return m.bus.arbitration == Arbitration::kFixedPriority; }},
    {"bus.queue=2", [](const Machine& m) { return m.bus.queue == 2; }},
    {"router.tiles=2", [](const Machine& m) { return m.router.tiles_per_router == 2; }},
    {"router.hop=4 ns", [](const Machine& m) { return m.router.hop_s == 4e-9; }},
    {"router.bandwidth=1 GB/s", [](const Machine& m) { return m.router.bytes_per_s == 1e9; }},
    {"router.multicast=false", [](const Machine& m) { return !m.router.multicast; }},
    {"hypertransport.links=2", [](const Machine& m) { return m.hypertransport.links == 2; }},
    {"hypertransport.bandwidth=1 GB/s", [](const Machine& m) { return m.hypertransport.bytes_per_s == 1e9; }},
    {"hypertransport.latency=5 ns", [](const Machine& m) { return m.hypertransport.latency_s == 5e-9; }},
    {"function_unit.shift_add=6 ns", [](const Machine& m) { return m.function.shift_add_s == 6e-9; }},
    {"function_unit.function=7 ns", [](const Machine& m) { return m.function.function_s == 7e-9; }},
    {"function_unit.write=8 ns", [](const Machine& m) { return m.function.write_s == 8e-9; }},
    {"function_unit.rate=2 GS/s", [](const Machine& m) { return m.function.outputs_per_s == 2e9; }},
    {"function_unit.pool_rate=2 GS/s", [](const Machine& m) { return m.function.pooled_per_s == 2e9; }},
    {"function_unit.product_rate=3 GS/s", [](const Machine& m) { return m.function.products_per_s == 3e9; }},
    {"writer.setup=9 ns", [](const Machine& m) { return m.writer.setup_s == 9e-9; }},
    {"writer.pulse=10 ns", [](const Machine& m) { return m.writer.pulse_s == 10e-9; }},
    {"writer.drivers=2", [](const Machine& m) { return m.writer.drivers == 2; }},
    {"writer.arbitration=first_come", [](const Machine& m) { return m.writer.arbitration == Arbitration::kFirstCome; }},
};

}  // namespace

TEST_CASE("every field of the machine is reachable by a key") {
  const Machine before = machine_with({});
  for (const Reach& reach : kReaches) {
    INFO(reach.change);
    CHECK_FALSE(reach.reached(before));
    CHECK(reach.reached(machine_with({"technology.energy_scaling=hold", reach.change})));
  }
}

TEST_CASE("values that follow from others follow changes of the geometry") {
  // 8 crossbars x 256 rows x 16 bit = 4 KiB; 16 crossbars have 16 converters; 4-bit cells hold 8 bit in two slices.
  CHECK(machine_with({"crossbar.rows=256"}).crossbar.input_register_bytes == 4096);
  CHECK(machine_with({"crossbars=16"}).adc.converters == 16);
  CHECK(machine_with({"crossbar.cell_bits=4"}).weight_slicing == std::vector<int>{4, 4});
  // log2(256) + 1 + 2 - 1 = 10 bit, one less with the flip encoding, none less without.
  CHECK(machine_with({"crossbar.rows=256", "adc.bits=lossless"}).adc.bits == 9);
  CHECK(machine_with({"crossbar.rows=256", "adc.bits=lossless", "encoding=biased"}).adc.bits == 10);
}

TEST_CASE("memory of the platform is read with its units") {
  const MemoryConfig memory =
      scenario_with({"platform.memory={size: 1 GiB, bandwidth: 12.8 GB/s, latency: 50 ns}"}).platform.memory;
  CHECK(memory.bytes == std::uint64_t{1} << 30);
  CHECK(memory.bytes_per_s == 12.8e9);
  CHECK(memory.latency_s == 50e-9);
}

TEST_CASE("a scenario lies over its system, options over the scenario, and --set over all") {
  TemporaryFolder folder;
  folder.write("mine.yaml", "base: isaac_8b\nmachine: mine\ncrossbar: {rows: 64}\nadc: {bits: 7}\n");
  const std::string file =
      folder.write("run.yaml", "system: mine.yaml\nnetwork: resnet20_shapes\nadc: {bits: 6}\nseed: 5\n");
  CHECK(load(file).platform.machine.crossbar.rows == 64);
  CHECK(load(file).platform.machine.adc.bits == 6);
  CHECK(load(file, {"adc.bits=5"}).platform.machine.adc.bits == 5);
  CHECK(load(file, {"system=isaac_8b"}).platform.machine.crossbar.rows == 128);
  CHECK(load(file).name == "run");
  CHECK(load(file).seed == 5);
  ScenarioRequest request;
  request.file = file;
  request.options = {{"seed", "6"}};
  CHECK(load_scenario(request, project_files()).seed == 6);
}

TEST_CASE("a network brings its inputs and labels, and other inputs do not keep its labels") {
  const Scenario own = scenario_with({});
  REQUIRE(own.inputs.size() == 1);
  CHECK_THAT(own.inputs[0].path, Catch::EndsWith("resnet20_shapes/images_500.pb"));
  CHECK_THAT(own.labels, Catch::EndsWith("resnet20_shapes/labels_500.pb"));
  const Scenario other = scenario_with({"inputs=[" + own.inputs[0].path + "]"});
  CHECK(other.labels.empty());
  CHECK(scenario_with({"inputs=synthetic"}).inputs.empty());
  CHECK(scenario_with({"inputs={image: " + own.inputs[0].path + "}"}).inputs[0].input == "image");
}

TEST_CASE("paths are relative to the file they are written in") {
  TemporaryFolder folder;
  folder.write("data/images.pb", "not read here");
  const std::string file =
      folder.write("run.yaml", "system: isaac_8b\nnetwork: resnet20_shapes\ninputs: [data/images.pb]\n");
  CHECK(load(file).inputs[0].path == folder.path("data/images.pb"));
}

TEST_CASE("effective.yaml runs again to the same scenario") {
  TemporaryFolder folder;
  const Scenario first = scenario_with({"crossbar.rows=64", "adc.rate=1.2 GS/s", "chips=2", "inferences=7", "seed=9",
                                        "fidelity=sliced", "technology.components.sigmoid=~",
                                        "platform.memory.latency=80 ns", "weight_slicing=[2, 2, 2, 1, 1]"});
  const std::string written = config::write_yaml(first.effective);
  const Scenario again = load(folder.write("effective.yaml", written));
  CHECK(config::write_yaml(again.effective) == written);
  CHECK(again.name == first.name);
  CHECK(again.model == first.model);
  CHECK(again.labels == first.labels);
  CHECK(again.inferences == first.inferences);
  CHECK(again.seed == 9);
  CHECK(again.platform.machine.crossbar.rows == 64);
  CHECK(again.platform.machine.adc.rate_hz == 1.2e9);
  CHECK(again.platform.machine.fidelity == mapping::Fidelity::kSliced);
  CHECK(again.platform.memory.latency_s == 80e-9);
  CHECK(again.technology.components.size() == first.technology.components.size());
}

TEST_CASE("effective.yaml runs from any folder, whatever paths the scenario used") {
  TemporaryFolder folder;
  folder.write("nets/model.onnx", "not read here");
  folder.write("nets/images.pb", "not read here");
  folder.write("nets/labels.pb", "not read here");
  folder.write("nets/mine.yaml", "model: model.onnx\ninputs: {image: images.pb}\nlabels: labels.pb\n");
  const Scenario first = load(folder.write("runs/run.yaml", "system: isaac_8b\nnetwork: ../nets/mine.yaml\n"));
  const Scenario again = load(folder.write("elsewhere/deep/effective.yaml", config::write_yaml(first.effective)));
  CHECK(again.network == "mine");
  CHECK(again.model == folder.path("nets/model.onnx"));
  CHECK(again.labels == folder.path("nets/labels.pb"));
  REQUIRE(again.inputs.size() == 1);
  CHECK(again.inputs[0].input == "image");
  CHECK(again.inputs[0].path == folder.path("nets/images.pb"));
}

TEST_CASE("effective.yaml states every key that can be written") {
  const std::string written =
      config::write_yaml(scenario_with({"timing=approximately_timed", "fidelity=noisy"}).effective);
  const config::Node tree = config::parse_text(written, "effective.yaml");
  for (const config::KeyReference& key : scenario_keys()) {
    if (key.path.find('<') != std::string::npos || key.type == "section" || key.path == "system") continue;
    if (key.path.rfind("trace.", 0) == 0) continue;  // a replay has these in place of inputs: trace_test.cpp
    if (key.path == "network_parameters") continue;  // of layer lists that declare some: transformer_table_test.cpp
    const config::Node* node = &tree;
    std::string path = key.path;
    for (std::size_t dot; node != nullptr && !path.empty();
         path = dot == std::string::npos ? "" : path.substr(dot + 1)) {
      dot = path.find('.');
      node = node->find(path.substr(0, dot));
    }
    INFO(key.path);
    CHECK(node != nullptr);
  }
}

TEST_CASE("every key has a description and a unit where it has a dimension") {
  for (const config::KeyReference& key : scenario_keys()) {
    INFO(key.path);
    CHECK_FALSE(key.description.empty());
    for (const char* dimension : {"time", "bandwidth", "energy", "power", "area", "sample rate"})
      if (key.type == dimension) CHECK_FALSE(key.unit.empty());
  }
}

TEST_CASE("mistakes of the command line are reported at the option") {
  CHECK_THAT(refusal_of({"crossbar.row=256"}),
             Catch::StartsWith("--set crossbar.row: unknown key `crossbar.row`; did you mean `rows`?"));
  CHECK(refusal_of({"crossbar.rows=0"}) == "--set crossbar.rows: `crossbar.rows` is 0 (integer, 1 to 32767)");
  CHECK_THAT(refusal_of({"crossbar.cycle=100"}),
             Catch::StartsWith("--set crossbar.cycle: `crossbar.cycle`: `100` has no unit"));
  CHECK_THAT(refusal_of({"fidelity=timing"}), Catch::Contains("not available yet"));
  CHECK_THAT(refusal_of({"fidelity=exakt"}), Catch::Contains("did you mean `exact`?"));
  CHECK_THAT(refusal_of({"system=isaac_8"}),
             Catch::StartsWith("--set system: there is no system `isaac_8`; did you mean `isaac_8b`?"));
  CHECK_THAT(
      refusal_of({"dac.bits=2"}),
      Catch::StartsWith("--set dac.bits: dac.bits = 2 lies outside the domain of `technology.components.dac.power`"));
  CHECK_THAT(refusal_of({"adc.bits=11"}), Catch::StartsWith("--set adc.bits: adc.bits = 11 lies outside"));
}

TEST_CASE("parts that do not fit together are refused in the words of a scenario") {
  CHECK(refusal_of({"weight_slicing=[2, 2, 2]"}) ==
        "--set weight_slicing: weight_slicing covers 6 bits (data_bits: 8 must be covered)");
  CHECK_THAT(refusal_of({"weight_slicing=[4, 4]"}),
             Catch::StartsWith("--set weight_slicing: a slice of weight_slicing is 4"));
  CHECK_THAT(refusal_of({"crossbar.input_register=16 B"}),
             Catch::StartsWith("--set crossbar.input_register: crossbar.input_register is 16"));
  CHECK_THAT(refusal_of({"technology.energy_scaling=hold", "dac.bits=8", "crossbar.cell_bits=8", "crossbar.rows=1024"}),
             Catch::StartsWith("--set crossbar.rows: crossbar.rows, dac.bits and crossbar.cell_bits give column sums"));
  CHECK_THAT(refusal_of({"input_slicing=[2, 2, 2, 2]"}),
             Catch::StartsWith("--set input_slicing: a slice of input_slicing is 2 (1 to 1)"));
  CHECK_THAT(refusal_of({"edram.line=128 KiB"}), Catch::StartsWith("--set edram.line: edram.line is 131072"));
}

TEST_CASE("mistakes in a file are reported at line and column") {
  TemporaryFolder folder;
  const std::string file = folder.path("run.yaml");
  const auto refusal = [&](const std::string& text) { return refusal_of_file(folder.write("run.yaml", text)); };
  CHECK_THAT(refusal("system: isaac_8b\nnetwork: resnet20_shapes\ncrossbar:\n  rowz: 256\n"),
             Catch::StartsWith(file + ":4:3: unknown key `crossbar.rowz`; did you mean `rows`?"));
  CHECK_THAT(refusal("systm: isaac_8b\nnetwork: resnet20_shapes\n"),
             Catch::StartsWith(file + ":1:1: missing key `system`; is `systm` in line 1 a misspelling?"));
  CHECK_THAT(refusal("system: isaac_8b\n"), Catch::StartsWith(file + ":1:1: missing key `network`"));
  CHECK_THAT(refusal("system: isaac_8b\nnetwork: resnet\n"),
             Catch::StartsWith(file + ":2:10: there is no network `resnet`"));
  CHECK_THAT(refusal("system: isaac_8b\nnetwork: resnet20_shapes\ninputs: [gone.pb]\n"),
             Catch::StartsWith(file + ":3:10: inputs: there is no file `" + folder.path("gone.pb") + "`"));
  CHECK_THAT(refusal("system: isaac_8b\nnetwork: resnet20_shapes\ninferences: 0\n"),
             Catch::StartsWith(file + ":3:13: `inferences` is 0"));
  CHECK_THAT(refusal("system: isaac_8b\nnetwork: resnet20_shapes\nadc: {rate: 1.28}\n"),
             Catch::StartsWith(file + ":3:13: `adc.rate`: `1.28` has no unit"));
}

TEST_CASE("mistakes in a network's file are reported there") {
  TemporaryFolder folder;
  folder.write("model.onnx", "");
  const std::string network = folder.write("net.yaml", "model: model.onnx\nlabel: x.pb\n");
  const std::string run = folder.write("run.yaml", "system: isaac_8b\nnetwork: net.yaml\n");
  CHECK_THAT(refusal_of_file(run), Catch::StartsWith(network + ":2:1: unknown key `label`; did you mean `labels`?"));
}
