"""The table's questions on a real home: which runs in which order, the rows that are looked at, their curves."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlbench.tui.session import PIECE_ROWS, Facet, RunsFound, RunsQuestion, SavedViews, Sketches, Vocabulary

if TYPE_CHECKING:
    from mlbench.catalog.reader import Reader
    from mlbench.queries.answers import Listing, RunHead, RunRow
    from mlbench.queries.listing import Lister

VALUES_PER_PARAM = 8
MOST_VALUES = 200
"""Of a column that are listed; a parameter with more of them is a measurement."""
_BASELINE = "SELECT r.id FROM runs r WHERE r.baseline LIMIT 1"
_VALUES = """
SELECT key, raw FROM (
    SELECT key, raw, row_number() OVER (PARTITION BY key ORDER BY count(*) DESC, raw) AS place
    FROM (
        SELECT key, raw FROM param WHERE is_effective AND {chosen}
        UNION ALL SELECT 'tags.' || tag, value FROM tags WHERE value <> '' AND {ids}
        UNION ALL SELECT 'git.branch', branch FROM code WHERE {ids}
        UNION ALL SELECT 'data.' || name, version FROM data_version WHERE {ids}
        UNION ALL SELECT unnest(['project', 'group', 'user', 'host']),
            unnest([project, group_name, user_name, host]) FROM run WHERE {ids}) AS all_values
    WHERE length(raw) <= 40 GROUP BY key, raw) AS counted
WHERE place <= ? ORDER BY key, place"""
_IDS = "run_id IN (SELECT unnest(CAST(? AS VARCHAR[])))"
_SKETCHES = """
SELECT run_id, sketch FROM (
    SELECT run_id, sketch, row_number() OVER (PARTITION BY run_id ORDER BY n DESC, n_raw DESC, series_id) AS place
    FROM series WHERE metric = ? AND run_no IN (SELECT unnest(CAST(? AS INTEGER[])))) AS ranked
WHERE place = 1"""


def _ids_of(reader: Reader, numbers: Sequence[int]) -> list[str]:
    sql = "SELECT run_id FROM run WHERE run_no IN (SELECT unnest(CAST(? AS INTEGER[])))"
    return [run_id for (run_id,) in reader.rows(sql, [list(numbers)])]


def with_order(columns: tuple[str, ...], sort: Sequence[str]) -> tuple[str, ...]:
    """The usual columns, behind what the runs are in order of: an order by what is not seen explains nothing."""
    specs = [one.removesuffix(":desc").removesuffix(":asc") for one in sort]
    return (*(spec for spec in specs if spec not in (*columns, "name", "run.name")), *columns)


class CatalogTable:
    """Answers the questions of the table; what was understood of the last one is kept for its further rows."""

    def __init__(self, roots: Sequence[str]) -> None:
        self._roots = tuple(roots)
        self._lister: tuple[Reader, RunsQuestion, Lister] | None = None
        self._usual: tuple[object, tuple[str, ...]] | None = None

    def find(self, reader: Reader, question: RunsQuestion) -> RunsFound:
        """The runs that match, with the usual columns where none were chosen."""
        from dataclasses import replace

        from mlbench.queries.answers import RunsAnswer

        columns, seen = (question.columns, None) if question.columns else self._usual_columns(reader, question.query)
        columns = columns if question.columns else with_order(columns, question.sort)
        spelt = replace(question, columns=columns)
        lister = self._understood(reader, spelt)
        is_plain = not question.sort and not question.by  # then the runs that the columns were chosen by are in order
        listing = seen if seen is not None and is_plain else lister.listing()
        first, rows = self._first_rows(lister, listing, question.near)
        is_long = len(rows) < len(listing.ids)
        return RunsFound(
            question,
            RunsAnswer(lister.columns, rows, listing.n_matched, listing.n_runs, listing.remarks),
            columns,
            listing,
            first,
            best=lister.best() if is_long else (),
            folders=lister.common_folders() if is_long else "",
            curve=self._curve(reader, lister),
            baseline=self._baseline(reader),
            is_fresh=bool(reader.words.roots),
        )

    def _understood(self, reader: Reader, spelt: RunsQuestion) -> Lister:
        from mlbench.queries.listing import Lister

        held = self._lister
        if held is None or held[0] is not reader or held[1] != spelt:
            lister = Lister(
                reader, where=spelt.query, columns=spelt.columns, sort=spelt.sort, by=spelt.by, within=self._roots
            )
            self._lister = (reader, spelt, lister)
            return lister
        return held[2]

    def _first_rows(self, lister: Lister, listing: Listing, near: str) -> tuple[int, tuple[RunRow, ...]]:
        """The rows around a run, as far as they have not gone; all of a short table."""
        n_rows = 2 * PIECE_ROWS
        place = listing.place_of(near) if near and len(listing.ids) > n_rows else None
        first = max((place or 0) - PIECE_ROWS, 0) // PIECE_ROWS * PIECE_ROWS
        ids = listing.ids[first : first + n_rows]
        rows = lister.rows(listing.numbers[first : first + n_rows])
        return first, tuple(rows[run_id] for run_id in ids)

    def _usual_columns(self, reader: Reader, query: str) -> tuple[tuple[str, ...], Listing | None]:
        """The metric that matters most, the parameters that differ, then the rest: what is best, then why.

        With them the runs, where they were read to choose.
        """
        from mlbench.queries.chosen import sampled, usual_columns
        from mlbench.queries.listing import Lister

        lister = Lister(reader, where=query, within=self._roots)
        # While runs are followed the catalog is another one every second: the columns stay while they must be the same.
        key = (query, lister.n_matched(), self._words_of(reader))
        if self._usual is not None and self._usual[0] == key:
            return self._usual[1], None
        columns: tuple[str, ...] = ()
        listing = None
        if key[1]:
            listing = lister.listing()
            n_statuses = len({row.head.status for row in lister.rows(listing.numbers[: 4 * PIECE_ROWS]).values()})
            status = ("status",) if n_statuses > 1 else ()
            columns = usual_columns(reader, sampled(listing.ids), (*status, "duration", "started"))
        self._usual = (key, columns)
        return columns, listing

    def _words_of(self, reader: Reader) -> object:
        """What else the usual columns depend on: the names that there are, and what the user said of metrics."""
        ((n_names,),) = reader.once("SELECT count(*) FROM wide_key")
        return n_names, sorted(reader.words.goals.items()), sorted(reader.words.primary.items())

    def _curve(self, reader: Reader, lister: Lister) -> str:
        """The first column that is a metric's last value."""
        from mlbench.queries.columns import metric_spec
        from mlbench.queries.names import metric_names

        specs = {metric_spec(metric) for metric in metric_names(reader)}
        return next((column.spec for column in lister.columns if column.spec in specs), "")

    def _baseline(self, reader: Reader) -> RunHead | None:
        from mlbench.queries.heads import fetch_heads

        ids = [run_id for (run_id,) in reader.rows(_BASELINE)] if reader.words.baselines else []
        return fetch_heads(reader, ids)[0] if ids else None

    def rows(self, reader: Reader, found: RunsFound, first: int, n_rows: int) -> tuple[RunRow | None, ...]:
        """The rows of these places; None for a run that has gone."""
        from dataclasses import replace

        lister = self._understood(reader, replace(found.question, columns=found.columns))
        rows = lister.rows(found.listing.numbers[first : first + n_rows])
        return tuple(rows.get(run_id) for run_id in found.listing.ids[first : first + n_rows])

    def sketches(self, reader: Reader, found: RunsFound, first: int, n_rows: int) -> Sketches:
        """The curves of these rows; a run without one is left out."""
        from mlbench.queries.columns import metric_spec
        from mlbench.queries.names import metric_names

        metric = next((name for name in metric_names(reader) if metric_spec(name) == found.curve), None)
        if metric is None:
            return {}
        numbers = list(found.listing.numbers[first : first + n_rows])
        return {run_id: tuple(sketch or ()) for run_id, sketch in reader.rows(_SKETCHES, [metric, numbers])}

    def facet(self, reader: Reader, question: RunsQuestion, spec: str) -> Facet:
        """The values of a column, with the mean of the metric that matters most in these runs."""
        from mlbench.queries.columns import metric_spec
        from mlbench.queries.goals import primary_metric
        from mlbench.queries.listing import Lister

        shown = Lister(reader, where=question.query, within=self._roots).listing().ids
        primary = primary_metric(reader, shown)
        columns = (metric_spec(primary[0]),) if primary else ()
        groups = Lister(reader, where=question.query, columns=columns, by=(spec,), within=self._roots).listing().groups
        ordered = sorted(groups, key=lambda group: -len(group.run_ids))
        return Facet(spec, tuple(ordered[:MOST_VALUES]), primary[0] if primary else "", len(groups))

    def views(self, reader: Reader) -> SavedViews:
        """The saved views."""
        from mlbench.queries.views import list_views

        return dict(list_views(reader))

    def heads(self, reader: Reader, run_ids: Sequence[str]) -> tuple[RunHead, ...]:
        """The heads of the runs that are there."""
        from mlbench.queries.heads import HEAD_COLUMNS, head_of

        sql = f"SELECT {HEAD_COLUMNS} FROM runs r WHERE r.id IN (SELECT unnest(CAST(? AS VARCHAR[])))"
        return tuple(head_of(reader, row) for row in reader.rows(sql, [list(run_ids)]))

    def vocabulary(self, reader: Reader) -> Vocabulary:
        """All names that the runs below the roots have, and the values of some of the runs."""
        from mlbench.queries.chosen import sampled
        from mlbench.queries.fields import STATUSES
        from mlbench.queries.names import metric_names
        from mlbench.queries.storage import chosen_runs
        from mlbench.queries.tree import PLAIN_FIELDS
        from mlbench.queries.vocabulary import Vocabulary as Names
        from mlbench.queries.within import scope_of

        scope = scope_of(self._roots)
        names = Names(reader, scope)
        sql = f"SELECT r.run_no FROM run r WHERE {scope.text}"  # numbers: the ids of 100,000 runs take 20 MB to say
        numbers = array("i", (number for (number,) in reader.stream(sql, scope.parameters)))
        some = _ids_of(reader, sampled(numbers))
        chosen = chosen_runs(reader, some)
        own = {tag for tags in reader.words.tags.values() for tag in tags}
        values: dict[str, list[str]] = {}
        sql = _VALUES.format(chosen=chosen.text, ids=_IDS)
        for key, raw in reader.rows(sql, [*chosen.parameters, some, some, some, some, VALUES_PER_PARAM]):
            values.setdefault(key, []).append(raw)
        return Vocabulary(
            params=tuple(sorted(names.names("param"))),
            metrics=metric_names(reader, None if names.is_whole else _ids_of(reader, numbers)),
            tags=tuple(dict.fromkeys((*sorted(own), *sorted(names.names("tag"))))),
            statuses=STATUSES[:-1],
            fields=tuple(dict.fromkeys(PLAIN_FIELDS.values())),
            values={key: tuple(found) for key, found in values.items()},
        )
