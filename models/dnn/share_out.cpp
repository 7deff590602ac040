// SPDX-License-Identifier: Apache-2.0
// Indices are handed out one by one, so a slow piece of work holds nobody up but its own worker.
#include "models/dnn/share_out.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace mho::dnn {

void share_out(std::size_t count, int threads, const std::function<void(std::size_t index, int worker)>& work,
               const std::function<void(std::size_t done)>& progress) {
  std::atomic<std::size_t> next{0}, done{0};
  std::mutex mutex;
  std::exception_ptr failure;
  const auto take_part = [&](int worker) {
    try {
      for (std::size_t index = next++; index < count; index = next++) {
        work(index, worker);
        const std::size_t now = ++done;
        if (worker == 0 && progress) progress(now);
      }
    } catch (...) {
      next = count;
      const std::lock_guard<std::mutex> lock(mutex);
      if (!failure) failure = std::current_exception();
    }
  };
  std::vector<std::thread> others;
  const int wanted = int(std::min<std::size_t>(std::size_t(std::max(threads, 1)), count));
  for (int worker = 1; worker < wanted; ++worker) others.emplace_back(take_part, worker);
  take_part(0);
  for (std::thread& other : others) other.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace mho::dnn
