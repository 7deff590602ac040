#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the numpy reference: every rounding rule against a number worked by hand, and whole operators against the ONNX node data of Debian's libonnx-testdata.

Run with /usr/bin/python3; the node data are skipped, with a message, where the package is missing.
"""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from numpy_executor import ALL_OPERATORS, Model, read_tensor, run_in_batches
from operator_cases import apply, quantised, rounded
from quantised_values import Accumulator, UnsupportedModel, quantise_accumulator, quantise_real
from test_activation_operators import Activations  # pylint: disable=unused-import  (unittest finds it here)

EXECUTOR = Path(__file__).with_name("numpy_executor.py")
NODE_DATA = Path("/usr/share/libonnx-testdata/data/node")


class Requantisation(unittest.TestCase):
    def test_sums_round_ties_to_even(self):
        value = Accumulator(np.array([1.0, 3, 5, 7, -1, -3]), np.float64(0.5))  # 0.5 1.5 2.5 3.5 -0.5 -1.5
        self.assertEqual(rounded(value, integer=np.int8), [0, 2, 2, 4, 0, -2])

    def test_real_values_round_ties_to_even(self):
        self.assertEqual(rounded(np.array([0.5, 1.5, 2.5, -0.5, -2.5]), integer=np.int8), [0, 2, 2, 0, -2])

    def test_zero_is_added_after_rounding(self):
        self.assertEqual(rounded(np.array([0.5, 1.5]), zero=1), [1, 3])  # rint(0.5) + 1; rint(0.5 + 1) would be 2
        self.assertEqual(rounded(Accumulator(np.array([1.0, 3]), np.float64(0.5)), zero=1), [1, 3])

    def test_scales_are_combined_before_they_meet_the_sum(self):
        # 11 * (5 * 3 / 22) is 7.4999.. in double and gives 7; (11 * 5 * 3) / 22 would be 7.5 and give 8
        x, weight = quantised([[11]], 5.0), quantised([[1]], 3.0, integer=np.int8)
        self.assertEqual(rounded(apply("MatMul", x, weight), scale=22.0), [[7]])

    def test_real_values_are_divided_by_the_scale(self):
        # 147 / 98 is 1.5 and gives 2; 147 * (1 / 98) is 1.4999.. in double and would give 1
        self.assertEqual(int(quantise_real(np.float64(147), np.float64(98), 0, np.uint8)), 2)

    def test_codes_stay_in_the_range_of_their_type(self):
        value = Accumulator(np.array([-1e9, 1e9]), np.float64(1))
        self.assertEqual(rounded(value), [0, 255])
        self.assertEqual(rounded(value, integer=np.int8), [-128, 127])
        self.assertEqual(rounded(np.array([-1e9, 1e9]), zero=3, integer=np.int8), [-128, 127])

    def test_each_output_channel_has_its_own_scale(self):
        scale = np.array([1.0, 0.25]).reshape(2, 1, 1)
        codes = quantise_accumulator(Accumulator(np.full((1, 2, 1, 1), 8.0), scale), np.float64(1), np.int64(0), np.int8)
        self.assertEqual(codes.ravel().tolist(), [8, 2])

    def test_scales_are_float32_taken_to_double(self):
        value = apply("DequantizeLinear", np.array([1], np.uint8), np.array(0.1, np.float32))
        self.assertEqual(float(value.scale), float(np.float32(0.1)))


class Bounds(unittest.TestCase):
    SUMS = Accumulator(np.array([-10.0, -2, 0, 2, 10]), np.float64(1))

    def test_relu_bounds_at_the_code_of_zero(self):
        self.assertEqual(rounded(apply("Relu", self.SUMS), integer=np.int8), [0, 0, 0, 2, 10])
        self.assertEqual(rounded(apply("Relu", self.SUMS), zero=3), [3, 3, 3, 5, 13])

    def test_relu_bound_is_not_below_the_type(self):
        self.assertEqual(rounded(apply("Relu", self.SUMS), zero=-128, integer=np.int8), [-128, -128, -128, -126, -118])

    def test_clip_bounds_are_rounded_to_codes(self):
        value = apply("Clip", self.SUMS, np.array(-5, np.float32), np.array(3, np.float32))
        self.assertEqual(rounded(value, scale=2.0, zero=10), [8, 9, 10, 11, 12])  # rint(-2.5) = -2, rint(1.5) = 2
        value = apply("Clip", self.SUMS, np.array(-5.5, np.float32), np.array(2.5, np.float32))
        self.assertEqual(rounded(value, scale=2.0, zero=10), [7, 9, 10, 11, 11])  # rint(-2.75) = -3, rint(1.25) = 1

    def test_clip_bounds_beyond_the_type_change_nothing(self):
        value = apply("Clip", Accumulator(np.array([-1e9, 1e9]), np.float64(1)), min=-1000.0, max=1000.0)
        self.assertEqual(rounded(value, integer=np.int8), [-128, 127])

    def test_bounds_one_after_the_other_all_hold(self):
        value = apply("Clip", apply("Relu", self.SUMS), min=-5.0, max=7.0)
        self.assertEqual(rounded(value, integer=np.int8), [0, 0, 0, 2, 7])
        value = apply("Relu", apply("Clip", self.SUMS, min=-9.0, max=-3.0))
        self.assertEqual(rounded(value, integer=np.int8), [0, 0, 0, 0, 0])

    def test_clip_takes_attributes_of_old_opsets_and_open_ends(self):
        self.assertEqual(rounded(apply("Clip", self.SUMS, max=6.0), zero=100), [90, 98, 100, 102, 106])

    def test_a_relu_on_real_values_is_a_relu(self):
        value = apply("Relu", apply("Add", quantised([5, 1], 1.0, 3), quantised([0, 7], 0.5, 0)))  # 2 and -2 + 3.5
        self.assertEqual(rounded(value, scale=0.5), [4, 3])
        self.assertEqual(rounded(apply("Relu", quantised([1, 5], 1.0, 3)), zero=7), [7, 9])


class Products(unittest.TestCase):
    def test_convolution_of_2x2_by_hand(self):
        # codes - zero = [[1, 2], [3, 4]]; 1*1 + 2*(-2) + 3*3 + 4*(-4) = -10; + bias 7 = -3
        x = quantised([[[[11, 12], [13, 14]]]], 0.5, 10)
        weight = quantised([[[[1, -2], [3, -4]]]], 0.25, integer=np.int8)
        bias = quantised([7], 0.125, integer=np.int32)
        value = apply("Conv", x, weight, bias)
        self.assertEqual((value.sums.ravel().tolist(), value.scale.ravel().tolist()), ([-3.0], [0.125]))
        self.assertEqual(rounded(value, scale=0.125, zero=128), [[[[125]]]])

    def test_padding_has_the_code_of_zero(self):
        # a constant image of real value 0 gives 0 everywhere, border included, though its code is 10
        x, weight = quantised(np.full((1, 1, 3, 3), 10), 1.0, 10), quantised(np.ones((1, 1, 3, 3)), integer=np.int8)
        self.assertEqual(apply("Conv", x, weight, pads=[1] * 4).sums.any(), False)
        # real value 1: the corners see 4 pixels, the edges 6, the middle 9
        x = x._replace(codes=x.codes + np.uint8(1))
        sums = apply("Conv", x, weight, pads=[1] * 4).sums[0, 0].tolist()
        self.assertEqual(sums, [[4, 6, 4], [6, 9, 6], [4, 6, 4]])

    def test_convolution_agrees_with_plain_loops(self):
        rng = np.random.default_rng(1)
        for group, stride, dilation, pads in ((1, (2, 1), (1, 2), (1, 0, 2, 3)), (2, (1, 2), (2, 1), (0, 2, 1, 1)), (4, (1, 1), (1, 1), (1, 1, 1, 1))):
            x = rng.integers(0, 256, (2, 4, 7, 8)).astype(np.uint8)
            weight = rng.integers(-127, 128, (8, 4 // group, 3, 2)).astype(np.int8)
            value = apply("Conv", quantised(x, 1, 7), quantised(weight, integer=np.int8), group=group, strides=list(stride), dilations=list(dilation),
                          pads=list(pads))
            for index in np.ndindex(value.sums.shape):
                self.assertEqual(value.sums[index], self.one_output(x.astype(int) - 7, weight.astype(int), index, group, stride, dilation, pads))

    @staticmethod
    def one_output(x, weight, index, group, stride, dilation, pads):
        image, output, row, column = index
        first = output // (weight.shape[0] // group) * weight.shape[1]
        total = 0
        for channel, i, j in np.ndindex(weight.shape[1:]):
            y, z = row * stride[0] + i * dilation[0] - pads[0], column * stride[1] + j * dilation[1] - pads[1]
            if 0 <= y < x.shape[2] and 0 <= z < x.shape[3]:
                total += x[image, first + channel, y, z] * weight[output, channel, i, j]
        return total

    def test_weight_scales_belong_to_outputs(self):
        scales, zeros = np.array([1, 10], np.float32), np.zeros(2, np.int8)
        x, codes = quantised([[1, 2]], 1.0), np.array([[1, 2], [3, 4]], np.int8)
        by_row = apply("DequantizeLinear", codes, scales, zeros, axis=0)
        by_column = apply("DequantizeLinear", codes, scales, zeros, axis=1)
        self.assertEqual(rounded(apply("Gemm", x, by_row, transB=1)), [[5, 110]])       # 1*1 + 2*2, (1*3 + 2*4) * 10
        self.assertEqual(rounded(apply("Gemm", x, by_column)), [[7, 100]])              # 1*1 + 2*3, (1*2 + 2*4) * 10
        self.assertEqual(rounded(apply("MatMul", x, by_column)), [[7, 100]])
        with self.assertRaisesRegex(UnsupportedModel, "another axis"):
            apply("MatMul", x, by_row)

    def test_qlinear_nodes_take_bias_and_scales_per_output(self):
        one, zero = np.array(1, np.float32), np.array(0, np.uint8)
        scales, zeros = np.array([1, 10], np.float32), np.zeros(2, np.int8)
        codes = apply("QLinearMatMul", np.array([[1, 2]], np.uint8), one, zero, np.array([[1, 2], [3, 4]], np.int8), scales, zeros, one, zero)
        self.assertEqual(codes.tolist(), [[7, 100]])
        weight = np.array([1, 2], np.int8).reshape(2, 1, 1, 1)
        codes = apply("QLinearConv", np.full((1, 1, 1, 1), 3, np.uint8), one, zero, weight, scales, zeros, one, zero, np.array([4, 5], np.int32))
        self.assertEqual(codes.ravel().tolist(), [7, 110])  # 3*1 + 4, (3*2 + 5) * 10

    def test_bias_must_have_the_scale_of_the_sums(self):
        x, weight = quantised([[1]], 0.5), quantised([[1]], 0.5, integer=np.int8)
        self.assertEqual(apply("Gemm", x, weight, quantised([3], 0.25, integer=np.int32)).sums.tolist(), [[4]])
        with self.assertRaisesRegex(UnsupportedModel, "x_scale"):
            apply("Gemm", x, weight, quantised([3], 0.26, integer=np.int32))

    def test_sums_must_be_rounded_before_anything_else_reads_them(self):
        sums = apply("MatMul", quantised([[1]]), quantised([[1]], integer=np.int8))
        for operator in ("Add", "Mul"):
            with self.assertRaisesRegex(UnsupportedModel, "QuantizeLinear must stand between"):
                apply(operator, sums, quantised([[1]]))


    def test_a_matmul_takes_its_bias_from_an_addition(self):
        # (3 - 1) * 10 + 5 = 25, * 0.5 = 12.5 -> 12
        sums = apply("MatMul", quantised([[3]], 0.5, 1), quantised([[10]], 1.0, integer=np.int8))
        bias = quantised([5], 0.5, integer=np.int32)
        for values in ((sums, bias), (bias, sums)):
            self.assertEqual(rounded(apply("Add", *values)), [[12]])

    def test_products_of_activations_have_one_scale_and_may_be_moved_before_they_are_rounded(self):
        # [1 2], [3 4] times [1 -1], [0 2]: 1, 3; 3, 5; halves: 0.5 -> 0, 1.5 -> 2, 1.5 -> 2, 2.5 -> 2
        a, b = quantised([[2, 3], [4, 5]], 0.5, 1), quantised([[1, -1], [0, 2]], 1.0, integer=np.int8)
        sums = apply("MatMul", a, b)
        self.assertEqual(sums.sums.tolist(), [[1, 3], [3, 5]])
        self.assertEqual(rounded(apply("Transpose", apply("Reshape", sums, np.array([1, 4])))), [[0], [2], [2], [2]])


class ElementsAndPools(unittest.TestCase):
    def test_addition_rounds_once(self):
        # 3 * 0.5 + 1 * 0.75 = 2.25, / 0.5 = 4.5 -> 4; rounding each operand to 0.5 first would give 3 + 2 = 5
        self.assertEqual(rounded(apply("Add", quantised([3], 0.5), quantised([1], 0.75)), scale=0.5), [4])

    def test_product_and_concatenation_dequantise_each_input(self):
        a, b = quantised([4], 0.5, 2), quantised([3], 2.0, 5)   # 1 and -4
        self.assertEqual(rounded(apply("Mul", a, b), zero=100), [96])
        self.assertEqual(rounded(apply("Concat", a, b, axis=0), zero=100), [101, 96])

    def test_average_counts_inputs_without_padding(self):
        # codes - zero = [[1, 2], [3, 5]]; 2x2 windows with a border of one: the corner at the top left holds only 1
        x = quantised([[[[11, 12], [13, 15]]]], 4.0, 10)
        attributes = {"kernel_shape": [2, 2], "pads": [1, 1, 1, 1], "strides": [1, 1]}
        self.assertEqual(apply("AveragePool", x, **attributes)[0, 0].tolist(), [[4, 6, 8], [8, 11, 14], [12, 16, 20]])
        padded = apply("AveragePool", x, count_include_pad=1, **attributes)
        self.assertEqual(padded[0, 0].tolist(), [[1, 3, 2], [4, 11, 7], [3, 8, 5]])

    def test_average_never_counts_what_lies_beyond_the_padding(self):
        # a row of three pixels, one column of padding each side, windows of two, stride two, ceil_mode: [0 1] [2 3] [0]
        x = quantised([[[[1, 2, 3]]]])
        attributes = {"kernel_shape": [1, 2], "pads": [0, 1, 0, 1], "strides": [1, 2], "ceil_mode": 1}
        self.assertEqual(apply("AveragePool", x, **attributes).ravel().tolist(), [1, 2.5])
        attributes["pads"] = [0, 1, 0, 0]
        self.assertEqual(apply("AveragePool", x, count_include_pad=1, **attributes).ravel().tolist(), [0.5, 2.5])
        attributes["pads"] = [0, 0, 0, 0]
        self.assertEqual(apply("AveragePool", x, count_include_pad=1, **attributes).ravel().tolist(), [1.5, 3])

    def test_average_is_sum_times_scale_by_count(self):
        # sum 11, scale 15, 22 pixels: 11 * 15 / 22 = 7.5 -> 8; 11 * (15 / 22) is 7.4999.. -> 7
        codes = np.zeros((1, 1, 2, 11))
        codes[0, 0, 0, 0] = 11
        self.assertEqual(rounded(apply("GlobalAveragePool", quantised(codes, 15.0))), [[[[8]]]])
        self.assertEqual(rounded(apply("AveragePool", quantised(codes, 15.0), kernel_shape=[2, 11])), [[[[8]]]])
        # sum 9, scale 5, 6 pixels: 45 / 6 = 7.5 -> 8, and with zero point 1 the sum is 9 - 6 = 3: 2.5 -> 2
        nine = quantised([[[[1, 2, 3], [3, 0, 0]]]], 5.0)
        self.assertEqual(rounded(apply("GlobalAveragePool", nine)), [[[[8]]]])
        self.assertEqual(rounded(apply("GlobalAveragePool", nine._replace(zero=np.int64(1)))), [[[[2]]]])

    def test_largest_code_wins_and_padding_never(self):
        x = quantised([[[[-100, -90], [-128, -5]]]], 0.5, 0, np.int8)
        value = apply("MaxPool", x, kernel_shape=[2, 2], pads=[1, 1, 0, 0])
        self.assertEqual(value.codes[0, 0].tolist(), [[-100, -90], [-100, -5]])
        self.assertEqual(rounded(value, scale=0.5, integer=np.int8), [[[[-100, -90], [-100, -5]]]])
        self.assertEqual(rounded(value, scale=1.0, integer=np.int8), [[[[-50, -45], [-50, -2]]]])

    def test_shapes_keep_codes(self):
        x = quantised(np.arange(12).reshape(2, 3, 1, 2), 0.5, 3)
        self.assertEqual(apply("Flatten", x).codes.tolist(), [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]])
        self.assertEqual(apply("Reshape", x, np.array([0, -1, 2])).codes.shape, (2, 3, 2))
        self.assertEqual(rounded(apply("Identity", x), scale=0.5, zero=3), x.codes.tolist())


def small_model(operator="Relu", domain=""):
    """A graph of one QDQ convolution and one more operator: x uint8 [N, 1, 2, 2] -> y uint8 [N, 1, 1, 1], with y = max(0, 10 x00 - 10 x11) / 4."""
    constants = {"s": np.array(0.5, np.float32), "z": np.array(2, np.uint8), "w": np.array([[[[10, 0], [0, -10]]]], np.int8),
                 "ws": np.array([1], np.float32), "wz": np.zeros(1, np.int8), "b": np.zeros(1, np.int32), "bs": np.array([0.5], np.float32),
                 "bz": np.zeros(1, np.int32), "ys": np.array(4, np.float32), "yz": np.array(0, np.uint8)}
    nodes = [helper.make_node("DequantizeLinear", ["x", "s", "z"], ["xd"]),
             helper.make_node("DequantizeLinear", ["w", "ws", "wz"], ["wd"], axis=0),
             helper.make_node("DequantizeLinear", ["b", "bs", "bz"], ["bd"], axis=0),
             helper.make_node("Conv", ["xd", "wd", "bd"], ["sum"]), helper.make_node(operator, ["sum"], ["real"], name="second", domain=domain),
             helper.make_node("QuantizeLinear", ["real", "ys", "yz"], ["y"])]
    graph = helper.make_graph(nodes, "small", [helper.make_tensor_value_info("x", TensorProto.UINT8, ["N", 1, 2, 2])],
                              [helper.make_tensor_value_info("y", TensorProto.UINT8, ["N", 1, 1, 1])],
                              [numpy_helper.from_array(array, name) for name, array in constants.items()])
    opsets = [helper.make_opsetid("", 13)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    return helper.make_model(graph, opset_imports=opsets)


class Graphs(unittest.TestCase):
    def test_a_tensor_may_have_several_readers(self):
        scale, zero = numpy_helper.from_array(np.array(1, np.float32), "s"), numpy_helper.from_array(np.array(0, np.uint8), "z")
        nodes = [helper.make_node("DequantizeLinear", ["x", "s", "z"], ["xd"]), helper.make_node("Relu", ["xd"], ["same"]),
                 helper.make_node("Mul", ["xd", "same"], ["square"]), helper.make_node("QuantizeLinear", ["square", "s", "z"], ["y"])]
        graph = helper.make_graph(nodes, "square", [helper.make_tensor_value_info("x", TensorProto.UINT8, ["N"])],
                                  [helper.make_tensor_value_info("y", TensorProto.UINT8, ["N"])], [scale, zero])
        with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
            onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]), file.name)
            result = run_in_batches(Model(file.name), {"x": np.array([1, 2, 3], np.uint8)}, batch=2)
        self.assertEqual(result["y"].tolist(), [1, 4, 9])


class CommandLine(unittest.TestCase):
    IMAGES = np.array([[6, 0, 0, 2], [2, 0, 0, 6], [7, 9, 9, 2]], np.uint8).reshape(3, 1, 2, 2)

    def run_executor(self, model, *arguments):
        """Runs the program on IMAGES; returns it and the folder of outputs."""
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(lambda: subprocess.run(["rm", "-r", str(folder)], check=True))
        onnx.save(model, str(folder / "model.onnx"))
        onnx.save_tensor(numpy_helper.from_array(self.IMAGES, "x"), str(folder / "x.pb"))
        command = [sys.executable, str(EXECUTOR), str(folder / "model.onnx"), "--out", str(folder / "out")]
        command += [argument.replace("DIR", str(folder)) for argument in arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False), folder / "out"

    def test_a_qdq_graph_gives_the_numbers_worked_by_hand(self):
        # (6 - 2) * 10 * 0.5 / 4 = 5; (-4) * 10 is below the Relu; (7 - 2) * 10 * 0.5 / 4 = 6.25 -> 6
        for extra in ([], ["--batch", "2"], ["--dump-all"]):
            done, out = self.run_executor(small_model(), "--input", "x=DIR/x.pb", *extra)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual(read_tensor(out / "y.pb").ravel().tolist(), [5, 0, 6])

    def test_limit_takes_the_first_inferences_and_the_name_may_be_left_out(self):
        _, out = self.run_executor(small_model(), "--input", "DIR/x.pb", "--limit", "2")
        self.assertEqual(read_tensor(out / "y.pb").ravel().tolist(), [5, 0])

    def test_an_unsupported_operator_is_one_line_and_exit_code_2(self):
        for model, text in ((small_model("Softplus"), "Softplus 'second': this operator is not supported"),
                            (small_model("QGelu", "com.microsoft"), "com.microsoft.QGelu 'second'")):
            done, _ = self.run_executor(model, "--input", "x=DIR/x.pb")
            self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1))
            self.assertIn(text, done.stderr)

    def test_wrong_inputs_are_one_line_and_exit_code_2(self):
        for argument, text in (("y=DIR/x.pb", "not an input"), ("x=DIR/none.pb", "No such file"), ("x=DIR/model.onnx", "model.onnx: ")):
            done, _ = self.run_executor(small_model(), "--input", argument)
            self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)
            self.assertIn(text, done.stderr)

    def test_auto_pad_is_refused(self):
        model = small_model()
        model.graph.node[3].attribute.append(helper.make_attribute("auto_pad", "SAME_UPPER"))
        done, _ = self.run_executor(model, "--input", "x=DIR/x.pb")
        self.assertEqual(done.returncode, 2)
        self.assertIn("auto_pad = SAME_UPPER is not supported", done.stderr)


@unittest.skipUnless(NODE_DATA.is_dir(), "libonnx-testdata is not installed")
class NodeData(unittest.TestCase):
    EXACT = ("qlinearconv", "qlinearmatmul_2D", "qlinearmatmul_3D", "quantizelinear", "quantizelinear_axis", "maxpool_2d_uint8")
    CLOSE = ("dequantizelinear", "dequantizelinear_axis", "averagepool_2d_default", "averagepool_2d_ceil", "averagepool_2d_pads",
             "averagepool_2d_pads_count_include_pad", "averagepool_2d_precomputed_pads", "averagepool_2d_precomputed_pads_count_include_pad",
             "averagepool_2d_precomputed_strides", "averagepool_2d_strides", "globalaveragepool", "globalaveragepool_precomputed",
             "maxpool_2d_ceil", "maxpool_2d_default", "maxpool_2d_dilations", "maxpool_2d_pads", "maxpool_2d_precomputed_pads",
             "maxpool_2d_precomputed_strides", "maxpool_2d_strides", "add", "add_bcast", "mul", "mul_bcast", "mul_example", "clip", "clip_example",
             "clip_default_min", "clip_default_max", "relu", "concat_2d_axis_1", "concat_3d_axis_negative_3", "flatten_axis0", "flatten_axis2",
             "reshape_negative_dim", "reshape_zero_and_negative_dim", "reshape_one_dim", "identity", "batchnorm_epsilon", "batchnorm_example", "div",
             "div_bcast", "erf", "exp", "gather_0", "gather_negative_indices", "hardsigmoid", "hardsigmoid_default", "hardswish",
             "leakyrelu", "leakyrelu_default", "pow", "reduce_mean_default_axes_keepdims_example", "reduce_mean_do_not_keepdims_example",
             "reduce_mean_negative_axes_keepdims_random", "sigmoid", "slice", "slice_default_axes", "slice_default_steps", "slice_end_out_of_bounds",
             "slice_neg", "slice_neg_steps", "slice_negative_axes", "softmax_axis_0", "softmax_default_axis", "softmax_large_number",
             "softmax_negative_axis", "split_equal_parts_2d", "split_variable_parts_2d", "sqrt", "squeeze", "squeeze_negative_axes", "sub", "sub_bcast",
             "tanh", "transpose_default", "transpose_all_permutations_4", "unsqueeze_axis_1", "unsqueeze_two_axes", "constant_pad")
    CONVOLUTIONS = ("basic_conv_with_padding", "basic_conv_without_padding", "conv_with_strides_no_padding", "conv_with_strides_padding",
                    "conv_with_strides_and_asymmetric_padding")

    @staticmethod
    def case(name):
        """Graph, inputs and expected output of one case."""
        folder = NODE_DATA / f"test_{name}"
        model, data = Model(folder / "model.onnx"), folder / "test_data_set_0"
        inputs = [read_tensor(data / f"input_{index}.pb") for index in range(len(model.inputs))]
        return model, dict(zip(model.inputs, inputs)), read_tensor(data / "output_0.pb")

    def test_quantised_cases_agree_exactly(self):
        for name in self.EXACT:
            with self.subTest(name):
                model, inputs, expected = self.case(name)
                result = model.run(inputs)[model.outputs[0]]
                self.assertEqual((result.dtype, result.tolist()), (expected.dtype, expected.tolist()))

    def test_float_cases_agree_to_float32(self):
        for name in self.CLOSE:
            with self.subTest(name):
                model, inputs, expected = self.case(name)
                result = model.run(inputs)[model.outputs[0]]
                self.assertEqual((result.dtype, result.shape), (expected.dtype, expected.shape))
                np.testing.assert_allclose(result, expected, rtol=1e-6, atol=1e-6)

    def test_layer_normalizations_agree_to_float32(self):
        # Their models also put out mean and deviation, which no network reads.
        for name in ("2d_axis1", "3d_axis1_epsilon", "4d_axis_negative_2"):
            with self.subTest(name):
                folder = NODE_DATA / f"test_layer_normalization_{name}"
                node, data = onnx.load(str(folder / "model.onnx")).graph.node[0], folder / "test_data_set_0"
                values = [read_tensor(data / f"input_{index}.pb") for index in range(3)]
                attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
                result = apply("LayerNormalization", *values, **attributes)
                np.testing.assert_allclose(result, read_tensor(data / "output_0.pb"), rtol=1e-5, atol=1e-6)

    def test_convolutions_of_whole_numbers_agree_exactly(self):
        for name in self.CONVOLUTIONS:
            with self.subTest(name):
                model, inputs, expected = self.case(name)
                x, weight = [quantised(array, integer=np.int32) for array in inputs.values()]
                value = ALL_OPERATORS["Conv"](model.nodes[0], [x, weight])
                self.assertEqual(value.sums.tolist(), expected.tolist())


if __name__ == "__main__":
    unittest.main()
