// SPDX-License-Identifier: Apache-2.0
// The subset of the TLM rules that applies to the links inside a tile, on every target of a machine that has one: what
// does not belong there is refused with a response, in both kinds of transport, and leaves no trace.
#include <catch2/catch.hpp>
#include <functional>
#include <string>
#include <vector>

#include "models/tlm/link_target_socket.h"
#include "models/tlm/payload_pool.h"
#include "models/tlm/phase_monitor.h"
#include "testbenches/models/pim/device_bench.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

using Forward = tlm::tlm_fw_transport_if<pim::BatchProtocol>;
using Payload = tlm::tlm_generic_payload;

/// What no module knows.
struct Stranger : tlm::tlm_extension<Stranger> {
  tlm::tlm_extension_base* clone() const override { return new Stranger; }
  void copy_from(const tlm::tlm_extension_base&) override {}
};

struct AnalogTarget {
  const char* name;
  std::function<Forward*(pim::PimTile&)> reach;
  bool phases;  ///< answers to a refused request in the call itself
};

/// weight_writer answers by a call of its own: its phases are weight_writer_phases_test.cpp's. Setting up takes no time
/// and has no phases.
const std::vector<AnalogTarget> kTargets = {
    {"buffer.windows", [](pim::PimTile& tile) { return tile.buffer.windows.get_base_export().operator->(); }, true},
    {"bus.from_buffer", [](pim::PimTile& tile) { return tile.buffer.bus.operator->(); }, true},
    {"crossbars.input", [](pim::PimTile& tile) { return tile.bus.to_crossbar_tile[0].operator->(); }, true},
    {"crossbars.setup", [](pim::PimTile& tile) { return tile.groups[0]->writer.setup.operator->(); }, false},
    {"adc.sums", [](pim::PimTile& tile) { return tile.groups[0]->crossbars.sums.operator->(); }, true},
    {"shift_add.codes", [](pim::PimTile& tile) { return tile.groups[0]->adc.codes.operator->(); }, true},
    {"function.psums", [](pim::PimTile& tile) { return tile.groups[0]->shift_add.psums.operator->(); }, true},
    {"function.jobs", [](pim::PimTile& tile) { return tile.function.jobs.get_base_export().operator->(); }, true},
    {"writer.program", [](pim::PimTile& tile) { return tile.groups[0]->writer.program.get_base_export().operator->(); },
     false},
};

/// Payloads that belong on no link.
struct Misfit {
  const char* what;
  std::function<void(Payload&)> make;
};
const std::vector<Misfit> kMisfits = {
    {"no extension at all", [](Payload&) {}},
    {"a read", [](Payload& payload) { payload.set_read(); }},
    {"an address beyond everything", [](Payload& payload) { payload.set_address(~std::uint64_t{0}); }},
    {"a pipeline of nothing", [](Payload& payload) { payload.set_extension(new pim::Pipeline); }},
    {"an empty batch",
     [](Payload& payload) {
       payload.set_extension(new pim::Pipeline);
       payload.set_extension(new pim::Batch);
     }},
    {"a region without shape", [](Payload& payload) { payload.set_extension(new pim::RegionSetup); }},
    {"a job without node", [](Payload& payload) { payload.set_extension(new pim::FunctionJob); }},
};

/// A machine with its weights written, and everything in it that a refused payload could change.
struct AnalogBench {
  AnalogBench() : device("pim", two_layers(), small_machine()) { device.program(); }
  pim::PimTile& tile() { return *device.accelerator.core().tiles().front(); }
  std::vector<std::uint64_t> state() {
    const observe::Counts counts = device.accelerator.core().ledger().total();
    std::vector<std::uint64_t> state(counts.values.begin(), counts.values.end());
    for (const auto& group : tile().groups) {
      std::vector<std::uint8_t> levels(static_cast<std::size_t>(group->crossbars.cell_bytes()));
      Payload payload;
      payload.set_read();
      payload.set_data_ptr(levels.data());
      payload.set_data_length(unsigned(levels.size()));
      CHECK(group->writer.cells->transport_dbg(payload) == levels.size());
      state.insert(state.end(), levels.begin(), levels.end());
    }
    return state;
  }
  tlm_kit::PayloadHandle misfit(const Misfit& kind) {
    tlm_kit::PayloadHandle payload = pool.acquire(64);
    payload->set_write();
    std::fill_n(payload->get_data_ptr(), 64, std::uint8_t{0x5a});
    kind.make(*payload);
    payload->set_extension(new Stranger);
    return payload;
  }

  Device<> device;
  tlm_kit::PayloadPool pool;
};

/// Calls `transport` with every misfit for every target, and checks what holds whatever the transport.
void refuse_all(AnalogBench& bench, bool phases,
                const std::function<void(Forward&, Payload&, const AnalogTarget&)>& transport) {
  const std::vector<std::uint64_t> before = bench.state();
  for (const AnalogTarget& target : kTargets)
    for (const Misfit& kind : kMisfits) {
      if (phases && !target.phases) continue;
      CAPTURE(target.name, kind.what);
      const tlm_kit::PayloadHandle payload = bench.misfit(kind);
      const tlm_kit::PayloadAttributes sent(*payload);
      const Stranger* const stranger = payload->get_extension<Stranger>();
      const sc_core::sc_time now = sc_core::sc_time_stamp();
      transport(*target.reach(bench.tile()), *payload, target);
      CHECK(payload->is_response_error());
      CHECK(payload->get_response_status() != tlm::TLM_INCOMPLETE_RESPONSE);
      CHECK(tlm_kit::PayloadAttributes(*payload).same_but_address(sent));
      CHECK(payload->get_address() == sent.address);
      CHECK(payload->get_extension<Stranger>() == stranger);
      CHECK(payload->get_ref_count() == 1);
      CHECK(std::count(payload->get_data_ptr(), payload->get_data_ptr() + 64, 0x5a) == 64);
      CHECK(sc_core::sc_time_stamp() == now);
      CHECK(bench.state() == before);
    }
}

TEST_CASE("blocking transport refuses on every link what does not belong there") {
  AnalogBench bench;
  refuse_all(bench, false, [](Forward& target, Payload& payload, const AnalogTarget&) {
    sc_core::sc_time delay(3, sc_core::SC_NS);
    target.b_transport(payload, delay);
    CHECK(delay == sc_core::sc_time(3, sc_core::SC_NS));
  });
}

TEST_CASE("non-blocking transport refuses on every link what does not belong there, with the phases of the protocol") {
  AnalogBench bench;
  refuse_all(bench, true, [](Forward& target, Payload& payload, const AnalogTarget& named) {
    tlm_kit::PhaseChecks checks(named.name, {});
    const auto call = [&](tlm::tlm_phase& phase) {
      sc_core::sc_time delay;
      return checks.watch(tlm_kit::PhaseChecks::Path::kForward, payload, phase, delay,
                          [&](auto&... arguments) { return target.nb_transport_fw(arguments...); });
    };
    tlm::tlm_phase phase = tlm::BEGIN_REQ;
    CHECK(call(phase) == tlm::TLM_UPDATED);
    REQUIRE(phase == tlm::BEGIN_RESP);
    phase = tlm::END_RESP;
    call(phase);
    CHECK(checks.open() == 0);
    CHECK(checks.total() == 0);
  });
}

TEST_CASE("links have nothing for a debugger and no direct memory") {
  AnalogBench bench;
  for (const AnalogTarget& target : kTargets) {
    CAPTURE(target.name);
    const tlm_kit::PayloadHandle payload = bench.misfit(kMisfits.front());
    CHECK(target.reach(bench.tile())->transport_dbg(*payload) == 0);
    tlm::tlm_dmi dmi;
    CHECK_FALSE(target.reach(bench.tile())->get_direct_mem_ptr(*payload, dmi));
  }
}

/// Takes calls, or not.
struct HalfTarget : sc_core::sc_module {
  explicit HalfTarget(sc_core::sc_module_name name) : sc_module(name), blocking("blocking"), phased("phased") {
    blocking.register_b_transport(this, &HalfTarget::take);
    phased.register_nb_transport_fw(this, &HalfTarget::receive);
  }
  void take(Payload& payload, sc_core::sc_time&) { payload.set_response_status(tlm::TLM_OK_RESPONSE); }
  tlm::tlm_sync_enum receive(Payload&, tlm::tlm_phase&, sc_core::sc_time&) { return tlm::TLM_ACCEPTED; }
  tlm_kit::LinkTargetSocket<HalfTarget, 32, pim::BatchProtocol> blocking, phased;
};

TEST_CASE("a link that was given one kind of transport says so when the other comes, and has no other access") {
  HalfTarget target("target");
  Payload payload;
  tlm::tlm_phase phase = tlm::BEGIN_REQ;
  sc_core::sc_time delay;
  tlm::tlm_dmi dmi;
  Forward& blocking = *target.blocking.get_base_export().operator->();
  Forward& phased = *target.phased.get_base_export().operator->();
  blocking.b_transport(payload, delay);
  CHECK(payload.is_response_ok());
  CHECK(phased.nb_transport_fw(payload, phase, delay) == tlm::TLM_ACCEPTED);
  CHECK_THROWS_WITH(phased.b_transport(payload, delay), Catch::Contains("target.phased takes no blocking transport"));
  CHECK_THROWS_WITH(blocking.nb_transport_fw(payload, phase, delay),
                    Catch::Contains("target.blocking takes no non-blocking transport"));
  CHECK(blocking.transport_dbg(payload) == 0);
  CHECK(!blocking.get_direct_mem_ptr(payload, dmi));
}

}  // namespace
}  // namespace mho::testbenches
