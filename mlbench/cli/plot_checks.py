"""Which options of `mlbench plot` mean nothing together: they are refused, so that none is dropped in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mlbench.cli.common import talk

if TYPE_CHECKING:
    from mlbench.cli.plot import PlotOptions
    from mlbench.queries.logged import Chosen

_SHAPE = frozenset({"--smooth", "--log-y", "--symlog-y", "--log-x", "--symlog-x", "--trim", "--band"})
"""How curves are drawn: neither points as data nor last values have it."""
_CURVES = _SHAPE | {"--x", "--svg"}
_AS_DATA = _SHAPE | {"--svg", "--group-by", "--all-steps"}
_OF_STEPS = frozenset({"--group-by", "--smooth", "--trim", "--band", "--x"})
"""What PR curves, whose x axis is the recall, cannot be drawn with."""
_OF_KIND = {
    "line": frozenset[str](),
    "hist": _CURVES | {"--group-by"},
    "bar": _CURVES | {"--group-by"},
    "box": _CURVES,
    "matrix": _CURVES | {"--group-by", "--step", "--format"},
}
"""For a kind of plot, what means nothing with it."""


def check_options(options: PlotOptions, group_by: str | None, form: str | None) -> None:
    """Raise UsageError for the first option that the kind of plot, or the format, leaves without a meaning."""
    if options.has_all_steps and options.kind != "hist":
        raise click.UsageError("--all-steps is for logged histograms. Try: --kind hist")
    if options.has_all_steps and options.step is not None:
        raise click.UsageError("give either --step or --all-steps, not both")
    for name in _given(options, group_by, form):
        if name in _OF_KIND[options.kind]:
            raise click.UsageError(f"{name} means nothing with --kind {options.kind}. Try it without either of them")
        if is_data(form) and name in _AS_DATA:
            raise click.UsageError(f"{name} means nothing with --format {form}. Try it without either of them")


def _given(options: PlotOptions, group_by: str | None, form: str | None) -> list[str]:
    """The names of the options whose value is not the usual one."""
    told = (
        ("--svg", options.svg is not None), ("--group-by", bool(group_by)), ("--smooth", options.smoothing > 0),
        (f"--{options.y_scale}-y", options.y_scale != "linear"),
        (f"--{options.x_scale}-x", options.x_scale != "linear"),
        ("--trim", options.is_trimmed), ("--band", options.band != "minmax"), ("--x", options.axis != "step"),
        ("--step", options.step is not None), ("--all-steps", options.has_all_steps), ("--format", is_data(form)),
    )  # fmt: skip
    return [name for name, is_given in told if is_given]


def where_ungrouped(kind: str, form: str | None) -> str:
    """The option that leaves groups without a meaning, '' for none."""
    if "--group-by" in _OF_KIND[kind]:
        return f"--kind {kind}"
    return f"--format {form}" if is_data(form) else ""


def check_chosen(options: PlotOptions, group_by: str | None, chosen: Chosen) -> None:
    """Tell, or raise UsageError for, what the metrics that were found leave without a meaning.

    PR curves, whose x axis is the recall, have neither groups nor smoothing, and only groups have bands.
    """
    if options.kind == "line" and chosen.logged:
        _check_pr_curves(options, group_by, chosen)
    if chosen.scalars and options.band != "minmax" and not options.group_by:
        raise click.UsageError(f"--band {options.band} is for groups of runs. Try: --group-by SPEC")


def _check_pr_curves(options: PlotOptions, group_by: str | None, chosen: Chosen) -> None:
    metric = chosen.logged[0]
    if options.svg is not None and chosen.scalars:
        raise click.UsageError(
            f"--svg is one chart, '{chosen.scalars[0]}' and the PR curve '{metric}' are two. Try one"
        )
    named = [name for name in _given(options, group_by, None) if name in _OF_STEPS]
    if named and not chosen.scalars:
        raise click.UsageError(f"{named[0]} means nothing for the PR curve '{metric}'. Try it without {named[0]}")
    if named:
        talk(f"the PR curves are drawn without {', '.join(named)}")
    elif options.group_by:
        talk("the PR curves are drawn without the view's groups")


def is_data(form: str | None) -> bool:
    """Whether a format is for programs; a table, or none, is drawn."""
    return form not in (None, "table")
