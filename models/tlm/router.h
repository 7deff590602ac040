// SPDX-License-Identifier: Apache-2.0
// Address-decoding interconnect between initiators and memory-mapped targets, with a fixed latency per
// hop. Left out: arbitration and bandwidth (targets model their own contention) and the phases of
// nb_transport, which tlm_utils::simple_target_socket_tagged converts to b_transport.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <cstddef>
#include <cstdint>
#include <tlm>
#include <vector>

#include "models/observe/instrument.h"
#include "models/tlm/address_map.h"

namespace mho::tlm_kit {

/// Parameters of a router.
struct RouterConfig {
  std::size_t initiators = 1;          ///< number of sockets in `from_initiator`
  std::size_t targets = 1;             ///< number of sockets in `to_target`
  std::vector<AddressRegion> regions;  ///< may also be given by map()
  sc_core::sc_time hop_latency;        ///< added to `delay` of every transfer that is forwarded
};

/// A target sees local addresses; the initiator gets its payload back with the address it sent. Unmapped
/// addresses and transfers that leave their region get TLM_ADDRESS_ERROR_RESPONSE and move nothing.
template <unsigned int BUSWIDTH = 32>
class Router : public sc_core::sc_module, public observe::Instrument {
 public:
  /// @throw std::invalid_argument for overlapping regions or a target that does not exist.
  Router(sc_core::sc_module_name module_name, const RouterConfig& config);

  /// Adds a region; during elaboration only. Errors as the constructor.
  void map(const AddressRegion& region);
  /// Moves a region while simulating: DMI pointers into its old place are invalidated at every initiator.
  /// @throw std::invalid_argument when it would overlap, std::out_of_range when there is no such region.
  void remap(const std::string& region_name, std::uint64_t new_base);
  const AddressMap& address_map() const { return map_; }
  std::vector<observe::Statistic> statistics() const override;

  sc_core::sc_vector<tlm_utils::simple_target_socket_tagged<Router, BUSWIDTH>> from_initiator;
  sc_core::sc_vector<tlm_utils::simple_initiator_socket_tagged<Router, BUSWIDTH>> to_target;

 private:
  void b_transport(int from, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned int transport_dbg(int from, tlm::tlm_generic_payload& payload);
  bool get_direct_mem_ptr(int from, tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);
  void invalidate_direct_mem_ptr(int target, sc_dt::uint64 first, sc_dt::uint64 last);

  const sc_core::sc_time hop_latency_;
  AddressMap map_;
  std::uint64_t forwarded_ = 0, refused_ = 0;
};

extern template class Router<32>;
extern template class Router<64>;

}  // namespace mho::tlm_kit
