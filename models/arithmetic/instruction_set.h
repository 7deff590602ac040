// SPDX-License-Identifier: Apache-2.0
// Which vector units the arithmetic uses on this machine, as oneDNN sees it: ONEDNN_MAX_CPU_ISA bounds our kernels
// too, so that a test under an older instruction set tests all of them.
#pragma once

namespace mho::arithmetic {

struct InstructionSet {
  bool avx2 = false;
  bool avx512 = false;           ///< with the byte and word, doubleword and vector length extensions
  bool avx512_popcount = false;  ///< and population counts of words
  bool vnni = false;             ///< and sums of four u8 x s8 products that do not saturate
  static InstructionSet in_effect();
};

}  // namespace mho::arithmetic
