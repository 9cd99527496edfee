"""Shell completion of run names, metric names, column specifications and filters, from the newest snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlbench.errors import MlbenchError
from mlbench.paths import Home, find_home

if TYPE_CHECKING:
    from collections.abc import Callable

    import click
    from click.shell_completion import CompletionItem

    from mlbench.queries.completing import Completion

MOST = 200
"""More are of no use to a reader and slow the shell."""


def complete_runs(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Names of runs that begin with what was typed."""
    return _names(ctx, "SELECT DISTINCT name FROM runs WHERE starts_with(name, ?) ORDER BY name LIMIT ?", incomplete)


def complete_metrics(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Names of metrics that begin with what was typed."""
    sql = "SELECT DISTINCT metric FROM series WHERE starts_with(metric, ?) ORDER BY metric LIMIT ?"
    return _names(ctx, sql, incomplete)


def complete_filter(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Filters that go on from what was typed: names, values of the name that is compared, keywords."""
    from mlbench.queries import completing

    return _continued(ctx, incomplete, completing.complete_filter)


def complete_specs(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Column specifications and sort keys."""
    from mlbench.queries import completing

    return _continued(ctx, incomplete, completing.complete_column)


def _continued(ctx: click.Context, incomplete: str, complete: Callable[..., Completion]) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from mlbench.catalog.reader import open_reader
    from mlbench.queries.known import CatalogKnown
    from mlbench.safe import safe

    try:
        with open_reader(_home(ctx)) as reader:
            found = complete(incomplete, len(incomplete), CatalogKnown(reader), is_prefix=True)
    except MlbenchError:
        return []
    return [
        CompletionItem(incomplete[: found.start] + one.text, help=one.kind)
        for one in found.candidates
        if safe(one.text) == one.text
    ]


def _names(ctx: click.Context, sql: str, incomplete: str) -> list[str]:
    from mlbench.catalog.reader import open_reader
    from mlbench.safe import safe

    try:
        with open_reader(_home(ctx)) as reader:
            return [str(row[0]) for row in reader.rows(sql, [incomplete, MOST]) if safe(row[0]) == row[0]]
    except MlbenchError:
        return []


def _home(ctx: click.Context) -> Home:
    return find_home(ctx.params.get("home") or ctx.find_root().params.get("home"))
