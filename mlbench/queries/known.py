"""Names and values for completion, asked of the catalog with the letters that were typed and a limit."""

from __future__ import annotations

from collections.abc import Sequence

from mlbench.queries.fields import FIELDS, GIT
from mlbench.queries.fragment import Sql, bindable
from mlbench.queries.reading import Reader
from mlbench.queries.tree import Ref
from mlbench.queries.vocabulary import PACKAGE

MAX_VALUE = 60
"""Characters of a value that is worth completing."""
_NAMES = {
    "param": "SELECT key AS word FROM param WHERE is_effective",
    "metric": "SELECT metric AS word FROM series",
    "tag": "SELECT tag AS word FROM tags",
    "data": "SELECT name AS word FROM data_version",
    "env": f"SELECT CASE WHEN starts_with(key, '{PACKAGE}') THEN substr(key, {len(PACKAGE) + 1}) ELSE key END AS word "
    "FROM environment",
}
_VALUES = {
    "param": "SELECT txt AS word FROM param WHERE is_effective AND key = ?",
    "tag": "SELECT value AS word FROM tags WHERE tag = ?",
    "data": "SELECT version AS word FROM data_version WHERE name = ?",
    "env": "SELECT value AS word FROM environment WHERE key IN (?, ?)",
}
_DATA_SETS = {"name": "SELECT name AS word FROM data_version", "digest": "SELECT version AS word FROM data_version"}


class CatalogKnown:
    """The names and values of all runs; each question is one short statement."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def names(self, kind: str, typed: str, most: int) -> Sequence[str]:
        """Names with the letters in them, those that begin with them first."""
        return self._fitting(Sql(f"SELECT DISTINCT word FROM ({_NAMES[kind]})"), typed, most, by="length(word), word")

    def values(self, ref: Ref, typed: str, most: int) -> Sequence[str]:
        """Values with the letters in them, those that begin with them first, then the most frequent."""
        rows = self._all_values(ref)
        if rows is None:
            return ()
        counted = (
            f"SELECT word, count(*) AS n FROM ({rows.text}) WHERE length(word) BETWEEN 1 AND {MAX_VALUE} GROUP BY word"
        )
        return self._fitting(Sql(counted, rows.parameters), typed, most, by="n DESC, word")

    def _all_values(self, ref: Ref) -> Sql | None:
        """One row for each run and value."""
        name = bindable(ref.name)
        match ref.kind:
            case "field" if ref.name == "tag":
                return Sql("SELECT tag AS word FROM tags WHERE value = ''")
            case "field" if ref.name in FIELDS and FIELDS[ref.name].kind in {"text", "mixed"}:
                return Sql(f"SELECT {FIELDS[ref.name].sql} AS word FROM runs r")
            case "git" if ref.name in GIT and GIT[ref.name].kind in {"text", "commit"}:
                return Sql(f"SELECT {GIT[ref.name].sql} AS word FROM code")
            case "dataset":
                return Sql(_DATA_SETS[ref.name]) if ref.name in _DATA_SETS else None
            case "env":
                return Sql(_VALUES["env"], (PACKAGE + name, name))
            case kind:
                return Sql(_VALUES[kind], (name,)) if kind in _VALUES else None

    def _fitting(self, rows: Sql, typed: str, most: int, *, by: str) -> list[str]:
        lower = bindable(typed.lower())
        sql = (
            f"SELECT word FROM ({rows.text}) WHERE contains(lower(word), ?) "
            f"ORDER BY NOT starts_with(lower(word), ?), {by} LIMIT ?"
        )
        return [word for (word,) in self._reader.rows(sql, (*rows.parameters, lower, lower, most))]
