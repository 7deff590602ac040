// SPDX-License-Identifier: Apache-2.0
// The description of one machine: what is on a chip and how long each part takes. The mapper reads the geometry, the
// SystemC modules read geometry and times; energy and area are not here, they are applied to counts when a report is
// written. Defaults are the 16-bit ISAAC-CE of ISCA 2016 (table I, sections V to VII) unless a comment says otherwise.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "models/arithmetic/noise.h"
#include "models/mapping/policy.h"

namespace mho::mapping {

/// Who goes first where several wait for one server; it shows in the approximately timed mode.
enum class Arbitration { kRoundRobin, kFixedPriority, kFirstCome };

/// k2T2R: two devices on two word lines whose currents subtract, so that levels have a sign (RAELLA).
enum class CellKind { k1T1R, k2T2R };

/// The crossbars behind one input register (ISAAC: an IMA).
struct CrossbarTileConfig {
  CellKind cell = CellKind::k1T1R;
  int crossbars = 8;
  int rows = 128;
  int columns = 128;        ///< columns that hold weights; the unit column is a further one
  int cell_bits = 2;        ///< of one device
  double cycle_s = 100e-9;  ///< one input slice through the array
  int input_register_bytes = 2048;
};

/// The converters of one crossbar_tile.
struct AdcConfig {
  int bits = 8;
  bool is_signed = false;
  double rate_hz = 1.28e9;                             ///< conversions per second of one converter
  int converters = 8;                                  ///< in one crossbar_tile, shared evenly by its crossbars
  Arbitration arbitration = Arbitration::kRoundRobin;  ///< [default] among the crossbars of a converter
  int queue = 8;                                       ///< [default] slices that wait before more are held back
};

/// Storage of one tile.
struct EdramConfig {
  int bytes = 64 * 1024;
  int line_bytes = 32;
  double line_s = 1.5625e-9;  ///< 32 lines (1 KB) in half a crossbar cycle, so that read and bus fill one cycle
};

/// Link from a tile's eDRAM to its crossbar_tiles.
struct BusConfig {
  double latency_s = 0.0;        ///< before each transfer
  double bytes_per_s = 20.48e9;  ///< 1 KB in half a crossbar cycle (section VI: a 1 KB copy ends within one cycle)
  Arbitration arbitration = Arbitration::kRoundRobin;  ///< [default] among crossbar_tiles
  int queue = 4;                                       ///< [default] vectors that wait before reads are held back
};

/// Concentrated mesh of routers.
struct RouterConfig {
  int tiles_per_router = 4;
  double hop_s = 1.0 / 1.2e9;  ///< [default] one tile clock a hop; the paper gives none
  double bytes_per_s = 4.8e9;  ///< 32-bit flits at the tile clock
  /// [default] Codes that go to several tiles pass a link once and are copied where their ways part (the papers are
  /// silent; every copy by itself makes the mesh the bottleneck of all replicated layers); false: each goes by itself.
  bool multicast = true;
};

/// Links between chips.
struct HyperTransportConfig {
  int links = 4;
  double bytes_per_s = 6.4e9;  ///< of one link
  double latency_s = 50e-9;    ///< [default] the paper gives none
};

/// Per-tile digital function: shift-and-add of psums, requantisation, pooling, element-wise operators.
struct FunctionUnitConfig {
  double shift_add_s = 100e-9;   ///< tile S+A and output register, cycle 20 of 22
  double function_s = 100e-9;    ///< sigmoid stage, cycle 21 of 22
  double write_s = 100e-9;       ///< eDRAM write stage, cycle 22 of 22
  double outputs_per_s = 2.4e9;  ///< table I: two sigmoid units, one value a tile clock each [default: pipelined]
  double pooled_per_s =
      19.2e9;  ///< [default] pooling and element-wise operators: the values of one eDRAM line a tile clock
  double products_per_s = 19.2e9;  ///< [default] products of two activations: one for each value of that line
};

/// Program-and-verify writing, row by row; one writer a crossbar_tile, whose crossbars share its drivers.
struct WriterConfig {
  double setup_s = 0.0;    ///< [default] before each row
  double pulse_s = 50e-9;  ///< [default] one level step; ISAAC publishes no write timing
  int drivers = 0;         ///< [default] crossbars written at the same time in one crossbar_tile; 0: all of them
  Arbitration arbitration = Arbitration::kRoundRobin;  ///< [default] among crossbars that wait for a driver
};

/// kBalanced: in proportion to windows (ISAAC); kGreedy: while crossbar_tiles are left, one more copy of the layer that
/// takes longest (RAELLA).
enum class Replication { kBalanced, kGreedy, kNone };

/// Who adds up the inputs that the offset of an encoding is multiplied with.
enum class InputSum { kUnitColumn, kDigital };

/// How signed activations are driven.
enum class SignedInputs { kTwosComplement, kTwoPasses };

/// Fidelity asked for; what each layer gets is in the Program.
enum class Fidelity { kAuto, kExact, kSliced, kNoisy };

struct Machine {
  std::string name = "isaac";
  int chips = 0;  ///< 0: as few as hold one copy of the network
  int tiles_per_chip = 168;
  int crossbar_tiles_per_tile = 12;
  int data_bits = 16;              ///< 8-bit codes are extended to this width
  int dac_bits = 1;                ///< the widest slice that a driver can put on a word line
  std::vector<int> input_slicing;  ///< widths, most significant first; empty: data_bits in slices of dac_bits
  std::vector<int> speculation;    ///< widths of the slices that are tried first; empty: no speculation
  SignedInputs signed_inputs = SignedInputs::kTwosComplement;
  InputSum input_sum = InputSum::kUnitColumn;
  std::vector<int> weight_slicing = {2, 2, 2, 2, 2, 2, 2, 2};
  std::map<std::string, std::vector<int>> layer_slicings;  ///< of layers, by name, that are cut otherwise
  EncodingChoice encoding;                                 ///< flip
  Replication replication = Replication::kBalanced;
  bool toeplitz = false;  ///< copies of a filter for neighbouring windows where a crossbar's rows and columns are free
  Fidelity fidelity = Fidelity::kAuto;
  CrossbarTileConfig crossbar;
  AdcConfig adc;
  EdramConfig edram;
  BusConfig bus;
  RouterConfig router;
  HyperTransportConfig hypertransport;
  FunctionUnitConfig function;
  WriterConfig writer;
  arithmetic::NoiseModel noise;  ///< of fidelity noisy
  std::uint64_t noise_seed = 1;

  int crossbars_per_tile() const { return crossbar_tiles_per_tile * crossbar.crossbars; }
  int crossbars_per_chip() const { return tiles_per_chip * crossbars_per_tile(); }
  /// Of a layer whose filters take `slices` columns each.
  int filters_per_crossbar(int slices) const { return crossbar.columns / slices; }
  /// Widths of the weight slices of a layer.
  const std::vector<int>& slicing_of(const std::string& layer) const {
    const auto found = layer_slicings.find(layer);
    return found == layer_slicings.end() ? weight_slicing : found->second;
  }
};

/// Checks ranges and that the parts fit together (slices cover the data bits, a filter fits a crossbar, sums fit 16
/// bits, ...). Throws std::invalid_argument with one sentence that names the key and what is allowed.
void validate(const Machine& machine);

}  // namespace mho::mapping
