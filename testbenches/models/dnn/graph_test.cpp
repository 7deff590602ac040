// SPDX-License-Identifier: Apache-2.0
// Geometry of graphs, and one bad graph for every rule that `validate` enforces.
#include "models/dnn/graph.h"

#include <catch2/catch.hpp>

#include <functional>
#include <limits>

#include "models/dnn/synthetic/graph_builder.h"
#include "models/input_error.h"
#include "testbenches/models/dnn/small_graphs.h"

using namespace mho::dnn;
using namespace mho::dnn::testing;

namespace {

Graph good_convolution() {
  return one_convolution(tensor("x", {6, 6, 4}, kU), tensor("y", {6, 6, 8}, kU), square_window(3, 1, 1),
                         std::vector<std::int8_t>(8 * 9 * 4, 1));
}

Graph good_pool() {
  return one_node(Operator::kMaxPool, {tensor("x", {6, 6, 4}, kU)}, tensor("y", {3, 3, 4}, kU), square_window(2, 2));
}

Graph good_addition() {
  return one_node(Operator::kAdd, {tensor("a", {2, 2, 4}, kU), tensor("b", {2, 2, 4}, kU)}, tensor("y", {2, 2, 4}, kU));
}

Graph good_concat() {
  return one_node(Operator::kConcat, {tensor("a", {2, 2, 4}, kU), tensor("b", {2, 2, 1}, kU)},
                  tensor("y", {2, 2, 5}, kU));
}

struct Spoilt {
  const char* fragment;
  Graph (*good)();
  std::function<void(Graph&)> spoil;
};

Window& window(Graph& g) { return g.nodes[0].window; }

}  // namespace

TEST_CASE("Windowed shapes follow kernel, stride, padding and dilation") {
  // (7 + 3 + 0 - 5) / 2 + 1 = 3 with kernel 3 at dilation 2; (10 - 4) / 3 + 1 = 3.
  const Window w = {3, 4, 2, 3, 3, 0, 0, 0, 2, 1};
  CHECK(windowed_shape({7, 10, 8}, w, 5) == Shape{3, 3, 5});
  CHECK(windowed_shape({2, 2, 1}, square_window(3), 1) == Shape{0, 0, 0});
  CHECK(windowed_shape({2, 2, 1}, square_window(3, 0, 1), 1) == Shape{0, 0, 0});
}

TEST_CASE("Multiply-accumulates count padding and honour groups") {
  // 6 * 6 * 8 outputs of 9 * 4 products; with 4 groups each dot product has 9 elements.
  Graph graph = good_convolution();
  CHECK(dot_length(graph, graph.nodes[0]) == 36);
  CHECK(filters_of(graph, graph.nodes[0]) == 8);
  CHECK(macs(graph) == 6u * 6 * 8 * 36);
  graph.nodes[0].weights.groups = 4;
  CHECK(macs(graph) == 6u * 6 * 8 * 9);
  CHECK(macs(good_pool()) == 0);
}

TEST_CASE("A kernel that covers the unpadded map is a fully connected layer") {
  GraphBuilder builder("fc");
  const int x = builder.input({3, 5, 2});
  builder.fully_connected(x, 4);
  builder.convolution(x, 4, square_window(3, 1, 1));
  builder.global_average_pool(x);
  const Graph graph = builder.build();
  CHECK(is_fully_connected(graph, graph.nodes[0]));
  CHECK_FALSE(is_fully_connected(graph, graph.nodes[1]));
  CHECK_FALSE(is_fully_connected(graph, graph.nodes[2]));
}

TEST_CASE("Output rows wait for the last input row under their window and free the rows above it") {
  // 6 rows, kernel 3, stride 1, padding 1: row 0 needs rows 0..1, row 4 needs 3..5, row 5 hangs over the edge: 4..5.
  const Graph graph = good_convolution();
  const Node& node = graph.nodes[0];
  CHECK(last_input_row(graph, node, 0) == 1);
  CHECK(last_input_row(graph, node, 4) == 5);
  CHECK(last_input_row(graph, node, 5) == 5);
  CHECK(first_input_row(graph, node, 0) == 0);
  CHECK(first_input_row(graph, node, 5) == 4);
  const Graph sum = good_addition();
  CHECK(last_input_row(sum, sum.nodes[0], 1) == 1);
  CHECK(first_input_row(sum, sum.nodes[0], 1) == 1);
}

TEST_CASE("Rows of a dilated, padded window stay within the map and in order") {
  // 4 rows, kernel 2 at dilation 3, padding 3 on both sides: row 0 has taps -3 and 0, row 6 taps 3 and 6.
  Window w = square_window(2, 1, 3);
  w.dilation_y = w.dilation_x = 3;
  const Graph graph =
      one_convolution(tensor("x", {4, 4, 1}, kU), tensor("y", {7, 7, 1}, kU), w, std::vector<std::int8_t>(4, 1));
  CHECK_NOTHROW(validate(graph));
  const int expected_first[] = {0, 0, 0, 0, 1, 2, 3}, expected_last[] = {0, 1, 2, 3, 3, 3, 3};
  for (int y = 0; y < 7; ++y) {
    CHECK(first_input_row(graph, graph.nodes[0], y) == expected_first[y]);
    CHECK(last_input_row(graph, graph.nodes[0], y) == expected_last[y]);
  }
}

TEST_CASE("Good graphs of every operator are accepted") {
  for (const Graph& graph : {good_convolution(), good_pool(), good_addition(), good_concat()})
    CHECK(refusal(graph, [](Graph&) {}) == "accepted");
}

TEST_CASE("Bad tensors are refused by name") {
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<Spoilt> cases = {
      {"tensor `x`: has shape 0 x 6 x 4", good_convolution, [](Graph& g) { g.tensors[0].shape.height = 0; }},
      {"tensor `x`: has shape 6 x -1 x 4", good_convolution, [](Graph& g) { g.tensors[0].shape.width = -1; }},
      {"each extent 1 to 16777216", good_convolution, [](Graph& g) { g.tensors[0].shape.channels = 1 << 25; }},
      {"at most 268435456 codes", good_convolution,
       [](Graph& g) {
         g.tensors[0].shape = {1 << 24, 1 << 24, 1 << 24};
       }},
      {"at most 4294967296 codes in all", good_convolution,
       [](Graph& g) {
         g.tensors.insert(g.tensors.end(), 17, {"", {1 << 10, 1 << 10, 1 << 8}, kU, 1.0, 0});
       }},
      {"scale is 0", good_convolution, [](Graph& g) { g.tensors[1].scale = 0; }},
      {"scale is -1", good_convolution, [](Graph& g) { g.tensors[1].scale = -1; }},
      {"scale is inf", good_convolution, [=](Graph& g) { g.tensors[1].scale = infinity; }},
      {"scale is nan", good_convolution, [](Graph& g) { g.tensors[1].scale = std::nan(""); }},
      {"zero point is 256 (0 to 255)", good_convolution, [](Graph& g) { g.tensors[0].zero_point = 256; }},
      {"zero point is -129 (-128 to 127)", good_convolution,
       [](Graph& g) { g.tensors[0].type = CodeType::kInt8, g.tensors[0].zero_point = -129; }},
      {"has no type (uint8 or int8)", good_convolution, [](Graph& g) { g.tensors[0].type = CodeType(7); }},
      {"tensor `x`: has the name of another", good_convolution, [](Graph& g) { g.tensors[1].name = "x"; }},
      {"tensor `z`: is never written", good_convolution,
       [](Graph& g) {
         g.tensors.push_back({"z", {}, kU, 1.0, 0});
       }},
  };
  for (const Spoilt& c : cases) {
    CAPTURE(c.fragment);
    CHECK_THAT(refusal(c.good(), c.spoil), Catch::Contains(c.fragment));
  }
}

TEST_CASE("Graphs that do not hang together are refused") {
  const std::vector<Spoilt> cases = {
      {"there is no graph input", good_pool, [](Graph& g) { g.inputs.clear(); }},
      {"there is no graph output", good_pool, [](Graph& g) { g.outputs.clear(); }},
      {"graph output is tensor 2 (0 to 1)", good_pool, [](Graph& g) { g.outputs = {2}; }},
      {"graph input is tensor -1", good_pool, [](Graph& g) { g.inputs = {-1}; }},
      {"graph input `x` stands twice", good_pool,
       [](Graph& g) {
         g.inputs = {0, 0};
       }},
      {"is graph input and graph output", good_pool, [](Graph& g) { g.outputs = {0}; }},
      {"has no nodes", good_pool, [](Graph& g) { g.nodes.clear(); }},
      {"node `node` (max_pool): reads tensor 5 (0 to 1)", good_pool, [](Graph& g) { g.nodes[0].inputs = {5}; }},
      {"writes tensor -1", good_pool, [](Graph& g) { g.nodes[0].output = -1; }},
      {"writes `x` again", good_pool, [](Graph& g) { g.nodes[0].output = 0; }},
      {"reads `y` before it is written", good_pool, [](Graph& g) { g.nodes[0].inputs = {1}; }},
      {"has the name of another node", good_pool, [](Graph& g) { g.nodes.push_back(g.nodes[0]); }},
      {"has 2 inputs (one)", good_pool,
       [](Graph& g) {
         g.nodes[0].inputs = {0, 0};
       }},
      {"has 1 inputs (two)", good_addition, [](Graph& g) { g.nodes[0].inputs = {0}; }},
      {"has 1 inputs (two or more)", good_concat, [](Graph& g) { g.nodes[0].inputs = {0}; }},
      {"has no operator", good_pool, [](Graph& g) { g.nodes[0].op = Operator(99); }},
      {"adds shapes 2 x 2 x 4 and 2 x 2 x 3", good_addition, [](Graph& g) { g.tensors[1].shape.channels = 3; }},
      {"output `y` has shape 2 x 1 x 4 (2 x 2 x 4)", good_addition, [](Graph& g) { g.tensors[2].shape.width = 1; }},
      {"2 x 2 pixels as the first", good_concat, [](Graph& g) { g.tensors[1].shape.height = 1; }},
      {"(2 x 2 x 5)", good_concat, [](Graph& g) { g.tensors[2].shape.channels = 6; }},
      {"clipped to 3 to 2", good_addition, [](Graph& g) { g.nodes[0].lower = 3, g.nodes[0].upper = 2; }},
      {"clipped to -1 to 255 (a range within 0 to 255)", good_addition, [](Graph& g) { g.nodes[0].lower = -1; }},
      {"clipped to 0 to 256", good_addition, [](Graph& g) { g.nodes[0].upper = 256; }},
  };
  for (const Spoilt& c : cases) {
    CAPTURE(c.fragment);
    CHECK_THAT(refusal(c.good(), c.spoil), Catch::Contains(c.fragment));
  }
}

TEST_CASE("Windows that make no sense are refused") {
  constexpr int kLargest = std::numeric_limits<int>::max();
  const std::vector<Spoilt> cases = {
      {"stride is 0 along the height", good_pool, [](Graph& g) { window(g).stride_y = 0; }},
      {"stride is -2 along the width", good_pool, [](Graph& g) { window(g).stride_x = -2; }},
      {"kernel is 0 along the height", good_pool, [](Graph& g) { window(g).kernel_height = 0; }},
      {"dilation is 0", good_convolution, [](Graph& g) { window(g).dilation_x = 0; }},
      {"kernel is 2147483647", good_convolution, [](Graph& g) { window(g).kernel_width = kLargest; }},
      {"dilation is 2147483647", good_convolution, [](Graph& g) { window(g).dilation_y = kLargest; }},
      {"padding is 3 along the height (less than the kernel's extent of 3)", good_convolution,
       [](Graph& g) { window(g).pad_top = 3; }},
      {"padding is -1", good_convolution, [](Graph& g) { window(g).pad_right = -1; }},
      {"kernel spans 9 along the width (at most the padded input's 8)", good_convolution,
       [](Graph& g) { window(g).dilation_x = 4; }},
      {"lies in the padding", good_pool,
       [](Graph& g) {
         // Two taps three apart around a map of one row: at padding 2 they are rows -2 and 1.
         g.tensors[0].shape.height = 1;
         window(g).dilation_y = 3;
         window(g).pad_top = 2;
         window(g).pad_bottom = 3;
       }},
      {"has shape 3 x 3 x 4 (6 x 3 x 4)", good_pool,
       [](Graph& g) { window(g).stride_y = 1, window(g).pad_bottom = 1; }},
  };
  for (const Spoilt& c : cases) {
    CAPTURE(c.fragment);
    CHECK_THAT(refusal(c.good(), c.spoil), Catch::Contains(c.fragment));
  }
}

TEST_CASE("Weights that do not fit are refused") {
  const std::vector<Spoilt> cases = {
      {"has 287 weights (288)", good_convolution, [](Graph& g) { g.nodes[0].weights.values.pop_back(); }},
      {"has 9 biases (8)", good_convolution, [](Graph& g) { g.nodes[0].weights.bias.push_back(0); }},
      {"has 0 weight scales (8)", good_convolution, [](Graph& g) { g.nodes[0].weights.scale.clear(); }},
      {"weight scale of filter 3 is 0", good_convolution, [](Graph& g) { g.nodes[0].weights.scale[3] = 0; }},
      {"0 groups", good_convolution, [](Graph& g) { g.nodes[0].weights.groups = 0; }},
      {"3 groups (a divisor of 4 input channels and of 8 filters)", good_convolution,
       [](Graph& g) { g.nodes[0].weights.groups = 3; }},
      {"has too many weights", good_convolution,
       [](Graph& g) {
         g.tensors[0].shape.channels = 1 << 22;
         g.tensors[1].shape.channels = 1 << 22;
       }},
      {"of filter 0 is -2147484548 (32-bit integers)", good_convolution,
       [](Graph& g) {  // -2147483648 - 25 * 36 = -2147484548
         g.tensors[0].zero_point = 25;
         g.nodes[0].weights.bias[0] = std::numeric_limits<std::int32_t>::min();
       }},
      {"psums of filter 0 can leave 32 bits", good_convolution,
       [](Graph& g) {  // 65794 weights of 128 times 255 are 2^31 + 13 312
         g.tensors[0].shape = {1, 1, 65794};
         g.tensors[1].shape = {1, 1, 1};
         g.nodes[0].window = {};
         g.nodes[0].weights = {1, std::vector<std::int8_t>(65794, -128), {0}, {1.0}};
       }},
  };
  for (const Spoilt& c : cases) {
    CAPTURE(c.fragment);
    CHECK_THAT(refusal(c.good(), c.spoil), Catch::Contains(c.fragment));
  }
}
