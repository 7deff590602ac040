// SPDX-License-Identifier: Apache-2.0
// One bad model for every rule of the reader: an InputError of one line that names the node and what is allowed.
#include <catch2/catch.hpp>

#include <cmath>
#include <functional>

#include "models/dnn/onnx/onnx_reader.h"
#include "models/input_error.h"
#include "testbenches/models/dnn/onnx/model_writer.h"

using namespace mho::dnn;
using namespace mho::dnn::testing;
using onnx::TensorProto;

namespace {

struct Spoilt {
  const char* fragment;
  std::function<void(ModelWriter&)> spoil;
};

void check_all(const std::vector<Spoilt>& cases) {
  for (const Spoilt& c : cases) {
    ModelWriter m = small_convolution();
    c.spoil(m);
    CAPTURE(c.fragment);
    CHECK_THAT(m.refusal(), Catch::Contains(c.fragment));
  }
}

onnx::TensorShapeProto& input_shape(ModelWriter& m) {
  return *m.model.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
}

onnx::TypeProto_Tensor& output_type(ModelWriter& m) {
  return *m.model.mutable_graph()->mutable_output(0)->mutable_type()->mutable_tensor_type();
}

}  // namespace

TEST_CASE("Models of other versions are refused with what is supported") {
  check_all({
      {"uses opset 22 (7 to 21", [](ModelWriter& m) { m.model.mutable_opset_import(0)->set_version(22); }},
      {"uses opset 6 (", [](ModelWriter& m) { m.model.mutable_opset_import(0)->set_version(6); }},
      {"(DequantizeLinear): operator has changed in opset 19 (a model exported with opset 17 or lower)",
       [](ModelWriter& m) { m.model.mutable_opset_import(0)->set_version(19); }},
      {"accepted", [](ModelWriter& m) { m.model.mutable_opset_import(0)->set_version(18); }},
      {"uses opset 0", [](ModelWriter& m) { m.model.clear_opset_import(); }},
      {"has IR version 11 (3 to 10)", [](ModelWriter& m) { m.model.set_ir_version(11); }},
      {"accepted", [](ModelWriter& m) { m.model.set_ir_version(9); }},
      {"has IR version 0", [](ModelWriter& m) { m.model.clear_ir_version(); }},
      {"holds no graph", [](ModelWriter& m) { m.model.clear_graph(); }},
      {"sparse", [](ModelWriter& m) { m.model.mutable_graph()->add_sparse_initializer(); }},
  });
}

TEST_CASE("Operators that are not supported are refused by node with the list of those that are") {
  check_all({
      {"node `relu.Relu` (Loop): operator is not supported (Add, AveragePool, BatchNorm",
       [](ModelWriter& m) { m.node_of("relu").set_op_type("Loop"); }},
      {"operator is not supported", [](ModelWriter& m) { m.node_of("relu").set_domain("com.microsoft"); }},
      {"node `relu` (Loop)",
       [](ModelWriter& m) { m.node_of("relu").set_op_type("Loop"), m.node_of("relu").clear_name(); }},
      {"has no output", [](ModelWriter& m) { m.node_of("relu").clear_output(); }},
      {"more than one output", [](ModelWriter& m) { m.node_of("relu").add_output("mask"); }},
  });
}

TEST_CASE("Values that are missing, doubled or out of order are refused") {
  check_all({
      {"reads `w.codes`, which nothing before it writes",
       [](ModelWriter& m) { m.initialiser("w.codes").set_name("elsewhere"); }},
      {"node `relu.Relu` (Relu): reads `y`, which nothing before it writes",
       [](ModelWriter& m) { m.node_of("relu").set_input(0, "y"); }},
      {"value `sum` is written twice", [](ModelWriter& m) { m.node_of("relu").set_output(0, "sum"); }},
      {"value `image` is written twice",
       [](ModelWriter& m) {
         m.input("image", TensorProto::UINT8, {0, 2, 2, 2});
       }},
      {"input 1 is missing", [](ModelWriter& m) { m.node_of("sum").set_input(1, ""); }},
      {"input 1 is missing", [](ModelWriter& m) { m.node_of("y").mutable_input()->DeleteSubrange(1, 2); }},
      {"has 4 inputs (at most 3)", [](ModelWriter& m) { m.node_of("sum").add_input("b"); }},
      {"graph output `z` is never written",
       [](ModelWriter& m) { m.model.mutable_graph()->mutable_output(0)->set_name("z"); }},
      {"there is no graph output", [](ModelWriter& m) { m.model.mutable_graph()->clear_output(); }},
      {"graph outputs `y` and `real` are the same codes",
       [](ModelWriter& m) {
         m.dequantise("y", "real", 2.0f, -3, TensorProto::INT8);
         m.output("real", TensorProto::FLOAT, {0, 2, 1, 1});
       }},
      {"has no name", [](ModelWriter& m) { m.initialiser("b.codes").clear_name(); }},
      {"tensor `sum` is float, without scale (quantised models; `mho import MODEL --samples FILE --out DIR`",
       [](ModelWriter& m) { m.node_of("y").set_input(0, "sum"); }},
  });
}

TEST_CASE("Inputs and outputs of the wrong kind are refused") {
  check_all({
      {"graph input `image` has 5 dimensions ([N, channels, height, width]",
       [](ModelWriter& m) { input_shape(m).add_dim(); }},
      {"node `sum.Conv` (Conv): input is no map", [](ModelWriter& m) { input_shape(m).mutable_dim()->RemoveLast(); }},
      {"has 7 at its leading axis", [](ModelWriter& m) { input_shape(m).mutable_dim(0)->set_dim_value(7); }},
      {"no usable extent at axis 2", [](ModelWriter& m) { input_shape(m).mutable_dim(2)->set_dim_value(-2); }},
      {"no usable extent at axis 3 (1 to 16777216)",
       [](ModelWriter& m) { input_shape(m).mutable_dim(3)->set_dim_value(std::int64_t(1) << 40); }},
      {"no usable extent at axis 1", [](ModelWriter& m) { input_shape(m).mutable_dim(1)->set_dim_param("C"); }},
      {"at most 268435456 codes",
       [](ModelWriter& m) {
         input_shape(m).mutable_dim(2)->set_dim_value(1 << 20);
         input_shape(m).mutable_dim(3)->set_dim_value(1 << 20);
         m.model.mutable_graph()->mutable_output(0)->clear_type();
       }},
      {"has type int64 (uint8, int8 or float)",
       [](ModelWriter& m) {
         m.model.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(7);
       }},
      {"graph output `y` is declared uint8 (int8 as computed)",
       [](ModelWriter& m) { output_type(m).set_elem_type(TensorProto::UINT8); }},
      {"is declared with another shape ([N, 2, 1, 1] as computed)",
       [](ModelWriter& m) { output_type(m).mutable_shape()->mutable_dim(1)->set_dim_value(3); }},
      {"is declared with another shape", [](ModelWriter& m) { output_type(m).mutable_shape()->add_dim(); }},
      {"tensor `relu` is float, without scale",
       [](ModelWriter& m) {
         m.model.mutable_graph()->mutable_node()->RemoveLast();
         m.model.mutable_graph()->mutable_output(0)->set_name("relu");
         output_type(m).set_elem_type(TensorProto::FLOAT);
       }},
      {"graph input `extra` is float and never quantised",
       [](ModelWriter& m) {
         m.input("extra", TensorProto::FLOAT, {0, 4});
       }},
      {"graph output `flat` is a flattened map",
       [](ModelWriter& m) {
         m.node("Flatten", {"image"}, "flat");
         m.model.mutable_graph()->mutable_output(0)->set_name("flat");
       }},
  });
}

TEST_CASE("Float networks are refused with the remedy") {
  ModelWriter m;
  m.floats("w", std::vector<float>(4, 1.0f), {1, 1, 2, 2});
  m.node("Conv", {m.input("x", TensorProto::FLOAT, {1, 1, 4, 4}), "w"}, "y");
  m.output("y", TensorProto::FLOAT, {1, 1, 3, 3});
  CHECK_THAT(m.refusal(), Catch::Contains("node `y.Conv` has weights in float") &&
                              Catch::Contains("`mho import MODEL --samples FILE --out DIR` quantises the network"));
}

TEST_CASE("Quantisation parameters outside the integer semantics are refused") {
  check_all({
      {"weights are uint8 (int8 with zero point 0: quantise weights symmetrically)",
       [](ModelWriter& m) {
         m.initialiser("w.codes").set_data_type(TensorProto::UINT8);
         for (auto& v : *m.initialiser("w.codes").mutable_int32_data()) v = v < 0 ? 0 : v;
       }},
      {"zero point of a constant is 3 (0: quantise weights symmetrically)",
       [](ModelWriter& m) { m.initialiser("w.zero").set_int32_data(0, 3); }},
      {"scale of the bias is not x_scale * w_scale for filter 0",
       [](ModelWriter& m) { m.initialiser("b.scale").set_raw_data(std::string("\0\0\0\x3f", 4)); }},
      {"scale is 0.000000 (positive finite",
       [](ModelWriter& m) { m.initialiser("y.scale").set_raw_data(std::string(4, '\0')); }},
      {"scale is nan", [](ModelWriter& m) { m.initialiser("y.scale").set_raw_data(std::string("\0\0\xc0\x7f", 4)); }},
      {"scale has type int32", [](ModelWriter& m) { m.initialiser("y.scale").set_data_type(TensorProto::INT32); }},
      {"an activation has a scale per channel",
       [](ModelWriter& m) {
         m.initialiser("y.scale").add_dims(2);
         m.initialiser("y.scale").set_raw_data(std::string("\0\0\x80\x3f\0\0\x80\x3f", 8));
       }},
      {"an activation has type int32",
       [](ModelWriter& m) { m.initialiser("y.zero").set_data_type(TensorProto::INT32); }},
      {"differ from those that the codes were written with",
       [](ModelWriter& m) {
         m.dequantise("y", "real", 1.0f, -3, TensorProto::INT8);
         m.model.mutable_graph()->mutable_output(0)->set_name("real");
       }},
      {"a graph input is quantised in two ways",
       [](ModelWriter& m) {
         m.input("f", TensorProto::FLOAT, {0, 4});
         m.quantise("f", "f1", 1.0f);
         m.quantise("f", "f2", 2.0f);
       }},
  });
}

TEST_CASE("Stored tensors that contradict themselves are refused") {
  check_all({
      {"has a dimension of -2", [](ModelWriter& m) { m.initialiser("w.codes").set_dims(0, -2); }},
      {"has a dimension of 0", [](ModelWriter& m) { m.initialiser("w.codes").set_dims(0, 0); }},
      {"has too many elements", [](ModelWriter& m) { m.initialiser("w.codes").set_dims(0, std::int64_t(1) << 62); }},
      {"input `w.codes` holds 16 elements (24", [](ModelWriter& m) { m.initialiser("w.codes").set_dims(0, 3); }},
      {"holds 200 (values of its type)", [](ModelWriter& m) { m.initialiser("w.codes").set_int32_data(5, 200); }},
      {"input `y.scale` holds 3 bytes (4", [](ModelWriter& m) { m.initialiser("y.scale").set_raw_data("abc"); }},
      {"has elements of type float16",
       [](ModelWriter& m) { m.initialiser("w.codes").set_data_type(TensorProto::FLOAT16); }},
      {"has elements of type 77", [](ModelWriter& m) { m.initialiser("w.codes").set_data_type(77); }},
      {"keeps its data in another file",
       [](ModelWriter& m) { m.initialiser("w.codes").set_data_location(TensorProto::EXTERNAL); }},
  });
}

TEST_CASE("Windows and groups that do not fit are refused") {
  const auto conv = [](const char* fragment, const std::function<void(onnx::NodeProto&)>& change) {
    return Spoilt{fragment, [=](ModelWriter& m) { change(m.node_of("sum")); }};
  };
  check_all({
      conv("attribute `strides` holds 0 (1 to",
           [](onnx::NodeProto& n) {
             set_list(n, "strides", {0, 1});
           }),
      conv("attribute `strides` has 3 values (2",
           [](onnx::NodeProto& n) {
             set_list(n, "strides", {1, 1, 1});
           }),
      conv("attribute `pads` holds -1",
           [](onnx::NodeProto& n) {
             set_list(n, "pads", {-1, 0, 0, 0});
           }),
      conv("attribute `dilations` holds 9223372036854775807",
           [](onnx::NodeProto& n) {
             set_list(n, "dilations", {1, INT64_MAX});
           }),
      conv("kernel spans 5 (at most the padded input's 2)",
           [](onnx::NodeProto& n) {
             set_list(n, "dilations", {4, 1});
           }),
      conv("padding is 2 along the height (less than",
           [](onnx::NodeProto& n) {
             set_list(n, "pads", {2, 0, 2, 0}), set_list(n, "strides", {5, 1});
           }),
      conv("auto_pad is `SAME`", [](onnx::NodeProto& n) { set_text(n, "auto_pad", "SAME"); }),
      conv("both pads and auto_pad",
           [](onnx::NodeProto& n) {
             set_list(n, "pads", {1, 0, 0, 0}), set_text(n, "auto_pad", "VALID");
           }),
      conv("3 groups of 2 channels", [](onnx::NodeProto& n) { set_integer(n, "group", 3); }),
      conv("-1 groups", [](onnx::NodeProto& n) { set_integer(n, "group", -1); }),
      conv("attribute `group` has another type", [](onnx::NodeProto& n) { set_text(n, "group", "1"); }),
      conv("attribute `fused` is not supported", [](onnx::NodeProto& n) { set_integer(n, "fused", 1); }),
      conv("attribute `kernel_shape` stands twice",
           [](onnx::NodeProto& n) {
             set_list(n, "kernel_shape", {2, 2});
           }),
      {"kernel_shape differs from the weights (2 x 2)",
       [](ModelWriter& m) { m.node_of("sum").mutable_attribute(0)->set_ints(0, 1); }},
      {"weights have 2 dimensions",
       [](ModelWriter& m) {
         m.initialiser("w.codes").clear_dims();
         m.initialiser("w.codes").add_dims(2);
         m.initialiser("w.codes").add_dims(8);
       }},
      {"do not fit the input",
       [](ModelWriter& m) { m.initialiser("w.codes").set_dims(1, 4), m.initialiser("w.codes").set_dims(0, 1); }},
      {"bias has 2 values (4)",
       [](ModelWriter& m) {
         m.initialiser("w.codes").set_dims(0, 4);
         m.initialiser("w.codes").set_dims(2, 1);
         m.node_of("sum").clear_attribute();
       }},
  });
}

TEST_CASE("Damaged and foreign files are refused") {
  const TemporaryFolder folder;
  const std::string good = small_convolution().model.SerializeAsString();
  const auto message = [&](const std::string& bytes) -> std::string {
    write_bytes(folder.file("m.onnx"), bytes);
    try {
      read_onnx(folder.file("m.onnx"));
    } catch (const mho::InputError& error) {
      return error.what();
    }
    return "accepted";
  };
  CHECK(message(good) == "accepted");
  for (const std::size_t length : {good.size() - 1, good.size() / 2, std::size_t(1)})
    CHECK_THAT(message(good.substr(0, length)), Catch::Contains("m.onnx: "));
  CHECK_THAT(message(good.substr(0, good.size() / 2)), Catch::Contains("is damaged or not an ONNX model"));
  CHECK_THAT(message(""), Catch::Contains("is empty"));
  CHECK_THAT(message("just a text file, no model at all"), Catch::Contains("m.onnx: "));
  CHECK_THAT(message(std::string(1000, '\x0b')), Catch::Contains("is damaged"));  // groups within groups
  CHECK_THROWS_WITH(read_onnx("/dev/zero"), Catch::Contains("is not a regular file"));
  CHECK_THROWS_WITH(read_onnx(folder.path().string()), Catch::Contains("is not a regular file"));
  CHECK_THROWS_WITH(read_onnx(folder.file("absent.onnx")), Catch::Contains("No such file"));
}

TEST_CASE("Names that would break the line are escaped") {
  ModelWriter m = small_convolution();
  m.node_of("relu").set_op_type("Soft\nmax");
  m.node_of("relu").set_name(std::string("a\nb\x1b[31m") + std::string(500, 'x'));
  const std::string text = m.refusal();
  CHECK_THAT(text, Catch::Contains("node `a\\nb\\x1b[31mxxx") && Catch::Contains("Soft\\nmax") &&
                       Catch::Contains("operator is not supported (Add"));
}

TEST_CASE("Products and pools outside the supported forms are refused") {
  const auto pooled = [](const char* op, const std::function<void(ModelWriter&, onnx::NodeProto&)>& change) {
    ModelWriter m;
    m.dequantise(m.input("image", TensorProto::UINT8, {0, 2, 4, 4}), "x", 1.0f);
    onnx::NodeProto& n = m.node(op, {"x"}, "sum");
    change(m, n);
    m.quantise("sum", "y", 1.0f);
    m.model.mutable_graph()->add_output()->set_name("y");
    return m.refusal();
  };
  using Catch::Contains;
  CHECK_THAT(pooled("MaxPool", [](ModelWriter&, onnx::NodeProto&) {}), Contains("`kernel_shape` is missing"));
  CHECK_THAT(pooled("AveragePool",
                    [](ModelWriter&, onnx::NodeProto& n) {
                      set_list(n, "kernel_shape", {3, 3});
                      set_list(n, "strides", {2, 2});
                      set_integer(n, "ceil_mode", 1);
                      set_integer(n, "count_include_pad", 1);
                    }),
             Contains("ceil_mode reaches beyond padding that counts"));
  CHECK_THAT(pooled("Flatten", [](ModelWriter&, onnx::NodeProto& n) { set_integer(n, "axis", 5); }),
             Contains("axis is 5 (an axis of the input)"));
  CHECK_THAT(pooled("Reshape",
                    [](ModelWriter& m, onnx::NodeProto& n) {
                      n.add_input(m.integers("shape", TensorProto::INT64, {1, -1}, {2}));
                    }),
             Contains("does not flatten each inference"));
  CHECK_THAT(pooled("Concat",
                    [](ModelWriter&, onnx::NodeProto& n) {
                      n.add_input("x");
                      set_integer(n, "axis", 2);
                    }),
             Contains("axis is 2 (the channels: 1 of [N, C, H, W]"));
  CHECK_THAT(pooled("Gemm",
                    [](ModelWriter& m, onnx::NodeProto& n) {
                      n.add_input(m.integers("w", TensorProto::INT8, std::vector<int>(32, 1), {32, 1}));
                    }),
             Contains("input is a map"));
  CHECK_THAT(pooled("MatMul",
                    [](ModelWriter& m, onnx::NodeProto& n) {
                      n.add_input(m.weights("w", {32, 1}, std::vector<int>(32, 1), {1}));
                    }),
             Contains("reads `w`, which nothing before it writes"));
  CHECK_THAT(pooled("MatMul", [](ModelWriter&, onnx::NodeProto& n) { n.add_input("x"); }),
             Contains("multiplies two activations whose axes do not lie as attention has them"));
}

TEST_CASE("Matrix products outside the supported forms are refused") {
  const auto product = [](const std::function<void(ModelWriter&)>& change) {
    ModelWriter m;
    m.dequantise(m.input("image", TensorProto::UINT8, {0, 2, 1, 2}), "x", 1.0f);
    m.node("Flatten", {"x"}, "flat");
    m.weights("w", {4, 3}, std::vector<int>(12, 1), {1, 2, 3}, 1);
    m.node("Gemm", {"flat", "w"}, "sum");
    change(m);
    m.quantise("sum", "y", 1.0f);
    m.model.mutable_graph()->add_output()->set_name("y");
    return m.refusal();
  };
  using Catch::Contains;
  CHECK(product([](ModelWriter&) {}) == "accepted");
  CHECK_THAT(product([](ModelWriter& m) { set_number(m.node_of("sum"), "alpha", 2); }), Contains("alpha = 1"));
  CHECK_THAT(product([](ModelWriter& m) { m.node_of("sum").set_input(0, "x"); }), Contains("input is a map"));
  CHECK_THAT(product([](ModelWriter& m) { set_integer(m.node_of("sum"), "transB", 1); }),
             Contains("weights have 3 rows (4, as the input)"));
  CHECK_THAT(
      product([](ModelWriter& m) {
        m.initialiser("w.codes").set_dims(0, 3);
        m.initialiser("w.codes").set_dims(1, 4);
        set_integer(m.node_of("sum"), "transB", 1);
        m.initialiser("w.scale").set_raw_data(m.initialiser("w.scale").raw_data() + std::string("\0\0\x80\x3f", 4));
        m.initialiser("w.scale").set_dims(0, 4);
        m.initialiser("w.zero").add_int32_data(0);
        m.initialiser("w.zero").set_dims(0, 4);
      }),
      Contains("weight scales do not stand along the outputs"));
}

TEST_CASE("A bound that is no code leaves a tensor without format, a ReLU does not") {
  const auto bounded = [](float low, float high) {
    ModelWriter m;
    m.dequantise(m.input("image", TensorProto::UINT8, {0, 2, 1, 2}), "x", 1.0f, 9);
    m.node("Clip", {"x", m.floats("low", {low}), m.floats("high", {high})}, "clipped");
    m.node("GlobalAveragePool", {"clipped"}, "mean");
    m.quantise("mean", "y", 1.0f);
    m.model.mutable_graph()->add_output()->set_name("y");
    return m.refusal();
  };
  CHECK(bounded(0.0f, INFINITY) == "accepted");
  CHECK_THAT(bounded(0.0f, 6.4f), Catch::Contains("tensor `clipped` is float, without scale"));
  CHECK_THAT(bounded(-3.3f, INFINITY), Catch::Contains("tensor `clipped` is float, without scale"));
}

TEST_CASE("Codes that a QLinear operator takes for others, and casts to integers, are refused") {
  ModelWriter m = small_convolution();
  m.node("QLinearSigmoid", {"y", m.floats("other", {1.0f}), "y.zero", "other"}, "z").set_domain("com.microsoft");
  m.node_of("z").add_input("y.zero");
  CHECK_THAT(m.refusal(), Catch::Contains("type of input 0 differ from those that its codes were written with"));
  m.node_of("z").set_input(1, "y.scale");
  CHECK(m.refusal() == "accepted");
  ModelWriter cast = small_convolution();
  set_integer(cast.node("Cast", {"y"}, "z"), "to", TensorProto::INT64);
  CHECK_THAT(cast.refusal(), Catch::Contains("changes the type of an activation (int8, as it is)"));
}
