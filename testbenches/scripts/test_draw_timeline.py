#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What draw_timeline.py draws, from a table written by hand; the drawing itself needs matplotlib and eyes."""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "scripts"))
import draw_timeline  # noqa: E402

TABLE = """module,lane,kind,id,parent,operation,node,items,work,work_unit,begin_s,end_s,interval_s,service_s
p.scheduler,0,command,1,0,0,0,1,1,rows,0.000001,0.000004,0,0.000003
p.scheduler,0,command,2,0,0,0,1,1,rows,0.000003,0.000006,0,0.000003
p.scheduler,0,command,3,0,0,0,1,1,rows,0.000004,0.000007,0,0.000003
p.scheduler,1,command,4,0,0,1,1,1,rows,0.000004,0.000005,0,0.000001
p.tile_0.bus,0,transfer,5,1,0,0,3,81,bytes,0.000001,0.000003,0.000001,0.0000005
p.tile_10.bus,0,transfer,6,1,0,0,1,27,bytes,0.000001,0.000002,0,0.000001
p.group_0.adc,0,conversion,7,1,0,0,1,16,conversions,0.000001,0.000002,0,0.000001
p.group_0.adc,1,conversion,8,1,0,0,1,16,conversions,0.000002,0.000003,0,0.000001
"""


class DrawTimeline(unittest.TestCase):
    def setUp(self):
        with tempfile.NamedTemporaryFile("w", suffix=".csv") as table:
            table.write(TABLE)
            table.flush()
            self.records = list(draw_timeline.read_records(table.name))
        draw_timeline.number_commands(self.records)

    def lines(self, lane, begin=0.0, end=10.0):
        return [[(record.get("row"), round(record["begin"], 3), round(record["end"], 3)) for record in line]
                for line in draw_timeline.Lane(lane).place(self.records, begin, end)]

    def test_rows_are_numbered_by_node_and_those_that_overlap_get_lines_of_their_own(self):
        self.assertEqual(self.lines("first=command:0"), [[(0, 1.0, 4.0), (2, 4.0, 7.0)], [(1, 3.0, 6.0)]])
        self.assertEqual(self.lines("second=command:1"), [[(0, 4.0, 5.0)]])

    def test_items_of_a_stream_follow_each_other_at_its_interval(self):
        self.assertEqual(self.lines("bus=transfer@tile_0.bus"),
                         [[(None, 1.0, 1.5), (None, 2.0, 2.5), (None, 3.0, 3.5)]])

    def test_a_server_is_named_behind_its_module(self):
        self.assertEqual(self.lines("adc=conversion@adc#1"), [[(None, 2.0, 3.0)]])
        self.assertEqual(self.lines("adc=conversion@adc"), [[(None, 1.0, 2.0), (None, 2.0, 3.0)]])

    def test_what_lies_outside_of_the_window_is_left_out(self):
        self.assertEqual(self.lines("first=command:0", 4.5, 6.0), [[(1, 3.0, 6.0)], [(2, 4.0, 7.0)]])
        self.assertEqual(self.lines("first=command:0", 8.0, 9.0), [[]])


if __name__ == "__main__":
    unittest.main()
