"""Shell completion from the newest snapshot: runs, metrics, columns, tags, views, and the inside of a filter.

Whatever goes wrong gives no words and says nothing: a shell that completes is no place for messages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from mlbench.errors import MlbenchError
from mlbench.paths import find_home

if TYPE_CHECKING:
    import click

    from mlbench.catalog.reader import Reader

MOST = 200
"""More are of no use to a reader and slow the shell."""
MARKS = ("@best", "@baseline")
SORT_ENDINGS = (":desc", ":asc")


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


def complete_specs(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Column specifications: `params.KEY`, `metrics.NAME` and fields of runs; for a sort key also its direction."""
    if param.name == "sort" and ":" in incomplete:
        spec = incomplete.rpartition(":")[0]
        return [word for word in (spec + ending for ending in SORT_ENDINGS) if word.startswith(incomplete)]
    return _asked(ctx, lambda reader: _beginning(incomplete, _specs(reader, incomplete)))


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


def complete_filter(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """A filter as it can go on: the whole argument, since a shell replaces all of it."""
    return _asked(ctx, lambda reader: filter_endings(reader, incomplete))


# ---------------------------------------------------------------- the inside of a filter

_LAST = re.compile(
    r"^(?P<before>.*?)(?P<name>[^\s()=<>!~,'\"]+)\s*(?P<sign>=|==|!=|<>)\s*(?P<quote>['\"]?)(?P<value>[^'\"\s]*)$",
    re.DOTALL,
)
_PLAIN = re.compile(r"[A-Za-z0-9_.+-]+")
_WORD = re.compile(r"[^\s()=<>!~,]*$")
_VALUES = "SELECT DISTINCT txt FROM param WHERE is_effective AND key = ? AND starts_with(txt, ?) ORDER BY txt LIMIT ?"


def filter_endings(reader: Reader, text: str) -> list[str]:
    """Filters that begin with `text`: its last word completed, behind a comparison by the values that there are.

    This is the one place that knows what stands inside a filter; the query language's own completion belongs here.
    """
    if (match := _LAST.match(text)) and (values := _values_of(reader, match["name"], match["value"])):
        begin = text[: match.start("quote")]
        return [begin + _spelled(value, match["quote"]) for value in values if "'" not in value]
    word = _WORD.search(text)
    at = word.start() if word else len(text)
    return [text[:at] + spec for spec in _beginning(text[at:], _specs(reader, text[at:]))]


def _spelled(value: str, quote: str) -> str:
    """In quotes where they were typed, or where there is no other way: a filter stands in quotes of the shell's."""
    return f"{quote or chr(39)}{value}{quote or chr(39)}" if quote or not _PLAIN.fullmatch(value) else value


def _values_of(reader: Reader, name: str, begun: str) -> list[str]:
    """Values of a parameter, a status or a tag that begin so."""
    from mlbench.queries.fields import STATUSES

    if name == "status":
        return _beginning(begun, STATUSES)
    if name in ("tag", "tags"):
        tags = {tag for said in reader.words.tags.values() for tag in said}
        return _beginning(begun, sorted(tags))
    key = name.removeprefix("params.").removeprefix("param.").strip("`")
    return [value for (value,) in reader.rows(_VALUES, [key, begun, MOST]) if value]


def _specs(reader: Reader, begun: str) -> list[str]:
    """`params.KEY`, `metrics.NAME` and fields; parameters also by their bare key once a letter of it is typed."""
    from mlbench.queries.columns import metric_spec, param_spec
    from mlbench.queries.tree import PLAIN_FIELDS

    metrics = [name for (name,) in reader.rows("SELECT DISTINCT metric FROM series ORDER BY metric")]
    keys = [key for (key,) in reader.rows("SELECT DISTINCT key FROM param ORDER BY key")]
    bare = [*sorted(PLAIN_FIELDS), *keys, *metrics] if begun else []
    return [*bare, *map(param_spec, keys), *map(metric_spec, metrics)]


# ---------------------------------------------------------------- asking the catalog


def _beginning(begun: str, words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(word for word in words if word.startswith(begun)))[:MOST]


def _names(ctx: click.Context, sql: str, incomplete: str) -> list[str]:
    return _asked(ctx, lambda reader: [str(row[0]) for row in reader.rows(sql, [incomplete, MOST])])


def _asked(ctx: click.Context, ask: Callable[[Reader], Sequence[str]]) -> list[str]:
    """The answers that are safe to show; names with control characters cannot be typed anyway."""
    from mlbench.catalog.reader import open_reader
    from mlbench.safe import safe

    home = ctx.params.get("home") or (ctx.find_root().params.get("home"))
    try:
        with open_reader(find_home(home)) as reader:
            return [word for word in ask(reader) if safe(word) == word]
    except MlbenchError:
        return []
