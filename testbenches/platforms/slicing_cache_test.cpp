// SPDX-License-Identifier: Apache-2.0
// Slicings kept beside a network: when they are found again, when they are not, and that nothing on the disk changes
// or stops a search.
#include "platforms/scenario/slicing_cache.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include "models/dnn/synthetic/graph_builder.h"
#include "platforms/scenario/fingerprint.h"
#include "testbenches/platforms/program.h"

using namespace mho;
using namespace mho::testbenches;

namespace {

namespace fs = std::filesystem;

/// Three layers, the first of them with a name that needs quotes.
dnn::Graph small_graph() {
  dnn::GraphBuilder net("small");
  dnn::ConvolutionOptions options;
  options.name = "first: [\"a\"]";
  int tensor = net.input({4, 4, 8});
  tensor = net.convolution(tensor, 6, dnn::square_window(3, 1, 1), options);
  options.name = "second";
  tensor = net.convolution(tensor, 4, dnn::square_window(1), options);
  net.fully_connected(tensor, 3);
  return net.build();
}

mapping::Machine pairs() {
  mapping::Machine machine;
  machine.data_bits = 8;
  machine.weight_slicing = {4, 2, 2};
  machine.input_sum = mapping::InputSum::kDigital;
  machine.signed_inputs = mapping::SignedInputs::kTwoPasses;
  machine.crossbar.cell = mapping::CellKind::k2T2R;
  machine.crossbar.cell_bits = 4;
  machine.adc.bits = 5;
  machine.adc.is_signed = true;
  machine.encoding = "centre_offset";
  return machine;
}

/// A folder with a network's file, and searches for it. Nothing but this folder is read or written.
struct Bench {
  Bench() {
    setenv("XDG_CACHE_HOME", folder.path("xdg").c_str(), 1);
    setenv("HOME", folder.path("home").c_str(), 1);
    for (std::size_t i = 0; i < 128; ++i) inputs[0][0].push_back(std::uint8_t(i * 37));
  }
  /// Whether a search was needed is in `searched`.
  mapping::LayerSlicings find() {
    searched = false;
    return adaptive_slicings(graph, machine, inputs, options, network,
                             [this](double, const std::string&) { searched = true; });
  }
  std::string key() const { return slicing_key(graph, machine, inputs, options); }
  std::string file(std::size_t choice = 0) const { return slicing_files(network, key()).at(choice); }

  TemporaryFolder folder;
  dnn::Graph graph = small_graph();
  mapping::Machine machine = pairs();
  mapping::CalibrationInputs inputs{{{}}};
  mapping::SlicingSearch options;
  std::string network = folder.write("net.yaml", "");
  bool searched = false;
};

}  // namespace

TEST_CASE("what was found is found again beside the network, and equals the search") {
  Bench bench;
  const auto expected = mapping::search_slicings(bench.graph, bench.machine, bench.inputs, bench.options);
  CHECK(bench.find() == expected);
  CHECK(bench.searched);
  CHECK(expected.size() == 3);
  CHECK(bench.file() == bench.folder.path(".slicing/net.yaml.slicing-" + bench.key() + ".yaml"));
  REQUIRE(fs::is_regular_file(bench.file()));
  CHECK(std::distance(fs::directory_iterator(bench.folder.path(".slicing")), fs::directory_iterator()) == 1);
  CHECK(bench.find() == expected);
  CHECK_FALSE(bench.searched);
  CHECK_FALSE(fs::exists(bench.folder.path("xdg")));
}

TEST_CASE("no network file, no cache") {
  Bench bench;
  bench.network.clear();
  for (const bool again : {false, true}) {
    CAPTURE(again);
    bench.find();
    CHECK(bench.searched);
  }
  CHECK_FALSE(fs::exists(bench.folder.path(".slicing")));
  CHECK_FALSE(fs::exists(bench.folder.path("xdg")));
}

TEST_CASE("where the network's folder cannot be written the user's cache serves, and else nothing") {
  // A file stands where the folder should be: nobody can write below it, root neither.
  Bench bench;
  bench.folder.write(".slicing", "no folder");
  const auto expected = bench.find();
  CHECK(bench.file(1) == bench.folder.path("xdg/mho/net.yaml.slicing-" + bench.key() + ".yaml"));
  REQUIRE(fs::is_regular_file(bench.file(1)));
  CHECK(bench.find() == expected);
  CHECK_FALSE(bench.searched);

  setenv("XDG_CACHE_HOME", "relative", 1);
  CHECK(bench.file(1) == bench.folder.path("home/.cache/mho/net.yaml.slicing-" + bench.key() + ".yaml"));
  CHECK(bench.find() == expected);
  CHECK(bench.searched);
  CHECK(fs::is_regular_file(bench.file(1)));

  unsetenv("XDG_CACHE_HOME");
  unsetenv("HOME");
  CHECK(slicing_files(bench.network, bench.key()).size() == 1);
  CHECK(bench.find() == expected);
  CHECK(bench.searched);
  bench.network = bench.folder.path("nowhere/net.yaml");
  CHECK(bench.find() == expected);
  CHECK_FALSE(fs::exists(bench.folder.path("nowhere")));
}

TEST_CASE("whatever becomes of a file, the slicings are those of the search") {
  Bench bench;
  const auto expected = bench.find();
  const std::string path = bench.file(), good = text_of(path), name = fs::path(path).filename().string();
  const auto damaged = [&](const std::string& text) {
    bench.folder.write(".slicing/" + name, text);
    const auto found = bench.find();
    return found == expected && (text == good || bench.searched);
  };
  CHECK(damaged(good));
  for (std::size_t i = 0; i + 1 < good.size(); i += i < 100 ? 7 : 1) {
    CAPTURE(i, good.substr(i, 8));
    CHECK(damaged(good.substr(0, i)));
    std::string text = good;
    text[i] = text[i] == '2' ? '4' : '2';
    bench.folder.write(".slicing/" + name, text);
    CHECK(bench.find() == expected);
  }
  // The file is another network's: everything in it is right, but its key.
  Bench other;
  other.graph.nodes[0].weights.values[0] ^= 1;
  other.find();
  CHECK(damaged(text_of(other.file())));
  // Values that a slicing and a name may have, but not these.
  const auto replaced = [&](std::string from, std::string to) {
    std::string text = good;
    REQUIRE(text.find(from) != std::string::npos);
    return text.replace(text.find(from), from.size(), to);
  };
  CHECK(damaged(replaced("1, 1, 1, 1, 1, 1, 1, 1", "2, 1, 1, 1, 1, 1, 1")));
  CHECK(damaged(replaced("second", "third")));
  CHECK(damaged("- 1\n- 2\n"));
  CHECK(damaged(std::string(1000, '\xff')));
  CHECK(text_of(path) == good);  // and the good one stands there again
  fs::remove(path);
  fs::create_directories(path + "/taken");
  CHECK(bench.find() == expected);
  CHECK(std::distance(fs::directory_iterator(bench.folder.path(".slicing")), fs::directory_iterator()) == 1);
}

TEST_CASE("the key follows from everything that the result depends on") {
  Bench bench;
  std::vector<std::string> keys{bench.key()};
  CHECK(keys[0].size() == 32);
  CHECK(keys[0].find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(Bench().key() == keys[0]);
  const auto changed = [&](const std::function<void(Bench&)>& change) {
    Bench other;
    change(other);
    keys.push_back(other.key());
  };
  const auto node = [](Bench& b) -> dnn::Node& { return b.graph.nodes[0]; };
  changed([&](Bench& b) { node(b).weights.values.back() ^= 1; });
  changed([&](Bench& b) { node(b).weights.values[1] ^= 64; });
  changed([&](Bench& b) { node(b).weights.bias[0] += 1; });
  changed([&](Bench& b) { node(b).weights.scale[0] *= 1.0000001; });
  changed([&](Bench& b) { node(b).weights.groups = 2; });
  changed([&](Bench& b) { node(b).lower += 1; });
  changed([&](Bench& b) { node(b).upper -= 1; });
  changed([&](Bench& b) { node(b).name += "x"; });
  changed([&](Bench& b) { node(b).window.pad_top += 1; });
  changed([&](Bench& b) { node(b).window.dilation_x += 1; });
  changed([&](Bench& b) { node(b).inputs[0] += 1; });
  changed([&](Bench& b) { node(b).op = dnn::Operator::kAdd; });
  changed([&](Bench& b) { b.graph.tensors[1].scale *= 2; });
  changed([&](Bench& b) { b.graph.tensors[1].zero_point += 1; });
  changed([&](Bench& b) { b.graph.tensors[1].type = dnn::CodeType::kInt8; });
  changed([&](Bench& b) { std::swap(b.graph.tensors[0].shape.height, b.graph.tensors[0].shape.channels); });
  changed([](Bench& b) { b.machine.crossbar.rows = 64; });
  changed([](Bench& b) { b.machine.crossbar.columns = 64; });
  changed([](Bench& b) { b.machine.crossbar.cell_bits = 3; });
  changed([](Bench& b) { b.machine.crossbar.crossbars = 3; });
  changed([](Bench& b) { b.machine.toeplitz = true; });
  changed([](Bench& b) { b.machine.adc.bits = 6; });
  changed([](Bench& b) { b.machine.adc.is_signed = false; });
  changed([](Bench& b) { b.machine.signed_inputs = mapping::SignedInputs::kTwosComplement; });
  changed([](Bench& b) { b.machine.encoding = "zero_offset"; });
  changed([](Bench& b) { b.inputs[0][0][5] ^= 1; });
  changed([](Bench& b) { b.inputs.push_back(b.inputs[0]); });
  changed([](Bench& b) { b.options.positions = 1023; });
  changed([](Bench& b) { b.options.seed = 2; });
  changed([](Bench& b) { b.options.budget = 0.0900001; });
  std::sort(keys.begin(), keys.end());
  CHECK(std::adjacent_find(keys.begin(), keys.end()) == keys.end());
  // What a search does not look at does not make it begin anew.
  Bench other;
  other.machine.weight_slicing = {1, 1, 1, 1, 1, 1, 1, 1};
  other.machine.tiles_per_chip = 1;
  other.machine.fidelity = mapping::Fidelity::kSliced;
  CHECK(other.key() == bench.key());
}

TEST_CASE("fingerprints tell lengths and order apart") {
  using Bytes = std::vector<std::uint8_t>;
  const auto print = [](const std::vector<Bytes>& all) {
    Fingerprint fingerprint;
    for (const Bytes& bytes : all) fingerprint.add(bytes);
    return fingerprint.text();
  };
  std::vector<std::string> prints = {print({}),
                                     print({{}}),
                                     print({{0}}),
                                     print({{0, 0}}),
                                     print({{0}, {0}}),
                                     print({{1}, {}}),
                                     print({{}, {1}}),
                                     print({{1, 2}}),
                                     print({{2, 1}}),
                                     print({{1}, {2}}),
                                     print({Bytes(8, 0)}),
                                     print({Bytes(9, 0)}),
                                     print({Bytes(16, 0)}),
                                     print({Bytes(17, 0)})};
  // One bit anywhere among 40 bytes.
  for (std::size_t i = 0; i < 40; ++i)
    for (int bit = 0; bit < 8; ++bit) {
      Bytes bytes(40, 0);
      bytes[i] = std::uint8_t(1 << bit);
      prints.push_back(print({bytes}));
    }
  std::sort(prints.begin(), prints.end());
  CHECK(std::adjacent_find(prints.begin(), prints.end()) == prints.end());
}
