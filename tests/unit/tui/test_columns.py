"""What stands above the columns of the table."""

from __future__ import annotations

import pytest

from mlbench.queries.answers import Column, RunsAnswer
from mlbench.render.cells import fit_middle
from mlbench.safe import safe
from mlbench.tui.widgets.columns import MOST_TITLE_CELLS, Fits, table_columns


def titles(*names: str) -> list[str]:
    answer = RunsAnswer(tuple(Column(f"params.{name}", name, "param") for name in names), (), 0, 0)
    return [fit_middle(column.title, column.width) for column in table_columns(answer, Fits())[1:]]


@pytest.mark.parametrize(
    "names",
    [
        ("accelerator_config.dispatch_batches", "accelerator_config.split_batches", "lr"),
        ("scheduler.gamma.at_end", "scheduler.power.at_end"),
    ],
)
def test_titles_that_would_be_cut_alike_tell_their_columns_apart(names: tuple[str, ...]) -> None:
    cut = [fit_middle(safe(name), MOST_TITLE_CELLS) for name in names]
    assert len(set(cut)) < len(names)

    shown = titles(*names)

    assert len(set(shown)) == len(names)
    assert all(len(title) <= MOST_TITLE_CELLS for title in shown)


def test_titles_that_differ_are_cut_in_their_middle() -> None:
    assert titles("num_train_epochs", "gradient_checkpointing", "lr") == ["num_tra…epochs", "gradien…inting", "lr"]
