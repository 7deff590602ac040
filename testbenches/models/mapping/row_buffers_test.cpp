// SPDX-License-Identifier: Apache-2.0
// Capacities of row buffers, by hand and by eager execution of random networks.
#include "models/mapping/row_buffers.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

#include "models/input_error.h"
#include "testbenches/models/mapping/branched_networks.h"
#include "testbenches/models/mapping/eager_execution.h"
#include "testbenches/models/mapping/shape_graph.h"
#include "testbenches/models/mapping/timed_execution.h"

using namespace mho;
using namespace mho::mapping;

namespace {

int rows_of(const std::vector<RowBuffer>& buffers, int tensor, int consumer) {
  for (const RowBuffer& buffer : buffers)
    if (buffer.tensor == tensor && buffer.consumer == consumer) return buffer.rows;
  return -1;
}

bool completes(const dnn::Graph& graph, const std::vector<RowBuffer>& buffers, unsigned seed, bool lifo = false) {
  std::mt19937 random(seed);
  return EagerExecution(graph, buffers, 3).run(random, lifo);
}

}  // namespace

TEST_CASE("in a chain a consumer keeps kernel plus stride rows") {
  ShapeGraph net;
  const int x = net.input(32, 32, 3);                    // node 0: 3x3, stride 1: 4 rows
  const int a = net.convolution(x, 8, window(3, 1, 1));  // node 1: 3x3, stride 2: 5 rows
  const int b = net.convolution(a, 8, window(3, 2, 1));  // node 2: pool 2x2, stride 2: 4 rows
  const int c = net.pool(b, window(2, 2));               // node 3: 3x3 dilated by 2, 5 rows high: 6 rows
  const int d = net.convolution(c, 8, window(3, 1, 2, 2));
  net.output(d);
  const auto buffers = row_buffers(net.graph);
  CHECK(rows_of(buffers, x, 0) == 4);
  CHECK(rows_of(buffers, a, 1) == 5);
  CHECK(rows_of(buffers, b, 2) == 4);
  CHECK(rows_of(buffers, c, 3) == 6);
  CHECK(rows_of(buffers, d, -1) == 2);
  CHECK(buffers.size() == 5);
}

TEST_CASE("a fully connected layer keeps its whole map and one row more") {
  ShapeGraph net;
  const int x = net.input(7, 7, 16);
  const int a = net.fully_connected(x, 10);
  net.output(net.fully_connected(a, 10));
  const auto buffers = row_buffers(net.graph);
  CHECK(rows_of(buffers, x, 0) == 8);
  CHECK(rows_of(buffers, a, 1) == 2);
}

TEST_CASE("a consumer with one output row keeps one row more than its kernel, whatever its stride") {
  ShapeGraph net;
  const int x = net.input(7, 7, 4);
  net.output(net.pool(x, window(7, 7)));
  CHECK(rows_of(row_buffers(net.graph), x, 0) == 8);
}

TEST_CASE("a map lower than the kernel does not lower the capacity") {
  // 3 rows, 5x5 kernel, stride 2, padded by 2: (3 + 4 - 5) / 2 + 1 = 2 output rows; 5 + 2 rows kept, 3 alive.
  ShapeGraph net;
  const int x = net.input(3, 9, 1);
  net.output(net.convolution(x, 1, window(5, 2, 2)));
  CHECK(rows_of(row_buffers(net.graph), x, 0) == 7);
  CHECK(rows_of(rows_alive(net.graph), x, 0) == 3);
}

TEST_CASE("a shortcut keeps the rows that the branch beside it is behind") {
  // Without overlap row y of the sum needs row y of the second convolution, rows up to y + 1 of the first, rows up to
  // y + 2 of x: rows y .. y + 2 of x are alive for the sum. With the inputs of everybody's next row at hand it is row
  // y + 1 of the second, y + 3 of the first, y + 5 of x: 6 rows. The first convolution keeps 3 + 1.
  ShapeGraph net;
  const int x = net.input(16, 16, 8);
  const int a = net.convolution(net.convolution(x, 8, window(3, 1, 1)), 8, window(3, 1, 1));
  net.output(net.add(a, x));
  CHECK(rows_of(rows_alive(net.graph), x, 2) == 3);
  const auto buffers = row_buffers(net.graph);
  CHECK(rows_of(buffers, x, 0) == 4);
  CHECK(rows_of(buffers, x, 2) == 6);
  CHECK(rows_of(buffers, a, 2) == 2);
}

TEST_CASE("a balanced residual network runs at full rate, and not with one row less in its shortcuts") {
  const dnn::Graph graph = residual_network();
  std::vector<RowBuffer> buffers = row_buffers(graph);
  CHECK(steady_interval(graph, buffers) == Approx(1.0));
  CHECK(steady_interval(graph, rows_alive(graph)) > 1.5);
  for (RowBuffer& buffer : buffers)
    if (buffer.consumer >= 0 && graph.nodes[std::size_t(buffer.consumer)].op == dnn::Operator::kAdd)
      buffer.rows = std::max(2, buffer.rows - 1);
  CHECK(steady_interval(graph, buffers) > 1.1);
}

TEST_CASE("a shortcut that is one row short of its live rows deadlocks") {
  ShapeGraph net;
  const int x = net.input(16, 16, 8);
  const int a = net.convolution(net.convolution(x, 8, window(3, 1, 1)), 8, window(3, 1, 1));
  net.output(net.add(a, x));
  std::vector<RowBuffer> buffers = rows_alive(net.graph);
  REQUIRE(rows_of(buffers, x, 2) == 3);
  CHECK(completes(net.graph, buffers, 1));
  for (RowBuffer& buffer : buffers)
    if (buffer.tensor == x && buffer.consumer == 2) --buffer.rows;
  CHECK_FALSE(completes(net.graph, buffers, 1));
}

TEST_CASE("joins of branches of any depth run near full rate") {
  // What is missing to 1 comes from odd heights, where two rows of a map do not take the time of one row after a
  // stride.
  for (unsigned seed = 0; seed < 100; ++seed) {
    const dnn::Graph graph = joined_branches(seed);
    INFO("seed " << seed);
    const double interval = steady_interval(graph, row_buffers(graph));
    CHECK(interval >= 1.0 - 1e-9);
    CHECK(interval < 1.1);
  }
}

TEST_CASE("rows below the last window are released unread") {
  ShapeGraph net;
  const int x = net.input(6, 4, 1);
  net.output(net.convolution(x, 1, window(1, 4)));  // reads rows 0 and 4
  const auto alive = rows_alive(net.graph);
  CHECK(rows_of(alive, x, 0) == 1);
  CHECK(completes(net.graph, alive, 1));
}

TEST_CASE("a node that reads a tensor twice has one buffer") {
  ShapeGraph net;
  const int x = net.input(8, 8, 1);
  net.output(net.add(x, x));
  CHECK(row_buffers(net.graph).size() == 2);
}

TEST_CASE("a shortcut around a fully connected layer keeps the whole map") {
  // Squeeze: the map is needed again only after all of it has been seen.
  ShapeGraph net;
  const int x = net.input(8, 1, 4);
  dnn::Window whole = window(1);
  whole.kernel_height = 8;
  const int squeezed = net.convolution(x, 4, whole);
  dnn::Window spread = window(1);  // back to 8 rows, for the sake of the shape
  spread.kernel_height = 8;
  spread.pad_top = spread.pad_bottom = 7;
  spread.stride_y = 2;
  const int back = net.convolution(squeezed, 4, spread);  // (1 + 14 - 8) / 2 + 1 = 4 rows
  const int half = net.pool(x, window(1, 2));             // 4 rows of x
  net.output(net.add(back, half));
  const auto alive = rows_alive(net.graph);
  CHECK(rows_of(alive, half, 3) == 1);
  CHECK(rows_of(alive, x, 2) == 8);  // the squeezed branch, the first input, pulls all eight before the pool
  CHECK(completes(net.graph, alive, 1));
}

TEST_CASE("what every pixel is multiplied by keeps the map beside it whole") {
  // Squeeze and excitation: no row of the product can be computed before all of x has been seen. While its rows leave,
  // those of the next image come: two rows more than the map, its last one and one that the pool looks ahead.
  ShapeGraph net;
  const int x = net.convolution(net.input(16, 16, 8), 8, window(3, 1, 1));
  const int factors = net.fully_connected(net.pool(x, window(16)), 8);
  const int product = net.multiply(x, factors);  // node 3
  net.output(product);
  CHECK(rows_of(rows_alive(net.graph), x, 3) == 16);
  CHECK(rows_of(rows_alive(net.graph), factors, 3) == 1);
  const auto buffers = row_buffers(net.graph);
  CHECK(rows_of(buffers, x, 3) == 18);
  CHECK(rows_of(buffers, factors, 3) == 2);
  CHECK(steady_interval(net.graph, buffers) < 1.1);
  CHECK(steady_interval(net.graph, rows_alive(net.graph)) > 1.5);
  for (unsigned seed = 0; seed < 20; ++seed) CHECK(completes(net.graph, rows_alive(net.graph), seed));
  auto short_of_one = rows_alive(net.graph);
  for (RowBuffer& buffer : short_of_one)
    if (buffer.tensor == x && buffer.consumer == 3) --buffer.rows;
  CHECK_FALSE(completes(net.graph, short_of_one, 1));
}

TEST_CASE("the second operand of a product of activations is kept whole, and the next image's beside it") {
  // An encoder layer of 8 rows: every row of the scores needs all keys, every row of the context all values, and while
  // they are read the next image's arrive. The shortcut is one image behind and a few rows more.
  ShapeGraph net;
  const int x = net.input(8, 16, 32);
  const int queries = net.convolution(x, 32, window(1)), keys = net.convolution(x, 32, window(1));
  const int values = net.convolution(x, 32, window(1));
  const int scores = net.matmul(queries, keys, 4, true);            // node 3
  const int context = net.matmul(scores, values, 4, false);         // node 4
  net.output(net.add(net.convolution(context, 32, window(1)), x));  // node 6
  const auto alive = rows_alive(net.graph);
  CHECK(rows_of(alive, keys, 3) == 8);
  CHECK(rows_of(alive, values, 4) == 8);
  CHECK(rows_of(alive, x, 6) == 8);
  CHECK(rows_of(alive, x, 0) == 7);  // all keys come first, behind the first row of queries
  CHECK(rows_of(alive, queries, 3) == 1);
  const auto buffers = row_buffers(net.graph);
  CHECK(rows_of(buffers, keys, 3) == 17);  // a row more for every node that looks a row ahead
  CHECK(rows_of(buffers, values, 4) == 18);
  // Keys and values are computed as soon as a row of x is there: it need not be kept for them, as it is for queries.
  CHECK(rows_of(buffers, x, 1) == 2);
  CHECK(rows_of(buffers, x, 2) == 2);
  CHECK(rows_of(buffers, x, 0) > 8);
  CHECK(steady_interval(net.graph, buffers) < 1.1);
  CHECK(steady_interval(net.graph, alive) > 1.5);
}

TEST_CASE("a node that reads a tensor in two ways keeps what both need") {
  // Scores of a map with itself: row 0 needs all rows, and no row is free before the last one is computed.
  ShapeGraph net;
  const int x = net.input(6, 2, 4);
  net.output(net.matmul(x, x, 1, true));
  const auto alive = rows_alive(net.graph);
  CHECK(alive.size() == 2);
  CHECK(rows_of(alive, x, 0) == 6);
  CHECK(rows_of(row_buffers(net.graph), x, 0) == 12);
}

TEST_CASE("a frame of padding needs no row of its own") {
  ShapeGraph net;
  const int x = net.input(6, 2, 4);
  net.output(net.pad(x, 2, 3));
  CHECK(rows_of(rows_alive(net.graph), x, 0) == 1);
  CHECK(rows_of(row_buffers(net.graph), x, 0) == 2);
}

TEST_CASE("eager execution with the planned capacities never deadlocks") {
  for (unsigned seed = 0; seed < 200; ++seed) {
    const dnn::Graph graph = random_network(seed);
    INFO("seed " << seed << ", " << graph.nodes.size() << " nodes");
    CHECK(completes(graph, row_buffers(graph), seed));
    CHECK(completes(graph, row_buffers(graph), seed, true));
    CHECK(completes(graph, rows_alive(graph), seed));
    CHECK(completes(graph, rows_alive(graph), seed, true));
  }
}

TEST_CASE("planned capacities hold every consumer's window") {
  for (unsigned seed = 0; seed < 100; ++seed) {
    const dnn::Graph graph = random_network(seed);
    for (const RowBuffer& buffer : rows_alive(graph)) {
      if (buffer.consumer < 0) continue;
      const dnn::Node& node = graph.nodes[std::size_t(buffer.consumer)];
      for (int y = 0; y < graph.output_of(node).shape.height; ++y) {
        const std::vector<int> rows = rows_read(graph, node, y);
        if (!rows.empty()) CHECK(buffer.rows >= rows.back() - rows.front() + 1);
      }
    }
  }
}

TEST_CASE("the papers' pixel-granular buffer is a little more than kernel - 1 rows") {
  ShapeGraph net;
  net.output(net.convolution(net.input(224, 224, 64), 64, window(3, 1, 1)));
  CHECK(pixel_granular_values(net.graph, net.graph.nodes[0]) == (224 * 2 + 3) * 64);
}

TEST_CASE("a network with absurdly many rows is refused") {
  ShapeGraph net;
  net.output(net.convolution(net.input(1 << 24, 1, 1), 1, window(1)));
  CHECK_THROWS_AS(row_buffers(net.graph), InputError);
}

TEST_CASE("deep networks do not exhaust the stack") {
  ShapeGraph net;
  int x = net.input(4, 1, 1);
  for (int i = 0; i < 100000; ++i) x = net.convolution(x, 1, window(1));
  net.output(x);
  CHECK(row_buffers(net.graph).size() == 100001);
}
