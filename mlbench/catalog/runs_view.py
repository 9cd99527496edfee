"""The view `runs` cut down to the columns that a question names.

DuckDB binds every expression of a view each time, and joins what the view joins: for a question of 8 ms that is 2.
What is left here reads one table, `wide_run`, which holds the first page of parameters and metrics, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mlbench.catalog.pivot import FRONT

_VIEW = re.compile(r"CREATE TEMP VIEW runs AS\s+SELECT(.*?)\nFROM run r\n?(.*?);", re.DOTALL)
_COMMENT = re.compile(r"--[^\n]*")
_NAMED = re.compile(r'\br\.("?)(\w+)\1')
_ALIAS = re.compile(r'(.*)\bAS\s+"?(\w+)"?', re.DOTALL)


class RunsView:
    """The columns of the view `runs`.

    Args:
        views: the text of views.sql, as it is executed.
    """

    def __init__(self, views: str) -> None:
        match = _VIEW.search(views)
        if match is None:
            raise ValueError("there is no view of runs")
        self._columns: Mapping[str, str] = dict(_columns(_COMMENT.sub("", match[1])))
        self._joins = tuple(line for line in match[2].splitlines() if line)

    def naming(self, sql: str) -> str:
        """A relation for FROM with those columns of the runs `r` that a piece of SQL names, fields and slots alike."""
        names = dict.fromkeys(name for _quote, name in _NAMED.findall(sql))
        listed = ", ".join(f'{self._columns.get(name, f"r.{name}")} AS "{name}"' for name in names)
        # `LEFT JOIN word_run w ON ...` is needed where `w.` is named, `CROSS JOIN clock` where `clock.` is.
        joins = [join for join in self._joins if f"{_alias(join)}." in listed]
        return f"(SELECT {listed or '1'} FROM {FRONT} r {' '.join(joins)})"


def _alias(join: str) -> str:
    return join.partition(" ON ")[0].split()[-1]


def _columns(listed: str) -> Iterator[tuple[str, str]]:
    """Name and expression of each column of a SELECT."""
    for item in _apart(listed):
        if match := _ALIAS.fullmatch(item):
            yield match[2], match[1].strip()
        else:
            yield item.rpartition(".")[2], item


def _apart(listed: str) -> Iterator[str]:
    """The parts between the commas that stand in no parentheses; no text of the view holds either."""
    depth, start = 0, 0
    for place, sign in enumerate(listed):
        depth += (sign == "(") - (sign == ")")
        if sign == "," and not depth:
            yield listed[start:place].strip()
            start = place + 1
    yield listed[start:].strip()
