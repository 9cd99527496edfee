"""What `ingest --watch` says, and how long it rests."""

from __future__ import annotations

import signal
from dataclasses import dataclass

import pytest

from mlbench import watch
from mlbench.cli import watching
from mlbench.ingest.progress import Summary
from mlbench.paths import Home


@dataclass
class Clock:
    seconds: float = 0.0

    def monotonic(self) -> float:
        return self.seconds


def test_a_terminal_that_was_stopped_is_not_what_looking_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, looks = Clock(), []

    class Watcher:
        def __init__(self, *_paths: object, **_more: object) -> None: ...

        def look(self) -> Summary:
            clock.seconds += 0.125
            return Summary(n_changed=1, n_read=1, n_points=1)

    class Pace:
        def wait_s(self, *, has_changed: bool, looking_s: float) -> float:
            looks.append((has_changed, looking_s))
            signal.raise_signal(signal.SIGINT)
            return 0.0

    def talk(_text: str) -> None:
        clock.seconds += 60

    monkeypatch.setattr(watch, "Watcher", Watcher)
    monkeypatch.setattr(watch, "Pace", Pace)
    monkeypatch.setattr(watching, "time", clock)
    monkeypatch.setattr(watching, "talk", talk)

    assert watching.watch_paths(Home("j", "c", "test"), ["logs"]) == 130
    assert looks == [(True, 0.125)]
