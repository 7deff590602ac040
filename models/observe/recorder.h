// SPDX-License-Identifier: Apache-2.0
// Where begin and end of everything a module does are handed to whoever wants them. Off is a null pointer and one test
// of it; what becomes of the records is up to the recorder (transaction_log.h).
#pragma once

#include <array>
#include <cstdint>
#include <systemc>

namespace mho::observe {

/// What a module was busy with.
enum class Kind : std::uint8_t {
  kCommand,     ///< scheduler: one output row of one node, from its start until its last code is written
  kBuffer,      ///< eDRAM port: lines read or written
  kTransfer,    ///< bus: codes to a crossbar_tile
  kArray,       ///< crossbar cycles
  kConversion,  ///< converter
  kShiftAdd,    ///< shift-and-add unit
  kFunction,    ///< function unit
  kHop,         ///< router
  kLink,        ///< between chips
  kProgram,     ///< weight_writer: rows programmed and verified
  kMemory,      ///< DMA: a row or block between main memory and the chip
  kCount
};
constexpr std::size_t kKinds = std::size_t(Kind::kCount);

/// Name, as in exported logs, and what `work` counts.
struct KindDescription {
  const char* name;       ///< "conversion"
  const char* work_unit;  ///< "conversions"
};
const KindDescription& describe(Kind kind);

/// One occupation of one server of a module, by one item or by a stream of them: item i holds the server from about
/// begin + i * interval for `service`; `end` is when the last is through, latency included.
struct Occupation {
  const char* module = "";  ///< hierarchical name; valid as long as the module
  int lane = 0;             ///< server within the module: converter, crossbar, driver
  Kind kind = Kind::kCommand;
  std::uint64_t id = 0;         ///< unique within a recorder, from new_id()
  std::uint64_t parent = 0;     ///< id of the command it belongs to, 0: none
  std::uint64_t operation = 0;  ///< batches of one output row share it; 0 in approximately timed mode
  int node = -1;                ///< node of the network, -1: none
  std::uint64_t items = 1;
  std::uint64_t work = 0;  ///< of all items together, in the unit of the kind
  sc_core::sc_time begin, end;
  sc_core::sc_time interval;  ///< between items
  sc_core::sc_time service;   ///< of one item: items * service is the busy time
};

class Recorder {
 public:
  virtual ~Recorder() = default;
  virtual void record(const Occupation& occupation) = 0;
  /// Ids start at 1.
  std::uint64_t new_id() { return ++last_id_; }

 private:
  std::uint64_t last_id_ = 0;
};

}  // namespace mho::observe
