// SPDX-License-Identifier: Apache-2.0
// What travels on the links inside a tile: a generic payload whose bytes are codes, column sums or psums in turn, with
// two extensions. Pipeline says how the items of a batch follow each other, Batch what the bytes are. The links have
// protocol traits of their own, so an analog link cannot be bound to a bus.
#pragma once

#include <cstdint>
#include <string>
#include <tlm>

#include "models/arithmetic/programmed_array.h"
#include "models/dnn/operators.h"
#include "models/tlm/payload_pool.h"

namespace mho::pim {

/// Protocol traits of the links inside a tile. Blocking transport carries batches; non-blocking transport carries, with
/// the phases of the base protocol and no annotated delay, batches of one vector, which need `Pipeline` and a memory
/// manager, and the slices (slice.h) they are cut into.
struct BatchProtocol {
  using tlm_payload_type = tlm::tlm_generic_payload;
  using tlm_phase_type = tlm::tlm_phase;
};

/// A stream of `count` items through stages that work at the same time. A stage adds the latency of one item to
/// `delay` and raises `interval` to its own service time if that is longer; the originator adds (count - 1) * interval.
struct Pipeline : tlm::tlm_extension<Pipeline> {
  std::uint64_t operation = 0;  ///< batches of one output row share it: they run at the same time
  int node = -1;                ///< node of the network that everything is counted for
  std::uint64_t count = 1;      ///< items
  sc_core::sc_time interval;    ///< between items, so far
  const char* limited_by = "";  ///< module that set it
  sc_core::sc_time waiting;     ///< longest that the first item waited for a stage that others used, so far
  sc_core::sc_time fetched;     ///< delay after which the first item has left the buffer
  sc_core::sc_time converting;  ///< approximately timed: from sampling to the last code, all slices so far
  std::uint64_t command = 0;    ///< id of the recorded command that all this belongs to, 0: nothing is recorded
  std::uint64_t window = 0;     ///< approximately timed: psums with the same number belong to one window
  std::uint64_t multicast = 0;  ///< packets in a row with the same number carry the same bytes, 0: none

  tlm::tlm_extension_base* clone() const override { return new Pipeline(*this); }
  void copy_from(const tlm::tlm_extension_base& other) override { *this = static_cast<const Pipeline&>(other); }
};

/// Rows of a tensor in a tile's buffer; row g of the stream (inference * height + y) lies in slot g modulo rows.
struct RingView {
  std::uint64_t offset = 0;  ///< bytes
  int rows = 1;
  std::size_t row_bytes = 0;
  std::uint64_t first_row = 0;  ///< g of the map's row 0
  bool spilled = false;         ///< the space is lent by a neighbouring tile

  std::uint64_t address(std::uint64_t g) const { return offset + (g % std::uint64_t(rows)) * row_bytes; }
};

/// One row block times a batch of windows. The payload's data array holds psums[count][filters] at 0,
/// codes[count][rows] at `codes_at`, sums[count][whole cycles][stride] at `sums_at` and, where the stream speculates,
/// sums[count][recovering cycles][stride] at `recovered_at`, of which only those of failed columns are ever sampled;
/// each module transforms in place, nothing is copied.
struct Batch : tlm::tlm_extension<Batch> {
  enum class Form : std::uint8_t { kEmpty, kCodes, kSums, kConverted, kPsums };

  Form form = Form::kEmpty;  ///< what the payload holds now
  bool exact = false;        ///< the converter was proved lossless: psums at once, conversions only counted
  bool lossless = false;     ///< set with psums that no converter has seen
  bool spoilt = false;       ///< approximately timed: a converter could have changed such psums, so they are refused
  int count = 0, rows = 0, filters = 0;
  std::size_t codes_at = 0, sums_at = 0, recovered_at = 0;
  /// Number of the first vector in the job: (inference * height + y) * vectors of a row + x.
  std::uint64_t first_vector = 0;
  int crossbars = 0;             ///< that take part
  int columns_per_crossbar = 0;  ///< that hold weights, in a full crossbar

  const dnn::Tensor* input = nullptr;  ///< what the buffer gathers: windows of this tensor
  const dnn::Window* window = nullptr;
  int groups = 1;
  dnn::WindowSlice slice;
  RingView ring;

  const arithmetic::ProgrammedArray* array = nullptr;  ///< set by the crossbar_tile
  sc_core::sc_time slice_time;                         ///< of the crossbar, set by the crossbar_tile
  sc_core::sc_time code_time;                          ///< between the codes of two slices, set by the shared_adc
  int first_filter = 0, layer_filters = 0;             ///< place of the psums among all filters of the part of a layer
  tlm_kit::PayloadPool* pool = nullptr;                ///< approximately timed: where slices and psums are taken from

  tlm::tlm_extension_base* clone() const override { return new Batch(*this); }
  void copy_from(const tlm::tlm_extension_base& other) override { *this = static_cast<const Batch&>(other); }
};

/// A cache line and the widest vector: data arrays of batches and their parts start on it.
constexpr std::size_t kDataAlignment = 64;

/// Bytes of the data array of a batch and where its parts lie; sets codes_at, sums_at and recovered_at.
std::size_t lay_out(Batch& batch, const arithmetic::CycleCounts& cycles, int columns);

/// True where the parts of a batch lie as `lay_out` lays them, within a data array of `bytes` bytes.
bool fits(const Batch& batch, const arithmetic::CycleCounts& cycles, int columns, std::size_t bytes);

/// Where the sums or codes of one cycle of the first vector of a batch begin in its data array.
std::size_t sums_at(const Batch& batch, const arithmetic::InputCycle& cycle);

/// True for what non-blocking transport carries: one vector with Pipeline, pool and memory manager, no delay.
bool is_single_vector(const tlm::tlm_generic_payload& payload, const sc_core::sc_time& delay);

/// Elements between the slices of a sums buffer: columns, unit column, padding.
int sums_stride(int columns);

}  // namespace mho::pim
