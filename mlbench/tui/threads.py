"""The threads of the workbench's questions: whoever leaves waits for those that live, and for none that hangs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from mlbench.wire.patience import POLL_S, life_of

T = TypeVar("T")

LEAVING_S = 1.0
"""A thread that shows no sign of life for so long is left behind: a file on a mount that is gone may never answer."""


class Threads(ThreadPoolExecutor):
    """A thread for each call, which does not keep the process.

    Those of `ThreadPoolExecutor` are joined when the interpreter ends, however long they take.
    """

    def __init__(self) -> None:
        super().__init__(max_workers=1)  # starts none by itself
        self._running: set[threading.Thread] = set()

    def submit(self, call: Callable[..., T], /, *arguments: Any, **more: Any) -> Future[T]:  # noqa: ANN401
        """Begin a call."""
        future: Future[T] = Future()
        thread = threading.Thread(target=self._run, args=(future, call, arguments, more), daemon=True)
        self._running.add(thread)
        thread.start()
        return future

    def _run(self, future: Future[T], call: Callable[..., T], arguments: Any, more: Any) -> None:  # noqa: ANN401
        try:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(call(*arguments, **more))
                except BaseException as error:  # noqa: BLE001 - raised again where somebody waits
                    future.set_exception(error)
        finally:
            self._running.discard(threading.current_thread())

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        """Wait for what is being done, as long as it shows a sign of life."""
        for thread in list(self._running) if wait else ():
            n_still, life = 0, life_of(thread)
            while thread.is_alive() and n_still * POLL_S < LEAVING_S:
                thread.join(POLL_S)
                before, life = life, life_of(thread)
                n_still = n_still + 1 if life == before else 0


def use_threads_that_can_be_left() -> None:
    """For the running loop."""
    asyncio.get_running_loop().set_default_executor(Threads())
