import pytest

from mlbench.errors import UsageError
from mlbench.render.smoothing import KINDS, check_amount
from mlbench.tui.keeping import from_text, to_text
from mlbench.tui.smoothings import SMOOTHINGS, is_smoothing
from mlbench.tui.view import ChartLook, View


def test_the_workbench_has_the_kinds_that_can_be_drawn() -> None:
    assert tuple(SMOOTHINGS) == KINDS


@pytest.mark.parametrize("kind", ["ema", "twema", "mean", "gaussian", "median"])
@pytest.mark.parametrize("amount", [-1.0, 0.0, 0.6, 1.0, 20.0, 1e6, 1e7, float("nan")])
def test_it_takes_what_can_be_drawn(kind: str, amount: float) -> None:
    try:
        check_amount(kind, amount)
        can_be_drawn = True
    except UsageError:
        can_be_drawn = False

    assert is_smoothing(kind, amount) == can_be_drawn


@pytest.mark.parametrize(
    ("look", "is_kept"),
    [
        (ChartLook(smoothing=20.0, smoothing_kind="mean"), True),
        (ChartLook(smoothing=20.0), False),
        (ChartLook(smoothing_kind="median"), False),
        (ChartLook(smoothing=float("nan")), False),
    ],
)
def test_a_smoothing_that_cannot_be_drawn_does_not_come_back(look: ChartLook, is_kept: bool) -> None:
    back = from_text(to_text(View(chart=look)), View()).chart

    assert back == (look if is_kept else ChartLook())
