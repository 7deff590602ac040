// SPDX-License-Identifier: Apache-2.0
// Labels, checked against the number of inferences and of classes.
#include "platforms/scenario/labels.h"

#include "models/dnn/onnx/onnx_reader.h"
#include "models/input_error.h"
#include "platforms/text_table.h"

namespace mho {

std::vector<std::int64_t> load_labels(const std::string& path, std::size_t count, const std::string& item,
                                      std::size_t classes) {
  const dnn::OnnxTensor stored = dnn::read_tensor(path);
  if (stored.elements() < std::int64_t(count))
    throw InputError(
        path, 0, 0,
        std::to_string(stored.elements()) + " labels for " + count_of(count, item.substr(item.find(' ') + 1)),
        "one label " + item);
  if (stored.type == dnn::OnnxTensor::Type::kFloat)
    throw InputError(path, 0, 0, "labels are real numbers", "a tensor of integers");
  std::vector<std::int64_t> labels = dnn::integers(stored);
  labels.resize(count);
  for (std::size_t i = 0; i < count; ++i)
    if (labels[i] < 0 || labels[i] >= std::int64_t(classes))
      throw InputError(path, 0, 0, "label " + std::to_string(i) + " is " + std::to_string(labels[i]),
                       "0 to " + std::to_string(classes - 1));
  return labels;
}

}  // namespace mho
