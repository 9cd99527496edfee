"""Keys that are typed before what they are meant for is there: they wait for it, and are taken in their order."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from textual.events import Key

if TYPE_CHECKING:
    from mlbench.errors import MlbenchError
    from mlbench.tui.desk import Desk

Answer = TypeVar("Answer")
GIVING_UP = ("escape", "ctrl+c")
"""Keys that do not wait for a prompt: they give it up."""


class Waiting:
    """Holds keys while a query that was accepted may take the run from under the cursor, or a prompt is to come."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._keys: list[Key] = []
        self._slot = ""
        """Of the question whose answer opens a prompt."""

    def ask(
        self, slot: str, question: Callable[[], Answer], then: Callable[[Answer], None], *, lane: str
    ) -> None:  # fmt: skip
        """Ask what a prompt needs; what is typed meanwhile is meant for the prompt, and goes nowhere if none comes.

        Args:
            slot: as in `Asker.ask`, and so are the others.
            question: runs in a thread.
            then: opens the prompt.
            lane: of the question.
        """

        def take(answer: Answer) -> None:
            self._slot = ""
            then(answer)
            self._end()

        def fail(error: MlbenchError) -> None:
            self._slot = ""
            self._desk.complain(error)
            self._end()

        self._slot = slot
        self._desk.asker.ask(slot, question, take, lane=lane, otherwise=fail)

    def _end(self) -> None:
        if self._desk.prompter.prompt is None:
            self._keys.clear()
        self.go_on()

    def holds(self, key: Key) -> bool:
        """Whether a key is kept for later, or gave up the prompt that others were kept for."""
        if self._slot and key.key in GIVING_UP:
            self._desk.asker.forget(self._slot)
            self._slot = ""
            self._keys.clear()
            return True
        if self._keys or self._must_wait(key):
            self._keys.append(key)
            return True
        return False

    def go_on(self) -> None:
        """Take the keys that need not wait any longer."""
        while self._keys and not self._must_wait(self._keys[0]):
            self._desk.host.take_key(self._keys.pop(0))

    def _must_wait(self, key: Key) -> bool:
        """Whether a key is meant for a prompt to come, or would act on a run that may not be the one meant."""
        if self._slot:
            return True
        if self._desk.prompter.prompt is not None or not self._desk.awaits_runs:
            return False
        return key.key in ("enter", "space") or (key.is_printable and key.character not in ("j", "k", "/", "q"))
