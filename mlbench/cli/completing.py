"""Shell completion of run names, metric names and parameter keys, from the newest snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlbench.errors import MlbenchError
from mlbench.paths import find_home

if TYPE_CHECKING:
    import click

MOST = 200
"""More are of no use to a reader and slow the shell."""


def complete_runs(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Names of runs that begin with what was typed."""
    return _names(ctx, "SELECT DISTINCT name FROM runs WHERE starts_with(name, ?) ORDER BY name LIMIT ?", incomplete)


def complete_metrics(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Names of metrics that begin with what was typed."""
    sql = "SELECT DISTINCT metric FROM series WHERE starts_with(metric, ?) ORDER BY metric LIMIT ?"
    return _names(ctx, sql, incomplete)


def complete_specs(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Column specifications: `params.KEY` and `metrics.NAME`."""
    sql = (
        "SELECT DISTINCT spec FROM (SELECT 'params.' || key AS spec FROM params "
        "UNION SELECT 'metrics.' || metric FROM series) WHERE starts_with(spec, ?) ORDER BY spec LIMIT ?"
    )
    return _names(ctx, sql, incomplete)


def _names(ctx: click.Context, sql: str, incomplete: str) -> list[str]:
    from mlbench.catalog.reader import open_reader
    from mlbench.safe import safe

    home = ctx.params.get("home") or (ctx.find_root().params.get("home"))
    try:
        with open_reader(find_home(home)) as reader:
            return [str(row[0]) for row in reader.rows(sql, [incomplete, MOST]) if safe(row[0]) == row[0]]
    except MlbenchError:
        return []
