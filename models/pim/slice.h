// SPDX-License-Identifier: Apache-2.0
// One input slice of one vector on its way from the crossbars through the converters to the shift-and-add unit, in the
// approximately timed mode. Its payload's data are the column sums of this slice, inside the data of the vector; where
// the converter was proved lossless there are none. Of a cycle that recovers only the columns that failed have any.
#pragma once

#include <memory>
#include <tlm>
#include <utility>

#include "models/pim/batch.h"

namespace mho::pim {

struct Slice : tlm::tlm_extension<Slice> {
  /// Keeps the vector as long as the slice is under way. `vector` has the extensions Batch and Pipeline.
  /// `array`: what the vector is multiplied with; it stays even if the region is programmed meanwhile.
  Slice(tlm::tlm_generic_payload& vector, std::shared_ptr<const arithmetic::ProgrammedArray> array, int index,
        int count)
      : vector_(&vector), array_(std::move(array)), index_(index), count_(count) {
    vector.acquire();
  }
  Slice(const Slice& other) : Slice(*other.vector_, other.array_, other.index_, other.count_) {}
  Slice& operator=(const Slice&) = delete;
  ~Slice() override { vector_->release(); }

  tlm::tlm_generic_payload& vector() const { return *vector_; }
  Batch& batch() const { return *vector_->get_extension<Batch>(); }
  Pipeline& pipeline() const { return *vector_->get_extension<Pipeline>(); }
  /// Among all cycles of the stream, recovering ones included.
  int index() const { return index_; }
  const arithmetic::InputCycle& cycle() const { return array_->cycles()[std::size_t(index_)]; }
  /// Codes of the cycle whose failed columns this one recovers, null where it recovers none.
  const std::int16_t* speculated() const {
    if (cycle().recovers < 0 || batch().exact) return nullptr;
    const arithmetic::InputCycle& before = array_->cycles()[std::size_t(cycle().recovers)];
    return reinterpret_cast<const std::int16_t*>(vector_->get_data_ptr() + sums_at(batch(), before));
  }
  bool fits_stream() const { return array_ != nullptr && index_ >= 0 && std::size_t(index_) < array_->cycles().size(); }
  bool last() const { return index_ + 1 == count_; }

  tlm::tlm_extension_base* clone() const override { return new Slice(*this); }
  void copy_from(const tlm::tlm_extension_base&) override {}  // a slice is made with its vector and stays with it

 private:
  tlm::tlm_generic_payload* vector_;
  std::shared_ptr<const arithmetic::ProgrammedArray> array_;
  int index_, count_;
};

/// A payload that is a slice of a vector which holds all that a slice is asked for.
inline Slice* slice_of(tlm::tlm_generic_payload& payload) {
  Slice* const slice = payload.get_extension<Slice>();
  const bool whole = slice != nullptr && slice->vector().get_extension<Batch>() != nullptr &&
                     slice->vector().get_extension<Pipeline>() != nullptr && slice->batch().array != nullptr &&
                     slice->fits_stream();
  return whole ? slice : nullptr;
}

}  // namespace mho::pim
