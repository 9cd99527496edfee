"""Options that every command has which draws curves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.core import ParameterSource

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--smooth",
        "smoothing",
        type=float,
        default=0.0,
        metavar="AMOUNT",
        help="Smoothing: a weight from 0 to 0.999, or points for mean and gaussian; the raw curve stays, faint.",
    ),
    click.option(
        "--smooth-with",
        "smoothing_kind",
        type=click.Choice(["ema", "twema", "mean", "gaussian"]),
        default="ema",
        show_default=True,
        help="ema is TensorBoard's, twema weights by distance on the x axis, mean and gaussian are over points around.",
    ),
    click.option("--log-y", "y_scale", flag_value="log", help="Logarithmic y axes."),
    click.option(
        "--symlog-y", "y_scale", flag_value="symlog", help="Logarithmic on both sides of 0, linear in between."
    ),
)


def smoothing_options(command: F) -> F:
    """`--smooth`, `--smooth-with`, `--log-y` and `--symlog-y`, in this order."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def check_smoothing(*, amount: float, kind: str) -> None:
    """Raise UsageError where a way to smooth was named and no amount, or an amount that this way does not take.

    To be called within a command that has `smoothing_options`.
    """
    if amount:
        from mlbench.render.smoothing import check_amount

        check_amount(kind, amount)
    elif _is_typed("smoothing_kind") and not _is_typed("smoothing"):
        raise click.UsageError(f"--smooth-with {kind} needs an amount. Try: --smooth 0.6, or --smooth 9 for points")


def _is_typed(parameter: str) -> bool:
    return click.get_current_context().get_parameter_source(parameter) is ParameterSource.COMMANDLINE
