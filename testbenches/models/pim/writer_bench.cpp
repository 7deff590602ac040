// SPDX-License-Identifier: Apache-2.0
// The programmer's two ways of sending, and the netlist of its bench.
#include "testbenches/models/pim/writer_bench.h"

namespace mho::testbenches {

mapping::WriterConfig slow_writer(int drivers, mapping::Arbitration arbitration) {
  mapping::WriterConfig config;
  config.setup_s = 10e-9;
  config.pulse_s = 50e-9;
  config.drivers = drivers;
  config.arbitration = arbitration;
  return config;
}

RegionData rows_of(const std::vector<int>& pulses, int crossbar) {
  RegionData region = random_region(unsigned(crossbar + 1), int(pulses.size()), 1, crossbar, 8);
  region.levels.assign(region.levels.size(), 0);
  for (std::size_t row = 0; row < pulses.size(); ++row) region.levels[row * 4] = std::uint8_t(pulses[row]);
  return region;
}

RegionData two_crossbars() {
  RegionData region = random_region(1, 2, 3, 0, 8);
  region.levels = {1, 1, 1, 1, 0, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  return region;
}

struct Programmer::Index : tlm::tlm_extension<Programmer::Index> {
  std::size_t value = 0;
  tlm::tlm_extension_base* clone() const override { return new Index(*this); }
  void copy_from(const tlm::tlm_extension_base& other) override { *this = static_cast<const Index&>(other); }
};

Programmer::Programmer(sc_core::sc_module_name module_name) : sc_module(module_name), out("out") {
  out.register_nb_transport_bw(this, &Programmer::hear);
  SC_THREAD(run);
  SC_METHOD(end_responses);
  sensitive << responded_;
  dont_initialize();
}

void Programmer::run() {
  while (next_ < submissions.size()) {
    if (submissions[next_].at > sc_core::sc_time_stamp()) wait(submissions[next_].at - sc_core::sc_time_stamp());
    if (waiting_)
      wait(accepted_);
    else
      send_next();
  }
}

void Programmer::send_next() {
  if (next_ == submissions.size() || submissions[next_].at > sc_core::sc_time_stamp()) return;
  send(submissions[next_]);
}

void Programmer::send(Submission& submission) {
  const tlm_kit::PayloadHandle payload = pool.acquire(0);
  payload->set_write();
  payload->set_data_ptr(submission.region.levels.data());
  payload->set_data_length(unsigned(submission.region.levels.size()));
  payload->set_streaming_width(payload->get_data_length());
  if (submission.has_setup) payload->set_extension(new pim::RegionSetup(submission.region.setup));
  payload->set_extension(new pim::Pipeline(submission.pipeline));
  auto* const index = new Index;
  index->value = next_++;
  payload->set_extension(index);
  sc_core::sc_time delay = submission.delay;
  if (blocking) {
    out->b_transport(*payload, delay);
    submission.response = payload->get_response_status();
    submission.verified = sc_core::sc_time_stamp() + delay;
    return;
  }
  payload->acquire();  // until the response
  waiting_ = true;
  tlm::tlm_phase phase = tlm::BEGIN_REQ;
  out->nb_transport_fw(*payload, phase, delay);
}

tlm::tlm_sync_enum Programmer::hear(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time&) {
  Submission& submission = submissions[payload.get_extension<Index>()->value];
  if (phase == tlm::END_REQ) {
    submission.accepted = sc_core::sc_time_stamp();
    waiting_ = false;
    accepted_.notify(sc_core::SC_ZERO_TIME);
    if (hasty) send_next();
    return tlm::TLM_ACCEPTED;
  }
  submission.verified = sc_core::sc_time_stamp();
  submission.response = payload.get_response_status();
  if (answer == tlm::TLM_ACCEPTED) {
    unended_ = &payload;
    responded_.notify(thinks);
    return tlm::TLM_ACCEPTED;
  }
  phase = tlm::END_RESP;
  payload.release();
  return answer;
}

void Programmer::end_responses() {
  tlm::tlm_generic_payload& payload = *unended_;
  tlm::tlm_phase phase = tlm::END_RESP;
  sc_core::sc_time delay;
  out->nb_transport_fw(payload, phase, delay);
  payload.release();
}

FaultyCells::FaultyCells(sc_core::sc_module_name module_name) : sc_module(module_name), in("in"), out("out") {
  in.register_b_transport(this, &FaultyCells::transport);
  in.register_transport_dbg(this, &FaultyCells::debug);
}

void FaultyCells::transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  if (accesses_++ == refuse)
    payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
  else
    out->b_transport(payload, delay);
}

WriterBench::WriterBench(sc_core::sc_module_name module_name, const mapping::WriterConfig& writer_config,
                         const mapping::CrossbarTileConfig& crossbars)
    : sc_module(module_name),
      config(crossbars),
      tile("tile", config, ledger, store),
      writer("writer", writer_config, config, programming, &recorder),
      cells("cells"),
      programmer("programmer"),
      monitor("monitor"),
      input("input"),
      sink("sink") {
  programming.resize(4);
  programmer.out.bind(monitor.target_socket);
  monitor.initiator_socket.bind(writer.program);
  writer.setup.bind(tile.setup);
  writer.cells.bind(cells.in);
  cells.out.bind(tile.cells);
  input.out.bind(tile.input);
  tile.sums.bind(sink.in);
}

std::vector<std::uint8_t> WriterBench::levels() {
  std::vector<std::uint8_t> levels(static_cast<std::size_t>(tile.cell_bytes()));
  tlm::tlm_generic_payload payload;
  payload.set_read();
  payload.set_data_ptr(levels.data());
  payload.set_data_length(unsigned(levels.size()));
  writer.cells->transport_dbg(payload);
  return levels;
}

std::uint8_t WriterBench::level(int crossbar, int row, int column) {
  return levels()[std::size_t((crossbar * config.rows + row) * config.columns + column)];
}

bool WriterBench::settled() const {
  return monitor.checks().total() == 0 && monitor.checks().open() == 0 && programmer.pool.in_use() == 0;
}

double WriterBench::statistic(const std::string& wanted) const {
  for (const observe::Statistic& statistic : writer.statistics())
    if (statistic.name == wanted) return statistic.value;
  return -1.0;
}

std::uint32_t WriterBench::wave(const std::string& wanted) const {
  for (const observe::Wave& wave : writer.waves())
    if (wave.name == wanted) return **std::get_if<const std::uint32_t*>(&wave.variable);
  return ~0u;
}

std::vector<std::pair<int, int>> WriterBench::rows_in_ns() const {
  std::vector<std::pair<int, int>> rows;
  for (const observe::Occupation& row : recorder.records)
    rows.emplace_back(int(row.begin / ns(1)), int(row.end / ns(1)));
  return rows;
}

std::pair<tlm::tlm_response_status, sc_core::sc_time> WriterBench::block(RegionData region) {
  tlm::tlm_generic_payload payload;
  payload.set_write();
  payload.set_data_ptr(region.levels.data());
  payload.set_data_length(unsigned(region.levels.size()));
  payload.set_extension(&region.setup);
  sc_core::sc_time delay;
  programmer.out->b_transport(payload, delay);
  payload.clear_extension(&region.setup);
  return {payload.get_response_status(), delay};
}

}  // namespace mho::testbenches
