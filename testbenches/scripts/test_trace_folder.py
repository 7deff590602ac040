#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Folders of recorded inputs that Python writes: their index, their codes, and that mho replays real numbers and codes
alike. What hooks record is tested where PyTorch is installed."""
import importlib.util
import pathlib
import subprocess
import sys
import tempfile
import unittest
import zlib

import numpy as np
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import record_torch_inputs  # noqa: E402
from trace_folder import CodeFormat, RecordedLayer, TraceError, read_tensor, write_trace  # noqa: E402

MHO = None  # path of the program, from the command line
NETWORK = ["--system", "isaac_8b", "--network", "resnet20_shapes"]
LAYER, CLASSIFIER = "stage3.block0.conv2.sum.Conv", "logits.sum.Gemm"


class Folder(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.folder = pathlib.Path(self.temporary.name)

    def mho(self, *arguments):
        done = subprocess.run([MHO, *map(str, arguments)], capture_output=True, text=True, check=False)
        return done.returncode, done.stderr


class Writing(Folder):
    def test_codes_are_rounded_to_even_and_clipped(self):
        self.assertEqual(CodeFormat("uint8", 0.5, 3).codes([0.25, 0.75, -9, 1000]).tolist(), [3, 5, 0, 255])
        self.assertEqual(CodeFormat("int8", 2.0).codes([1, 3, -500, 7.9]).tolist(), [0, 2, -128, 4])

    def test_an_index_names_files_shapes_formats_and_checksums(self):
        images = np.arange(2 * 3 * 4 * 4, dtype=np.float64).reshape(2, 3, 4, 4) / 10
        write_trace(self.folder / "new" / "trace",
                    [RecordedLayer("features.0", images, "/features/Conv", "Conv2d"),
                     RecordedLayer("a/b", np.zeros((2, 5), np.int8), format=CodeFormat("int8", 1e-05, -1)),
                     RecordedLayer("a_b", np.ones((2, 5, 7)), format=CodeFormat("uint8", 0.1))], "net")
        folder = self.folder / "new" / "trace"
        index = yaml.safe_load((folder / "index.yaml").read_text(encoding="utf-8"))
        layers = index.pop("layers")
        self.assertEqual(index, {"format": "mho trace", "version": 1, "network": "net", "inferences": 2})
        sums = [zlib.crc32((folder / name).read_bytes()) for name in ("features.0.pb", "a_b.pb", "a_b-2.pb")]
        self.assertEqual(layers[0], {"name": "features.0", "node": "/features/Conv", "operator": "Conv2d", "type": "float",
                                     "file": "features.0.pb", "crc32": sums[0], "dims": [2, 3, 4, 4]})
        self.assertEqual({key: layers[1][key] for key in ("file", "crc32", "type", "zero_point")},
                         {"file": "a_b.pb", "crc32": sums[1], "type": "int8", "zero_point": -1})
        self.assertEqual(float(layers[1]["scale"]), 1e-05)
        self.assertEqual((layers[2]["file"], layers[2]["crc32"], layers[2]["type"]), ("a_b-2.pb", sums[2], "uint8"))
        np.testing.assert_array_equal(read_tensor(folder / "features.0.pb"), images.astype(np.float32))
        self.assertEqual(read_tensor(folder / "a_b-2.pb").tolist(), np.full((2, 5, 7), 10).tolist())

    def test_what_makes_no_trace_is_refused_and_nothing_is_left(self):
        fine = RecordedLayer("a", np.zeros((2, 5)))
        for layers, message in ((), "no layers"), ([fine, fine], "'a' stands for two layers"), \
                ([fine, RecordedLayer("b", np.zeros((3, 5)))], "different numbers of inferences"), \
                ([fine, RecordedLayer("b", np.zeros((2, 5), np.uint8))], "need a format"), \
                ([fine, RecordedLayer("b", np.zeros((2, 5), np.int8), format=CodeFormat("uint8", 1))], "need a format"), \
                ([fine, RecordedLayer("b", np.zeros((2, 5), np.int32))], "an array of int32"), \
                ([fine, RecordedLayer("b", np.full((2, 5), np.nan))], "not a finite number"), \
                ([fine, RecordedLayer("b", np.zeros(2))], "an array of shape [2]"):
            with self.assertRaisesRegex(TraceError, message.replace("[", r"\[")):
                write_trace(self.folder / "out", layers)
            self.assertEqual(list(self.folder.iterdir()), [])
        write_trace(self.folder / "out", [fine])
        with self.assertRaisesRegex(TraceError, "exists"):
            write_trace(self.folder / "out", [fine])
        for arguments in ("uint16", 1.0), ("uint8", 0.0), ("int8", float("nan")), ("uint8", 1.0, -1):
            with self.assertRaises(TraceError):
                CodeFormat(*arguments)

    def test_options_of_the_command_line_are_read_or_refused(self):
        self.assertEqual(record_torch_inputs.assignments(["a=b", "c=d=e"], "--node"), {"a": "b", "c=d": "e"})
        self.assertEqual(record_torch_inputs.code_format("int8,0.5,-3"), CodeFormat("int8", 0.5, -3))
        for wrong in "int8", "int9,1,0", "int8,x", "int8,1,0.5":
            with self.assertRaisesRegex(TraceError, f"--format {wrong}"):
                record_torch_inputs.code_format(wrong)
        with self.assertRaisesRegex(TraceError, "no layer of that name"):
            record_torch_inputs.described([RecordedLayer("a", np.zeros((1, 1)))], {"b": "c"}, {})


class Replaying(Folder):
    def test_real_numbers_and_codes_of_one_layer_give_the_outputs_of_the_whole_run(self):
        self.assertEqual(self.mho("trace", *NETWORK, "--inferences", 2, "--layers", f"{LAYER},{CLASSIFIER}", "--out",
                                  self.folder / "mho"), (0, ""))
        index = yaml.safe_load((self.folder / "mho" / "index.yaml").read_text(encoding="utf-8"))
        forms = CodeFormat(*(index["layers"][0][key] for key in ("type", "scale", "zero_point")))
        codes = [read_tensor(self.folder / "mho" / layer["file"]) for layer in index["layers"]]
        numbers = (codes[0].astype(np.float64) - forms.zero_point) * forms.scale
        write_trace(self.folder / "real", [RecordedLayer("conv", numbers, LAYER)])
        write_trace(self.folder / "codes", [RecordedLayer("conv", codes[0], LAYER, format=forms)])
        write_trace(self.folder / "quantised", [RecordedLayer("conv", numbers, LAYER, format=forms)])
        outputs, tables = set(), set()
        for name, more in ("mho", ["--set", f"trace.layers=[{LAYER}]"]), ("real", []), ("codes", []), ("quantised", []):
            out = self.folder / f"{name}-out"
            self.assertEqual(self.mho("run", *NETWORK, "--set", f"trace.folder={self.folder / name}", *more, "--out", out), (0, ""))
            outputs.add((out / "outputs").glob("*.pb").__next__().read_bytes())
            tables.add((out / "layers.csv").read_text(encoding="utf-8"))
        self.assertEqual((len(outputs), len(tables)), (1, 1))

    def test_codes_of_another_format_are_refused(self):
        write_trace(self.folder / "other", [RecordedLayer("conv", np.zeros((1, 64, 8, 8), np.uint8), LAYER,
                                                          format=CodeFormat("uint8", 0.5))])
        status, message = self.mho("check", *NETWORK, "--set", f"trace={self.folder / 'other'}")
        self.assertEqual(status, 2)
        self.assertRegex(message, r"index.yaml:11:12: `layers.0.scale` is 0.5 \(uint8, scale 0.0\d+, zero point 0 as in the network, or float\)")


@unittest.skipUnless(importlib.util.find_spec("torch"), "PyTorch is not installed")
class Recording(Folder):
    def test_hooks_keep_what_goes_into_modules(self):
        import torch

        class Net(torch.nn.Module):
            def __init__(self, times=1):
                super().__init__()
                self.conv, self.fc, self.times = torch.nn.Conv2d(2, 3, 3), torch.nn.Linear(12, 4), times

            def forward(self, x):
                x = torch.relu(torch.nn.functional.dropout(self.conv(x), 0.5, self.training)).flatten(1)
                for _ in range(self.times):
                    y = self.fc(x)
                return y

        model, samples = Net(), np.random.default_rng(1).normal(size=(5, 2, 4, 4)).astype(np.float32)
        conv, fc = record_torch_inputs.record_inputs(model, samples, batch=2)
        self.assertEqual((conv.name, conv.operator, fc.name, fc.operator), ("conv", "Conv2d", "fc", "Linear"))
        np.testing.assert_array_equal(conv.inputs, samples)
        with torch.no_grad():
            want = torch.relu(model.conv(torch.from_numpy(samples))).flatten(1).numpy()
        np.testing.assert_allclose(fc.inputs, want, rtol=1e-5, atol=1e-6)
        self.assertTrue(model.training)
        self.assertFalse(model.conv._forward_pre_hooks)
        self.assertEqual([layer.name for layer in record_torch_inputs.record_inputs(model, samples, ["fc"])], ["fc"])
        with self.assertRaisesRegex(TraceError, "no nn.Conv2d or nn.Linear 'pool'"):
            record_torch_inputs.record_inputs(model, samples, ["pool"])
        for times in 0, 2:
            with self.assertRaisesRegex(TraceError, "'fc' does not run once"):
                record_torch_inputs.record_inputs(Net(times) if times else skipping(Net()), samples)


def skipping(model):
    model.forward = lambda x: model.conv(x)
    return model


if __name__ == "__main__":
    MHO = sys.argv.pop(1)
    unittest.main()
