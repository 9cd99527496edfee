"""Questions that take time: each in a thread, and the answer to an older one is dropped."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from textual.app import App
from textual.message import Message

from mlbench.dataclass import dataclass
from mlbench.errors import MlbenchError

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question under way."""

    slot: str
    """What it is about: a newer question in a slot makes the older one void."""
    generation: int
    question: Callable[[], object]
    then: Callable[[Any], None]
    otherwise: Callable[[MlbenchError], None]
    since: int = 0
    """The first generation of those without a break that were about the same subject; its own without one."""


class Answered(Message):
    """An answer has come back from a thread; what is in it is frozen."""

    def __init__(self, asked: Asked, answer: object, error: MlbenchError | None) -> None:
        super().__init__()
        self.asked = asked
        self.answer = answer
        self.error = error


class Asker:
    """Asks in threads, one question at a time in each lane and in order.

    Textual cannot stop a thread, so generations say what still counts: a question that has become void while it waited
    is not asked, and an answer that has become void is dropped. A newer question takes the place of the one that it
    makes void, not the end of the lane: else those behind a slow one would never have a turn while all are asked again
    and again, as they are of a run that is being trained.
    """

    def __init__(self, app: App[int], otherwise: Callable[[MlbenchError], None]) -> None:
        """Ask for an app.

        Args:
            app: runs the threads and gets the answers as messages.
            otherwise: gets an error, where the question names nobody else for it.
        """
        self._app = app
        self._otherwise = otherwise
        self._generations: dict[str, int] = defaultdict(int)
        self._subjects: dict[str, tuple[object, int]] = {}
        """Of each slot what its last question was about, and the generation since which they have been about it."""
        self._shown: dict[str, int] = defaultdict(int)
        """Of each slot the generation of the answer that was handed over last."""
        self._waiting: dict[str, deque[Asked]] = {}
        """Questions of each lane that has a thread."""
        self._n_open = 0
        """Questions that were asked and neither dropped nor answered."""
        self._lock = threading.Lock()

    def ask(
        self,
        slot: str,
        question: Callable[[], Answer],
        then: Callable[[Answer], None],
        *,
        lane: str = "",
        subject: object = None,
        otherwise: Callable[[MlbenchError], None] | None = None,
    ) -> None:
        """Call `question` in a thread, then `then` with its answer in the app's.

        Args:
            slot: a newer question in this slot makes this one void.
            question: runs in a thread; may raise MlbenchError.
            then: gets the answer, unless a newer question was asked meanwhile.
            lane: questions in one lane wait for each other; '' is a lane of the slot's own.
            subject: what the question is about, None where that cannot be said: an answer is also taken while a newer
                question about the same is under way, whose answer follows.
            otherwise: gets the error; by default the one that was given for all.
        """
        since = self._next_generation(slot, subject)
        asked = Asked(slot, self._generations[slot], question, then, otherwise or self._otherwise, since)
        name = lane or slot
        with self._lock:
            waiting = self._waiting.get(name)
            if waiting is None:
                self._waiting[name] = deque([asked])
            elif (place := _place_of(waiting, slot)) is not None:
                waiting[place] = asked
                return
            else:
                waiting.append(asked)
            self._n_open += 1
        if waiting is None:
            self._app.run_worker(lambda: self._work(name), thread=True, group=name, name=name)

    def _next_generation(self, slot: str, subject: object) -> int:
        """Begin a generation; the one since which the slot has been about this subject."""
        self._generations[slot] += 1
        before, since = self._subjects.get(slot, (None, 0))
        if subject is None or subject != before:
            since = self._generations[slot]
        self._subjects[slot] = (subject, since)
        return since

    @property
    def is_busy(self) -> bool:
        """Whether an answer is still to come."""
        return self._n_open > 0

    def _close_one(self) -> None:
        with self._lock:
            self._n_open -= 1

    def forget(self, slot: str) -> None:
        """Make the questions of a slot void."""
        self._next_generation(slot, None)

    def _work(self, lane: str) -> None:
        """In a thread: ask what waits in the lane, until nothing does."""
        while True:
            with self._lock:
                if not self._waiting[lane]:
                    del self._waiting[lane]
                    return
                asked = self._waiting[lane].popleft()
            if self._is_void(asked):
                self._close_one()
                continue
            answer: object = None
            error: MlbenchError | None = None
            try:
                answer = asked.question()
            except MlbenchError as raised:
                error = raised
            self._app.post_message(Answered(asked, answer, error))

    def _is_void(self, asked: Asked) -> bool:
        return self._generations[asked.slot] != asked.generation

    def deliver(self, message: Answered) -> None:
        """Hand the answer to the one who asked, if it still counts. Called in the app's thread."""
        self._close_one()
        asked = message.asked
        is_newest = not self._is_void(asked)
        if message.error is not None:
            if is_newest:
                asked.otherwise(message.error)
        elif is_newest or self._is_of_use(asked):
            self._shown[asked.slot] = asked.generation
            asked.then(message.answer)

    def _is_of_use(self, asked: Asked) -> bool:
        """Whether an answer is about what the newest question is about, and newer than what was shown."""
        return self._subjects[asked.slot][1] == asked.since and self._shown[asked.slot] < asked.generation


def _place_of(waiting: Sequence[Asked], slot: str) -> int | None:
    return next((place for place, asked in enumerate(waiting) if asked.slot == slot), None)
