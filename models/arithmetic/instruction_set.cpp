// SPDX-License-Identifier: Apache-2.0
// Asks oneDNN, and the processor for what oneDNN does not tell.
#include "models/arithmetic/instruction_set.h"

#include <dnnl.hpp>

namespace mho::arithmetic {

InstructionSet InstructionSet::in_effect() {
  // The enumerators are nested sets of bits: a newer instruction set contains its predecessors.
  const auto effective = int(dnnl::get_effective_cpu_isa());
  const auto has = [effective](dnnl::cpu_isa isa) { return (effective & int(isa)) == int(isa); };
  InstructionSet set;
  set.avx2 = has(dnnl::cpu_isa::avx2);
  set.avx512 = has(dnnl::cpu_isa::avx512_core);
  set.vnni = has(dnnl::cpu_isa::avx512_core_vnni);
#if defined(__x86_64__)
  set.avx512_popcount = set.avx512 && __builtin_cpu_supports("avx512bitalg");
#endif
  return set;
}

}  // namespace mho::arithmetic
