// SPDX-License-Identifier: Apache-2.0
// The OpenMP runtime is the one that oneDNN brings with it; its functions are null where the library was built without.
#include "models/arithmetic/calling_thread.h"

extern "C" {
__attribute__((weak)) int omp_get_max_threads();
__attribute__((weak)) void omp_set_num_threads(int);
}

namespace mho::arithmetic {

OnCallingThread::OnCallingThread() {
  if (omp_get_max_threads == nullptr || omp_set_num_threads == nullptr) return;
  threads_ = omp_get_max_threads();
  if (threads_ != 1) omp_set_num_threads(1);
}

OnCallingThread::~OnCallingThread() {
  if (threads_ > 1) omp_set_num_threads(threads_);
}

}  // namespace mho::arithmetic
