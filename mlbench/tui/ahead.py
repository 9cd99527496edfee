"""The first answer, from a child process: it reads the catalog while this one is still importing Textual.

Importing DuckDB, opening the catalog and answering take as long as importing Textual and painting: on two cores they
are done side by side. The child is forked before there is any thread, answers the one question that the workbench will
ask first, and ends. Whatever goes wrong there means only that the workbench asks for itself.
"""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import signal
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlbench.catalog.connection import CURRENT
from mlbench.paths import Home

if TYPE_CHECKING:
    from mlbench.tui.first_answer import Known
    from mlbench.tui.session import RunsFound, RunsQuestion

TRUSTED = ("mlbench.", "datetime", "array")
"""Modules whose classes an answer is made of."""


class Ahead:
    """An answer that is being read by a child process."""

    def __init__(self, pid: int, descriptor: int) -> None:
        self._pid = pid
        self._descriptor = descriptor

    def take(self, question: RunsQuestion, stamp: object) -> RunsFound | None:
        """The answer, waited for; None where it is one to another question, of another catalog, or did not come.

        Args:
            question: what the workbench asks first.
            stamp: of snapshot and journal as they are now.
        """
        with open(self._descriptor, "rb") as file:
            data = file.read()
        with contextlib.suppress(ChildProcessError):  # somebody waits for all children of this process
            os.waitpid(self._pid, 0)
        try:
            asked, near, its_stamp, found = _Answer(io.BytesIO(data)).load()
        except (pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError, ImportError):
            return None
        is_this = (asked, near, its_stamp) == (question, question.near, stamp)
        answer: RunsFound = found
        return answer if is_this else None

    def leave(self) -> None:
        """The answer is not wanted any more; a child that reads from a mount that hangs is not waited for."""
        os.close(self._descriptor)
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)


class _Answer(pickle.Unpickler):
    """What our own child wrote into our own pipe; it still can name nothing but what answers are made of."""

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - a class
        if not module.startswith(TRUSTED):
            raise pickle.UnpicklingError(f"{module}.{name} is no part of an answer")
        return super().find_class(module, name)


def read_ahead(home: Home, roots: Sequence[str]) -> Ahead | Known | None:
    """Begin to read what the workbench will ask first, or take the answer that the last session kept.

    None where that gains nothing or is not safe.

    Args:
        home: where catalog and journal are.
        roots: directories of logs, as they were named.
    """
    from mlbench.tui.catalog_session import CatalogSession

    known = CatalogSession(home, roots).first_answer()
    if known is not None:
        return known
    if sys.platform != "linux" or threading.active_count() > 1 or (os.cpu_count() or 1) < 2:
        return None
    if not os.path.lexists(os.path.join(home.cache, CURRENT)):
        return None
    reading, writing = os.pipe()
    try:
        pid = os.fork()
    except OSError:
        os.close(reading)
        os.close(writing)
        return None
    if pid == 0:
        _answer(home, roots, reading, writing)
    os.close(writing)
    return Ahead(pid, reading)


def _answer(home: Home, roots: Sequence[str], reading: int, writing: int) -> None:
    """In the child: answer and end. Nothing may come out of it but the answer: the terminal is the parent's."""
    try:
        os.close(reading)
        silence = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            os.dup2(silence, descriptor)
        with open(writing, "wb") as file:
            pickle.dump(_found(home, roots), file, protocol=pickle.HIGHEST_PROTOCOL)
    except BaseException:  # noqa: BLE001 - the parent asks for itself, and tells what is wrong
        os._exit(1)
    os._exit(0)


def _found(home: Home, roots: Sequence[str]) -> tuple[RunsQuestion, str, object, RunsFound]:
    from dataclasses import replace

    from mlbench.tui.catalog_session import CatalogSession
    from mlbench.tui.first_answer import stamp_of
    from mlbench.tui.keeping import from_text
    from mlbench.tui.view import View

    session = CatalogSession(home, roots)
    view = from_text(session.load_state(), View())
    question = replace(view.question, near=view.cursor)
    stamp = stamp_of(home)
    return question, question.near, stamp, session.find(question)
