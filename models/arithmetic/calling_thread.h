// SPDX-License-Identifier: Apache-2.0
// Keeps oneDNN's parallel regions on the thread that calls, whatever OpenMP settings the host has. Who wants several
// threads starts them and calls from each.
#pragma once

namespace mho::arithmetic {

/// Sets the number of threads of the *calling thread's* parallel regions to one, and back: other threads of the host
/// have their own value (OpenMP 4.5, 2.3) and never see it.
class OnCallingThread {
 public:
  OnCallingThread();
  ~OnCallingThread();
  OnCallingThread(const OnCallingThread&) = delete;
  OnCallingThread& operator=(const OnCallingThread&) = delete;

 private:
  int threads_ = 1;
};

}  // namespace mho::arithmetic
