"""The comparison as a page: runs side by side, parameters as a tree that folds, metrics with differences. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mlbench.render.apart import fit_apart
from mlbench.render.cells import Cell, Line, fit_middle, line_of, padded, width_cells
from mlbench.render.diff import diff_sections
from mlbench.render.diff_metrics import BEST_AT, BETTER, METRICS, NOT_FINITE, WORSE, better_role, delta_text
from mlbench.render.labels import BASELINE_MARK, short_labels
from mlbench.render.numbers import number
from mlbench.render.table import Section
from mlbench.safe import Safe, safe
from mlbench.tui.actions import usual_key
from mlbench.tui.widgets.lines_view import Page

if TYPE_CHECKING:
    from mlbench.queries.answers import DiffAnswer, MetricCell, MetricRow, RunHead

LEAST_RUN_CELLS, MOST_RUN_CELLS = 13, 28
LEAST_LEAD_CELLS = 24
LEAST_BASE_CELLS = 12
"""Of the baseline's name in the title; where it has less room it stands only over its column."""
GAP_CELLS = 2
_GOALS = {"min": "↓", "max": "↑"}


def compare_page(
    answer: DiffAnswer, width: int, offset: int, *, as_deltas: bool, slots: Mapping[str, int], has_baseline: bool,
    title: str = "compare", folds: Collection[str] = (), key_of: Callable[[str], str] = usual_key,
) -> Page:  # fmt: skip
    """The runs side by side, the baseline first; names of rows, and the baseline, stay when the columns move.

    Args:
        answer: the comparison.
        width: columns of the pane.
        offset: runs after the baseline that are moved out at the left.
        as_deltas: parameters relative to the baseline.
        slots: colour slots by run id.
        has_baseline: the first run is the baseline that the user chose, and not only the first one marked.
        title: of the pane.
        folds: parents that are closed, and groups of slices that are open: see `diff_sections`.
        key_of: id of an action to the key that is shown for it.
    """
    n_runs = len(answer.runs)
    sections = _ordered(diff_sections(answer, as_deltas=as_deltas, is_tree=True, folds=folds), n_runs)
    if as_deltas:
        sections = [only_deltas(section, answer) if section.key == METRICS else section for section in sections]
    as_good = {f"metrics:{row.metric}" for row in answer.metrics if _is_said_once(row)}
    lead = _lead_cells(sections, n_runs, width)
    natural = _run_cells(sections, answer.runs)
    shown, widths = _shown_runs(natural, width - lead - 2, offset)
    measures = _measures(sections, n_runs, shown, widths)
    lines: list[Line] = []
    keys: list[str] = []
    starts: list[int] = []
    for section in sections:
        if lines:
            lines.append(())
            keys.append("")
        starts.append(len(lines))
        lines.append(_section_line(section))
        keys.append("")
        for row, key in _section_rows(section, as_good):
            lines.append(
                _compare_line(row, n_runs, lead, shown, widths, measures if _is_value(row, key, n_runs) else {})
            )
            keys.append(key)
    if not lines:
        lines, keys = [line_of(("  nothing differs", "muted"))], [""]
    head = _heading_line(answer.runs, lead, shown, widths, slots, has_baseline=has_baseline)
    return Page(
        title=_compare_title(answer, title, width, key_of("runs.mark")),
        right=_hidden_text(n_runs, shown, f"{key_of('lists.left')} {key_of('lists.right')}"),
        head=(head,),
        lines=tuple(lines),
        keys=tuple(keys),
        sections=tuple(starts),
        n_columns=max(n_runs - 1, 1) if len(shown) < n_runs else 0,
    )


def _is_said_once(row: MetricRow) -> bool:
    """Whether best and last are the same in every run, and there is nothing else to tell."""
    return not row.at and all(cell.best == cell.last and not cell.n_nan and not cell.n_inf for cell in row.cells)


def _ordered(sections: Sequence[Section], n_runs: int) -> list[Section]:
    """Of one run nothing differs: what it came to stands first, and nothing is said of differences."""
    if n_runs > 1:
        return list(sections)
    named = [replace(section, title=safe(section.key), remark=safe("")) for section in sections]
    return sorted(named, key=lambda section: section.key != "metrics")


def _compare_title(answer: DiffAnswer, title: str, width: int, mark_key: str) -> Line:
    n_runs = len(answer.runs)
    if n_runs == 1:
        return line_of((f" {title}", "title"), (f"   one run: mark more with {mark_key}", "muted"))
    room = width - len(title) - 52
    against = f" against {fit_middle(short_labels(answer.runs)[0], room)}" if room >= LEAST_BASE_CELLS else ""
    return line_of((f" {title}", "title"), (f"   {n_runs} runs{against}", "muted"))


def _hidden_text(n_runs: int, shown: Sequence[int], keys: str) -> Line:
    if len(shown) == n_runs:
        return ()
    told = f"runs 1, {shown[1] + 1}-{shown[-1] + 1} of {n_runs}  {keys} " if len(shown) > 1 else ""
    return line_of((told, "muted")) if told else ()


def _lead_cells(sections: Sequence[Section], n_runs: int, width: int) -> int:
    """Columns of the names of the rows: as wide as they are, at most two fifths, and less where runs need the room."""
    leads = [_lead(row[: len(row) - n_runs]) for section in sections for row in section.table.rows]
    widest = max((sum(width_cells(cell.text) for cell in lead) for lead in leads), default=8)
    left = width - n_runs * (LEAST_RUN_CELLS + GAP_CELLS) - 2
    return min(max(widest + 1, 10), max(int(width * 0.4), 10), max(left, LEAST_LEAD_CELLS))


def _lead(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """The first cells of a row: its name, and of a metric which way it shall go (with `?` as its name suggests) and
    which of its values this is.
    """
    if len(cells) < 3:
        return tuple(cells)
    name, goal, what = cells
    arrow = _GOALS.get(goal.text[:3], " ") + ("?" if goal.text.endswith("(guessed)") else " ")
    return name, Cell(safe(f" {arrow}{what.text}"), "muted")


def _run_cells(sections: Sequence[Section], runs: Sequence[RunHead]) -> list[int]:
    """Columns that each run needs."""
    widths = [max(width_cells(label) + 2, LEAST_RUN_CELLS) for label in short_labels(runs)]
    for section in sections:
        for row in section.table.rows:
            for index, cell in enumerate(row[len(row) - len(runs) :]):
                widths[index] = max(widths[index], width_cells(cell.text))
    return [min(width, MOST_RUN_CELLS) for width in widths]


def _shown_runs(natural: Sequence[int], room: int, offset: int) -> tuple[list[int], list[int]]:
    """Which runs have room, the first always among them, and how wide each is."""
    n_runs = len(natural)
    n_room = max(room // (LEAST_RUN_CELLS + GAP_CELLS), 1)
    if n_runs <= n_room:
        shown = list(range(n_runs))
    else:
        first = min(1 + offset, max(n_runs - n_room + 1, 1))
        shown = [0, *range(first, min(first + n_room - 1, n_runs))]
    even = (room - GAP_CELLS * len(shown)) // len(shown)
    widths = [natural[index] for index in shown]
    while sum(widths) + GAP_CELLS * len(widths) > room and max(widths) > min(even, LEAST_RUN_CELLS):
        widths[widths.index(max(widths))] -= 1
    return shown, widths


def _section_line(section: Section) -> Line:
    remark = f"   {section.remark}" if section.remark else ""
    return line_of((f" {section.title}", "heading"), (remark, "muted"))


def _section_rows(section: Section, as_good: Collection[str]) -> list[tuple[tuple[Cell, ...], str]]:
    """Rows with what they are about: `params:lr`, `fold:params:optim`, `code:`. All lines of a metric are about it.

    Args:
        section: of the comparison.
        as_good: what the metrics are about whose last values are their best ones: they are not said twice.
    """
    keys = section.table.keys or [f"{section.key}:"] * len(section.table.rows)
    return [(row, key) for row, key in zip(section.table.rows, keys, strict=True)
            if key not in as_good or section.key != "metrics" or row[0].text]  # fmt: skip


def only_deltas(section: Section, answer: DiffAnswer) -> Section:
    """Metrics as differences to the baseline: what stands behind the value, or would there, takes its place."""
    n_runs, metrics = len(answer.runs), {f"{METRICS}:{row.metric}": row for row in answer.metrics}
    rows = []
    for row, key in zip(section.table.rows, section.table.keys, strict=True):
        n_lead = len(row) - n_runs
        if not _is_no_value(row, n_runs):
            behind = [replace(cell, text=_delta_of(cell.text)) for cell in row[n_lead + 1 :]]
            behind = _differences(metrics[key], _what(row, n_runs)) or behind
            row = (*row[: n_lead + 1], *behind)
        rows.append(row)
    return replace(section, table=replace(section.table, rows=tuple(rows)))


def _differences(row: MetricRow, what: str) -> list[Cell]:
    """The differences of the last values to the baseline's, or of those at the best of another metric; [] of others."""
    if not row.goal or what == "best":
        return []
    values = [cell.last if what == "last" else cell.at_best for cell in row.cells]
    pairs = zip(row.cells[1:], values[1:], strict=True)
    return [_difference(cell, row.goal, values[0], value) for cell, value in pairs]


def _difference(cell: MetricCell, goal: str, base: float | None, value: float | None) -> Cell:
    from mlbench.queries.compare_metrics import change_to

    change = change_to(value, base, goal)
    if change.delta is None:
        return Cell(safe("-" if value is None else number(value)), "muted" if value is None else "")
    told = replace(cell, **change._asdict())
    return Cell(_joined(delta_text(told)), better_role(told))


def _is_value(row: Sequence[Cell], key: str, n_runs: int) -> bool:
    """Whether a line, about `key`, has the values of a metric, or of one of its slices."""
    return key.startswith(f"{METRICS}:") and not _is_no_value(row, n_runs)


def _is_no_value(row: Sequence[Cell], n_runs: int) -> bool:
    """Whether a line of a metric says when its best value was, or how many are not finite."""
    return _what(row, n_runs) in (BEST_AT, NOT_FINITE)


def _what(row: Sequence[Cell], n_runs: int) -> str:
    """Which of the lines of a metric it is: `best`, `last`; '' in other sections."""
    lead = row[: len(row) - n_runs]
    return lead[2].text if len(lead) == 3 else ""


def _delta_of(text: Safe) -> Safe:
    """`▲+0.0004 +0.049%` of `0.7216 ▲ +0.0004 +0.049%`; a value that has no delta stays."""
    behind = text.partition(" ")[2]
    return _joined(behind) if behind else text


def _joined(difference: str) -> Safe:
    return safe(difference.replace(f"{BETTER} ", BETTER).replace(f"{WORSE} ", WORSE))


def _measures(
    sections: Sequence[Section], n_runs: int, shown: Sequence[int], widths: Sequence[int]
) -> dict[int, tuple[int, int]]:
    """For each run that is shown the columns of its longest metric value, and of what is said behind one."""
    rows = [row for section in sections for row, key in zip(section.table.rows, section.table.keys, strict=False)
            if _is_value(row, key, n_runs)]  # fmt: skip
    measures = {}
    for index, width in zip(shown, widths, strict=True):
        parts = [row[len(row) - n_runs + index].text.partition(" ") for row in rows]
        n_value = max((len(value) for value, _blank, _rest in parts), default=0)
        n_rest = max((len(words_fitting(rest, width - n_value - 1)) for _value, _blank, rest in parts), default=0)
        measures[index] = n_value, n_rest
    return measures


def words_fitting(rest: str, room: int) -> str:
    """As many words as have room: of `▲ +0.0004 +0.049%` the percent goes first, then the difference."""
    words = rest.split(" ")
    while words and len(" ".join(words)) > room:
        words.pop()
    return " ".join(words)


def _lined_up(text: Safe, measure: tuple[int, int], width: int) -> Safe:
    """A metric's value with those of the other lines under it, and what is said behind it as far as it fits; no
    number is ever cut.
    """
    value, _blank, rest = text.partition(" ")
    n_value, n_rest = measure
    behind = f" {words_fitting(rest, min(n_rest, width - n_value - 1)).ljust(n_rest)}" if n_rest else ""
    return safe(value.rjust(min(n_value, max(width - len(behind), 0))) + behind)


def _compare_line(
    row: Sequence[Cell], n_runs: int, lead: int, shown: Sequence[int], widths: Sequence[int],
    measures: Mapping[int, tuple[int, int]],
) -> Line:  # fmt: skip
    values = row[len(row) - n_runs :]
    is_moment = _what(row, n_runs) == BEST_AT
    cells = [Cell(safe("  ")), *_fitted(_lead(row[: len(row) - n_runs]), lead - 1)]
    for index, width in zip(shown, widths, strict=True):
        text = values[index].text
        if is_moment and width_cells(text) > width:
            text = safe(text.partition(" ")[0])  # the step: half a time would be another one
        text = _lined_up(text, measures[index], width) if measures else fit_middle(text, width)
        text = padded(text, width, align="right")
        cells += [Cell(safe(" " * GAP_CELLS)), Cell(text, values[index].role)]
    return tuple(cells)


def _fitted(cells: Sequence[Cell], width: int) -> list[Cell]:
    """Cells in exactly `width` columns, the first at the left and the others at the right; the first one is cut."""
    rest = sum(width_cells(cell.text) for cell in cells[1:])
    room = max(width - rest, min(width_cells(cells[0].text), 4))
    return [Cell(padded(fit_middle(cells[0].text, room), room), cells[0].role), *cells[1:]]


def _heading_line(
    runs: Sequence[RunHead], lead: int, shown: Sequence[int], widths: Sequence[int], slots: Mapping[str, int], *,
    has_baseline: bool,
) -> Line:  # fmt: skip
    labels = short_labels(runs)
    if any(width_cells(labels[index]) + 2 > width for index, width in zip(shown, widths, strict=True)):
        labels = fit_apart(labels, min(widths) - 2)
    cells = [Cell(safe(" " * (lead + 1)))]
    for index, width in zip(shown, widths, strict=True):
        slot = slots.get(runs[index].run_id)
        mark = f"{BASELINE_MARK} " if index == 0 and (has_baseline or len(runs) > 1) else "● "
        text = safe(mark) + labels[index]
        role = f"run{slot % 8}" if slot is not None else "baseline"
        cells += [Cell(safe(" " * GAP_CELLS)), Cell(padded(text, width, align="right"), role)]
    return tuple(cells)
