// SPDX-License-Identifier: Apache-2.0
// Names of the kinds of occupation and what each counts.
#include "models/observe/recorder.h"

namespace mho::observe {
namespace {

constexpr std::array<KindDescription, kKinds> kDescriptions{{
    {"command", "rows"},
    {"buffer", "lines"},
    {"transfer", "bytes"},
    {"array", "slices"},
    {"conversion", "conversions"},
    {"shift_add", "additions"},
    {"function", "codes"},
    {"hop", "flits"},
    {"link", "bits"},
    {"program", "rows"},
    {"memory", "bytes"},
}};

}  // namespace

const KindDescription& describe(Kind kind) { return kDescriptions[std::size_t(kind)]; }

}  // namespace mho::observe
