"""Promises of the threads of questions: what lives is waited for, what hangs is left behind."""

import asyncio
import subprocess
import sys
import threading
import time

import pytest

from mlbench.tui import threads
from mlbench.tui.threads import Threads, use_threads_that_can_be_left


def test_answers_and_errors_come_back() -> None:
    executor = Threads()

    assert executor.submit(max, 2, 3).result(10) == 3
    with pytest.raises(ZeroDivisionError):
        executor.submit(lambda: 1 // 0).result(10)
    executor.shutdown()


def test_what_hangs_is_left_behind_and_what_lives_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "LEAVING_S", 0.5)
    over, done = threading.Event(), []

    def live() -> None:
        until_s = time.thread_time() + 0.8
        while time.thread_time() < until_s:
            pass
        done.append(True)

    async def ask() -> None:
        use_threads_that_can_be_left()
        loop = asyncio.get_running_loop()
        loop.run_in_executor(None, over.wait)
        loop.run_in_executor(None, live)

    began = time.monotonic()
    asyncio.run(ask())

    assert done == [True]
    assert time.monotonic() - began < 60
    over.set()


def test_a_process_ends_though_a_thread_hangs() -> None:
    script = (
        "import asyncio, threading\n"
        "from mlbench.tui.threads import use_threads_that_can_be_left\n"
        "async def ask():\n"
        "    use_threads_that_can_be_left()\n"
        "    asyncio.get_running_loop().run_in_executor(None, threading.Event().wait)\n"
        "asyncio.run(ask())\nprint('left')"
    )

    done = subprocess.run([sys.executable, "-c", script], check=False, timeout=60, capture_output=True, text=True)

    assert done.stdout == "left\n"
