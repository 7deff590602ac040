// SPDX-License-Identifier: Apache-2.0
// Reading of a layer and of the parts that become row blocks.
#include "testbenches/reference/raella_probe_layer.h"

#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <stdexcept>

namespace mho::testbenches {
namespace {

std::vector<std::uint8_t> bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<int> numbers(const std::vector<std::string>& words) {
  std::vector<int> all;
  for (const std::string& word : words) all.push_back(std::stoi(word));
  return all;
}

}  // namespace

ProbedLayer::ProbedLayer(const std::string& folder) {
  machine.data_bits = 8;
  machine.dac_bits = 4;
  machine.crossbar.cell = mapping::CellKind::k2T2R;
  machine.crossbar.cell_bits = 4;
  machine.crossbar.rows = machine.crossbar.columns = 512;
  machine.input_sum = mapping::InputSum::kDigital;
  machine.adc.is_signed = true;
  std::ifstream file(folder + "/layer.txt");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string key;
    words >> key;
    read(key, {std::istream_iterator<std::string>(words), std::istream_iterator<std::string>()});
  }
  weights_ = bytes_of(folder + "/weights.bin");
  codes_ = bytes_of(folder + "/codes.bin");
  if (weights_.size() != std::size_t(rows) * std::size_t(filters) ||
      codes_.size() != std::size_t(vectors) * std::size_t(rows))
    throw std::runtime_error(folder + ": weights or codes are not as many as layer.txt says");
}

void ProbedLayer::read(const std::string& key, const std::vector<std::string>& words) {
  int is_signed = 0, is_approximate = 0;
  const std::map<std::string, int*> single = {{"rows", &rows},
                                              {"filters", &filters},
                                              {"vectors", &vectors},
                                              {"batch", &batch},
                                              {"approximate", &is_approximate},
                                              {"signed", &is_signed},
                                              {"crossbar_rows", &machine.crossbar.rows},
                                              {"adc_bits", &machine.adc.bits}};
  if (const auto found = single.find(key); found != single.end()) {
    *found->second = std::stoi(words.at(0));
    if (key == "signed") stream.is_signed = stream.two_passes = is_signed != 0;
    if (key == "approximate") approximate = is_approximate != 0;
  } else if (key == "encoding") {
    machine.encoding = words.at(0).c_str();
  } else if (key == "slicing") {
    machine.weight_slicing = numbers(words);
  } else if (key == "inputs") {
    stream.slicing = arithmetic::Slicing(numbers(words));
  } else if (key == "speculation") {
    stream.speculation = numbers(words);
  } else {
    throw std::runtime_error("layer.txt: what is " + key + "?");
  }
}

arithmetic::EncodedBlock ProbedLayer::block(int first, int count) const {
  std::vector<std::int32_t> part;
  for (int filter = 0; filter < filters; ++filter)
    for (int row = first; row < first + count; ++row)
      part.push_back(std::int8_t(weights_[std::size_t(filter * rows + row)]));
  arithmetic::EncodedBlock encoded = machine.encoding.make(machine)->encode(part, count, filters);
  encoded.recombination.digital_unit = true;
  return encoded;
}

std::vector<std::uint8_t> ProbedLayer::codes_of(int first_row, int count_rows, int first_vector, int count) const {
  std::vector<std::uint8_t> part;
  for (int vector = first_vector; vector < first_vector + count; ++vector) {
    const auto from = codes_.begin() + std::ptrdiff_t(vector) * rows + first_row;
    part.insert(part.end(), from, from + count_rows);
  }
  return part;
}

}  // namespace mho::testbenches
