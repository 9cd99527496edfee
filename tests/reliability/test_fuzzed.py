"""Every reader bears files that were changed at random (a sample; `benchmarks/campaigns.py fuzz` takes many more)."""

from __future__ import annotations

import hashlib
import io
import os
import random
import signal
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from mlbench.journal.entries import parse_lines
from mlbench.model import Problem
from mlbench.wire import tfrecord
from mlbench.wire.tfrecord import write_record
from mlbench.wire.wandbframes import Framing, read_records
from tests.reliability import fuzzing
from tests.reliability.fuzz_contents import Seed
from tests.reliability.fuzzing import Found, in_own_process
from tests.reliability.mutating import mutated
from tests.reliability.resealing import resealed
from tests.unit.wire import wandb_builder


def test_no_reader_raises_hangs_or_dies_of_changed_files(tmp_path: Path) -> None:
    found = in_own_process(tmp_path, 800, seed=9, minutes=5)

    assert (found.n, found.crashes, found.hangs) == (800, [], [])
    assert found.most_mb < 300
    assert len(found.by_target) > 60


def test_an_input_is_made_of_its_number_alone() -> None:
    content = b'{"a": [1, 2, 3]}' * 20

    once, again, other = (mutated(content, random.Random(f"7 {n}"), [content]) for n in (1, 1, 2))

    assert once == again != other


def records() -> bytes:
    return b"".join(write_record(bytes([number]) * 40) for number in range(5))


def wandb_log() -> bytes:
    return wandb_builder.log(*(wandb_builder.history(loss=str(number)) for number in range(5)))


def zipped() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("a", b"content" * 9)
    return made.getvalue()


def packed() -> bytes:
    inner = b"PACK" + bytes(range(80))
    return inner + hashlib.sha1(inner, usedforsecurity=False).digest()


def journal() -> bytes:
    return b"".join(b"%08x %s\n" % (zlib.crc32(text), text) for text in (b'{"a":1}', b'{"b":[2]}'))


def whole_records(content: bytes) -> bool:
    return [type(item) for item in tfrecord.read_records(io.BytesIO(content))] == [tfrecord.Record] * 5


def whole_wandb(content: bytes) -> bool:
    framing = Framing()
    return len(list(read_records(io.BytesIO(content), framing))) == 5 and not framing.n_bad


def whole_zip(content: bytes) -> bool:
    return zipfile.ZipFile(io.BytesIO(content)).testzip() is None


def whole_pack(content: bytes) -> bool:
    return hashlib.sha1(content[:-20], usedforsecurity=False).digest() == content[-20:]


def whole_stream(content: bytes) -> bool:
    return zlib.decompress(content) != b""


def whole_journal(content: bytes) -> bool:
    problems: list[Problem] = []
    parse_lines(content.split(b"\n"), "j", problems)
    return not any("checksum" in problem.what for problem in problems)


@pytest.mark.parametrize(
    ("make", "is_whole"),
    [(records, whole_records), (wandb_log, whole_wandb), (zipped, whole_zip), (packed, whole_pack),
     (lambda: zlib.compress(b"commit 12\0tree"), whole_stream), (journal, whole_journal)],
)  # fmt: skip
def test_content_is_changed_behind_its_checksums(make: Callable[[], bytes], is_whole: Callable[[bytes], bool]) -> None:
    content, dice = make(), random.Random(1)

    made = [resealed(content, dice, lambda piece: piece.replace(piece[-3:], b"\x00!")) for _ in range(20)]

    assert is_whole(content)
    assert all(one is not None and one != content and is_whole(one) for one in made)


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
    seed = Seed("planted", {"x": b"content"}, ("x",))
    monkeypatch.setattr(fuzzing, "seeds", lambda _folder: {"planted": [seed]})
    monkeypatch.setattr(fuzzing, "_contents", lambda: {"planted": reader})
    found, number = Found(), 0

    while number < 3:
        number = fuzzing._some(tmp_path, 1, number, 3, found, time.monotonic() + 60)

    assert (len(found.crashes), len(found.hangs)) == (n_crashes, n_hangs)


def test_a_campaign_goes_on_where_it_was_interrupted_and_tries_failures_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = Seed("planted", {"x": b"content"}, ("x",))
    monkeypatch.setattr(fuzzing, "seeds", lambda _folder: {"planted": [seed]})
    monkeypatch.setattr(fuzzing, "_contents", lambda: {"planted": raises})
    tally = tmp_path / "tally"
    first = fuzzing.fuzz(tmp_path, 3, 1, time.monotonic() + 60, tally)
    monkeypatch.setattr(fuzzing, "_contents", lambda: {"planted": len})

    second = fuzzing.fuzz(tmp_path, 5, 1, time.monotonic() + 60, tally)

    assert (first.n, len(first.crashes), first.mended) == (3, 3, [])
    assert (second.n, second.crashes, len(second.mended)) == (5, [], 3)
    with pytest.raises(ValueError, match="the tally of seed 1"):
        fuzzing.fuzz(tmp_path, 5, 2, time.monotonic() + 60, tally)
