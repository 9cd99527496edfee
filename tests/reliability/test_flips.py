"""A short version of `benchmarks/campaigns.py flip`."""

from pathlib import Path

import pytest

from mlbench.catalog.connection import DamagedCatalogError
from mlbench.catalog.reader import open_reader
from mlbench.catalog.writer import open_writer
from mlbench.ingest.run import ingest_paths
from mlbench.paths import Home
from tests.reliability.flipping import in_own_process
from tests.reliability.trees import Tree, dump


@pytest.mark.slow
def test_no_flipped_bit_changes_an_answer_silently(tmp_path: Path) -> None:
    flips = in_own_process(tmp_path, 15, seed=4, minutes=5)

    assert flips.n == 15
    assert flips.talk == []
    assert (flips.n_silent, flips.n_faults) == ({}, 0)
    assert flips.n_told["segment"] == flips.n_told["journal"] == 3


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(str(tmp_path / "home/journal"), str(tmp_path / "home/cache"), "test")
    Tree(tmp_path / "logs").make()
    ingest_paths(home, [str(tmp_path / "logs")])
    return home


def spoil(path: Path) -> None:
    """Change every block behind the headers."""
    content = bytearray(path.read_bytes())
    for at in range(20_000, len(content), 16_384):
        content[at] ^= 1
    path.write_bytes(content)


def test_a_damaged_block_of_the_snapshot_is_told_when_it_is_read(home: Home) -> None:
    (snapshot,) = Path(home.cache).glob("snap-*")
    spoil(snapshot)

    with pytest.raises(Exception, match="Try: mlbench rebuild") as told, open_reader(home) as reader:
        reader.rows("SELECT * FROM run")

    assert "damaged on disk" in str(told.value) or "cannot be opened" in str(told.value)


def test_a_damaged_block_of_the_writers_file_costs_a_rebuild_and_nothing_else(home: Home, tmp_path: Path) -> None:
    before = dump(home)
    spoil(Path(home.cache, "work.duckdb"))

    summary = ingest_paths(home, [str(tmp_path / "logs")])

    assert dump(home) == before
    assert summary.n_read == 4
    assert "moved to" in " ".join(summary.talk)


def test_damage_that_is_found_while_writing_moves_the_file_aside(home: Home, tmp_path: Path) -> None:
    import duckdb

    with pytest.raises(DamagedCatalogError, match="it was moved to"), open_writer(home):
        raise duckdb.Error("Corrupt database file: computed checksum 1 does not match stored checksum 2 in block 3")

    assert not Path(home.cache, "work.duckdb").exists()
    assert ingest_paths(home, [str(tmp_path / "logs")]).talk == ["the catalog was gone; it is built again"]
