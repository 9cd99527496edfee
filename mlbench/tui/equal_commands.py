"""The mlbench command that prints what a pane shows, as words of a shell. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from mlbench.tui.view import ChartLook, View

_LOOKS = {"code": "--code", "verdict": "--verdict"}
MOST_PLOTTED = 50
"""Runs that `mlbench plot` draws where `--limit` does not say otherwise."""


def show_words(run_id: str) -> list[str]:
    """All that is known of a run."""
    return ["mlbench", "show", run_id]


def diff_words(view: View, run_ids: Sequence[str]) -> list[str]:
    """The comparison of some runs, the first of them the baseline; of one run, what is known of it."""
    if len(run_ids) < 2:
        return show_words(run_ids[0])
    flags = {"--all": view.has_all, "--deltas": view.as_deltas}
    flags |= {flag: view.compare_look == look for look, flag in _LOOKS.items()}
    words = [flag for flag, is_on in flags.items() if is_on]
    words += ["--at", view.at_metric] if view.at_metric else []
    return ["mlbench", "diff", *run_ids, *words]


def plot_words(look: ChartLook, run_ids: Sequence[str], metrics: Sequence[str]) -> list[str]:
    """The charts of some runs. What only a screen has (zoom, crosshair, colours, the grid) is not said.

    Args:
        look: of the charts.
        run_ids: in their order, one or more.
        metrics: that are drawn, one or more.
    """
    words = ["mlbench", "plot", *(word for metric in metrics for word in ("-m", metric))]
    words += ["--x", look.axis] if look.axis != "metric" else []
    if look.smoothing:
        words += ["--smooth", f"{look.smoothing:g}"]
        words += ["--smooth-with", look.smoothing_kind] if look.smoothing_kind != "ema" else []
    words += [f"--{scale}-{axis}" for axis, scale in (("y", look.y_scale), ("x", look.x_scale)) if scale != "linear"]
    words += ["--trim"] if look.is_trimmed else []
    words += ["--names"] if look.has_names else []
    words += ["--limit", str(len(run_ids))] if len(run_ids) > MOST_PLOTTED else []
    ids = [f"'{run_id}'" for run_id in run_ids]  # some ids are all digits, and would be read as numbers
    return [*words, f"run.id = {ids[0]}" if len(ids) == 1 else f"run.id in ({', '.join(ids)})"]
