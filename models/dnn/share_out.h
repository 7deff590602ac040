// SPDX-License-Identifier: Apache-2.0
// Shares independent pieces of work, samples of a network mostly, among threads. Nothing in the library starts a thread
// unless it is asked for more than one.
#pragma once

#include <cstddef>
#include <functional>

namespace mho::dnn {

/// Calls work(index, worker) once for every index below `count`; workers are numbered from 0 to threads - 1, the
/// calling thread is worker 0. `progress`, where there is one, is called on the calling thread with the number of
/// indices that are done. Which worker takes which index is not determined. The first exception ends the work and is
/// thrown again.
void share_out(std::size_t count, int threads, const std::function<void(std::size_t index, int worker)>& work,
               const std::function<void(std::size_t done)>& progress = {});

}  // namespace mho::dnn
