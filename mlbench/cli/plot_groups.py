"""The groups of `mlbench plot --group-by`: by columns, or by `setting`, where runs that repeat each other are found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from mlbench.cli.common import talk

if TYPE_CHECKING:
    from mlbench.catalog.reader import Reader
    from mlbench.queries.answers import RunsAnswer
    from mlbench.queries.views import SavedView


def group_specs(view: SavedView, kind: str, form: str | None, *, is_asked: bool) -> tuple[str, ...]:
    """What to group by, a column each. What does not go by the groups of a view is told.

    Args:
        view: its groups, which are those of the command line where that has some.
        kind: of the plot.
        form: the format of the answer.
        is_asked: whether the command line asks for them.
    """
    from mlbench.cli.plot_checks import where_ungrouped
    from mlbench.queries.columns import read_columns

    if not is_asked and view.group_by and (where := where_ungrouped(kind, form)):
        talk(f"the view's groups are left out: they mean nothing with {where}")
        return ()
    return tuple(spec.text for text in view.group_by for spec in read_columns(text))


def check_ignored(specs: Sequence[str], ignore: Sequence[str]) -> None:
    """Raise UsageError where something shall be ignored and no settings are asked for."""
    if ignore and not has_setting(specs):
        raise click.UsageError("--ignore says what makes no other setting. Try: --group-by setting --ignore ...")


def has_setting(specs: Sequence[str]) -> bool:
    from mlbench.queries.grouping import SETTING

    return any(spec.lower() == SETTING for spec in specs)


def columns_of(specs: Sequence[str]) -> tuple[str, ...]:
    """Those that are columns: all but the word `setting`."""
    from mlbench.queries.grouping import SETTING

    return tuple(spec for spec in specs if spec.lower() != SETTING)


def groups_of(reader: Reader, answer: RunsAnswer, specs: Sequence[str], ignore: Sequence[str]) -> Mapping[str, str]:
    """The label of each run's group, `lr=0.1`, from its setting and its columns; runs without any value have none."""
    settings = _settings(reader, answer, ignore) if has_setting(specs) else {}
    columns = _by_columns(answer)
    runs = [row.head.run_id for row in answer.rows]
    labels = {run_id: " ".join(filter(None, (settings.get(run_id), columns.get(run_id)))) for run_id in runs}
    return {run_id: label for run_id, label in labels.items() if label}


def _settings(reader: Reader, answer: RunsAnswer, ignore: Sequence[str]) -> Mapping[str, str]:
    """By run id what tells its setting from the others; what was taken for a repetition is told."""
    from mlbench.queries.folding import fold_runs
    from mlbench.queries.grouping import set_aside_remarks
    from mlbench.render.labels import setting_labels

    folds = fold_runs(reader, [row.head.run_id for row in answer.rows], ignore=ignore)
    for remark in set_aside_remarks(folds):
        talk(remark)
    return setting_labels(folds)


def _by_columns(answer: RunsAnswer) -> Mapping[str, str]:
    from mlbench.render.numbers import value_text

    titles = [column.title for column in answer.columns]
    labels = {}
    for row in answer.rows:
        values = ((title, value) for title, value in zip(titles, row.values, strict=True) if value is not None)
        labels[row.head.run_id] = " ".join(f"{title}={value_text(value)}" for title, value in values)
    return labels
