"""Which runs and metrics are meant by what was typed: names, beginnings, ids, `#12`, paths, globs, `@best`."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

from mlbench.errors import NoRunError, UsageError
from mlbench.queries.answers import RunHead
from mlbench.queries.curves import main_series
from mlbench.queries.fragment import Sql, bindable, joined
from mlbench.queries.goals import goal_of, guess_goal, primary_metric, ranked_metrics
from mlbench.queries.heads import fetch_heads
from mlbench.queries.mistakes import shown
from mlbench.queries.reading import Reader
from mlbench.queries.suggest import did_you_mean
from mlbench.queries.tree import PREFIXES
from mlbench.queries.vocabulary import runs_text
from mlbench.queries.within import real_text, scope_of

__all__ = [
    "find_metrics", "goal_of", "guess_goal", "metric_names", "numbers_of", "param_keys", "primary_metric",
    "resolve_runs",
]  # fmt: skip

MAX_LISTED = 5
_GLOB = re.compile(r"[*?\[]")
_NUMBER = re.compile(r"#([0-9]{1,9})")
_BEST_OF = re.compile(r"@best\((.+)\)", re.IGNORECASE | re.DOTALL)
_NAME = "coalesce(r.name, r.id)"
_MARKS = ("@best", "@best(METRIC)", "@baseline")
_Match = tuple[str, str]
"""Id and name of a run."""


def resolve_runs(
    reader: Reader, words: Sequence[str], *, within: Sequence[str] = (), is_archived: bool = False
) -> tuple[RunHead, ...]:
    """The runs that words mean, in the order of the words, each run once.

    A word is, tried in this order: `@best` (by the primary metric), `@best(METRIC)` or `@baseline`; an id or a name;
    `#12`, the number of a run in this catalog; the path of a run; a glob over names or paths (all that match, by
    name, archived ones left out); the unique beginning of a name or id; the unique end of a name in whole parts
    (`seed_1` for `sweep/seed_1`); a folder that holds one run.

    Args:
        reader: the catalog.
        words: as typed.
        within: paths; only runs at or below one of them are meant.
        is_archived: globs mean archived runs, and only those.

    Raises:
        UsageError: a word means no run, or several.
    """
    scope = scope_of(within)
    found: dict[str, None] = {}
    for word in words:
        matching = _resolve(reader, word, scope, is_archived=is_archived)
        found.update(dict.fromkeys(run_id for run_id, _name in matching))
    return fetch_heads(reader, list(found))


def metric_names(reader: Reader, run_ids: Sequence[str] | None = None) -> tuple[str, ...]:
    """The metrics that the runs (all by default) have, the ones that matter most first."""
    return ranked_metrics(reader, run_ids)


def param_keys(reader: Reader) -> tuple[str, ...]:
    """The keys of all parameters, by name."""
    return tuple(key for (key,) in reader.rows("SELECT DISTINCT key FROM param ORDER BY key"))


def find_metrics(reader: Reader, words: Sequence[str], run_ids: Sequence[str] | None = None) -> tuple[str, ...]:
    """The metrics that words mean: names, with or without `metrics.` and quotes, or globs; each once.

    Raises:
        UsageError: none of the runs has such a metric.
    """
    known = ranked_metrics(reader, run_ids)
    found: dict[str, None] = {}
    for word in words:
        matching = metrics_of(word, known)
        if not matching:
            n_runs = reader.rows("SELECT count(*) FROM run")[0][0] if run_ids is None else len(run_ids)
            raise UsageError(f"no metric {shown(word)} in {runs_text(n_runs)}.{did_you_mean(bare_metric(word), known)}")
        found.update(dict.fromkeys(matching))
    return tuple(found)


def metrics_of(word: str, known: Sequence[str]) -> list[str]:
    """Those of the names that a word means: itself, with or without `metrics.` and quotes, or the matches of a glob."""
    for name in (word, bare_metric(word)):
        if name in known:
            return [name]
    return sorted(name for name in known if fnmatchcase(name, bare_metric(word))) if _GLOB.search(word) else []


def bare_metric(word: str) -> str:
    """A metric's name without `metrics.` and quotes."""
    prefix, dot, name = word.partition(".")
    name = name if dot and PREFIXES.get(prefix.lower()) == "metric" else word
    is_quoted = len(name) > 1 and name[0] == name[-1] and name[0] in "`\"'"
    return name[1:-1] if is_quoted else name


# ---------------------------------------------------------------- runs


def _resolve(reader: Reader, word: str, scope: Sql, *, is_archived: bool) -> list[_Match]:
    if word.startswith("@"):
        return [_marked(reader, word, scope)]
    text = bindable(word)
    if exact := _select(reader, scope, Sql(f"r.id = ? OR {_NAME} = ? OR r.key = ?", (text, text, text))):
        return [_only(exact, f"{shown(word)} is the name of")]
    if number := _NUMBER.fullmatch(word):
        return [_numbered(reader, word, int(number[1]), scope)]
    path = real_text(word)
    if at_path := _select(reader, scope, Sql("r.path = ?", (path,))):
        return [_only(at_path, f"{shown(word)} holds")]
    if _GLOB.search(word) and (matching := _globbed(reader, word, scope, is_archived=is_archived)):
        return matching
    if begun := _select(reader, scope, _begins(text)):
        return [_only(begun, f"{shown(word)} is the beginning of")]
    if ended := _select(reader, scope, _ends(text)):
        return [_only(ended, f"{shown(word)} is the end of")]
    below = _select(reader, scope, scope_of([word])) if os.path.isdir(path) else []
    if below:
        return [_only(below, f"{shown(word)} holds")]
    raise NoRunError(_no_run(reader, word, scope))


def _select(reader: Reader, scope: Sql, condition: Sql) -> list[_Match]:
    where = joined("AND", [scope, condition])
    sql = f"SELECT r.id, {_NAME} FROM runs r WHERE {where.text} ORDER BY {_NAME}, r.id"
    return [(run_id, name) for run_id, name in reader.rows(sql, where.parameters)]


def _begins(text: str) -> Sql:
    n = len(text)
    return Sql(f"? > 0 AND (substr({_NAME}, 1, ?) = ? OR substr(r.id, 1, ?) = ?)", (n, n, text, n, text))


def _ends(text: str) -> Sql:
    end = "/" + text.strip("/")
    return Sql(f"? > 1 AND right({_NAME}, ?) = ?", (len(end), len(end), end))


def _globbed(reader: Reader, word: str, scope: Sql, *, is_archived: bool) -> list[_Match]:
    path = os.path.abspath(os.path.expanduser(word))
    sql = f"SELECT r.id, {_NAME}, r.path FROM runs r WHERE {scope.text} AND r.archived = ? ORDER BY {_NAME}, r.id"
    return [
        (run_id, name)
        for run_id, name, run_path in reader.rows(sql, (*scope.parameters, is_archived))
        if fnmatchcase(name, word) or fnmatchcase(run_path or "", path)
    ]


def _only(matching: list[_Match], what: str) -> _Match:
    """The one match.

    Raises:
        UsageError: there are several.
    """
    if len(matching) == 1:
        return matching[0]
    names = [name for _id, name in matching]
    is_named_alike = len(set(names)) < len(names)
    listed = [f"{name} ({run_id})" if is_named_alike else name for run_id, name in matching[:MAX_LISTED]]
    more = f" and {len(matching) - MAX_LISTED} more" if len(matching) > MAX_LISTED else ""
    hint = f"its id, {matching[0][0]}" if is_named_alike else "the whole name, an id, or a glob for all of them"
    raise UsageError(f"{what} {len(matching)} runs: {', '.join(listed)}{more}. Try: {hint}")


def _no_run(reader: Reader, word: str, scope: Sql) -> str:
    names = [name for _id, name in _select(reader, scope, Sql("true"))]
    if not names:
        return f"no run {shown(word)}: there are no runs yet. Try: mlbench ingest PATH"
    last_parts = {name.rpartition("/")[2] for name in names}
    hint = did_you_mean(word, names) or did_you_mean(word, last_parts) or " Try: mlbench query"
    return f"no run {shown(word)} in {runs_text(len(names))}.{hint}"


# ---------------------------------------------------------------- marks and numbers


def numbers_of(reader: Reader, run_ids: Sequence[str]) -> dict[str, int]:
    """The numbers that `#12` names runs by; a run that came with the last moment's snapshot may have none yet."""
    rows = reader.rows("SELECT run_id, number FROM run_number WHERE run_id IN (SELECT unnest(?))", [list(run_ids)])
    return {str(run_id): int(number) for run_id, number in rows}


def _numbered(reader: Reader, word: str, number: int, scope: Sql) -> _Match:
    matching = _select(reader, scope, Sql("r.id IN (SELECT run_id FROM run_number WHERE number = ?)", (number,)))
    if matching:
        return _only(matching, f"{shown(word)} is")
    (most,) = reader.rows("SELECT coalesce(max(number), 0) FROM run_number")[0]
    raise NoRunError(f"no run {shown(word)}: the numbers go up to {most}. Try: mlbench query, which shows them")


def _marked(reader: Reader, word: str, scope: Sql) -> _Match:
    if of := _BEST_OF.fullmatch(word):
        return _best(reader, scope, of[1].strip())
    match word.lower():
        case "@best":
            return _best(reader, scope)
        case "@baseline":
            return _baseline(reader, scope)
        case _:
            raise UsageError(f"no run {shown(word)}.{did_you_mean(word, _MARKS) or ' Try: ' + ', '.join(_MARKS)}")


def _baseline(reader: Reader, scope: Sql) -> _Match:
    marked = _select(reader, scope, Sql("r.baseline"))
    if not marked:
        raise NoRunError("no run is the baseline. Try: mlbench baseline RUN")
    return _only(marked, "@baseline is")


def _best(reader: Reader, scope: Sql, word: str = "") -> _Match:
    """The run with the best finite value of a metric, by default of the primary one."""
    metric, goal = _metric_to_be_best_in(reader, scope, word)
    series = main_series(bindable(metric))
    order = "ASC" if goal == "min" else "DESC"
    where = joined("AND", [scope, Sql(f"NOT r.archived AND s.{goal}_value IS NOT NULL")])
    rows = reader.rows(
        f"SELECT r.id, {_NAME} FROM runs r JOIN ({series.text}) AS s ON s.run_id = r.id WHERE {where.text} "
        f"ORDER BY s.{goal}_value {order}, {_NAME}, r.id LIMIT 1",
        (*series.parameters, *where.parameters),
    )
    if not rows:
        raise UsageError(f"{shown(metric)} has no finite value in any run, so none is best")
    run_id, name = rows[0]
    return run_id, name


def _metric_to_be_best_in(reader: Reader, scope: Sql, word: str) -> tuple[str, str]:
    """Name and goal.

    Raises:
        UsageError: there is no such metric, the word means several, or it has no goal.
    """
    shown_ids = [run_id for run_id, _name in _select(reader, scope, Sql("NOT r.archived"))]
    if not word:
        primary = primary_metric(reader, shown_ids)
        if primary is None:
            raise UsageError("no metric says which run is best. Try: mlbench metric NAME --goal min")
        return primary
    metrics = find_metrics(reader, [word], shown_ids)
    if len(metrics) > 1:
        more = f" and {len(metrics) - MAX_LISTED} more" if len(metrics) > MAX_LISTED else ""
        listed = ", ".join(metrics[:MAX_LISTED])
        raise UsageError(f"@best({word}) means {len(metrics)} metrics: {listed}{more}. Name one of them")
    goal, _how = goal_of(reader, metrics[0])
    if not goal:
        raise UsageError(
            f"it is not known whether less or more of {shown(metrics[0])} is better. "
            f"Try: mlbench metric {shown(metrics[0])} --goal min"
        )
    return metrics[0], goal
