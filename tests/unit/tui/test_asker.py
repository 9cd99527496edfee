"""Questions in threads: order, and what becomes of those that are no longer wanted."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from functools import partial

from textual.app import App

from mlbench.errors import HomeError, MlbenchError
from mlbench.tui.asker import Answered, Asker


class Host(App[int]):
    """An app that only hands answers over."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[object] = []
        self.asker = Asker(self, self.told.append)

    def on_answered(self, message: Answered) -> None:
        self.asker.deliver(message)


def run(script: Callable[[Host], Awaitable[None]]) -> list[object]:
    host = Host()

    async def play() -> None:
        async with host.run_test() as pilot:
            await script(host)
            while host.asker.is_busy:
                await pilot.pause(0.01)

    asyncio.run(play())
    return host.told


def test_an_answer_comes_back() -> None:
    async def script(host: Host) -> None:
        host.asker.ask("sum", lambda: 1 + 1, host.told.append)

    assert run(script) == [2]


def test_an_older_answer_in_a_slot_is_dropped_even_if_it_comes_last() -> None:
    gate = threading.Event()

    async def script(host: Host) -> None:
        host.asker.ask("slot", lambda: gate.wait(5) and "old", host.told.append, lane="slow")
        host.asker.ask("slot", lambda: "new", host.told.append, lane="quick")
        gate.set()

    assert run(script) == ["new"]


def test_a_question_that_became_void_while_it_waited_is_not_asked() -> None:
    gate = threading.Event()
    asked: list[str] = []

    async def script(host: Host) -> None:
        host.asker.ask("first", lambda: gate.wait(5), lambda _answer: None, lane="one")
        for letter in "abc":
            host.asker.ask("typed", partial(asked.append, letter), lambda _answer: None, lane="one")
        gate.set()

    run(script)

    assert asked == ["c"]


def test_questions_in_one_lane_are_asked_in_their_order() -> None:
    asked: list[int] = []

    async def script(host: Host) -> None:
        for number in range(20):
            host.asker.ask(f"word {number}", partial(asked.append, number), lambda _answer: None, lane="words")

    run(script)

    assert asked == list(range(20))


def test_an_error_goes_to_the_one_who_is_named_for_it_else_to_all() -> None:
    def fail() -> None:
        raise HomeError("full")

    errors: list[MlbenchError] = []

    async def script(host: Host) -> None:
        host.asker.ask("a", fail, host.told.append, otherwise=errors.append)
        host.asker.ask("b", fail, host.told.append)

    told = run(script)

    assert [str(error) for error in errors] == ["full"]
    assert [str(error) for error in told] == ["full"]


def test_a_forgotten_question_has_no_answer() -> None:
    async def script(host: Host) -> None:
        host.asker.ask("a", lambda: 1, host.told.append)
        host.asker.forget("a")

    assert run(script) == []


async def until_set(event: threading.Event) -> None:
    while not event.is_set():
        await asyncio.sleep(0.005)


def test_a_question_that_is_asked_again_keeps_its_place_in_the_lane() -> None:
    """Else a slow one before it, asked again each time, would never let it have a turn."""
    gate, begun = threading.Event(), threading.Event()
    asked: list[str] = []

    def slow() -> None:
        begun.set()
        gate.wait(5)

    async def script(host: Host) -> None:
        host.asker.ask("slow", slow, lambda _answer: None, lane="one")
        await until_set(begun)
        for number in (1, 2):
            for slot in ("curves", "histograms"):
                host.asker.ask(slot, partial(asked.append, f"{slot} {number}"), lambda _answer: None, lane="one")
            host.asker.ask("slow", partial(asked.append, f"slow {number}"), lambda _answer: None, lane="one")
        gate.set()

    run(script)

    assert asked == ["curves 2", "histograms 2", "slow 2"]


def answers_of(subjects: tuple[object, object], *, is_forgotten: bool = False) -> list[object]:
    """What is shown when the second question is asked while the first one is being answered."""
    gate, begun = threading.Event(), threading.Event()

    def first() -> str:
        begun.set()
        gate.wait(5)
        return "first"

    async def script(host: Host) -> None:
        host.asker.ask("slot", first, host.told.append, subject=subjects[0])
        await until_set(begun)
        if is_forgotten:
            host.asker.forget("slot")
        host.asker.ask("slot", lambda: "second", host.told.append, subject=subjects[1])
        gate.set()

    return run(script)


def test_an_answer_is_shown_while_a_newer_question_about_the_same_waits() -> None:
    assert answers_of((("run a",), ("run a",))) == ["first", "second"]


def test_an_answer_about_something_else_is_dropped() -> None:
    assert answers_of((("run a",), ("run b",))) == ["second"]
    assert answers_of((None, None)) == ["second"]


def test_an_answer_that_was_forgotten_is_dropped_although_the_same_is_asked_again() -> None:
    assert answers_of((("run a",), ("run a",)), is_forgotten=True) == ["second"]


def test_an_older_answer_about_the_same_never_replaces_a_newer_one() -> None:
    gate, begun = threading.Event(), threading.Event()

    def first() -> str:
        begun.set()
        gate.wait(5)
        return "old"

    async def script(host: Host) -> None:
        host.asker.ask("slot", first, host.told.append, lane="slow", subject="same")
        await until_set(begun)
        host.asker.ask("slot", lambda: "new", host.told.append, lane="quick", subject="same")
        while not host.told:
            await asyncio.sleep(0.01)
        gate.set()

    assert run(script) == ["new"]
