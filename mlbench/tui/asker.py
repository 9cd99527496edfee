"""Questions that take time: each in a thread, and the answer to an older one is dropped."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable
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
    is not asked, and an answer that has become void is dropped.
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
        otherwise: Callable[[MlbenchError], None] | None = None,
    ) -> None:
        """Call `question` in a thread, then `then` with its answer in the app's.

        Args:
            slot: a newer question in this slot makes this one void.
            question: runs in a thread; may raise MlbenchError.
            then: gets the answer, unless a newer question was asked meanwhile.
            lane: questions in one lane wait for each other; '' is a lane of the slot's own.
            otherwise: gets the error; by default the one that was given for all.
        """
        self._generations[slot] += 1
        asked = Asked(slot, self._generations[slot], question, then, otherwise or self._otherwise)
        name = lane or slot
        with self._lock:
            self._n_open += 1
            waiting = self._waiting.get(name)
            if waiting is not None:
                waiting.append(asked)
                return
            self._waiting[name] = deque([asked])
        self._app.run_worker(lambda: self._work(name), thread=True, group=name, name=name)

    @property
    def is_busy(self) -> bool:
        """Whether an answer is still to come."""
        return self._n_open > 0

    def _close_one(self) -> None:
        with self._lock:
            self._n_open -= 1

    def forget(self, slot: str) -> None:
        """Make the questions of a slot void."""
        self._generations[slot] += 1

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
        if self._is_void(message.asked):
            return
        if message.error is not None:
            message.asked.otherwise(message.error)
        else:
            message.asked.then(message.answer)
