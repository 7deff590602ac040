// SPDX-License-Identifier: Apache-2.0
// Global operators new and delete that remember the largest request. In a file of their own, so that the compiler does
// not see into them.
#include "testbenches/models/mapping/allocation_watch.h"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace {

std::size_t largest_request = 0;

}  // namespace

#ifndef __SANITIZE_ADDRESS__
void* operator new(std::size_t size) {
  largest_request = std::max(largest_request, size);
  void* memory = std::malloc(size > 0 ? size : 1);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif

namespace mho::mapping {

AllocationWatch::AllocationWatch() { largest_request = 0; }
std::size_t AllocationWatch::largest() const { return largest_request; }

}  // namespace mho::mapping
