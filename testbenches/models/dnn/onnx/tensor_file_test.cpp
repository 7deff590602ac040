// SPDX-License-Identifier: Apache-2.0
// Tensor files: what is written can be read, order changes between channel-first and channel-last, and everything
// that is not one tensor is refused.
#include <catch2/catch.hpp>

#include <sys/stat.h>

#include <cstring>
#include <limits>

#include "models/dnn/onnx/onnx_reader.h"
#include "models/input_error.h"
#include "testbenches/models/dnn/onnx/model_writer.h"
#include "testbenches/models/dnn/small_graphs.h"

using namespace mho::dnn;
using namespace mho::dnn::testing;
using Catch::Contains;

namespace {

OnnxTensor floats(const std::vector<float>& values, const Dims& dims) {
  OnnxTensor t{"f", OnnxTensor::Type::kFloat, dims, {}};
  t.raw.resize(values.size() * sizeof(float));
  std::memcpy(t.raw.data(), values.data(), t.raw.size());
  return t;
}

std::string refusal(const onnx::TensorProto& stored) {
  const TemporaryFolder folder;
  write_bytes(folder.file("t.pb"), stored.SerializeAsString());
  try {
    read_tensor(folder.file("t.pb"));
  } catch (const mho::InputError& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("Tensors of every type survive a file") {
  const TemporaryFolder folder;
  const std::string path = folder.file("t.pb");
  using Type = OnnxTensor::Type;
  const std::vector<std::pair<Type, std::size_t>> types = {
      {Type::kUint8, 1}, {Type::kInt8, 1}, {Type::kInt32, 4}, {Type::kInt64, 8}, {Type::kFloat, 4}};
  for (const auto& [type, width] : types) {
    OnnxTensor t{"name", type, {2, 3}, Codes(6 * width)};
    for (std::size_t i = 0; i < t.raw.size(); ++i) t.raw[i] = std::uint8_t(i * 37);
    write_tensor(path, t);
    const OnnxTensor back = read_tensor(path);
    CHECK(back.name == "name");
    CHECK(back.type == type);
    CHECK(back.dims == t.dims);
    CHECK(back.raw == t.raw);
    CHECK(back.elements() == 6);
  }
  // The temporary file is gone.
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("A file that cannot be written is reported and leaves nothing behind") {
  const TemporaryFolder folder;
  const OnnxTensor t{"x", OnnxTensor::Type::kUint8, {1}, {1}};
  CHECK_THROWS_WITH(write_tensor(folder.file("absent/t.pb"), t), Contains("cannot be written: No such file"));
  std::filesystem::create_directory(folder.file("occupied.pb"));
  CHECK_THROWS_WITH(write_tensor(folder.file("occupied.pb"), t), Contains("cannot be written"));
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("Special files are refused without being read") {
  const TemporaryFolder folder;
  const std::string fifo = folder.file("fifo.pb");
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  CHECK_THROWS_WITH(read_tensor(fifo), Contains("is not a regular file (an ONNX tensor file)"));
  CHECK_THROWS_WITH(read_tensor("/dev/zero"), Contains("is not a regular file"));
  CHECK_THROWS_WITH(read_tensor(folder.path().string()), Contains("is not a regular file"));
  CHECK_THROWS_WITH(read_tensor(folder.file("absent.pb")), Contains("No such file"));
}

TEST_CASE("A file beyond the size limit is refused before it is read") {
  const TemporaryFolder folder;
  write_bytes(folder.file("large.pb"), "x");
  std::filesystem::resize_file(folder.file("large.pb"), (std::uintmax_t(1) << 30) + 1);  // sparse
  CHECK_THROWS_WITH(read_tensor(folder.file("large.pb")), Contains("is 1073741825 bytes long (at most 1073741824)"));
}

TEST_CASE("Tensors that contradict themselves are refused") {
  onnx::TensorProto good;
  good.set_data_type(onnx::TensorProto::UINT8);
  good.add_dims(2);
  good.set_raw_data("ab");
  CHECK(refusal(good) == "accepted");
  const auto spoilt = [&](const std::function<void(onnx::TensorProto&)>& change) {
    onnx::TensorProto t = good;
    change(t);
    return refusal(t);
  };
  CHECK_THAT(spoilt([](auto& t) { t.set_dims(0, 3); }), Contains("holds 2 bytes (3 for its dimensions)"));
  CHECK_THAT(spoilt([](auto& t) { t.set_dims(0, -1); }), Contains("has a dimension of -1 (1 or more)"));
  CHECK_THAT(spoilt([](auto& t) { t.set_dims(0, std::int64_t(1) << 33); }), Contains("too many elements"));
  CHECK_THAT(spoilt([](auto& t) { t.set_dims(0, 1 << 30), t.add_dims(1 << 30), t.add_dims(1 << 30); }),
             Contains("too many elements"));
  CHECK_THAT(spoilt([](auto& t) { t.set_data_type(onnx::TensorProto::FLOAT16); }),
             Contains("type float16 (uint8, int8, int32, int64, float, double, bool)"));
  CHECK_THAT(spoilt([](auto& t) { t.clear_data_type(); }), Contains("type undefined"));
  CHECK_THAT(spoilt([](auto& t) { t.clear_raw_data(), t.add_int32_data(7); }), Contains("holds 1 elements (2"));
  CHECK_THAT(spoilt([](auto& t) { t.add_external_data(); }), Contains("keeps its data in another file"));
  CHECK_THAT(spoilt([](auto& t) { t.mutable_segment(); }), Contains("is a segment"));
}

TEST_CASE("A stored batch becomes inferences in channel-last order and comes back") {
  // Two inferences of two channels of 1 x 3 pixels.
  const OnnxTensor stored{"x", OnnxTensor::Type::kUint8, {2, 2, 1, 3}, codes({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})};
  const Tensor input = tensor("x", {1, 3, 2}, CodeType::kUint8);
  const auto inferences = to_codes(stored, input, 0, "x.pb");
  REQUIRE(inferences.size() == 2);
  CHECK(inferences[0] == codes({1, 4, 2, 5, 3, 6}));
  CHECK(inferences[1] == codes({7, 10, 8, 11, 9, 12}));
  const OnnxTensor back = from_codes(inferences, input);
  CHECK(back.dims == stored.dims);
  CHECK(back.raw == stored.raw);
  CHECK(back.name == "x");
  CHECK(to_codes(stored, input, 1, "x.pb").size() == 1);
  CHECK(to_codes(stored, input, 5, "x.pb").size() == 2);
}

TEST_CASE("Vectors have two dimensions, or four with one pixel") {
  const Tensor input = tensor("x", {1, 1, 3}, CodeType::kInt8);
  CHECK(to_codes({"x", OnnxTensor::Type::kInt8, {1, 3}, codes({1, 2, 3})}, input, 0, "p").at(0) == codes({1, 2, 3}));
  CHECK(to_codes({"x", OnnxTensor::Type::kInt8, {1, 3, 1, 1}, codes({1, 2, 3})}, input, 0, "p").size() == 1);
  CHECK(from_codes({codes({1, 2, 3})}, input).dims == Dims{1, 3});
  CHECK(from_codes({codes({1, 2, 3})}, input).type == OnnxTensor::Type::kInt8);
}

TEST_CASE("Float inputs are quantised with the input's format, ties to even") {
  // 0.25 / 0.5 = 0.5 -> 0; 0.75 -> 1.5 -> 2; -1 -> -2; 1e9 and infinity clip; + zero point 10.
  const Tensor input = tensor("x", {1, 1, 5}, CodeType::kUint8, 0.5, 10);
  const float infinity = std::numeric_limits<float>::infinity();
  CHECK(to_codes(floats({0.25f, 0.75f, -1.0f, 1e9f, -infinity}, {1, 5}), input, 0, "p").at(0) ==
        codes({10, 12, 8, 255, 0}));
  CHECK_THROWS_WITH(to_codes(floats({0, 0, 0, 0, std::nanf("")}, {1, 5}), input, 0, "p.pb"),
                    Contains("p.pb: holds a value that is not a number"));
}

TEST_CASE("Inputs of another shape or type are refused with the expected one") {
  const Tensor map = tensor("image", {2, 3, 4}, CodeType::kUint8);
  const OnnxTensor wrong_shape{"x", OnnxTensor::Type::kUint8, {1, 2, 3, 4}, Codes(24)};
  CHECK_THROWS_WITH(to_codes(wrong_shape, map, 0, "a.pb"),
                    Contains("a.pb: has dimensions [1, 2, 3, 4] for input `image` ([N, 4, 2, 3])"));
  const OnnxTensor no_batch{"x", OnnxTensor::Type::kUint8, {4, 2, 3}, Codes(24)};
  CHECK_THROWS_WITH(to_codes(no_batch, map, 0, "a.pb"), Contains("[4, 2, 3]"));
  const OnnxTensor wrong_type{"x", OnnxTensor::Type::kInt8, {1, 4, 2, 3}, Codes(24)};
  CHECK_THROWS_WITH(to_codes(wrong_type, map, 0, "a.pb"), Contains("holds int8 for input `image` (uint8 or float)"));
  const OnnxTensor too_short{"x", OnnxTensor::Type::kUint8, {1, 4, 2, 3}, Codes(23)};
  CHECK_THROWS_AS(to_codes(too_short, map, 0, "a.pb"), mho::InputError);
}

TEST_CASE("Sequences are stored as the graph has them") {
  // Two inferences of six positions with two channels; 6 positions stand in one row.
  const Tensor tokens{"tokens", sequence_shape(6, 2), CodeType::kUint8, 1.0, 0, true};
  OnnxTensor stored{"tokens", OnnxTensor::Type::kUint8, {2, 6, 2}, {}};
  for (int i = 0; i < 24; ++i) stored.raw.push_back(std::uint8_t(i));
  const std::vector<Codes> inferences = to_codes(stored, tokens, 0, "t.pb");
  REQUIRE(inferences.size() == 2);
  CHECK(inferences[1] == codes({12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23}));
  CHECK(from_codes(inferences, tokens).dims == stored.dims);
  CHECK(from_codes(inferences, tokens).raw == stored.raw);
  stored.dims = {2, 2, 6};
  CHECK_THROWS_WITH(to_codes(stored, tokens, 0, "t.pb"), Catch::Contains("[N, 6, 2]"));
}

TEST_CASE("Doubles are read as floats") {
  const TemporaryFolder folder;
  onnx::TensorProto t;
  t.set_name("t");
  t.set_data_type(onnx::TensorProto::DOUBLE);
  t.add_dims(2);
  t.add_double_data(0.5);
  t.add_double_data(-3.0);
  const auto read = [&] {
    write_bytes(folder.file("t.pb"), t.SerializeAsString());
    const OnnxTensor tensor = read_tensor(folder.file("t.pb"));
    std::vector<float> values(2);
    std::memcpy(values.data(), tensor.raw.data(), tensor.raw.size());
    return values;
  };
  CHECK(read() == std::vector<float>{0.5f, -3.0f});
  t.set_double_data(1, 1e300);
  CHECK_THROWS_WITH(read(), Catch::Contains("numbers that fit float"));
  t.clear_double_data();
  const double raw[] = {2.0, 4.0};
  t.set_raw_data(raw, sizeof raw);
  CHECK(read() == std::vector<float>{2.0f, 4.0f});
  t.set_raw_data(raw, sizeof raw - 1);
  CHECK_THROWS_WITH(read(), Catch::Contains("elements (2"));
}
