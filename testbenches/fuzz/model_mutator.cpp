// SPDX-License-Identifier: Apache-2.0
// By reflection, so that fields nobody thought of are changed as well.
#include "testbenches/fuzz/model_mutator.h"

#include <google/protobuf/message.h>

#include <cmath>
#include <iterator>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace mho::fuzz {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using Random = std::mt19937_64;

constexpr const char* kWords[] = {"Add",
                                  "AveragePool",
                                  "BatchNormalization",
                                  "Cast",
                                  "Clip",
                                  "Concat",
                                  "Constant",
                                  "ConstantOfShape",
                                  "Conv",
                                  "DequantizeLinear",
                                  "Div",
                                  "Erf",
                                  "Flatten",
                                  "Gather",
                                  "Gelu",
                                  "Gemm",
                                  "GlobalAveragePool",
                                  "HardSigmoid",
                                  "HardSwish",
                                  "Identity",
                                  "LayerNormalization",
                                  "LeakyRelu",
                                  "Loop",
                                  "MatMul",
                                  "MaxPool",
                                  "Mul",
                                  "Pad",
                                  "Pow",
                                  "QLinearAdd",
                                  "QLinearConv",
                                  "QLinearMatMul",
                                  "QuantizeLinear",
                                  "ReduceMean",
                                  "Relu",
                                  "Reshape",
                                  "Shape",
                                  "Sigmoid",
                                  "Slice",
                                  "Softmax",
                                  "Split",
                                  "Sqrt",
                                  "Squeeze",
                                  "Sub",
                                  "Tanh",
                                  "Transpose",
                                  "Unsqueeze",
                                  "com.microsoft",
                                  "ai.onnx",
                                  "axis",
                                  "axes",
                                  "pads",
                                  "strides",
                                  "dilations",
                                  "kernel_shape",
                                  "group",
                                  "auto_pad",
                                  "SAME_UPPER",
                                  "ceil_mode",
                                  "perm",
                                  "to",
                                  "alpha",
                                  "beta",
                                  "epsilon",
                                  "transA",
                                  "transB",
                                  "value",
                                  "location",
                                  "offset",
                                  "length",
                                  "weights.bin",
                                  "../x",
                                  ""};
constexpr std::int64_t kNumbers[] = {0,         1,         2,   3,   -1,        -2,        7,         13,
                                     17,        127,       255, 256, -128,      65536,     INT32_MAX, INT32_MIN,
                                     INT64_MAX, INT64_MIN, 99,  4,   1ll << 31, 1ll << 33, 1ll << 40, -(1ll << 40)};
constexpr float kReals[] = {0.0f, -0.0f, 1.0f, -1.0f, 0.5f, 1e-40f, 3e38f, -3e38f, 1e-10f, NAN, INFINITY, -INFINITY};

std::size_t below(std::size_t count, Random& random) { return std::size_t(random() % count); }

/// All messages of a tree, and the short texts in it: names to rewire with.
void gather(Message* message, std::vector<Message*>& messages, std::vector<std::string>& words) {
  messages.push_back(message);
  const Reflection& reflection = *message->GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(*message, &fields);
  for (const FieldDescriptor* field : fields) {
    const int count = field->is_repeated() ? reflection.FieldSize(*message, field) : 1;
    for (int i = 0; i < count; ++i) {
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE)
        gather(field->is_repeated() ? reflection.MutableRepeatedMessage(message, field, i)
                                    : reflection.MutableMessage(message, field),
               messages, words);
      if (field->type() == FieldDescriptor::TYPE_STRING)
        words.push_back(field->is_repeated() ? reflection.GetRepeatedString(*message, field, i)
                                             : reflection.GetString(*message, field));
    }
  }
}

/// Bytes of a tensor: often an element of 8 or 4 bytes becomes another number, as shapes and steps are stored so.
std::string new_bytes(std::string bytes, Random& random) {
  const std::size_t width = bytes.size() % 8 == 0 ? 8 : 4;
  if (bytes.size() >= width && random() % 2 == 0) {
    const std::int64_t number = kNumbers[below(std::size(kNumbers), random)];
    bytes.replace(below(bytes.size() / width, random) * width, width, reinterpret_cast<const char*>(&number), width);
    return bytes;
  }
  if (bytes.empty() || random() % 4 == 0) return bytes + std::string(1 + below(8, random), char(random()));
  const std::size_t at = below(bytes.size(), random);
  if (random() % 3 == 0) return bytes.substr(0, at);
  bytes[at] = char(random() % 2 == 0 ? random() : bytes[at] ^ (1 << (random() % 8)));
  return bytes;
}

std::string new_word(const std::vector<std::string>& words, Random& random) {
  if (words.empty() || random() % 2 == 0) return kWords[below(std::size(kWords), random)];
  return words[below(words.size(), random)];
}

std::int64_t new_number(std::int64_t old, Random& random) {
  const std::uint64_t kind = random() % 4;
  if (kind == 0) return std::int64_t(std::uint64_t(old) + 1);
  if (kind == 1) return std::int64_t(std::uint64_t(old) - 1);
  return kNumbers[below(std::size(kNumbers), random)];
}

/// Sets, or changes element `at` of, a field of one of the plain types; TYPE is the name protobuf gives its functions.
#define MHO_CHANGE(TYPE, VALUE)                                                                             \
  {                                                                                                         \
    [[maybe_unused]] const auto old =                                                                       \
        field->is_repeated() ? reflection.GetRepeated##TYPE(m, field, at) : reflection.Get##TYPE(m, field); \
    if (field->is_repeated())                                                                               \
      reflection.SetRepeated##TYPE(&m, field, at, VALUE);                                                   \
    else                                                                                                    \
      reflection.Set##TYPE(&m, field, VALUE);                                                               \
    return;                                                                                                 \
  }

void change_value(Message& m, const FieldDescriptor* field, int at, const std::vector<std::string>& words,
                  Random& random) {
  const Reflection& reflection = *m.GetReflection();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      MHO_CHANGE(Int32, std::int32_t(new_number(old, random)))
    case FieldDescriptor::CPPTYPE_INT64:
      MHO_CHANGE(Int64, new_number(old, random))
    case FieldDescriptor::CPPTYPE_UINT64:
      MHO_CHANGE(UInt64, std::uint64_t(new_number(std::int64_t(old), random)))
    case FieldDescriptor::CPPTYPE_FLOAT:
      MHO_CHANGE(Float, kReals[below(std::size(kReals), random)])
    case FieldDescriptor::CPPTYPE_DOUBLE:
      MHO_CHANGE(Double, double(kReals[below(std::size(kReals), random)]))
    case FieldDescriptor::CPPTYPE_ENUM:
      MHO_CHANGE(EnumValue, int(below(18, random)))
    case FieldDescriptor::CPPTYPE_STRING:
      if (field->type() == FieldDescriptor::TYPE_BYTES) MHO_CHANGE(String, new_bytes(old, random))
      MHO_CHANGE(String, new_word(words, random))
    default:
      reflection.ClearField(&m, field);
  }
}
#undef MHO_CHANGE

/// Drops the last element or swaps two; of messages, doubles one.
void change_list(Message& m, const FieldDescriptor* field, Random& random) {
  const Reflection& reflection = *m.GetReflection();
  const int size = reflection.FieldSize(m, field), one = int(below(std::size_t(size), random));
  const int other = int(below(std::size_t(size), random));
  if (random() % 3 == 0 && field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    const auto copy = [&] {
      Message* made = reflection.GetRepeatedMessage(m, field, one).New();
      made->CopyFrom(reflection.GetRepeatedMessage(m, field, one));
      return made;
    };
    reflection.AddAllocatedMessage(&m, field, copy());
    return;
  }
  reflection.SwapElements(&m, field, one, random() % 2 == 0 ? size - 1 : other);
  if (random() % 2 == 0) reflection.RemoveLast(&m, field);
}

}  // namespace

void mutate(onnx::ModelProto& model, Random& random) {
  std::vector<Message*> messages;
  std::vector<std::string> words;
  gather(&model, messages, words);
  Message& message = *messages[below(messages.size(), random)];
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  if (fields.empty()) return;
  const FieldDescriptor* field = fields[below(fields.size(), random)];
  if (random() % 16 == 0) return reflection.ClearField(&message, field);
  const bool is_list = field->is_repeated();
  if (is_list && (random() % 2 == 0 || field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE))
    return change_list(message, field, random);
  const int at = is_list ? int(below(std::size_t(reflection.FieldSize(message, field)), random)) : 0;
  change_value(message, field, at, words, random);
}

}  // namespace mho::fuzz
