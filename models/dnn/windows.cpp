// SPDX-License-Identifier: Apache-2.0
// Unrolls sliding windows into the rows of a matrix product (im2col), one slice of the dot products at a time, so that
// a crossbar tile is handed exactly the rows it holds.
#include <algorithm>
#include <cstring>

#include "models/dnn/operators.h"

namespace mho::dnn {

namespace {

/// Neighbouring elements of a dot product that are neighbours in a row of the feature map as well.
struct Run {
  int ky = 0;
  std::int64_t offset = 0;  ///< in the map's row, from the pixel at which the window starts
  int length = 0;
};

/// The longest run from element `k` on. Without groups and dilation a whole kernel row is one run.
Run run_at(const Tensor& input, const Window& w, int groups, int k) {
  const int channels = input.shape.channels;
  const int of_group = channels / groups;
  const int c = k % of_group;
  const int kx = k / of_group % w.kernel_width;
  const int ky = k / of_group / w.kernel_width % w.kernel_height;
  const int group = k / of_group / w.kernel_width / w.kernel_height;
  Run run;
  run.ky = ky;
  run.offset = std::int64_t(kx) * w.dilation_x * channels + group * of_group + c;
  const bool whole_row = groups == 1 && w.dilation_x == 1;
  run.length = whole_row ? (w.kernel_width - kx) * channels - c : of_group - c;
  return run;
}

/// Copies row[first .. first + length - 1]; elements outside the row (`bytes` long) are padding.
void copy_padded(const std::uint8_t* row, std::int64_t bytes, std::int64_t first, std::int64_t length,
                 std::uint8_t padding, std::uint8_t* out) {
  if (first >= 0 && first + length <= bytes) {
    std::memcpy(out, row + first, std::size_t(length));
    return;
  }
  const std::int64_t before = std::clamp<std::int64_t>(-first, 0, length);
  const std::int64_t after = std::clamp<std::int64_t>(first + length - bytes, 0, length - before);
  const std::int64_t inside = length - before - after;
  std::memset(out, padding, std::size_t(before));
  if (inside > 0) std::memcpy(out + before, row + first + before, std::size_t(inside));
  std::memset(out + before + inside, padding, std::size_t(after));
}

}  // namespace

void gather_windows(const Tensor& input, const Window& window, int groups, const WindowSlice& slice,
                    const RowSource& rows, std::uint8_t* codes) {
  const auto padding = std::uint8_t(input.zero_point);
  const auto channels = std::int64_t(input.shape.channels);
  const auto row_bytes = std::int64_t(input.shape.row_bytes());
  const std::int64_t step = window.stride_x * channels;
  const std::int64_t start = (std::int64_t(slice.x_first) * window.stride_x - window.pad_left) * channels;
  for (int done = 0; done < slice.k_count;) {
    Run run = run_at(input, window, groups, slice.k_first + done);
    run.length = std::min(run.length, slice.k_count - done);
    const int y = slice.y * window.stride_y - window.pad_top + run.ky * window.dilation_y;
    std::uint8_t* out = codes + done;
    if (y < 0 || y >= input.shape.height) {
      for (int i = 0; i < slice.count; ++i, out += slice.k_count) std::memset(out, padding, std::size_t(run.length));
    } else {
      const std::uint8_t* row = rows(0, y);
      std::int64_t first = start + run.offset;
      for (int i = 0; i < slice.count; ++i, out += slice.k_count, first += step)
        copy_padded(row, row_bytes, first, run.length, padding, out);
    }
    done += run.length;
  }
}

}  // namespace mho::dnn
