// SPDX-License-Identifier: Apache-2.0
// The texts of `mho --help` and `mho COMMAND --help`: what a command is for, examples first, then options.
#include <ostream>

#include "platforms/program/command_line.h"

namespace mho {
namespace {

constexpr const char* kOverview = R"(mho simulates ReRAM processing-in-memory accelerators that run quantised DNNs:
outputs, time and energy from one and the same run.

  mho run classify_shapes              run a scenario and print what came out
  mho run classify_shapes --out DIR    the same, and keep summary, layers and outputs
  mho check classify_shapes            is it all right, and where would it sit on the chip?
  mho list                             systems, networks and scenarios by name
  mho list keys                        everything a scenario may say

Commands
  run      simulate a network on a machine
  check    read, compile and place, without simulating
  list     systems, networks, scenarios, keys, statistics, registers
  help     this text, or that of a command: mho help run

Exit codes: 0 done; 2 something in the input is wrong, one line says where and what is
allowed; 1 a fault of the program.
)";

constexpr const char* kRun = R"(mho run SCENARIO [options]
mho run --system NAME --network NAME [options]

Simulates a network on a machine and prints accuracy, latency, energy and what limits them.
SCENARIO is a name (`mho list scenarios`) or the path of a YAML file.

  mho run classify_shapes
  mho run classify_shapes --inferences 20 --set adc.bits=6
        a converter of two bits less: fewer joules, wrong sums
  mho run --system isaac_8b --network model.onnx --inputs images.pb --labels labels.pb
        your own quantised ONNX model, pictures and classes as ONNX tensor files
  mho run classify_shapes --set crossbar.rows=256 --set adc.bits=lossless --out wide
        another geometry, results kept in the folder wide/
  mho run wide/effective.yaml
        what ran there, again

What to run
  --system NAME         a system (`mho list systems`) or the path of its YAML file
  --network NAME        a network (`mho list networks`), or the path of an ONNX model
  --inputs FILE         ONNX tensor; its first axis counts inferences; once for each graph input
  --labels FILE         ONNX tensor with the class of every inference
  --inferences N        the first N of the file; all is the default
  --fidelity WORD       auto, exact or sliced
  --seed N              of synthetic inputs, where there are no files
  --set KEY=VALUE       change any key (`mho list keys`): --set adc.rate='2.56 GS/s'

What comes out
  --out DIR             write summary.json, layers.csv, effective.yaml and outputs/ there
  --json                print summary.json in place of the text
  --report              print a table of all layers as well
  -h, --help            this text
)";

constexpr const char* kCheck = R"(mho check SCENARIO [options]
mho check --system NAME --network NAME [options]

Reads everything a run would read, compiles the network and places it, and says how it fits.
Nothing is simulated.

  mho check classify_shapes
  mho check --system isaac_8b --network model.onnx --set chips=1
        does it fit one chip, and if not, how many crossbars are missing?

Options are those of `mho run` that say what to run (`mho run --help`), and
  --report              print every placement and buffer as well
  -h, --help            this text
)";

constexpr const char* kList =
    R"(mho list [systems | networks | scenarios | keys | statistics | registers | header | svd]

  mho list              names of systems, networks and scenarios
  mho list systems      machines, for `system:` and --system
  mho list networks     networks, for `network:` and --network
  mho list scenarios    scenarios, for mho run
  mho list keys         every key of a scenario: unit, default, allowed values, meaning
  mho list statistics   everything that is counted, the actions that energies belong to
  mho list registers    the accelerator's registers as a Markdown table
  mho list header       the same as a C header for firmware
  mho list svd          the same as CMSIS-SVD for debuggers

Own files: name folders that hold systems/, networks/ and scenarios in the environment
variable MHO_SCENARIOS, separated by colons; they are searched first.
)";

}  // namespace

void write_help(std::ostream& out, const std::string& topic) {
  out << (topic == "run" ? kRun : topic == "check" ? kCheck : topic == "list" ? kList : kOverview);
}

}  // namespace mho
