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
  compare  run several machines on several networks, and tabulate their ratios
  trace    run, and keep the inputs of layers for runs of these layers alone
  import   look at an ONNX model; quantise a float one from samples
  export   write a network with all its tensors as an ONNX model, and its inputs
  log      sum up what every module of a run did, or hand it to Perfetto and spreadsheets
  list     systems, networks, scenarios, keys, policies, statistics, waves, registers
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
  --fidelity WORD       auto, exact, sliced or noisy
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

DIR is only there when the run has succeeded; that of an earlier run is replaced. Where a run with
--log or --waves fails, what was recorded until then is kept in DIR.failed, and a line on standard
error says so; where it is killed, in DIR.partial-PID. `mho log` reads either.
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

constexpr const char* kCompare = R"(mho compare A B... [--network NAME]... [options]

Runs every machine on every network and prints figures, ratios to A, and the geometric means of the
ratios over the networks. A, B, ... are systems, scenarios (both by name or path), or folders of
finished runs (`mho run --out`), which are not run again.

  mho compare isaac isaac_8b --network resnet18 --network vgg16
        two systems on two networks
  mho compare classify_shapes ./my_isaac.yaml --network resnet20_shapes --set adc.bits=7 --equal-area
        a scenario and a system file, both with other converters
  mho compare wide narrow --json
        two folders that `mho run` left

What to run
  --network NAME        a network (`mho list networks`) or a path, once for each; without it scenarios
                        run their own
  --inferences N        of every run; default: as mho run, but 4 where inputs are synthetic and the
                        scenario says nothing (an interval needs two, a settled one a few)
  --fidelity WORD, --seed N, --set KEY=VALUE
                        for every run, as in mho run
  --jobs N              runs at a time, each in a process of its own; default: one a processor

What comes out
  --equal-area          print ratios at equal total area as well
  --json                print one JSON object in place of the tables: summaries of all runs, ratios, means
  --out DIR             a new folder: comparison.json, comparison.csv, and the folder of each run in runs/
  -h, --help            this text

A ratio is a machine's figure over that of A: of a speed-up, more is better, of energy, latency,
conversions and area less.
  speed-up              of inferences a second (the inverse of the steady interval)
  speed-up at equal area
                        of inferences a second and mm2 of all chips: what as many machines as fit on A's
                        area, parts of them included, would do beside each other
  efficiency            2 x multiply-accumulates / energy; programming is apart
  GOPS/s/mm2            2 x multiply-accumulates a second and mm2, in 10^9
  share of crossbars used; of time they are busy
                        those that hold weights, of all; the steady interval that those are in use, their mean

A run that fails is shown as failed, with its reason; the others go on. The exit code is then that of the
worst: 1 if any was a fault of the program, else 2.
)";

constexpr const char* kTrace = R"(mho trace SCENARIO --out DIR [options]
mho trace --system NAME --network NAME --out DIR [options]

Runs a scenario and keeps what the machine put into its layers: DIR/NAME.pb, an ONNX tensor of codes for
each layer, and DIR/index.yaml, which says what is what. Another scenario replays these layers alone:
each by itself on its recorded inputs, with the counts that it has in the whole run.

  mho trace classify_shapes --inferences 5 --out recorded
        the inputs of all layers that hold weights
  mho trace classify_shapes --inferences 5 --layers stem.conv.sum.Conv,stage2.block0.conv1.sum.Conv --out two
        of these two layers
  mho run classify_shapes --inferences all --set trace=two --set adc.bits=6
        both of them on a machine with smaller converters: how wrong is each for itself?
  mho run classify_shapes --inferences all --set "trace={folder: two, layers: [stem.conv.sum.Conv]}"
        one of them; in a YAML file the key `trace` says the same
  mho trace classify_shapes --inferences 1 --fidelity sliced --histograms --out sums
        NAME.sums.csv as well: how often each column sum came to the converters, so how many bits they need

Options are those of `mho run` that say what to run (`mho run --help`), and
  --out DIR             a new folder
  --layers NAME,...     layers, as in layers.csv; may be given more than once; all that hold weights if absent
  --histograms          count column sums; only in sliced and noisy fidelity, where there are any
  -h, --help            this text

index.yaml: format, version, network, seed, inferences and a list of layers; a layer has name, node (of the
network that replays it, where it has another name there), operator, file, crc32, dims, type, scale and
zero_point, and column_sums with --histograms. Tensors are [inferences, C, H, W] or [inferences, C], of
codes, or of type float without scale: real numbers that become codes of the layer's input when they are
read. scripts/record_torch_inputs.py writes such a folder from a PyTorch model's layers.

`observe` is left out: the run has more outputs than the scenario's, so its times are not recorded.
DIR is only there when the run has succeeded.
)";

constexpr const char* kImport = R"(mho import MODEL.onnx [options]

Reads an ONNX model, prints its layers, and turns a float network into one of 8-bit codes, which is what
machines run. What comes out is as good as the samples: give inputs like those the network will see.

  mho import model.onnx
        what is in it: layers, shapes, weights, multiply-accumulates
  mho import float.onnx --samples images.pb --labels labels.pb
        quantise it; how far from float are the results, and how many points of accuracy does it cost?
  mho import float.onnx --samples images.pb --out networks/mine
  mho run --system isaac_8b --network networks/mine/mine.yaml --inferences 10
        keep it, and run it on a machine
  mho import float.onnx --samples images.pb --labels labels.pb --range mse
        another way to choose ranges; compare the differences with their intervals
  mho import bert.onnx --samples tokens=tokens.pb --samples mask=mask.pb
        several inputs, each from its file

How it quantises. Weights: int8, symmetric, a scale for each filter. Biases: int32. Activations: a scale for
each tensor, uint8 from 0 where no sample gave a negative value, else int8, symmetric. Batch normalisation
is folded into the weights before it. Nothing is trained. Models that are quantised already stay as they are.

What to read
  --samples FILE        inputs as an ONNX tensor whose first axis counts samples; NAME=FILE for each input
                        where there are several. float numbers are what the network takes; uint8 or int8
                        codes are multiplied by --step and are later taken by the machine as they stand
  --step S              real value of one step of codes; default 1/255: pictures from 0 to 1
  --labels FILE         class of every sample; the class of an answer is its largest first output
  --calibration N       the first N samples choose the ranges (default 256), the others judge the result;
                        where there are no others, the same ones do, and the text says so

Where ranges end (--range; the best depends on the network, so compare)
  min_max               at the largest value: nothing is clipped, outliers make steps coarse (the default)
  percentile            at the value that a share of all values stays below: --percentile P, default 99.99
  mse                   where the mean square of rounding and clipping is least; also for weights

What comes out
  mean absolute error   of the network's outputs, in real numbers
  signal to noise       10 log10 (mean float^2 / mean (quantised - float)^2), in dB
  same answer           share of the samples where both have the same class
  accuracy, difference  of float and quantised, with a 95 % interval of the difference: the same samples go
                        through both, so samples that change count (Agresti and Min 2005)
  --out DIR             a new folder: model.onnx (QDQ, standard operators), DIR's name.yaml (the network
                        with samples and labels, for --network) and import.json
  --json                print what import.json holds: layers, totals, comparison; no text
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
  --set network_parameters.NAME=VALUE
                        a parameter of the network, as in mho run: sequence_length=64 of bert_base
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
    R"(mho list [systems | networks | scenarios | keys | policies | statistics | waves | registers |
             header | svd]

  mho list              names of systems, networks and scenarios
  mho list systems      machines, for `system:` and --system
  mho list networks     networks, for `network:` and --network
  mho list scenarios    scenarios, for mho run
  mho list keys         every key of a scenario: unit, default, allowed values, meaning
  mho list policies     what `encoding:` may name, parameters among it; a program of your own adds to
                        them, see testbenches/own_encoding
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
  out << (topic == "run"       ? kRun
          : topic == "check"   ? kCheck
          : topic == "compare" ? kCompare
          : topic == "trace"   ? kTrace
          : topic == "import"  ? kImport
          : topic == "export"  ? kExport
          : topic == "log"     ? kLog
          : topic == "list"    ? kList
                               : kOverview);
}

}  // namespace mho
