"""When the bell rings, and what it says."""

from __future__ import annotations

from collections.abc import Sequence

from textual.pilot import Pilot

from mlbench.queries.standing import Standing, Standings
from mlbench.settings import Settings
from mlbench.tui.app import Workbench
from mlbench.tui.bell import GAP_S, Bell, reasons
from tests.tui.driving import keys, play, screen_text, settle, workbench
from tests.tui.fake import FakeSession

ALL = ("beats", "nan", "stalls")
RUNNING = Standing("a", "lion", "running", (), 0.5)


def standings(*runs: Standing, base: float = 0.4) -> Standings:
    return Standings(runs, "val/loss", "min", "base", base)


def test_each_rule_tells_what_has_come_about_and_only_once() -> None:
    before = standings(RUNNING)
    now = standings(Standing("a", "lion", "stalled", ("train/loss", "val/loss"), 0.3))

    assert reasons(before, now, ALL) == (
        "lion beats the baseline: val/loss 0.3, not 0.4",
        "lion: train/loss and 1 more is NaN or infinite",
        "lion stalls",
    )
    assert reasons(before, now, ("nan",)) == ("lion: train/loss and 1 more is NaN or infinite",)
    assert reasons(now, now, ALL) == ()
    assert reasons(before, before, ALL) == ()


def test_another_baseline_or_metric_is_no_news_of_the_runs() -> None:
    better = standings(Standing("a", "lion", "running", (), 0.3), base=0.4)
    other = Standings(better.runs, "val/acc", "max", "base", 0.1)

    assert reasons(other, better, ALL) == ()
    assert reasons(standings(), standings(Standing("base", "base", "running", (), 0.1)), ALL) == ()


def test_a_hostile_name_does_not_reach_the_terminal() -> None:
    now = standings(Standing("a", "\x1b]0;x\x07" + "n" * 90, "running", ("\x1b[2J",), None))

    (said,) = reasons(standings(), now, ALL)

    assert "\x1b" not in said
    assert "\x07" not in said
    assert len(said) < 100


class Watched(FakeSession):
    """Tells of other standings at each look."""

    def __init__(self, *looks: Standings) -> None:
        super().__init__()
        self.looks = list(looks)

    def standings(self, _metric: str, _watched: Sequence[str]) -> Standings:
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]


def rung(rings: list[int], app: Workbench) -> None:
    app.bell = lambda: rings.append(1)  # type: ignore[method-assign]


def test_it_rings_by_the_rules_of_the_scope_and_not_twice_within_the_gap() -> None:
    odd = Standing("a", "lion", "running", ("val/loss",), 0.5)
    odd_too = Standing("b", "vit", "running", ("val/acc",), 0.5)
    session = Watched(standings(RUNNING), standings(odd), standings(odd, odd_too))
    app = workbench(session)
    rings: list[int] = []
    rung(rings, app)
    now = [0.0]

    async def script(pilot: Pilot[int]) -> None:
        app.desk.bell = Bell(app.desk, lambda: now[0])
        app.desk.bell.look(has_changed=True)
        await settle(pilot)
        assert len(session.looks) == 3  # nobody asked for it

        await keys(pilot, "B", "'nan'", "enter")
        assert "nan" in screen_text(app)
        assert list(app.desk.bell.rules) == ["nan"]
        assert not rings

        app.desk.bell.look(has_changed=True)
        await settle(pilot)
        assert len(rings) == 1
        assert "lion: val/loss is NaN or infinite" in screen_text(app)

        now[0] = GAP_S / 2
        app.desk.bell.look(has_changed=True)
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert len(rings) == 1

        now[0] = GAP_S * 2
        app.desk.bell.look(has_changed=False)
        await app.workers.wait_for_complete()
        app.desk.bell._ring()
        assert len(rings) == 2
        assert "vit: val/acc is NaN" in str(app.desk.message)

        await keys(pilot, ":", "'bell off'", "enter")
        assert list(app.desk.bell.rules) == []

        await keys(pilot, ":", "'bell loud'", "enter")
        assert "'loud'" in screen_text(app)

    play(app, script)


def test_the_setting_rings_where_the_scope_says_nothing() -> None:
    app = Workbench(FakeSession(), settings=Settings(bell=("stalls",)))

    async def script(pilot: Pilot[int]) -> None:
        assert app.desk.bell.rules == ("stalls",)
        await settle(pilot)

    play(app, script)
