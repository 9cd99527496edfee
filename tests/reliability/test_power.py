"""A short version of `benchmarks/campaigns.py power`, and that its disks lose what nobody synced."""

import random
from pathlib import Path

import pytest

from tests.reliability import cutting
from tests.reliability.cutting import Cuts, in_own_process
from tests.reliability.power import PAGE, Op, build, disks, recorded


def op(kind: str, path: str, content: bytes = b"", *, other: str = "", offset: int = 0, inode: int = 7) -> Op:
    return Op(kind, inode, offset, path, other, content)


def states(tmp_path: Path, ops: list[Op], *, is_strict: bool, n: int = 60) -> list[dict[str, bytes]]:
    """What files a disk may hold after all operations."""
    dice, found = random.Random(3), []
    ((_place, disk),) = disks(ops, [len(ops)], is_strict=is_strict)
    for number in range(n):
        folder = tmp_path / str(number)
        folder.mkdir(parents=True)
        disk.write_to(folder, "/d", dice)
        found.append({str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()})
    return found


@pytest.mark.parametrize("is_strict", [False, True])
def test_what_was_synced_with_its_folder_is_there_in_every_state(tmp_path: Path, is_strict: bool) -> None:
    ops = [op("opened", "/d/a"), op("write", "/d/a", b"abc"), op("sync", "/d/a"), op("sync", "/d", inode=1)]

    assert all(state == {"a": b"abc"} for state in states(tmp_path, ops, is_strict=is_strict))


def test_a_name_whose_folder_was_not_synced_may_be_gone_on_a_strict_disk(tmp_path: Path) -> None:
    ops = [op("opened", "/d/a"), op("write", "/d/a", b"abc"), op("sync", "/d/a")]

    assert {len(state) for state in states(tmp_path, ops, is_strict=True)} == {0, 1}


@pytest.mark.parametrize("is_strict", [False, True])
def test_bytes_that_were_not_synced_may_be_there_or_not_or_in_part(tmp_path: Path, is_strict: bool) -> None:
    ops = [op("opened", "/d/a"), op("sync", "/d", inode=1), op("write", "/d/a", b"x" * 3 * PAGE)]

    sizes = {len(state["a"].rstrip(b"\0")) for state in states(tmp_path, ops, is_strict=is_strict)}

    assert {0, 3 * PAGE} < sizes
    assert any(size % PAGE for size in sizes)


def test_pages_come_in_any_order_only_on_a_strict_disk(tmp_path: Path) -> None:
    ops = [op("opened", "/d/a"), op("sync", "/d", inode=1), op("write", "/d/a", b"x" * 2 * PAGE)]

    def has_hole(state: dict[str, bytes]) -> bool:
        return b"\0x" in state["a"]

    assert not any(map(has_hole, states(tmp_path / "ext4", ops, is_strict=False)))
    assert any(map(has_hole, states(tmp_path / "strict", ops, is_strict=True)))


def test_a_rename_leads_to_the_old_or_the_new_content(tmp_path: Path) -> None:
    ops = [
        op("opened", "/d/a", inode=1), op("write", "/d/a", b"old", inode=1), op("sync", "/d/a", inode=1),
        op("opened", "/d/a.tmp"), op("write", "/d/a.tmp", b"new"), op("sync", "/d/a.tmp"), op("sync", "/d", inode=2),
        op("rename", "/d/a.tmp", other="/d/a"),
    ]  # fmt: skip

    found = states(tmp_path, ops, is_strict=True)

    assert {state["a"] for state in found} == {b"old", b"new"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    if build(tmp_path) is None:
        pytest.skip("the recorder of writes needs Linux and a C compiler")
    return tmp_path


def test_no_acknowledged_word_is_lost_by_a_power_cut(folder: Path) -> None:
    cuts = in_own_process("words", folder, 200, seed=5, minutes=5)

    assert cuts.n_states == {"ext4": 100, "strict": 100}
    assert cuts.n_acknowledged > 5_000
    assert (cuts.n_lost, cuts.n_unreadable, cuts.talk) == (0, 0, [])


@pytest.mark.slow
def test_a_catalog_is_whole_after_the_next_ingest_and_never_silently_another(folder: Path) -> None:
    cuts = in_own_process("catalog", folder, 6, seed=6, minutes=5)

    assert cuts.n_operations > 200
    assert (cuts.n_silent, cuts.n_differing, cuts.talk) == (0, 0, [])


def test_without_syncs_words_would_be_lost(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "recorded", lambda *words: [one for one in recorded(*words) if one.kind != "sync"])

    cuts: Cuts = cutting.cut_words(folder, 20, random.Random(7), float("inf"))

    assert cuts.n_lost > 100
