"""The groups of `mlbench plot`: runs with one value of a column, or of one setting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from mlbench.cli.common import talk

if TYPE_CHECKING:
    from mlbench.catalog.reader import Reader
    from mlbench.queries.answers import RunsAnswer
    from mlbench.queries.views import SavedView


def group_specs(view: SavedView, ignore: Sequence[str], kind: str, form: str | None) -> tuple[str, ...]:
    """What to group by, `setting` among it. Where the plot has no groups it is told that those of a view are left out.

    Raises:
        click.UsageError: something is to make no other setting, and the groups are no settings.
    """
    from mlbench.cli.plot_checks import where_ungrouped
    from mlbench.queries.grouping import besides_setting

    specs = view.group_by
    if specs and (where := where_ungrouped(kind, form)):
        talk(f"the view's groups are left out: they mean nothing with {where}")
        specs = ()
    if ignore and not (specs and besides_setting(specs)[1]):
        raise click.UsageError("--ignore says what makes no other setting. Try: --group-by setting --ignore ...")
    return specs


def group_columns(specs: Sequence[str]) -> Sequence[str]:
    """The columns that the runs are asked for: all but the setting, which is found and not named."""
    from mlbench.queries.grouping import besides_setting

    return besides_setting(specs)[0] if specs else ()


def groups_of(reader: Reader, answer: RunsAnswer, specs: Sequence[str], ignore: Sequence[str]) -> Mapping[str, str]:
    """The label of each run's group, `lr=0.1` or `adam lr=0.1`; runs without any value have none.

    What was set aside to find the settings is told.
    """
    from mlbench.queries.grouping import besides_setting

    if not specs:
        return {}
    values = _by_columns(answer)
    if not besides_setting(specs)[1]:
        return values
    settings = _by_setting(reader, [row.head.run_id for row in answer.rows], ignore)
    return {run_id: " ".join(filter(None, (label, values.get(run_id)))) for run_id, label in settings.items()}


def _by_setting(reader: Reader, ids: Sequence[str], ignore: Sequence[str]) -> Mapping[str, str]:
    from mlbench.queries.folding import fold_runs
    from mlbench.queries.grouping import fold_remarks
    from mlbench.render.labels import setting_labels

    folds = fold_runs(reader, ids, ignore=ignore)
    for remark in fold_remarks(folds):
        talk(remark)
    return {run_id: str(label) for run_id, label in setting_labels(folds).items()}


def _by_columns(answer: RunsAnswer) -> Mapping[str, str]:
    from mlbench.render.numbers import value_text

    titles = [column.title for column in answer.columns]
    labels = {}
    for row in answer.rows:
        values = ((title, value) for title, value in zip(titles, row.values, strict=True) if value is not None)
        labels[row.head.run_id] = " ".join(f"{title}={value_text(value)}" for title, value in values)
    return {run_id: label for run_id, label in labels.items() if label}
