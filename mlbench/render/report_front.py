"""The front matter of a report: what it was made from, so that `report --check` can say what has changed since."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mlbench.errors import UsageError
from mlbench.queries.tree import quote_name
from mlbench.render.labels import run_labels
from mlbench.render.numbers import iso, value_exact
from mlbench.render.records import json_text

if TYPE_CHECKING:
    from mlbench.queries.answers import Column
    from mlbench.queries.report_answer import ReportAnswer

_FENCE = "---\n"
_LISTS = ("columns", "runs", "sort", "metrics", "within", "asked")
_TEXTS = ("query", "baseline", "catalog", "made")


def front_matter(answer: ReportAnswer) -> str:
    """What makes the same report again; JSON values are YAML."""
    pairs: list[tuple[str, object]] = [
        ("query", answer.query),
        ("columns", [_specification(column) for column in answer.runs.columns]),
        ("baseline", answer.diff.runs[0].run_id if answer.diff.runs else None),
        ("runs", [head.run_id for head in answer.diff.runs]),
        ("catalog", answer.catalog_digest),
        ("made", None if answer.made_at is None else iso(answer.made_at)),
    ]
    pairs += [(key, value) for key, value in answer.options if value]
    return _FENCE + "".join(f"{key}: {json_text(value)}\n" for key, value in pairs) + _FENCE


def _specification(column: Column) -> str:
    return f"{column.spec} as {quote_name('bare', column.alias)}" if column.alias else column.spec


def split_front(markdown: str) -> tuple[str, str]:
    """The lines of the front matter and the rest; '' where there is none."""
    if not markdown.startswith(_FENCE):
        return "", markdown
    front, fence, body = markdown.removeprefix(_FENCE).partition("\n" + _FENCE)
    return (front + "\n", body) if fence else ("", markdown)


def read_front(markdown: str) -> Mapping[str, object]:
    """The front matter of a report that mlbench wrote.

    Raises:
        UsageError: it is none, or was changed so that it cannot be read.
    """
    front, _body = split_front(markdown)
    if not front and markdown.lstrip()[:9].lower() == "<!doctype":
        raise UsageError("an HTML report does not hold what it was made from. Try: mlbench report --check -o FILE.md")
    found: dict[str, object] = {}
    for line in front.splitlines():
        key, colon, value = line.partition(": ")
        try:
            found[key] = json.loads(value) if colon else None
        except (ValueError, RecursionError):
            raise UsageError(
                f"the front matter cannot be read at '{key[:40]}'. Try: mlbench report, to write it anew"
            ) from None
    if not isinstance(found.get("catalog"), str) or not _is_sound(found):
        raise UsageError("this is no report of mlbench: it has no front matter with query, columns, runs and catalog")
    return found


def _is_sound(found: Mapping[str, object]) -> bool:
    lists = [found.get(key, []) for key in _LISTS]
    texts = [found.get(key) or "" for key in _TEXTS]
    return all(isinstance(value, str) for value in texts) and all(
        isinstance(value, list) and all(isinstance(item, str) for item in value) for value in lists
    )


def run_states(markdown: str) -> dict[str, tuple[str, ...]]:
    """The rows of the report's table of runs by the name of the run, without the marks of baseline and best value.

    Empty where somebody took the table out.
    """
    lines = markdown.partition("\n## Runs\n")[2].partition("\n## ")[0].splitlines()
    rows = [
        [cell.strip().removeprefix("◆ ") for cell in line.strip().strip("|").split(" | ")]
        for line in lines
        if line[:1] == "|"
    ]
    return {row[0]: tuple(cell.replace("**", "").partition(" (")[0] for cell in row[1:]) for row in rows[2:]}


def changes(before: str, after: str, answer: ReportAnswer) -> tuple[str, ...]:
    """What is not as the report has it, a line each; () where nothing changed.

    Args:
        before: the report as it was written.
        after: the same report made now.
        answer: what that was made from.
    """
    front = read_front(before)
    if front["catalog"] == answer.catalog_digest:
        return ()
    titles = [column.title for column in answer.runs.columns]
    old, new = run_states(before), run_states(after)
    lines = [f"{_bare(name)}: is no longer among the runs" for name in old if name not in new]
    lines += [f"{_bare(name)}: is new" for name in new if name not in old]
    for name in new:
        for title, was, now in zip(titles, old.get(name, ()), new[name], strict=False):
            if was != now:
                lines.append(f"{_bare(name)}: {title} was {_bare(was)}, is {_bare(now)}")
    known = {head.run_id: label for head, label in zip(answer.diff.runs, run_labels(answer.diff.runs), strict=True)}
    baseline = answer.diff.runs[0].run_id if answer.diff.runs else ""
    if front.get("baseline") != baseline and baseline:
        lines.append(f"the baseline is {known[baseline]} now")
    return tuple(lines) or ("a parameter, a metric or its number of points changed in what the tables do not show",)


def _bare(cell: str) -> str:
    return value_exact(cell.strip("`").strip())
