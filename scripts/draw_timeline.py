#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Draws who was busy with what, and when, from the table of `mho log FILE --csv TABLE`.

A lane is LABEL=KIND, LABEL=KIND:NODE or either with @PART behind it: records of that kind, of that node of the network,
of modules whose name ends in PART (or PART#SERVER). Commands, which are rows of a layer, are drawn in as many lines as
are under way at once; of a stream of items every item is drawn. Colours stand for nodes.

  draw_timeline.py seen.csv rows.png --from 70 --to 90 --lane stem=command:0 --lane conv1=command:1 --chain 0:34,1:33
  draw_timeline.py seen.csv row.png --zero 0:40 --to 2.5 --lane port=buffer@tile_0.buffer
"""
import argparse
import csv
import pathlib
import sys

US = 1e6
COLOURS = ["#2b6cb0", "#68a357", "#c77d1a", "#8456a6", "#777777"]


def read_records(path):
    with open(path, newline="", encoding="utf-8") as table:
        for row in csv.DictReader(table):
            yield {"module": row["module"], "lane": row["lane"], "kind": row["kind"], "node": int(row["node"]),
                   "begin": float(row["begin_s"]) * US, "end": float(row["end_s"]) * US, "items": int(row["items"]),
                   "interval": float(row["interval_s"]) * US, "service": float(row["service_s"]) * US}


def number_commands(records):
    """Gives commands the number of their output row, counted from 0 through all inferences."""
    count = {}
    for record in sorted((r for r in records if r["kind"] == "command"), key=lambda r: r["begin"]):
        record["row"] = count.setdefault(record["node"], 0)
        count[record["node"]] += 1


class Lane:
    def __init__(self, text):
        self.label, _, rest = text.rpartition("=") if "=" in text else (text, "", text)
        rest, _, self.part = rest.partition("@")
        self.kind, _, node = rest.partition(":")
        self.node = int(node) if node else None

    def holds(self, record):
        return (record["kind"] == self.kind and (self.node is None or record["node"] == self.node) and
                (not self.part or (record["module"] + "#" + record["lane"]).endswith(self.part) or
                 record["module"].endswith(self.part)))

    def place(self, records, begin, end):
        """Lines of records: as few as possible where rows overlap, one line for everything else."""
        inside = sorted((r for r in records if r["end"] > begin and r["begin"] < end and self.holds(r)),
                        key=lambda r: r["begin"])
        if self.kind != "command":
            return [[item for record in inside for item in items_of(record)]]
        lines = []
        for record in inside:
            line = next((line for line in lines if line[-1]["end"] <= record["begin"] + 1e-6), None)
            if line is None:
                lines.append(line := [])
            line.append(record)
        return lines or [[]]


def items_of(record):
    """Item i of a stream holds its server from begin + i * interval for the time of service."""
    for i in range(record["items"]):
        begin = record["begin"] + i * record["interval"]
        yield dict(record, begin=begin, end=begin + record["service"])


def draw_bar(axes, record, y, zero, chained, span):
    colour = COLOURS[record["node"] % len(COLOURS)] if record["node"] >= 0 else "#999999"
    width = record["end"] - record["begin"]
    edge = "white" if "row" in record or width > 0.02 * span else colour
    axes.broken_barh([(record["begin"] - zero, width)], (y + 0.12, 0.76), facecolors=colour, edgecolors=edge,
                     linewidth=0.4, alpha=0.35 if chained is False else 1.0)
    if "row" in record:
        dark = chained is not False and width > 0.025 * span  # the number stands on the bar alone
        axes.text(record["begin"] - zero + width / 2, y + 0.5, str(record["row"]), ha="center", va="center", fontsize=7,
                  color="white" if dark else "black", clip_on=True)


def draw_chain(axes, chain, places, zero):
    """From where a row waits for another one: an arrow from its end, or its begin where that is what is waited for."""
    for before, after in zip(chain, chain[1:]):
        (first, y_first), (then, y_then) = places[before], places[after]
        freed = then["begin"] < first["end"]  # begins as soon as the other begins
        x = (first["begin"] if freed else first["end"]) - zero
        axes.annotate("", xy=(then["begin"] - zero, y_then + 0.5), xytext=(x, y_first + 0.5),
                      arrowprops={"arrowstyle": "->", "color": "#b00020", "linewidth": 1.4,
                                  "connectionstyle": "arc3,rad=0.15"})


def draw_marks(axes, marks, end, span):
    """Dashed lines; a text stands left of its line where the next line or the edge of the picture is near."""
    times = [float(mark.partition("=")[0]) for mark in marks]
    for time, following, mark in zip(times, times[1:] + [end], marks):
        axes.axvline(time, color="#b00020", linewidth=0.9, linestyle="--")
        axes.text(time, -0.2, mark.partition("=")[2], fontsize=7.5, color="#b00020", va="bottom",
                  ha="right" if following - time < 0.15 * span else "left")


def draw(arguments, records, plot):
    zero = 0.0
    if arguments.zero:
        node, row = map(int, arguments.zero.split(":"))
        zero = next(r["begin"] for r in records if r.get("row") == row and r["node"] == node)
    begin, end = zero + arguments.begin, zero + arguments.end
    chain = [tuple(map(int, link.split(":"))) for link in arguments.chain.split(",")] if arguments.chain else []
    lanes = [(lane, lane.place(records, begin, end)) for lane in arguments.lane]
    height = sum(len(lines) for _, lines in lanes)
    figure, axes = plot.subplots(figsize=(arguments.width, 0.9 + 0.28 * height + (0.2 if arguments.name else 0)))
    y, places = 0, {}
    for lane, lines in lanes:
        axes.text(-0.008, y + len(lines) / 2, lane.label, ha="right", va="center", fontsize=8,
                  transform=axes.get_yaxis_transform())
        for line in lines:
            for record in line:
                key = (record["node"], record.get("row"))
                places[key] = (record, y)
                draw_bar(axes, record, y, zero, key in chain if chain else None, end - begin)
            y += 1
        axes.axhline(y, color="#cccccc", linewidth=0.6)
    draw_chain(axes, chain, places, zero)
    draw_marks(axes, arguments.mark, end - zero, end - begin)
    axes.set(xlim=(begin - zero, end - zero), ylim=(y, 0), yticks=[], xlabel="us")
    if arguments.grid:
        offset = (-zero) % arguments.grid
        ticks = [offset + arguments.grid * i for i in range(int((end - begin) / arguments.grid) + 1)]
        for tick in ticks:
            axes.axvline(tick, color="#dddddd", linewidth=0.6, zorder=0)
    axes.tick_params(labelsize=8)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    for name in arguments.name:
        node, _, text = name.partition("=")
        axes.broken_barh([(0, 0)], (0, 0), facecolors=COLOURS[int(node) % len(COLOURS)], label=text)
    if arguments.name:
        figure.legend(fontsize=7.5, frameon=False, ncol=len(arguments.name), loc="lower left")
    if arguments.title:
        axes.set_title(arguments.title, fontsize=9, loc="left", pad=14 if arguments.mark else 6)
    figure.tight_layout()
    figure.savefig(arguments.picture, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=pathlib.Path)
    parser.add_argument("picture", help="file to write, .png or .svg")
    parser.add_argument("--lane", type=Lane, action="append", required=True)
    parser.add_argument("--from", dest="begin", type=float, default=0.0, help="us")
    parser.add_argument("--to", dest="end", type=float, required=True, help="us")
    parser.add_argument("--zero", help="NODE:ROW that all times are counted from")
    parser.add_argument("--chain", help="NODE:ROW,... rows that wait for each other")
    parser.add_argument("--name", action="append", default=[], help="NODE=TEXT for the legend")
    parser.add_argument("--mark", action="append", default=[], help="US=TEXT, a dashed line")
    parser.add_argument("--grid", type=float, default=0.0, help="us between thin lines, the edges of a clock")
    parser.add_argument("--title")
    parser.add_argument("--width", type=float, default=9.0, help="inches")
    arguments = parser.parse_args()
    try:
        import matplotlib
    except ImportError:
        sys.exit("draw_timeline.py needs matplotlib: apt-get install python3-matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plot
    records = list(read_records(arguments.table))
    number_commands(records)
    draw(arguments, records, plot)


if __name__ == "__main__":
    main()
