// SPDX-License-Identifier: Apache-2.0
// Constants that nodes make.
#include "models/dnn/onnx/operator_readers.h"

namespace mho::dnn {

void read_constant(NodeReader& node) {
  node.require_inputs(0, 0);
  Value value;
  onnx::TensorProto single;
  if (node.has_attribute("value")) {
    value.constant = node.tensor("value");
  } else if (node.has_attribute("value_float")) {
    single.set_data_type(onnx::TensorProto::FLOAT);
    single.add_float_data(float(node.number("value_float", 0)));
  } else if (node.has_attribute("value_int")) {
    single.set_data_type(onnx::TensorProto::INT64);
    single.add_int64_data(node.integer("value_int", 0));
  } else if (node.has_attribute("value_ints")) {
    single.set_data_type(onnx::TensorProto::INT64);
    for (const std::int64_t item : node.list("value_ints")) single.add_int64_data(item);
    single.add_dims(single.int64_data_size());
  } else {
    node.refuse("has no value", "value, value_float, value_int or value_ints");
  }
  if (value.constant == nullptr) value.constant = node.model().keep(std::move(single));
  node.result(std::move(value));
}

}  // namespace mho::dnn
