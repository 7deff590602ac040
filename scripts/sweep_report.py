# SPDX-License-Identifier: Apache-2.0
"""What came out of a sweep: results.csv with parameters and figures of every point, and a picture of them."""
import csv
import json
import re

from sweep_file import suggestion

PREFIXES = [(1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "u"), (1e-9, "n"), (1e-12, "p"),
            (1e-15, "f")]
UNITS = {"_per_s": "/s", "_s": "s", "_j": "J", "_w": "W", "_mm2": "mm2", "_bytes": "B"}
SCALED = ("s", "J", "W", "B")
COLOURS = ["#2b6cb0", "#c77d1a", "#68a357", "#8456a6", "#b00020", "#777777", "#00868b", "#8b5a2b"]


def flat(summary, prefix=""):
    """{name: value}; `energy_breakdown_j.adc` for what stands in an object."""
    values = {}
    for key, value in summary.items():
        if isinstance(value, dict):
            values.update(flat(value, f"{prefix}{key}."))
        elif not isinstance(value, list):
            values[prefix + key] = value
    return values


def is_finished(folder, name):
    """True if the summary is not older than what was asked for, which is how Snakemake sees it."""
    asked, summary = folder / "requests" / f"{name}.json", folder / "points" / name / "summary.json"
    return asked.is_file() and summary.is_file() and summary.stat().st_mtime >= asked.stat().st_mtime


def read_results(sweep, folder):
    """One row a point: parameters, figures, status and reason."""
    rows = []
    for name, parameters in sweep.points.items():
        row = {"point": name, "parameters": parameters, "figures": {}, "status": "missing", "reason": "was not run"}
        summary, failure = folder / "points" / name / "summary.json", folder / "failures" / f"{name}.json"
        if is_finished(folder, name):
            row.update(figures=flat(json.loads(summary.read_text(encoding="utf-8"))), status="finished", reason="")
        elif failure.is_file():
            failed = json.loads(failure.read_text(encoding="utf-8"))
            row.update(status="failed", reason=failed["reason"], exit_code=failed["exit_code"])
        rows.append(row)
    return rows


def check_figures(sweep, rows):
    """Refuses figures that no run has; without a finished run nothing can be said."""
    known = sorted({key for row in rows for key in row["figures"]})
    if not known:
        return
    for metric in sweep.metrics:
        if metric not in known:
            raise sweep.places["metrics"].error(f"there is no figure `{metric}`{suggestion(metric, known)}",
                                                "keys of summary.json")
    for word in [sweep.plot["x"], *sweep.plot["y"]] if sweep.plot else []:
        if word not in known and word not in sweep.columns:
            raise sweep.places["plot"].error(
                f"`{word}` is neither a parameter nor a figure{suggestion(word, known + sweep.columns)}",
                "parameters of this sweep, keys of summary.json")


def write_csv(sweep, rows, path):
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["point"] + sweep.columns + [m for m in sweep.metrics if m not in sweep.columns] +
                       ["status", "reason"])
        for row in rows:
            figures = [row["figures"].get(m) for m in sweep.metrics if m not in sweep.columns]
            table.writerow([row["point"]] + [row["parameters"].get(key, "") for key in sweep.columns] +
                           ["" if value is None else value for value in figures] + [row["status"], row["reason"]])


def value_of(row, word):
    return row["parameters"][word] if word in row["parameters"] else row["figures"].get(word)


def number(value):
    """(number, unit) of a figure or of a parameter such as `100 ns`; None for other texts."""
    if isinstance(value, (int, float)):
        return float(value), ""
    match = re.fullmatch(r"\s*([-+]?[0-9.]+(?:[eE][-+]?\d+)?)\s*([A-Za-z%/]*)\s*", str(value))
    try:
        return (float(match[1]), match[2]) if match else None
    except ValueError:
        return None


def scaled_figure(places, name):
    """A figure's numbers in the unit that leaves the largest between 1 and 1000, where its key names a unit."""
    if name.startswith("accuracy"):
        return [100 * place for place in places], name.replace("_", " ") + ", %", None
    end = next((end for end in UNITS if name.endswith(end)), "")
    words, unit, largest = name[:len(name) - len(end)].replace("_", " "), UNITS.get(end, ""), max(map(abs, places))
    if unit not in SCALED or not largest > 0:
        return places, f"{words}, {unit}" if unit else words, None
    factor, prefix = next(((f, p) for f, p in PREFIXES if largest >= f), PREFIXES[-1])
    return [place / factor for place in places], f"{words}, {prefix}{unit}", None


def axis(values, name, is_figure):
    """Positions for values, their label, and tick texts (None: numbers speak for themselves)."""
    numbers = [number(value) for value in values]
    if all(numbers) and len({unit for _, unit in numbers}) == 1:
        unit = numbers[0][1]
        places = [place for place, _ in numbers]
        if is_figure:
            return scaled_figure(places, name)
        return places, f"{name}, {unit}" if unit else name, None
    texts = list(dict.fromkeys(str(value) for value in values))
    return [texts.index(str(value)) for value in values], name, texts


def draw_panel(axes, sweep, rows, y, colour_of):
    plot = sweep.plot
    shown = [row for row in rows if value_of(row, plot["x"]) is not None and value_of(row, y) is not None]
    if not shown:
        return
    xs, x_label, x_texts = axis([value_of(row, plot["x"]) for row in shown], plot["x"], plot["x"] not in sweep.columns)
    ys, y_label, y_texts = axis([value_of(row, y) for row in shown], y, y not in sweep.columns)
    for i, (series, colour) in enumerate(colour_of.items()):
        line = [(x, value) for row, x, value in zip(shown, xs, ys) if series_of(plot, row) == series]
        if plot["x"] in sweep.columns:
            line.sort()
        axes.plot([x for x, _ in line], [value for _, value in line], marker="o", linewidth=1.3, color=colour,
                  markersize=max(7.5 - 1.5 * i, 3), label=series,
                  linestyle="-" if plot["x"] in sweep.columns else "none")
    axes.set(xlabel=x_label, ylabel=y_label)
    for letter, texts in (("x", x_texts), ("y", y_texts)):
        if letter in plot["log"] and texts is None:
            getattr(axes, f"set_{letter}scale")("log")
        if texts is not None:
            getattr(axes, f"set_{letter}ticks")(range(len(texts)), texts)
    if "y" not in plot["log"] and y_texts is None and min(ys) >= 0:
        axes.set_ylim(bottom=0)
    if x_texts is None and len(set(xs)) <= 12:
        axes.set_xticks(sorted(set(xs)), [f"{x:g}" for x in sorted(set(xs))])
        axes.minorticks_off()
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.tick_params(labelsize=8)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def series_of(plot, row):
    return row["parameters"].get(plot["series"], "") if plot["series"] else ""


def draw(sweep, rows, folder):
    """Writes plot.png and plot.svg, a panel for each y. Returns a line for people where it cannot."""
    try:
        import matplotlib
        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError:
        return "no picture: matplotlib is missing (scripts/setup sweep)"
    finished = [row for row in rows if row["status"] == "finished"]
    if not finished:
        return "no picture: no point has finished"
    ys = sweep.plot["y"]
    names = list(dict.fromkeys(series_of(sweep.plot, row) for row in finished))
    colour_of = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)}
    figure, panels = pyplot.subplots(1, len(ys), figsize=(4.2 * len(ys) + 0.4, 3.2), squeeze=False)
    for axes, y in zip(panels[0], ys):
        draw_panel(axes, sweep, finished, y, colour_of)
    if sweep.plot["series"]:
        panels[0][0].legend(title=sweep.plot["series"], fontsize=8, title_fontsize=8, frameon=False)
    if sweep.plot["title"]:
        figure.suptitle(sweep.plot["title"], fontsize=10, x=0.02, ha="left")
    figure.tight_layout()
    for suffix, metadata in ((".png", {"Software": None}), (".svg", {"Date": None})):
        figure.savefig(folder / ("plot" + suffix), dpi=110, metadata=metadata)
    pyplot.close(figure)
    return None
