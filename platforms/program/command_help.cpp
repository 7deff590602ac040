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
  export   write a network with all its tensors as an ONNX model, and its inputs
  log      sum up what every module of a run did, or hand it to Perfetto and spreadsheets
  list     systems, networks, scenarios, keys, statistics, waves, registers
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
  mho run classify_shapes --inferences 2 --log --out seen
        record what every module did, when and for how long; then: mho log seen/transactions.bin
  mho run wide/effective.yaml
        what ran there, again
  mho run --system isaac_8b --network resnet18
        a published network, with synthetic weights and pictures
  mho run classify_shapes --inferences 2 --set timing=approximately_timed
        every input slice by itself, with arbitration and queues

What to run
  --system NAME         a system (`mho list systems`) or the path of its YAML file
  --network NAME        a network (`mho list networks`), or the path of an ONNX model or list of layers
  --inputs FILE         ONNX tensor; its first axis counts inferences; once for each graph input
  --labels FILE         ONNX tensor with the class of every inference
  --inferences N        the first N of the file; all is the default
  --fidelity WORD       auto, exact or sliced
  --seed N              of synthetic inputs, where there are no files, and of synthetic weights
  --set KEY=VALUE       change any key (`mho list keys`): --set adc.rate='2.56 GS/s'

What comes out
  --out DIR             write summary.json, layers.csv, effective.yaml and outputs/ there
  --json                print summary.json in place of the text
  --report              print a table of all layers as well
  --log                 write transactions.bin there: begin, end and work of everything a module did
                        (the same as --set observe.log=true); needs --out
  --waves PATTERN       write wave.vcd there, with the waves of all modules whose path matches; may be
                        given more than once (each adds to observe.waves); needs --out. Quote it:
                        `*` is any text between two dots, `**` any number of parts, `**` alone all
  -h, --help            this text

DIR is only there when the run has succeeded. Where a run with --log or --waves fails, what was
recorded until then is kept in DIR.failed, and a line on standard error says so; where it is killed,
in DIR.partial-PID. `mho log` reads either.
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

constexpr const char* kExport = R"(mho export NETWORK --out DIR [options]

Writes DIR/model.onnx, the quantised network (QDQ, standard operators) with the very weights and scales
that a run uses, and DIR/input_0.pb, ..., the inputs of a run as ONNX tensors.

  mho export resnet18 --out resnet18 --seed 3
        a published network: its weights are synthetic, drawn from the seed, as in mho run --seed 3
  mho run --system isaac_8b --network resnet18/model.onnx --inputs resnet18/input_0.pb
        the same again, from the files

Options
  --out DIR             a new folder
  --seed N              of synthetic weights and inputs; default 1
  --inferences N        of inputs; default: one where they are synthetic, else all
  -h, --help            this text
)";

constexpr const char* kLog = R"(mho log FILE [options]

Reads the transactions of a run (`mho run --log --out DIR`): what every module was busy with, from
when to when. Without options it prints records, busy time and work of each kind and each module,
busiest first.

  mho log seen/transactions.bin
  mho log seen/transactions.bin --perfetto seen.json
        a picture of the run: open seen.json with https://ui.perfetto.dev or chrome://tracing
        (a quarter of a kilobyte a record: a few inferences show what there is to see)
  mho log seen/transactions.bin --csv seen.csv
        one line a record, for spreadsheets and data frames
  mho log seen.failed/transactions.bin --json
        sums for a program, of a run that failed

Options
  --perfetto OUT        write Trace Event JSON: a process for each tile, a track for each converter,
                        bus and other server, arrows from commands to their conversions
  --csv OUT             write a table; times in seconds
  --json                print the summary as JSON, in SI units
  -h, --help            this text

The summary is not printed where only files are asked for. OUT is written as a whole or not at all.
A log that was cut off (its run was killed) is read as far as it goes; the summary says so.
)";

constexpr const char* kList =
    R"(mho list [systems | networks | scenarios | keys | statistics | waves | registers | header | svd]

  mho list              names of systems, networks and scenarios
  mho list systems      machines, for `system:` and --system
  mho list networks     networks, for `network:` and --network
  mho list scenarios    scenarios, for mho run
  mho list keys         every key of a scenario: unit, default, allowed values, meaning
  mho list statistics   everything that is counted: the actions that energies belong to, and what
                        every kind of module has gathered in statistics.csv
  mho list waves        what a waveform can follow, by kind of module; see mho run --waves
  mho list registers    the accelerator's registers as a Markdown table
  mho list header       the same as a C header for firmware
  mho list svd          the same as CMSIS-SVD for debuggers

Own files: name folders that hold systems/, networks/ and scenarios in the environment
variable MHO_SCENARIOS, separated by colons; they are searched first.
)";

}  // namespace

void write_help(std::ostream& out, const std::string& topic) {
  out << (topic == "run"      ? kRun
          : topic == "check"  ? kCheck
          : topic == "export" ? kExport
          : topic == "log"    ? kLog
          : topic == "list"   ? kList
                              : kOverview);
}

}  // namespace mho
