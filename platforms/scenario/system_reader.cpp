// SPDX-License-Identifier: Apache-2.0
// One function a section of the machine. Defaults are those of mapping::Machine; ranges are those of its checks, so
// that a number out of range is reported at its own key.
#include "platforms/scenario/system_reader.h"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/arithmetic/encoding.h"
#include "platforms/scenario/policy_reader.h"
#include "platforms/scenario/system_checks.h"

namespace mho {
namespace {

using config::integer;
using config::or_word;
using config::quantity;
using config::Quantity;
using config::Reader;
using mapping::Machine;

constexpr int kMost = 65536;  ///< of anything that is counted

mapping::Arbitration read_arbitration(Reader& r, mapping::Arbitration otherwise, const std::string& among) {
  using mapping::Arbitration;
  return r.get("arbitration",
               config::choice<Arbitration>({{"round_robin", Arbitration::kRoundRobin},
                                            {"fixed_priority", Arbitration::kFixedPriority},
                                            {"first_come", Arbitration::kFirstCome}}),
               otherwise, "who goes first " + among + "; approximately timed runs only");
}

void read_hierarchy(Reader& root, Machine& m) {
  m.chips = root.get("chips", or_word(integer(1, kMost), "auto"), std::nullopt,
                     "chips joined by HyperTransport; auto: as few as hold one copy of the network and its row buffers")
                .value_or(0);
  m.tiles_per_chip =
      root.section("chip", "one chip").get("tiles", integer(1, kMost), m.tiles_per_chip, "tiles of a chip");
  m.crossbar_tiles_per_tile =
      root.section("tile", "one tile: an eDRAM, a bus, a function unit and crossbar tiles")
          .get("crossbar_tiles", integer(1, kMost), m.crossbar_tiles_per_tile, "crossbar tiles (IMAs) of a tile");
  m.crossbar.crossbars = root.get("crossbars", integer(1, kMost), m.crossbar.crossbars,
                                  "crossbars of a crossbar tile: those behind one input register");
}

void read_crossbar(Reader& root, Machine& m) {
  Reader r = root.section("crossbar", "one crossbar");
  mapping::CrossbarTileConfig& c = m.crossbar;
  c.cell =
      r.get("cell",
            config::choice<mapping::CellKind>({{"1t1r", mapping::CellKind::k1T1R}, {"2t2r", mapping::CellKind::k2T2R}}),
            c.cell, "a device, or a pair of devices whose currents subtract, so that levels have a sign");
  c.rows = r.get("rows", integer(1, 32767), c.rows, "word lines");
  c.columns =
      r.get("columns", integer(1, kMost), c.columns, "bit lines that hold weights; the unit column is one more");
  c.cell_bits = r.get("cell_bits", integer(1, 8), c.cell_bits, "bits stored by a device");
  c.cycle_s = r.get("cycle", quantity(Quantity::time, config::kPositive), c.cycle_s,
                    "time of one input slice through the array");
  const std::optional<std::uint64_t> bytes =
      r.get("input_register", or_word(config::byte_count(1, INT32_MAX), "auto"), std::nullopt,
            "input register of a crossbar tile; auto: 16 bit for every row of its crossbars");
  const double every_row = 2.0 * c.crossbars * c.rows;
  if (!bytes && every_row > INT32_MAX)
    throw r.error("rows", "times `crossbars` is more than an input register holds", "less than 1 Gi rows");
  c.input_register_bytes = int(bytes.value_or(std::uint64_t(every_row)));
}

void read_policies(Reader& root, Machine& m, const mapping::Policies& policies) {
  m.encoding = root.get("encoding", policy_type(policies.all<arithmetic::WeightEncoding>()), m.encoding,
                        "weight encoding by name, or {name: NAME, ...} with its parameters; see `mho list policies`");
  m.replication = root.get(
      "replication",
      config::choice<mapping::Replication>({{"balanced", mapping::Replication::kBalanced},
                                            {"greedy", mapping::Replication::kGreedy},
                                            {"none", mapping::Replication::kNone}}),
      m.replication,
      "copies of layers, as far as there is room; balanced: in proportion to their windows; greedy: one more of "
      "the slowest layer until no crossbar tile is left");
  m.toeplitz = root.get("toeplitz", config::boolean(), m.toeplitz,
                        "filters stand in a crossbar several times, shifted, for neighbouring windows, where its rows "
                        "and columns are free (partial Toeplitz expansion)");
}

/// Returns whether `bits` is `lossless`; they are then what sums need before the encoding saves any.
bool read_adc(Reader& root, Machine& m) {
  Reader r = root.section("adc", "the converters of a crossbar tile");
  // Sums of pairs have a sign.
  const int needed = arithmetic::lossless_adc_bits(m.crossbar.rows, m.dac_bits, m.crossbar.cell_bits) +
                     (m.crossbar.cell == mapping::CellKind::k2T2R ? 1 : 0);
  const std::optional<int> bits = r.get("bits", or_word(integer(1, 16), "lossless"), std::optional<int>(m.adc.bits),
                                        "resolution; lossless: as many bits as no column sum can exceed");
  if (!bits && needed > 16)
    throw r.error("bits", "is lossless and column sums need " + std::to_string(needed) + " bits", "1 to 16");
  m.adc.bits = bits.value_or(needed);
  m.adc.is_signed = r.get("signed", config::boolean(), m.adc.is_signed, "whether codes lie around zero");
  m.adc.rate_hz = r.get("rate", quantity(Quantity::sample_rate, config::kPositive), m.adc.rate_hz,
                        "conversions a second of one converter");
  m.adc.converters = r.get("converters", or_word(integer(1, kMost), "per_crossbar"), std::nullopt,
                           "converters of a crossbar tile, shared evenly; per_crossbar: one for each crossbar")
                         .value_or(m.crossbar.crossbars);
  m.adc.arbitration = read_arbitration(r, m.adc.arbitration, "among the crossbars of a converter");
  m.adc.queue = r.get("queue", integer(1, kMost), m.adc.queue,
                      "slices that wait for a converter before more are held back; approximately timed runs only");
  return !bits;
}

/// Makes the encoding of a machine that is checked, so that what it refuses is reported at its key.
int adc_bits_saved(const Reader& root, const Machine& m) try {
  return m.encoding.make(m)->adc_bits_saved();
} catch (const std::invalid_argument& error) {
  throw root.error("encoding", "`" + m.encoding.name() + "` does not suit the machine: " + error.what());
}

void read_buffers(Reader& root, Machine& m) {
  Reader edram = root.section("edram", "the buffer of a tile");
  m.edram.bytes = int(edram.get("size", config::byte_count(1, INT32_MAX), std::uint64_t(m.edram.bytes), "capacity"));
  m.edram.line_bytes = int(
      edram.get("line", config::byte_count(1, INT32_MAX), std::uint64_t(m.edram.line_bytes), "bytes of one access"));
  m.edram.line_s = edram.get("line_time", quantity(Quantity::time), m.edram.line_s, "time of one access, pipelined");
  Reader bus = root.section("bus", "link from a tile's buffer to its crossbar tiles");
  m.bus.latency_s = bus.get("latency", quantity(Quantity::time), m.bus.latency_s, "before each transfer");
  m.bus.bytes_per_s =
      bus.get("bandwidth", quantity(Quantity::bandwidth, config::kPositive), m.bus.bytes_per_s, "of one tile");
  m.bus.arbitration = read_arbitration(bus, m.bus.arbitration, "among the crossbar tiles of a bus");
  m.bus.queue = bus.get("queue", integer(1, kMost), m.bus.queue,
                        "vectors that wait for the bus before reads are held back; approximately timed runs only");
}

void read_network_on_chip(Reader& root, Machine& m) {
  Reader router = root.section("router", "the mesh between tiles");
  m.router.tiles_per_router =
      router.get("tiles", integer(1, kMost), m.router.tiles_per_router, "tiles that share a router");
  m.router.hop_s = router.get("hop", quantity(Quantity::time), m.router.hop_s, "latency of one router");
  m.router.bytes_per_s =
      router.get("bandwidth", quantity(Quantity::bandwidth, config::kPositive), m.router.bytes_per_s, "of one link");
  m.router.multicast = router.get("multicast", config::boolean(), m.router.multicast,
                                  "codes for several tiles pass a link once and are copied where their ways part");
  Reader ht = root.section("hypertransport", "the links between chips");
  m.hypertransport.links = ht.get("links", integer(1, kMost), m.hypertransport.links, "links of a chip");
  m.hypertransport.bytes_per_s = ht.get("bandwidth", quantity(Quantity::bandwidth, config::kPositive),
                                        m.hypertransport.bytes_per_s, "of one link");
  m.hypertransport.latency_s = ht.get("latency", quantity(Quantity::time), m.hypertransport.latency_s, "of one link");
}

void read_function_unit(Reader& root, Machine& m) {
  Reader r = root.section("function_unit", "digital functions of a tile");
  m.function.shift_add_s =
      r.get("shift_add", quantity(Quantity::time), m.function.shift_add_s, "stage that adds psums of a tile");
  m.function.function_s =
      r.get("function", quantity(Quantity::time), m.function.function_s, "stage that requantises and activates");
  m.function.write_s =
      r.get("write", quantity(Quantity::time), m.function.write_s, "stage that writes results to the buffer");
  m.function.outputs_per_s = r.get("rate", quantity(Quantity::sample_rate, config::kPositive), m.function.outputs_per_s,
                                   "outputs a second that are requantised and activated");
  m.function.pooled_per_s = r.get("pool_rate", quantity(Quantity::sample_rate, config::kPositive),
                                  m.function.pooled_per_s, "inputs a second of pooling and element-wise operators");
  m.function.products_per_s =
      r.get("product_rate", quantity(Quantity::sample_rate, config::kPositive), m.function.products_per_s,
            "multiply-adds a second of two activations, as attention needs them");
}

void read_writer(Reader& root, Machine& m) {
  Reader r = root.section("writer", "program-and-verify writing, row by row; one writer a crossbar tile");
  m.writer.setup_s = r.get("setup", quantity(Quantity::time), m.writer.setup_s, "before each row");
  m.writer.pulse_s = r.get("pulse", quantity(Quantity::time), m.writer.pulse_s, "one level step");
  m.writer.drivers = r.get("drivers", or_word(integer(1, kMost), "auto"), std::nullopt,
                           "crossbars of a crossbar tile that are written at the same time; auto: all of them")
                         .value_or(0);
  m.writer.arbitration = read_arbitration(r, m.writer.arbitration, "among the crossbars that wait for a driver");
}

}  // namespace

Machine read_machine(Reader& root, const mapping::Policies& policies, SlicingChoice& slicing) {
  Machine machine;
  machine.name = root.get("machine", config::text("the name of a machine"), machine.name,
                          "name of the machine in reports; a system file sets it");
  read_hierarchy(root, machine);
  read_crossbar(root, machine);
  slicing = read_slicing(root, machine);
  read_policies(root, machine, policies);
  const bool lossless = read_adc(root, machine);
  read_buffers(root, machine);
  read_network_on_chip(root, machine);
  read_function_unit(root, machine);
  read_writer(root, machine);
  check_machine(root, machine);
  const int saved = adc_bits_saved(root, machine);
  if (lossless) machine.adc.bits = std::clamp(machine.adc.bits - saved, 1, 16);
  return machine;
}

}  // namespace mho
