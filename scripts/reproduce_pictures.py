# SPDX-License-Identifier: Apache-2.0
"""Pictures of what scripts/reproduce found: ratios by network, constants, noise. Small files, always the same."""
import math
import statistics

from reproduce_constants import CASES
from reproduce_raella import FULL, LADDER, PLAIN, noise_levels
from sweep_report import COLOURS

GREY = "#777777"


def draw_all(folder, experiment):
    try:
        import matplotlib
        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError:
        print("no pictures: matplotlib is missing (scripts/setup sweep)")
        return
    for name, draw in (("networks", draw_networks), ("constants", draw_constants), ("noise", draw_noise)):
        figure = draw(pyplot, experiment)
        if figure is not None:
            figure.tight_layout()
            figure.savefig(folder / f"{name}.png", dpi=80, metadata={"Software": None})
            pyplot.close(figure)


def plain_axes(axes):
    axes.grid(color="#dddddd", linewidth=0.6, axis="y")
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=8)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def draw_networks(pyplot, experiment):
    """Efficiency and throughput over the baseline, a group of bars for each network."""
    found = {(figure.name, figure.network, figure.system): figure.measured for figure in experiment.figures
             if figure.step == "networks" and figure.network}
    networks = list(dict.fromkeys(network for name, network, _ in found if name == "energy_efficiency"))
    if not networks:
        return None
    panels = [("energy efficiency", 3.9, [("energy_efficiency", FULL, "RAELLA"),
                                          ("energy_efficiency", PLAIN, "without speculation")]),
              ("throughput", 2.0, [("throughput", FULL, "RAELLA"), ("throughput_links_free", FULL, "links free"),
                                   ("throughput_crossbars_alone", FULL, "crossbars alone")])]
    figure, axes = pyplot.subplots(1, 2, figsize=(9.6, 3.2))
    for panel, (title, published, series) in zip(axes, panels):
        width = 0.8 / len(series)
        for i, (name, system, label) in enumerate(series):
            panel.bar([place + (i - (len(series) - 1) / 2) * width for place in range(len(networks))],
                      [found.get((name, network, system), math.nan) for network in networks], width,
                      color=COLOURS[i], label=label)
        panel.axhline(published, color=GREY, linewidth=1, linestyle="--", label=f"published mean, {published}")
        panel.axhline(1, color="black", linewidth=0.6)
        panel.set_xticks(range(len(networks)), [network.replace("_", "\n") for network in networks], rotation=30)
        panel.set_ylim(top=panel.get_ylim()[1] * 1.25)  # room for the legend
        panel.set_ylabel(f"{title} over isaac_raella", fontsize=8)
        panel.legend(fontsize=7, frameon=False)
        plain_axes(panel)
    return figure


def draw_constants(pyplot, experiment):
    """The mean efficiency under every constant that was changed."""
    found = {figure.case: figure for figure in experiment.figures
             if figure.step == "constants" and figure.name == "energy_efficiency_mean" and figure.system == FULL}
    names = [name for name in CASES if name in found and math.isfinite(found[name].measured)]
    if not names:
        return None
    figure, axes = pyplot.subplots(figsize=(7.6, 3.6))
    axes.barh(range(len(names)), [found[name].measured for name in names], color=COLOURS[0])
    axes.axvline(found["as it is"].measured, color="black", linewidth=0.8)
    axes.axvline(found["as it is"].published, color=GREY, linewidth=1, linestyle="--")
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel("mean energy efficiency over isaac_raella; dashed: published", fontsize=8)
    plain_axes(axes)
    return figure


def draw_noise(pyplot, experiment):
    """Mean accuracy against noise, with the standard deviation of the seeds."""
    levels = noise_levels(experiment)
    if not levels:
        return None
    figure, axes = pyplot.subplots(figsize=(5.2, 3.2))
    for i, system in enumerate(system for system in LADDER if system in levels):
        noises = sorted(levels[system])
        axes.errorbar([noise + 0.0008 * i for noise in noises],
                      [statistics.fmean(levels[system][noise]) * 100 for noise in noises],
                      [statistics.stdev(levels[system][noise]) * 100 if len(levels[system][noise]) > 1 else 0
                       for noise in noises], color=COLOURS[i], label=system, linewidth=1.3, capsize=2, marker="o",
                      markersize=3)
    axes.set_xlabel("E: a sum N+ - N- is read with variance E² (N+ + N-)", fontsize=8)
    axes.set_ylabel("top-1 accuracy, %", fontsize=8)
    axes.legend(fontsize=7, frameon=False)
    plain_axes(axes)
    return figure
