// SPDX-License-Identifier: Apache-2.0
// Target socket of the links inside an accelerator: calls go to member functions, as tlm_utils::simple_target_socket
// has it. Left out is its conversion between blocking and non-blocking transport, whose queues and events would take a
// tenth of the time in which a machine of thousands of crossbar_tiles is built; no debug access, no direct memory.
#pragma once

#include <string>
#include <systemc>
#include <tlm>

namespace mho::tlm_kit {

/// MODULE must outlive the socket. A transport without a registered function is reported as an error.
template <class MODULE, unsigned int BUSWIDTH, class TYPES>
class LinkTargetSocket : public tlm::tlm_target_socket<BUSWIDTH, TYPES>, private tlm::tlm_fw_transport_if<TYPES> {
 public:
  using Payload = typename TYPES::tlm_payload_type;
  using Phase = typename TYPES::tlm_phase_type;
  using Blocking = void (MODULE::*)(Payload&, sc_core::sc_time&);
  using NonBlocking = tlm::tlm_sync_enum (MODULE::*)(Payload&, Phase&, sc_core::sc_time&);

  explicit LinkTargetSocket(const char* name) : tlm::tlm_target_socket<BUSWIDTH, TYPES>(name) {
    tlm::tlm_target_socket<BUSWIDTH, TYPES>::bind(static_cast<tlm::tlm_fw_transport_if<TYPES>&>(*this));
  }

  void register_b_transport(MODULE* module, Blocking function) {
    module_ = module;
    blocking_ = function;
  }
  void register_nb_transport_fw(MODULE* module, NonBlocking function) {
    module_ = module;
    non_blocking_ = function;
  }

 private:
  void b_transport(Payload& payload, sc_core::sc_time& delay) override {
    if (blocking_ != nullptr)
      (module_->*blocking_)(payload, delay);
    else
      refuse("blocking");
  }
  tlm::tlm_sync_enum nb_transport_fw(Payload& payload, Phase& phase, sc_core::sc_time& delay) override {
    if (non_blocking_ != nullptr) return (module_->*non_blocking_)(payload, phase, delay);
    refuse("non-blocking");
    return tlm::TLM_COMPLETED;
  }
  unsigned int transport_dbg(Payload&) override { return 0; }
  bool get_direct_mem_ptr(Payload&, tlm::tlm_dmi& dmi) override {
    dmi.allow_none();
    return false;
  }
  void refuse(const char* transport) const {
    SC_REPORT_ERROR("mho/link", (std::string(this->name()) + " takes no " + transport + " transport").c_str());
  }

  MODULE* module_ = nullptr;
  Blocking blocking_ = nullptr;
  NonBlocking non_blocking_ = nullptr;
};

}  // namespace mho::tlm_kit
