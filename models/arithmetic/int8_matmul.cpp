// SPDX-License-Identifier: Apache-2.0
// oneDNN's matmul primitive: made for a fixed number of rows (its kernels for a run-time number are up to three times
// slower), kept with its arguments, and lent to one call at a time.
#include "models/arithmetic/int8_matmul.h"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include <dnnl.hpp>

#include "models/arithmetic/calling_thread.h"
#include "models/arithmetic/instruction_set.h"

namespace mho::arithmetic {
namespace {

using dnnl::memory;

/// Larger batches are cut, so that the number of primitives stays bounded.
constexpr int kMostRows = 256;

memory::desc plain(int rows, int columns, memory::data_type type) {
  return {{rows, columns}, type, memory::format_tag::ab};
}

dnnl::matmul::primitive_desc describe(const dnnl::engine& engine, int rows, int k, int n, const memory::desc& weights) {
  // The library's own scratchpad belongs to the thread that made the primitive; ours travels with it.
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return {{plain(rows, k, memory::data_type::u8), weights, plain(rows, n, memory::data_type::s32)}, attributes, engine};
}

/// A primitive with all it needs to run once at a time.
class Execution {
 public:
  Execution(const dnnl::engine& engine, const dnnl::matmul::primitive_desc& description, const memory& weights)
      : primitive_(description),
        stream_(engine),
        x_(description.src_desc(), engine, nullptr),
        y_(description.dst_desc(), engine, nullptr),
        scratchpad_(description.scratchpad_desc(), engine),
        arguments_{{{DNNL_ARG_SRC, x_.get()},
                    {DNNL_ARG_WEIGHTS, weights.get()},
                    {DNNL_ARG_DST, y_.get()},
                    {DNNL_ARG_SCRATCHPAD, scratchpad_.get()}}} {}

  void run(const std::uint8_t* x, std::int32_t* y) {
    x_.set_data_handle(const_cast<std::uint8_t*>(x));
    y_.set_data_handle(y);
    // The C call: the C++ one builds a hash map of the arguments each time.
    dnnl::error::wrap_c_api(
        dnnl_primitive_execute(primitive_.get(), stream_.get(), int(arguments_.size()), arguments_.data()),
        "could not execute an int8 product");
  }

 private:
  dnnl::matmul primitive_;
  dnnl::stream stream_;
  memory x_, y_, scratchpad_;
  std::array<dnnl_exec_arg_t, 4> arguments_;
};

}  // namespace

int exact_weight_limit() { return InstructionSet::in_effect().vnni ? 128 : 64; }

struct Int8Matmul::State {
  int k = 0, n = 0;
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  memory weights;
  std::mutex mutex;
  std::map<int, std::vector<std::unique_ptr<Execution>>> idle;

  std::unique_ptr<Execution> take(int rows) {
    {
      const std::lock_guard<std::mutex> lock(mutex);
      auto& of_rows = idle[rows];
      if (!of_rows.empty()) {
        auto execution = std::move(of_rows.back());
        of_rows.pop_back();
        return execution;
      }
    }
    return std::make_unique<Execution>(engine, describe(engine, rows, k, n, weights.get_desc()), weights);
  }

  void give_back(int rows, std::unique_ptr<Execution> execution) {
    const std::lock_guard<std::mutex> lock(mutex);
    idle[rows].push_back(std::move(execution));
  }
};

Int8Matmul::Int8Matmul(const std::int8_t* weights, int k, int n, Order order) : state_(std::make_unique<State>()) {
  const OnCallingThread on_calling_thread;
  state_->k = k;
  state_->n = n;
  const memory::desc any({k, n}, memory::data_type::s8, memory::format_tag::any);
  const auto packed = describe(state_->engine, kMostRows, k, n, any).weights_desc();
  const auto tag = order == Order::kRows ? memory::format_tag::ab : memory::format_tag::ba;
  memory given({{k, n}, memory::data_type::s8, tag}, state_->engine, const_cast<std::int8_t*>(weights));
  state_->weights = memory(packed, state_->engine);
  dnnl::stream stream(state_->engine);
  dnnl::reorder(given, state_->weights).execute(stream, given, state_->weights);
  stream.wait();
}

Int8Matmul::~Int8Matmul() = default;

void Int8Matmul::run(const std::uint8_t* x, int rows, std::int32_t* y) const {
  const OnCallingThread on_calling_thread;
  for (int left = rows; left > 0; left -= kMostRows) {
    const int now = std::min(left, kMostRows);
    auto execution = state_->take(now);
    execution->run(x, y);
    state_->give_back(now, std::move(execution));
    x += std::size_t(now) * std::size_t(state_->k);
    y += std::size_t(now) * std::size_t(state_->n);
  }
}

}  // namespace mho::arithmetic
