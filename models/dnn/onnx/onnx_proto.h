// SPDX-License-Identifier: Apache-2.0
// Includes ONNX's generated protobuf classes with the settings that Debian's library was built with, also where the
// build does not pass them on.
#pragma once

#ifndef ONNX_NAMESPACE
#define ONNX_NAMESPACE onnx
#endif
#ifndef ONNX_ML
#define ONNX_ML 1
#endif
#include <onnx/onnx_pb.h>
