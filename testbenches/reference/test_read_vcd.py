#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Tests the reader of value change dumps on a dump written by hand after IEEE 1364-2005, clause 18."""
import pathlib
import tempfile
import unittest

import read_vcd

HEADER = """$date today $end $version by hand $end
$timescale 10 ns $end
$scope module top $end
$var wire 1 ! clock $end
$scope module adc $end
$var wire 4 " busy [3:0] $end
$var real 1 # power $end
$upscope $end
$upscope $end
$enddefinitions $end
"""
BODY = """$comment all of it $end
$dumpvars
0!
b0 "
r0.5 #
$end
#10
1!
b10 "
#25
0!
b101 "
#30
r-2 #
#40
"""


def read(text):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "dump.vcd")
        path.write_text(text, encoding="ascii")
        return read_vcd.read(path)


class ReadVcd(unittest.TestCase):
    def test_values_over_time(self):
        dump = read(HEADER + BODY)
        self.assertEqual(dump.unit_s, 10 * 1e-9)
        self.assertEqual(dump.end, 40)
        self.assertEqual(sorted(dump.signals), ["top.adc.busy", "top.adc.power", "top.clock"])
        self.assertEqual(dump.signals["top.adc.busy"].changes, [(0, 0), (10, 2), (25, 5)])
        self.assertEqual(dump.signals["top.adc.busy"].at_end(), 5)

    def test_integrals(self):
        signals = read(HEADER + BODY).signals
        self.assertEqual(signals["top.adc.busy"].integral(40), 15 * 2 + 15 * 5)
        self.assertEqual(signals["top.adc.busy"].integral(40, begin=20), 5 * 2 + 15 * 5)
        self.assertEqual(signals["top.clock"].integral(40), 15)
        self.assertEqual(signals["top.adc.power"].integral(40), 30 * 0.5 - 10 * 2)

    def test_damage(self):
        for damage in (HEADER + BODY.rstrip(), HEADER + BODY + "#39\n", HEADER + BODY + 'b10000 "\n',
                       HEADER + BODY + "bx !\n", HEADER + BODY + "r1 !\n", HEADER + BODY + 'b1 #\n', HEADER[:60]):
            with self.assertRaises((ValueError, RuntimeError), msg=damage):
                read(damage)
        with self.assertRaises(KeyError):
            read(HEADER + BODY + "1?\n")


if __name__ == "__main__":
    unittest.main()
