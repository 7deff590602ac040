// SPDX-License-Identifier: Apache-2.0
// Everything around operators: views of stored tensors, constants that are computed while a model is read, chains that
// are one operator, data beside the model, and the forms of structure that are refused.
#include <catch2/catch.hpp>

#include <cmath>
#include <numeric>

#include "models/dnn/onnx/onnx_reader.h"
#include "models/dnn/onnx/view.h"
#include "models/input_error.h"
#include "testbenches/models/dnn/onnx/model_writer.h"

using namespace mho::dnn;
using namespace mho::dnn::testing;
using Catch::Contains;
using onnx::TensorProto;

namespace {

/// x [N, 4, 2, 3] or what the test says; the result of `change` is the output.
std::string shaped(const std::function<std::string(ModelWriter&)>& change, const Dims& dims = {0, 4, 2, 3},
                   int opset = 13) {
  ModelWriter m(opset);
  m.input("x", TensorProto::FLOAT, dims);
  const std::string last = change(m);
  m.node("Sigmoid", {last}, "y");
  m.model.mutable_graph()->add_output()->set_name("y");
  return m.network_refusal();
}

}  // namespace

TEST_CASE("Views follow reshapes and transpositions of a stored map") {
  // 2 rows of 3 pixels of 4 channels: element (c, y, x) lies at 12 y + 4 x + c.
  const View map = View::map({2, 3, 4});
  CHECK(map.dims() == std::vector<std::int64_t>{1, 4, 2, 3});
  CHECK(map.axes[2] == Factors{{2, 12}});
  const std::optional<View> flat = map.reshaped({1, 4, 6});
  REQUIRE(flat);
  CHECK(flat->axes[2] == Factors{{6, 4}});
  CHECK(flat->transposed({0, 2, 1}) == View::sequence({2, 3, 4}));
  const std::optional<View> vector = map.reshaped({24});
  REQUIRE(vector);
  // The second element of channel 0 is pixel 1.
  CHECK(places(vector->axes[0]) == std::vector<std::uint32_t>{0, 4, 8,  12, 16, 20, 1, 5, 9,  13, 17, 21,
                                                              2, 6, 10, 14, 18, 22, 3, 7, 11, 15, 19, 23});
  CHECK(*vector->reshaped({1, 4, 2, 3}) == map);
  // Channels in two groups: 2 x 2, then exchanged.
  const View groups = map.reshaped({1, 2, 2, 2, 3})->transposed({0, 2, 1, 3, 4});
  CHECK(places(groups.joined(1, 3)) == std::vector<std::uint32_t>{0, 2, 1, 3});
  CHECK_FALSE(groups.reshaped({1, 4, 6}) == map.reshaped({1, 4, 6}));
}

TEST_CASE("Views refuse reshapes that cut through digits") {
  // 4 channels and 6 pixels: 3 x 8 would need channel and pixel mixed.
  CHECK_FALSE(View::map({2, 3, 4}).reshaped({1, 3, 8}));
  CHECK_FALSE(View::map({2, 3, 4}).reshaped({1, 4, 3, 2})->transposed({0, 1, 3, 2}).reshaped({1, 4, 4}));
  CHECK(View::map({2, 3, 4}).reshaped({1, 4, 3, 2}));
}

TEST_CASE("Digits are split where channels end, or not at all") {
  const View sequence = View::sequence({1, 5, 6});
  const View flat = *sequence.reshaped({1, 30});
  CHECK(flat.axes[1] == Factors{{30, 1}});
  CHECK(split_at_pixels(flat, 6)->axes[1] == Factors{{5, 6}, {6, 1}});
  CHECK_FALSE(split_at_pixels(*sequence.reshaped({1, 3, 10}), 6));
  CHECK(with_channels({{5, 6}}, 6, 4) == Factors{{5, 4}});
}

TEST_CASE("Shapes that a model computes are constants") {
  const auto flattened = [](const std::function<std::string(ModelWriter&)>& target) {
    return shaped([&](ModelWriter& m) {
      m.node("Shape", {"x"}, "s");
      m.node("Reshape", {"x", target(m)}, "f");
      m.node("MatMul", {"f", m.floats("w", std::vector<float>(48, 1), {24, 2})}, "p");
      return std::string("p");
    });
  };
  CHECK(flattened([](ModelWriter& m) {
          m.node("Gather", {"s", m.integers("zero", TensorProto::INT64, {0})}, "n");
          m.node("Unsqueeze", {"n", write_ints(m, "axes", {0})}, "u");
          set_integer(m.node("Concat", {"u", write_ints(m, "rest", {-1})}, "t"), "axis", 0);
          return std::string("t");
        }) == "accepted");
  // 4 * 2 * 3 = 24, by slices, arithmetic and casts; the leading 1 comes from the input's own axis.
  CHECK(flattened([](ModelWriter& m) {
          m.node("Slice", {"s", write_ints(m, "b", {1}), write_ints(m, "e", {4})}, "three");
          m.node("Gather", {"three", write_ints(m, "i0", {0})}, "c");
          m.node("Gather", {"three", write_ints(m, "i1", {-2})}, "h");
          m.node("Gather", {"three", write_ints(m, "i2", {2})}, "w0");
          m.node("Mul", {"c", "h"}, "ch");
          set_integer(m.node("Cast", {"w0"}, "wf"), "to", TensorProto::FLOAT);
          m.node("Div", {"wf", m.floats("half", {0.5f})}, "double");
          m.node("Floor", {"double"}, "floor");
          set_integer(m.node("Cast", {"floor"}, "wi"), "to", TensorProto::INT64);
          m.node("Mul", {"ch", "wi"}, "all2");
          m.node("Div", {"all2", write_ints(m, "two", {2})}, "all");
          m.node("Slice", {"s", write_ints(m, "b0", {0}), write_ints(m, "e0", {1})}, "n");
          set_integer(m.node("Concat", {"n", "all"}, "t"), "axis", 0);
          return std::string("t");
        }) == "accepted");
  CHECK_THAT(flattened([](ModelWriter& m) {
               return write_ints(m, "t", {1, 24});
             }),
             Contains("does not flatten each inference by itself"));
  CHECK_THAT(flattened([](ModelWriter& m) {
               m.node("ConstantOfShape", {write_ints(m, "huge", {1 << 20, 1 << 20})}, "t");
               return std::string("t");
             }),
             Contains("makes a constant of another size (at most 4194304 elements)"));
  CHECK_THAT(flattened([](ModelWriter& m) {
               m.node("Div", {"s", write_ints(m, "none", {0})}, "t");
               return std::string("t");
             }),
             Contains("divides by 0"));
}

TEST_CASE("Weights may be transposed, sliced and joined on the way") {
  ModelWriter m;
  m.input("x", TensorProto::FLOAT, {0, 3});
  // [2, 2] and [1, 2] joined to [3, 2], transposed twice.
  m.floats("a", {1, 2, 3, 4}, {2, 2});
  m.node("Slice", {m.floats("b", {9, 9, 5, 6}, {2, 2}), write_ints(m, "s", {1}), write_ints(m, "e", {2})}, "bs");
  set_integer(m.node("Concat", {"a", "bs"}, "joined"), "axis", 0);
  set_list(m.node("Transpose", {"joined"}, "t"), "perm", {1, 0});
  set_integer(m.node("Gemm", {"x", "t"}, "y"), "transB", 1);
  m.model.mutable_graph()->add_output()->set_name("y");
  // [F, K] = [2, 3]: 1 3 5 and 2 4 6.
  CHECK(m.load_network().real_weights.at(0).values == std::vector<float>{1, 3, 5, 2, 4, 6});
}

namespace {

/// The function that a chain from `x` to `y` has become.
std::string function_of(const std::function<void(ModelWriter&)>& chain, bool read_inside = false) {
  ModelWriter m;
  m.node("Sigmoid", {m.input("in", TensorProto::FLOAT, {0, 4})}, "x");
  m.floats("half", {0.5f}), m.floats("one", {1}), m.floats("three", {3}), m.floats("six", {6}), m.floats("zero", {0});
  m.floats("root", {1.41421356f}), m.floats("inverse", {0.70710678f});
  chain(m);
  m.model.mutable_graph()->add_output()->set_name("y");
  if (read_inside) m.model.mutable_graph()->add_output()->set_name("e");
  try {
    const FloatNetwork network = m.load_network();
    return network.graph.nodes.size() == 2 ? std::string(name_of(network.graph.nodes[1].function)) : "several";
  } catch (const mho::InputError& error) {
    return error.problem();
  }
}

void write_erf(ModelWriter& m, bool divides) {
  m.node(divides ? "Div" : "Mul", {"x", divides ? "root" : "inverse"}, "i");
  m.node("Erf", {"i"}, "e");
  m.node("Add", {"one", "e"}, "a");
}

void write_gelu(ModelWriter& m) {
  write_erf(m, true);
  m.node("Mul", {"x", "a"}, "p");
  m.node("Mul", {"p", "half"}, "y");
}

}  // namespace

TEST_CASE("GELU is found with its half at any place, and left where something else reads a part") {
  CHECK(function_of(write_gelu) == "gelu");
  CHECK(function_of([](ModelWriter& m) {
          m.node("Mul", {"half", "x"}, "h");
          write_erf(m, false);
          m.node("Mul", {"h", "a"}, "y");
        }) == "gelu");
  CHECK(function_of([](ModelWriter& m) {
          write_erf(m, false);
          m.node("Mul", {"a", "half"}, "p");
          m.node("Mul", {"x", "p"}, "y");
        }) == "gelu");
  CHECK_THAT(function_of(write_gelu, true), Contains("node `e.Erf` (Erf): computes with activations"));
  for (const char* changed : {"i", "a", "y"})
    CHECK_THAT(function_of([=](ModelWriter& m) {
                 write_gelu(m);
                 m.node_of(changed).set_input(changed[0] == 'a' ? 0 : 1, "three");
               }),
               Contains("(Erf)"));
}

TEST_CASE("Hard swish is found in its three forms") {
  const auto swish = [](const char* first, const char* second) {
    return [=](ModelWriter& m) {
      m.node("Add", {"x", "three"}, "a");
      m.node("Clip", {"a", "zero", "six"}, "e");
      m.node(first, {"e", std::string(first) == "Div" ? "six" : "x"}, "f");
      m.node(second, {"f", std::string(second) == "Div" ? "six" : "x"}, "y");
    };
  };
  CHECK(function_of(swish("Div", "Mul")) == "hard_swish");
  CHECK(function_of(swish("Mul", "Div")) == "hard_swish");
  CHECK(function_of(swish("Mul", "Div"), true) == "several");
  const auto sigmoid = [](float slope) {
    return [=](ModelWriter& m) {
      set_number(m.node("HardSigmoid", {"x"}, "e"), "alpha", slope);
      m.node("Mul", {"e", "x"}, "y");
    };
  };
  CHECK(function_of(sigmoid(1.0f / 6)) == "hard_swish");
  CHECK(function_of(sigmoid(0.2f)) == "several");
}

TEST_CASE("A chain that is no layer normalisation is not taken for one") {
  const auto normalised = [](const std::function<void(ModelWriter&)>& change) {
    ModelWriter m(13);
    m.input("x", TensorProto::FLOAT, {0, 5, 4});
    set_list(m.node("ReduceMean", {"x"}, "mean"), "axes", {-1});
    m.node("Sub", {"x", "mean"}, "centred");
    m.node("Pow", {"centred", m.floats("two", {2})}, "square");
    set_list(m.node("ReduceMean", {"square"}, "variance"), "axes", {-1});
    m.node("Add", {"variance", m.floats("eps", {0.01f})}, "safe");
    m.node("Sqrt", {"safe"}, "deviation");
    m.node("Div", {"centred", "deviation"}, "unit");
    m.node("Mul", {"unit", m.floats("g", {1, 2, 3, 4}, {4})}, "scaled");
    m.node("Add", {"scaled", m.floats("o", {5, 6, 7, 8}, {4})}, "y");
    change(m);
    m.model.mutable_graph()->add_output()->set_name("y");
    try {
      const Node node = m.load_network().graph.nodes.at(0);
      return node.op == Operator::kLayerNorm && node.gain == std::vector<double>{1, 2, 3, 4} &&
                     node.offset == std::vector<double>{5, 6, 7, 8} && node.epsilon == double(0.01f)
                 ? std::string("normalised")
                 : "something else";
    } catch (const mho::InputError& error) {
      return error.problem();
    }
  };
  CHECK(normalised([](ModelWriter&) {}) == "normalised");
  CHECK_THAT(normalised([](ModelWriter& m) { m.initialiser("two").set_raw_data(m.initialiser("eps").raw_data()); }),
             Contains("averages over other axes than the pixels"));
  CHECK_THAT(normalised([](ModelWriter& m) { m.node_of("mean").mutable_attribute(0)->set_ints(0, 1); }),
             Contains("subtracts activations"));
  CHECK_THAT(normalised([](ModelWriter& m) { m.model.mutable_graph()->add_output()->set_name("variance"); }),
             Contains("averages over other axes than the pixels"));
}

TEST_CASE("Layouts that no operator can take are refused by node") {
  for (const char* op : {"Conv", "AveragePool"})
    CHECK_THAT(shaped([=](ModelWriter& m) {
                 m.node("Pad", {"x", write_ints(m, "p", {0, 0, 1, 1, 0, 0, 1, 1})}, "q");
                 set_list(m.node("Transpose", {"q"}, "t"), "perm", {0, 1, 3, 2});
                 onnx::NodeProto& window = m.node(op, {"t"}, "c");
                 set_list(window, "kernel_shape", {3, 3});
                 if (*op == 'C') window.add_input(m.floats("w", std::vector<float>(36, 1), {1, 4, 3, 3}));
                 return std::string("c");
               }),
               Contains("input is no map"));
  CHECK_THAT(shaped([](ModelWriter& m) {
               m.node("Reshape", {"x", write_ints(m, "t", {0, 3, 8})}, "r");
               return std::string("r");
             }),
             Contains("the new shape cuts through the stored elements"));
  CHECK_THAT(shaped([](ModelWriter& m) {
               set_list(m.node("Transpose", {"x"}, "t"), "perm", {0, 1, 3, 2});
               return std::string("t");
             }),
             Contains("graph output `y` has its elements in another order"));
  CHECK_THAT(shaped([](ModelWriter& m) {
               m.node("Add", {"x", m.floats("c", {1, 2, 3}, {3})}, "a");
               return std::string("a");
             }),
             Contains("a constant has 3 values along axis 3, which are no channels"));
  CHECK_THAT(shaped([](ModelWriter& m) {
               set_integer(m.node("Concat", {"x", "x"}, "c"), "axis", 3);
               return std::string("c");
             }),
             Contains("axis is 3 (the channels"));
  CHECK_THAT(shaped([](ModelWriter& m) {
               set_integer(m.node("Gather", {"x", write_ints(m, "i", {1})}, "g"), "axis", 2);
               return std::string("g");
             }),
             Contains("chooses along axis 2, which is not within the channels"));
  CHECK_THAT(shaped([](ModelWriter& m) {
               set_list(m.node("ReduceMean", {"x"}, "r"), "axes", {1});
               return std::string("r");
             }),
             Contains("averages over other axes than the pixels"));
}

TEST_CASE("Forms of older opsets are read") {
  CHECK(shaped(
            [](ModelWriter& m) {
              set_list(m.node("Unsqueeze", {"x"}, "u"), "axes", {1});
              set_list(m.node("Squeeze", {"u"}, "s"), "axes", {-4});
              onnx::NodeProto& slice = m.node("Slice", {"s"}, "p");
              set_list(slice, "starts", {1}), set_list(slice, "ends", {1000}), set_list(slice, "axes", {1});
              onnx::NodeProto& pad = m.node("Pad", {"p"}, "q");
              set_list(pad, "pads", {0, 0, 1, 1, 0, 0, 1, 1});
              m.node("Dropout", {"q"}, "d");
              return std::string("d");
            },
            {0, 4, 2, 3}, 7) == "accepted");
}

TEST_CASE("Constants of several axes meet the channels that those axes are") {
  ModelWriter m;
  m.input("x", TensorProto::FLOAT, {0, 5, 6});
  m.node("Reshape", {"x", write_ints(m, "apart", {0, 5, 3, 2})}, "heads");
  set_list(m.node("Transpose", {"heads"}, "by_head"), "perm", {0, 3, 1, 2});
  // [2, 1, 3] over [N, 2, 5, 3]: element (i, 0, j) meets channel 2 j + i.
  m.node("Mul", {"by_head", m.floats("c", {1, 2, 3, 4, 5, 6}, {2, 1, 3})}, "scaled");
  set_list(m.node("Transpose", {"scaled"}, "back"), "perm", {0, 2, 3, 1});
  m.node("Reshape", {"back", write_ints(m, "together", {0, 5, 6})}, "y");
  m.model.mutable_graph()->add_output()->set_name("y");
  CHECK(m.load_network().graph.nodes.at(0).gain == std::vector<double>{1, 4, 2, 5, 3, 6});
}

TEST_CASE("Of newer opsets what has not changed is read") {
  const auto sigmoid = [](ModelWriter&) { return std::string("x"); };
  CHECK(shaped(sigmoid, {0, 4}, 21) == "accepted");
  const auto pad = [](ModelWriter& m) {
    m.node("Pad", {"x", write_ints(m, "p", {0, 0, 1, 1, 0, 0, 1, 1})}, "q");
    return std::string("q");
  };
  CHECK(shaped(pad, {0, 4, 2, 3}, 17) == "accepted");
  CHECK_THAT(
      shaped(pad, {0, 4, 2, 3}, 18),
      Contains("node `q.Pad` (Pad): operator has changed in opset 18 (a model exported with opset 17 or lower)"));
}

TEST_CASE("A small model cannot make much of its constants") {
  ModelWriter m;
  m.input("x", TensorProto::FLOAT, {0, 1 << 24, 1, 1});
  std::string last = "x";
  for (int i = 0; i < 20; ++i) {
    const std::string sum = "sum" + std::to_string(i), next = "next" + std::to_string(i);
    m.node("Add", {last, m.floats("c" + std::to_string(i), {float(i + 1)})}, sum);
    m.node("Sigmoid", {sum}, next);
    last = next;
  }
  m.model.mutable_graph()->add_output()->set_name(last);
  CHECK_THAT(m.network_refusal(), Contains("makes too much of them"));
  ModelWriter many;
  many.input("x", TensorProto::FLOAT, {0, 1 << 12, 1 << 12, 1 << 4});
  many.node("Pad", {"x", write_ints(many, "p", {0, 0, 1 << 20, 0, 0, 0, 0, 0})}, "y");
  many.model.mutable_graph()->add_output()->set_name("y");
  CHECK_THAT(many.network_refusal(), Contains("result is too large (at most 268435456 codes)"));
}

TEST_CASE("Data beside the model is read, and nothing outside of its folder") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.path() / "inside");
  std::vector<float> weights(8);
  std::iota(weights.begin(), weights.end(), 1.0f);
  write_bytes(folder.file("inside/weights.bin"),
              std::string(16, 'x') + std::string(reinterpret_cast<const char*>(weights.data()), 32));
  write_bytes(folder.file("outside.bin"), std::string(64, 'x'));
  std::filesystem::create_symlink(folder.path() / "outside.bin", folder.path() / "inside/link.bin");
  ModelWriter m;
  m.node("Gemm", {m.input("x", TensorProto::FLOAT, {0, 4}), m.floats("w", weights, {4, 2})}, "y");
  m.output("y", TensorProto::FLOAT, {0, 2});
  const auto message = [&](const std::vector<std::pair<std::string, std::string>>& entries) -> std::string {
    TensorProto& w = m.initialiser("w");
    w.clear_raw_data();
    w.clear_external_data();
    w.set_data_location(TensorProto::EXTERNAL);
    for (const auto& [key, value] : entries) {
      onnx::StringStringEntryProto& entry = *w.add_external_data();
      entry.set_key(key);
      entry.set_value(value);
    }
    write_bytes(folder.file("inside/model.onnx"), m.model.SerializeAsString());
    try {
      const FloatNetwork network = read_network(folder.file("inside/model.onnx"));
      // [K, F] = [4, 2] turned around.
      return network.real_weights.at(0).values == std::vector<float>{1, 3, 5, 7, 2, 4, 6, 8} ? "right" : "wrong";
    } catch (const mho::InputError& error) {
      return error.what();
    }
  };
  CHECK(message({{"location", "weights.bin"}, {"offset", "16"}, {"length", "32"}}) == "right");
  CHECK(message({{"location", "./weights.bin"}, {"offset", "16"}}) == "right");
  CHECK(message({{"location", "weights.bin"}}) == "wrong");
  CHECK_THAT(message({{"location", "../inside/weights.bin"}, {"offset", "16"}}), Contains("keeps its data in `../ins"));
  CHECK_THAT(message({{"location", "../outside.bin"}}),
             Contains("keeps its data in `../outside.bin` (a file in the model's folder"));
  CHECK_THAT(message({{"location", folder.file("outside.bin")}}), Contains("a file in the model's folder"));
  CHECK_THAT(message({{"location", "link.bin"}}), Contains("a file in the model's folder"));
  CHECK_THAT(message({{"location", "absent.bin"}}), Contains("cannot be opened"));
  CHECK_THAT(message({{"location", "."}}), Contains("a file in the model's folder"));
  CHECK_THAT(message({{"location", "weights.bin"}, {"offset", "17"}}),
             Contains("ends beyond the end of `weights.bin`"));
  CHECK_THAT(message({{"location", "weights.bin"}, {"offset", "-1"}}), Contains("offset and length of 0 or more"));
  CHECK_THAT(message({{"location", "weights.bin"}, {"offset", "99999999999999999999"}}), Contains("external data at"));
  CHECK_THAT(message({{"location", "weights.bin"}, {"length", "31"}}),
             Contains("holds 31 bytes (32 for its dimensions)"));
  CHECK_THAT(message({{"offset", "0"}}), Contains("which it does not name"));
}
