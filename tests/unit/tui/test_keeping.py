"""What is kept of the view comes back; what another version or a broken disk left is passed over."""

import json

import pytest

from mlbench.tui.keeping import from_text, to_text
from mlbench.tui.tabling import MOST_MARKED
from mlbench.tui.view import Marks, View

LAID = (("main/both", ("loss/train", "loss/val")), ("main/accuracy", ("acc",)))
MARGINS = (("main/accuracy", "acc/low", "acc/high"),)


def test_a_layout_that_was_chosen_comes_back() -> None:
    view = View().charted(metrics=("loss/train", "loss/val", "acc"), laid=LAID, margins=MARGINS)

    back = from_text(to_text(view), View())

    assert back.chart.laid == LAID
    assert back.chart.margins == MARGINS
    assert back.chart.metrics == view.chart.metrics


def test_all_marks_come_back() -> None:
    view = View(marks=Marks().with_all(f"id{number}" for number in range(MOST_MARKED)))

    assert from_text(to_text(view), View()).marks == view.marks


@pytest.mark.parametrize("kept", [3, ["a"], [["a", 3]], [["a", ["b"], "c"]], [[3, ["b"]]], {"a": ["b"]}])
def test_a_layout_that_is_not_understood_is_none(kept: object) -> None:
    text = json.dumps({"chart": {"laid": kept, "margins": kept}})

    back = from_text(text, View())

    assert (back.chart.laid, back.chart.margins) == ((), ())
