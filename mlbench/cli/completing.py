"""Shell completion from the newest snapshot: runs, metrics, columns, tags, views, and the inside of a filter.

Whatever goes wrong gives no words and says nothing: a shell that completes is no place for messages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from mlbench.errors import MlbenchError
from mlbench.paths import Home, find_home

if TYPE_CHECKING:
    import click
    from click.shell_completion import CompletionItem

    from mlbench.catalog.reader import Reader
    from mlbench.queries.completing import Completion

MOST = 200
"""More are of no use to a reader and slow the shell."""
MARKS = ("@best", "@baseline")


def complete_runs(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Names of runs that begin with what was typed; behind `@` and `#` marks and numbers."""
    if incomplete.startswith("@best("):
        return [f"@best({metric})" for metric in complete_metrics(ctx, _param, incomplete.removeprefix("@best("))]
    if incomplete.startswith("@"):
        return [mark for mark in MARKS if mark.startswith(incomplete)]
    if incomplete.startswith("#"):
        sql = "SELECT '#' || number FROM run_numbers WHERE starts_with('#' || number, ?) ORDER BY number LIMIT ?"
        return _names(ctx, sql, incomplete)
    sql = "SELECT DISTINCT name FROM runs WHERE starts_with(name, ?) ORDER BY name LIMIT ?"
    return _names(ctx, sql, incomplete)


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


def complete_views(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Names of saved views."""
    return _asked(ctx, lambda reader: _beginning(incomplete, sorted(reader.words.views)))


def complete_tagging(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The words of `tag`: behind `+` and `-` the tags that there are, else runs."""
    sign = incomplete[:1]
    if sign not in ("+", "-"):
        return complete_runs(ctx, param, incomplete)
    sql = "SELECT DISTINCT tag FROM tags WHERE origin = 'mlbench' AND starts_with(tag, ?) ORDER BY tag LIMIT ?"
    return [sign + tag for tag in _names(ctx, sql, incomplete[1:])]


# ---------------------------------------------------------------- asking the catalog


def _beginning(begun: str, words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(word for word in words if word.startswith(begun)))[:MOST]


def _names(ctx: click.Context, sql: str, incomplete: str) -> list[str]:
    return _asked(ctx, lambda reader: [str(row[0]) for row in reader.rows(sql, [incomplete, MOST])])


def _asked(ctx: click.Context, ask: Callable[[Reader], Sequence[str]]) -> list[str]:
    """The answers that are safe to show; names with control characters cannot be typed anyway."""
    from mlbench.catalog.reader import open_reader
    from mlbench.safe import safe

    try:
        with open_reader(_home(ctx)) as reader:
            return [word for word in ask(reader) if safe(word) == word]
    except MlbenchError:
        return []


def _home(ctx: click.Context) -> Home:
    return find_home(ctx.params.get("home") or ctx.find_root().params.get("home"))
