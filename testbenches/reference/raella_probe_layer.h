// SPDX-License-Identifier: Apache-2.0
// A layer as check_raella.py writes it down for raella_probe: shapes and machine in layer.txt, a key and its values a
// line, weights and input codes as bytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/arithmetic/encoding.h"
#include "models/arithmetic/input_stream.h"
#include "models/mapping/machine.h"

namespace mho::testbenches {

struct ProbedLayer {
  /// Throws std::runtime_error where a file is missing or they do not fit together.
  explicit ProbedLayer(const std::string& folder);
  /// Weights of the rows first .. first + count - 1, encoded as the machine says.
  arithmetic::EncodedBlock block(int first, int count) const;
  /// Codes of the same rows of some vectors, [vector][row].
  std::vector<std::uint8_t> codes_of(int first_row, int rows, int first_vector, int count) const;

  int rows = 0, filters = 0, vectors = 0;
  int batch = 1;             ///< vectors of a transaction, loosely timed
  bool approximate = false;  ///< non-blocking, one vector a transaction
  mapping::Machine machine;
  arithmetic::InputStream stream;

 private:
  void read(const std::string& key, const std::vector<std::string>& words);

  std::vector<std::uint8_t> weights_;  ///< int8 [filter][row]
  std::vector<std::uint8_t> codes_;    ///< [vector][row]
};

}  // namespace mho::testbenches
