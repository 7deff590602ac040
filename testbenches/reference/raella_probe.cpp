// SPDX-License-Identifier: Apache-2.0
// Reads layers from folders, computes them on crossbars of their own through the TLM sockets of tile, converters and
// shift-and-add unit, bound as a machine binds them, and writes what came out beside the inputs.
//   raella_probe FOLDER...
// psums.bin [block][vector][filter] and centres.bin [block][filter]: int32; levels.bin [block][row][column]: bytes;
// counts.txt: counts by name, then a line for everything that the arrays were busy with, times in ns.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <systemc>

#include "models/pim/link_ends.h"
#include "models/pim/shared_adc.h"
#include "models/pim/shift_add_unit.h"
#include "models/pim/weight_writer.h"
#include "testbenches/reference/raella_probe_layer.h"

namespace mho::testbenches {
namespace {

/// Keeps what the arrays were busy with.
class ArrayRecords : public observe::Recorder {
 public:
  void record(const observe::Occupation& occupation) override {
    if (occupation.kind == observe::Kind::kArray) all.push_back(occupation);
  }
  std::vector<observe::Occupation> all;
};

/// Takes psums in either kind of transport; they come in order within a block.
class Psums : public sc_core::sc_module {
 public:
  explicit Psums(sc_core::sc_module_name module_name)
      : sc_module(module_name),
        in("in"),
        link_([this](auto& payload, auto& phase, auto& delay) { return in->nb_transport_bw(payload, phase, delay); }) {
    in.register_b_transport(this, &Psums::take);
    in.register_nb_transport_fw(this, &Psums::receive);
  }
  tlm_utils::simple_target_socket<Psums, 32, pim::BatchProtocol> in;
  std::map<int, std::vector<std::int32_t>> of_block;

 private:
  void take(tlm::tlm_generic_payload& payload, sc_core::sc_time&) {
    const pim::Batch& batch = *payload.get_extension<pim::Batch>();
    std::vector<std::int32_t>& all = of_block[payload.get_extension<pim::Pipeline>()->node];
    const auto* const values = reinterpret_cast<const std::int32_t*>(payload.get_data_ptr());
    all.insert(all.end(), values, values + std::ptrdiff_t(batch.count) * batch.filters);
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }
  tlm::tlm_sync_enum receive(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay) {
    if (phase == tlm::END_RESP) return link_.end(payload);
    if (phase != tlm::BEGIN_REQ) return tlm::TLM_ACCEPTED;
    link_.take(payload);
    take(payload, delay);
    return link_.answered(payload, tlm::TLM_OK_RESPONSE, phase);
  }
  tlm_kit::ResponseLink link_;
};

sc_core::sc_module_name fresh(const char* name) { return sc_core::sc_module_name(sc_core::sc_gen_unique_name(name)); }

/// As many crossbars as all row blocks of the layer take, four converters each.
mapping::Machine machine_for(const ProbedLayer& layer) {
  mapping::Machine machine = layer.machine;
  const int filters = machine.filters_per_crossbar(int(machine.weight_slicing.size()));
  const int blocks = (layer.rows + machine.crossbar.rows - 1) / machine.crossbar.rows;
  machine.crossbar.crossbars = blocks * ((layer.filters + filters - 1) / filters);
  machine.adc.converters = 4 * machine.crossbar.crossbars;
  machine.writer.pulse_s = 0.0;  // weights are there when the first vector comes
  return machine;
}

class Group {
 public:
  explicit Group(const ProbedLayer& layer)
      : layer_(layer),
        machine_(machine_for(layer)),
        tile_(fresh("tile"), machine_.crossbar, ledger_, store_, &records_),
        adc_(fresh("adc"), machine_.adc, machine_.crossbar.crossbars, ledger_),
        shift_add_(fresh("shift_add"), machine_.crossbar.crossbars, ledger_),
        writer_(fresh("writer"), machine_.writer, machine_.crossbar, programming_),
        inputs_(fresh("inputs")),
        programmer_(fresh("programmer")),
        psums_(fresh("psums")) {
    inputs_.out.bind(tile_.input);
    tile_.sums.bind(adc_.sums);
    adc_.codes.bind(shift_add_.codes);
    shift_add_.psums.bind(psums_.in);
    programmer_.out.bind(writer_.program);
    writer_.setup.bind(tile_.setup);
    writer_.cells.bind(tile_.cells);
  }

  /// Programs all row blocks and sends all vectors.
  void run() {
    for (int first = 0; first < layer_.rows; first += machine_.crossbar.rows) program(first);
    ledger_.resize(blocks_.size());
    for (int block = 0; block < int(blocks_.size()); ++block) layer_.approximate ? send_vectors(block) : call(block);
  }
  void write(const std::string& folder) const;

 private:
  void program(int first_row) {
    const int slices = int(machine_.weight_slicing.size());
    const int crossbar = regions_.empty() ? 0 : regions_.back().first_crossbar + regions_.back().crossbars;
    blocks_.push_back(layer_.block(first_row, std::min(machine_.crossbar.rows, layer_.rows - first_row)));
    regions_.push_back(
        pim::region_for(blocks_.back(), layer_.stream, machine_.filters_per_crossbar(slices) * slices, crossbar));
    programmer_.call(programmer_.levels(regions_.back(), blocks_.back().levels));
  }
  std::vector<std::uint8_t> codes(int block, int first, int count) const {
    return layer_.codes_of(block * machine_.crossbar.rows, blocks_[std::size_t(block)].rows, first, count);
  }
  /// Blocking, batch by batch.
  void call(int block);
  /// Non-blocking, vector by vector.
  void send_vectors(int block) {
    for (int vector = 0; vector < layer_.vectors; ++vector)
      inputs_.send(inputs_.vector(regions_[std::size_t(block)], codes(block, vector, 1), block));
  }

  const ProbedLayer& layer_;
  const mapping::Machine machine_;
  std::vector<arithmetic::EncodedBlock> blocks_;
  std::vector<pim::RegionSetup> regions_;
  observe::Ledger ledger_, programming_;
  pim::WeightStore store_;
  ArrayRecords records_;
  tlm_kit::PayloadPool pool_;
  pim::CrossbarTile tile_;
  pim::SharedAdc adc_;
  pim::ShiftAddUnit shift_add_;
  pim::WeightWriter writer_;
  pim::BatchSource inputs_, programmer_;
  Psums psums_;
};

void Group::call(int block) {
  const pim::RegionSetup& region = regions_[std::size_t(block)];
  for (int first = 0; first < layer_.vectors; first += layer_.batch) {
    auto batch = std::make_unique<pim::Batch>();
    batch->form = pim::Batch::Form::kCodes;
    batch->count = std::min(layer_.batch, layer_.vectors - first);
    batch->rows = region.rows;
    batch->filters = batch->layer_filters = region.filters;
    const std::size_t bytes =
        pim::lay_out(*batch, arithmetic::count_cycles(region.stream), blocks_[std::size_t(block)].columns());
    tlm_kit::PayloadHandle payload = pool_.acquire(unsigned(bytes + pim::kDataAlignment));
    const auto beyond = reinterpret_cast<std::uintptr_t>(payload->get_data_ptr()) % pim::kDataAlignment;
    payload->set_data_ptr(payload->get_data_ptr() + (pim::kDataAlignment - beyond) % pim::kDataAlignment);
    payload->set_data_length(unsigned(bytes));
    payload->set_streaming_width(unsigned(bytes));
    payload->set_command(tlm::TLM_WRITE_COMMAND);
    payload->set_address(std::uint64_t(region.first_crossbar));
    const std::vector<std::uint8_t> part = codes(block, first, batch->count);
    std::copy(part.begin(), part.end(), payload->get_data_ptr() + batch->codes_at);
    payload->set_extension(new pim::Pipeline);
    payload->get_extension<pim::Pipeline>()->node = block;
    payload->get_extension<pim::Pipeline>()->count = std::uint64_t(batch->count);
    payload->set_extension(batch.release());
    inputs_.call(std::move(payload));
  }
}

template <typename Value>
void write_values(std::ostream& out, const std::vector<Value>& values) {
  out.write(reinterpret_cast<const char*>(values.data()), std::streamsize(values.size() * sizeof(Value)));
}

void Group::write(const std::string& folder) const {
  std::ofstream counts(folder + "/counts.txt"), psums(folder + "/psums.bin"), centres(folder + "/centres.bin"),
      levels(folder + "/levels.bin");
  for (const auto& block : psums_.of_block) write_values(psums, block.second);
  for (const arithmetic::EncodedBlock& block : blocks_) {
    write_values(centres, block.recombination.unit_coefficient);
    write_values(levels, block.levels);
  }
  const observe::Counts total = ledger_.total();
  for (std::size_t i = 0; i < observe::kActions; ++i)
    counts << observe::describe(observe::Action(i)).name << ' ' << total.values[i] << '\n';
  const auto ns = [](const sc_core::sc_time& time) { return time.to_seconds() * 1e9; };
  for (const observe::Occupation& each : records_.all)
    counts << "array " << each.node << ' ' << ns(each.begin) << ' ' << ns(each.end) << ' ' << each.items << ' '
           << each.work << ' ' << ns(each.interval) << ' ' << ns(each.service) << '\n';
  if (!counts || !psums || !centres || !levels) SC_REPORT_ERROR("raella_probe", ("cannot write to " + folder).c_str());
}

}  // namespace
}  // namespace mho::testbenches

int sc_main(int argc, char** argv) {
  using namespace mho::testbenches;
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  try {
    std::vector<std::unique_ptr<ProbedLayer>> layers;
    std::vector<std::unique_ptr<Group>> groups;
    for (int i = 1; i < argc; ++i) {
      layers.push_back(std::make_unique<ProbedLayer>(argv[i]));
      groups.push_back(std::make_unique<Group>(*layers.back()));
    }
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    for (const auto& group : groups) group->run();
    if (sc_core::sc_pending_activity()) sc_core::sc_start();
    for (int i = 1; i < argc; ++i) groups[std::size_t(i) - 1]->write(argv[i]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
