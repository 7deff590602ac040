// SPDX-License-Identifier: Apache-2.0
// Forwarding of packets between tiles and between chips.
#include "models/pim/tile_router.h"

#include <numeric>

#include "models/pim/addresses.h"
#include "models/tlm/byte_enables.h"
#include "models/tlm/duration.h"

namespace mho::pim {

using sc_core::sc_time;

namespace {

int look_up(const RoutingTable& table, std::uint64_t address) {
  const std::uint64_t tile = address >> kTileShift;
  return tile < table.size() ? table[std::size_t(tile)] : -1;
}

std::uint64_t bytes_an_item(const tlm::tlm_generic_payload& payload, const Pipeline& pipeline) {
  return (tlm_kit::enabled_bytes(payload) + pipeline.count - 1) / pipeline.count;
}

constexpr std::uint64_t kFlitBytes = 4;

std::vector<SharedStage> make_links(const char* module, observe::Kind kind, int count, observe::Recorder* recorder) {
  std::vector<SharedStage> links;
  links.reserve(std::size_t(count));  // records point at their names
  for (int link = 0; link < count; ++link) links.emplace_back(module, kind, link).record_to(recorder);
  return links;
}

double busy_seconds(const std::vector<SharedStage>& links) {
  return std::accumulate(links.begin(), links.end(), 0.0,
                         [](double sum, const SharedStage& link) { return sum + link.busy_time().to_seconds(); });
}

}  // namespace

bool Fork::is_copy(const Pipeline& pipeline, int way) {
  if (pipeline.multicast != number_) left_.assign(left_.size(), false);
  number_ = pipeline.multicast;
  const bool copy = multicast_ && number_ != 0 && left_[std::size_t(way)];
  left_[std::size_t(way)] = true;
  return copy;
}

TileRouter::TileRouter(sc_core::sc_module_name module_name, const mapping::RouterConfig& config, int outputs,
                       int local_outputs, int entries, RoutingTable table, observe::Ledger& ledger,
                       observe::Recorder* recorder)
    : sc_module(module_name),
      in("in"),
      out("out", std::size_t(outputs)),
      config_(config),
      local_outputs_(local_outputs),
      entries_(entries),
      table_(std::move(table)),
      ledger_(ledger),
      links_(make_links(name(), observe::Kind::kHop, outputs, recorder)),
      fork_(outputs, config.multicast) {
  in.register_b_transport(this, &TileRouter::pass_on);
  in.register_transport_dbg(this, &TileRouter::debug);
}

int TileRouter::output_of(std::uint64_t address) const { return look_up(table_, address); }

void TileRouter::pass_on(int from, tlm::tlm_generic_payload& payload, sc_time& delay) {
  const std::uint64_t address = payload.get_address();
  const int output = output_of(address);
  if (output < 0) {
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return;
  }
  Pipeline alone;
  Pipeline& pipeline = pipeline_of(payload, alone);
  const std::uint64_t bytes = bytes_an_item(payload, pipeline);
  SharedStage& link = links_[std::size_t(output)];
  const bool copy = fork_.is_copy(pipeline, output);
  if (copy) {
    delay = fork_.delay(output);
  } else {
    const std::uint64_t flits = (bytes + kFlitBytes - 1) / kFlitBytes * pipeline.count;
    ledger_.of(pipeline.node)[observe::Action::kRouterFlits] += flits;
    carried_ += flits;
    const double packet_s = double(bytes) / config_.bytes_per_s;
    const bool enters = from < entries_;
    link.enter(pipeline, tlm_kit::duration(config_.hop_s + (enters ? packet_s : 0.0)), tlm_kit::duration(packet_s),
               delay, flits);
    fork_.depart(output, delay);
  }
  if (output < local_outputs_) payload.set_address(address & kOffsetMask);
  out[std::size_t(output)]->b_transport(payload, delay);
  payload.set_address(address);
  if (!copy) link.leave(pipeline);
}

unsigned int TileRouter::debug(int, tlm::tlm_generic_payload& payload) {
  const std::uint64_t address = payload.get_address();
  const int output = output_of(address);
  if (output < 0) return 0;
  if (output < local_outputs_) payload.set_address(address & kOffsetMask);
  const unsigned int count = out[std::size_t(output)]->transport_dbg(payload);
  payload.set_address(address);
  return count;
}

std::vector<observe::Statistic> TileRouter::statistics() const {
  return {{"busy", "time packets occupy the outputs, all of them together", "s", busy_seconds(links_)},
          {"flits", "flits passed on", "flits", double(carried_)}};
}

HyperTransport::HyperTransport(sc_core::sc_module_name module_name, const mapping::HyperTransportConfig& config,
                               int chips, RoutingTable chip_of_tile, bool multicast, observe::Ledger& ledger,
                               observe::Recorder* recorder)
    : sc_module(module_name),
      in("in"),
      out("out", std::size_t(chips)),
      config_(config),
      chip_of_tile_(std::move(chip_of_tile)),
      ledger_(ledger),
      links_(make_links(name(), observe::Kind::kLink, chips, recorder)),
      fork_(chips, multicast) {
  in.register_b_transport(this, &HyperTransport::pass_on);
  in.register_transport_dbg(this, &HyperTransport::debug);
}

int HyperTransport::chip_of(std::uint64_t address) const { return look_up(chip_of_tile_, address); }

void HyperTransport::pass_on(int from_chip, tlm::tlm_generic_payload& payload, sc_time& delay) {
  const int chip = chip_of(payload.get_address());
  if (chip < 0) {
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return;
  }
  Pipeline alone;
  Pipeline& pipeline = pipeline_of(payload, alone);
  const std::uint64_t bytes = bytes_an_item(payload, pipeline);
  SharedStage& link = links_[std::size_t(from_chip)];
  const bool copy = fork_.is_copy(pipeline, chip);
  if (copy) {
    delay = fork_.delay(chip);
  } else {
    const std::uint64_t bits = 8 * bytes * pipeline.count;
    ledger_.of(pipeline.node)[observe::Action::kHyperTransportBits] += bits;
    carried_ += bits;
    const double packet_s = double(bytes) / (config_.bytes_per_s * config_.links);
    link.enter(pipeline, tlm_kit::duration(config_.latency_s + packet_s), tlm_kit::duration(packet_s), delay, bits);
    fork_.depart(chip, delay);
  }
  out[std::size_t(chip)]->b_transport(payload, delay);
  if (!copy) link.leave(pipeline);
}

unsigned int HyperTransport::debug(int, tlm::tlm_generic_payload& payload) {
  const int chip = chip_of(payload.get_address());
  return chip < 0 ? 0 : out[std::size_t(chip)]->transport_dbg(payload);
}

std::vector<observe::Statistic> HyperTransport::statistics() const {
  return {{"busy", "time packets occupy the links of all chips together", "s", busy_seconds(links_)},
          {"bits", "bits carried between chips", "bits", double(carried_)}};
}

}  // namespace mho::pim
