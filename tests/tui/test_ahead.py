"""The answer of the child process is the one that the session would give, or none."""

from __future__ import annotations

import os
import pickle
import select
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from mlbench import journal
from mlbench.catalog.batch import Batch
from mlbench.catalog.writer import open_writer
from mlbench.paths import Home
from mlbench.tui.ahead import Ahead, read_ahead
from mlbench.tui.catalog_session import CatalogSession
from mlbench.tui.first_answer import stamp_of
from mlbench.tui.session import RunsQuestion
from tests.paths import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forked on Linux only")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(str(tmp_path / "journal"), str(tmp_path / "cache"), "test")
    batch = Batch(run_ids={f"r{number}" for number in range(300)})
    for name in sorted(batch.run_ids):
        batch.add("run", run_id=name, run_key=f"/{name}", name=name, path=f"/{name}", active_s=1.0, fingerprint="f",
                  is_missing=False)  # fmt: skip
    with open_writer(home) as writer:
        writer.commit(batch)
        writer.publish()
    return home


@pytest.fixture
def begun(home: Home, monkeypatch: pytest.MonkeyPatch) -> Ahead:
    """A child that reads; the test itself may have threads and one core."""
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    begun = read_ahead(home, ())
    assert isinstance(begun, Ahead)
    return begun


def test_the_answer_is_the_sessions_own(home: Home, begun: Ahead) -> None:
    session = CatalogSession(home, (), ahead=begun)

    found = session.find(RunsQuestion())

    own = CatalogSession(home, ()).find(RunsQuestion())
    assert replace(found, listing=own.listing) == own
    assert (found.listing.ids, found.listing.numbers) == (own.listing.ids, own.listing.numbers)
    assert len(found.listing.ids) == 300
    session.close()


def test_the_answer_to_another_question_or_of_another_catalog_is_not_taken(home: Home, begun: Ahead) -> None:
    journal.open_journal(home).tag([journal.RunRef("/r1", "f")], ["new"], [])

    session = CatalogSession(home, (), ahead=begun)

    assert session.find(RunsQuestion("r1")).question == RunsQuestion("r1")
    session.close()


def test_an_answer_without_a_word_that_was_said_meanwhile_is_not_taken(home: Home, begun: Ahead) -> None:
    ready, _, _ = select.select([begun._descriptor], [], [], 60)
    assert ready, "the child had looked before the word was said"
    before = stamp_of(home)
    journal.open_journal(home).tag([journal.RunRef("/r1", "f")], ["new"], [])

    assert before != stamp_of(home)
    assert begun.take(RunsQuestion(), stamp_of(home)) is None


def test_what_the_child_kept_from_the_last_time_is_asked(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    CatalogSession(home, ()).save_state('{"query": "r1", "cursor": ""}')
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    begun = read_ahead(home, ())

    assert begun is not None
    found = begun.take(RunsQuestion("r1"), stamp_of(home))
    assert found is not None
    assert 0 < len(found.listing.ids) < 300


def test_a_child_that_dies_or_talks_nonsense_gives_no_answer() -> None:
    for said in (b"", b"nonsense", pickle.dumps((1, 2)), pickle.dumps(os.system)):
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.write(writing, said)
            os._exit(1)
        os.close(writing)

        assert Ahead(pid, reading).take(RunsQuestion(), None) is None


def test_nothing_is_begun_without_a_catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    empty = Home(str(tmp_path / "nowhere" / "journal"), str(tmp_path / "nowhere" / "cache"), "test")

    assert read_ahead(empty, ()) is None


def test_an_answer_that_is_not_wanted_leaves_no_process(home: Home, begun: Ahead) -> None:
    CatalogSession(home, (), ahead=begun).close()

    with pytest.raises(ChildProcessError):
        os.waitpid(begun._pid, 0)


def test_leaving_does_not_wait_for_a_child_that_hangs() -> None:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.pause()
    os.close(writing)

    Ahead(pid, reading).leave()

    with pytest.raises(ChildProcessError):
        os.waitpid(pid, 0)


KEPT = """
import asyncio, gc, sys
from mlbench.tui.ahead import read_ahead
from mlbench.tui.app import Workbench
from mlbench.tui.catalog_session import CatalogSession
from mlbench.paths import Home

home = Home(sys.argv[1], sys.argv[2], "test")
begun, asked = Workbench._go_on_beginning, []

def begin(self):
    lines = "".join(strip.text for strip in self.screen._compositor.render_strips())
    print("r100" in lines, "300 runs" in lines, [name for name in ("duckdb", "numpy", "pyarrow") if name in sys.modules])
    begun(self)
    print(sorted(self._delays))

Workbench._go_on_beginning = begin

async def main():
    app = Workbench(CatalogSession(home, [], ahead=read_ahead(home, [])))
    async with app.run_test(size=(160, 45)) as pilot:
        while app._held is not None or app.asker.is_busy:
            await pilot.pause(0.05)
        print(len(app.desk.answers.found.listing.ids), app.desk.tabling.rows.listing is not None)

asyncio.run(main())
"""


def test_a_kept_answer_is_in_the_first_paint_and_asked_again_behind_it(home: Home) -> None:
    session = CatalogSession(home, ())
    session.find(RunsQuestion())
    session.save_state("{}")
    session.close()

    ran = subprocess.run([sys.executable, "-c", KEPT, home.journal, home.cache], cwd=ROOT, capture_output=True, text=True,
                         check=False)  # fmt: skip

    assert ran.stdout.splitlines()[0] == "True True []", ran.stdout + ran.stderr
    assert "preview" in ran.stdout.splitlines()[1]
    assert ran.stdout.splitlines()[-1] == "300 True"
