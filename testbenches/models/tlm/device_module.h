// SPDX-License-Identifier: Apache-2.0
// A module that is nothing but a socket before a device, for tests of devices that are not modules.
#pragma once

#include "models/tlm/checked_target.h"

namespace mho::testbenches {

/// Owns the socket; the device must outlive it.
template <unsigned int BUSWIDTH = 32>
class DeviceModule : public sc_core::sc_module {
 public:
  DeviceModule(sc_core::sc_module_name module_name, tlm_kit::TargetDevice& device, tlm_kit::TargetTraits traits = {})
      : sc_core::sc_module(module_name), socket("socket", device, traits) {}

  tlm_kit::CheckedTargetSocket<BUSWIDTH> socket;
};

}  // namespace mho::testbenches
