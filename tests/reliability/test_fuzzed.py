"""Every reader bears files that were changed at random (a sample; `benchmarks/campaigns.py fuzz` takes many more)."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.reliability import fuzzing
from tests.reliability.fuzzing import Found, in_own_process
from tests.reliability.mutating import mutated


def test_no_reader_raises_hangs_or_dies_of_changed_files(tmp_path: Path) -> None:
    found = in_own_process(tmp_path, 800, seed=9, minutes=5)

    assert (found.n, found.crashes, found.hangs) == (800, [], [])
    assert found.most_mb < 300
    assert len(found.by_target) > 45


def test_an_input_is_made_of_its_number_alone() -> None:
    content = b'{"a": [1, 2, 3]}' * 20

    once, again, other = (mutated(content, random.Random(f"7 {n}"), [content]) for n in (1, 1, 2))

    assert once == again != other


def test_records_are_changed_behind_their_checksums() -> None:
    from mlbench.wire.tfrecord import write_record

    content = b"".join(write_record(bytes([number]) * 40) for number in range(5))
    dice = random.Random(1)

    made = [mutated(content, dice, [content]) for _ in range(60)]

    headers = {write_record(b"x" * 40)[:12]}
    assert sum(one != content and one[:12] in headers for one in made) > 10


def raises(_content: bytes) -> None:
    raise KeyError("planted")


def dies(_content: bytes) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def is_slow(_content: bytes) -> None:
    end_s = time.process_time() + 1.2
    while time.process_time() < end_s:
        pass


@pytest.mark.parametrize(("reader", "n_crashes", "n_hangs"), [(raises, 3, 0), (dies, 3, 0), (is_slow, 0, 3)])
def test_what_is_looked_for_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: Callable[[bytes], None], n_crashes: int, n_hangs: int
) -> None:
    seed = fuzzing.Seed("planted", {"x": b"content"}, ("x",))
    monkeypatch.setattr(fuzzing, "seeds", lambda _folder: {"planted": [seed]})
    monkeypatch.setattr(fuzzing, "_readers", lambda: {"planted": reader})
    found, number = Found(), 0

    while number < 3:
        number = fuzzing._some(tmp_path, 1, number, 3, found, time.monotonic() + 60)

    assert (len(found.crashes), len(found.hangs)) == (n_crashes, n_hangs)
