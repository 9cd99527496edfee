"""The adapter of the how-to, followed to the letter, keeps every promise of the contract suite."""

import inspect
import json
import os
import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from mlbench import adapters
from mlbench.main import run
from mlbench.model import Adapter
from tests.contract import test_adapters as contract
from tests.docs.pages import DOCS, blocks

PAGE = (DOCS / "how-to" / "write-an-adapter.md").read_text(encoding="utf-8")
PROMISES = {
    name: promise
    for name, promise in vars(contract).items()
    if name.startswith("test_") and "adapter" in inspect.signature(promise).parameters
}


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Adapter]:
    """The page's module on the path, found by the page's entry point."""
    (module,) = blocks(PAGE, "python")
    (project,) = blocks(PAGE, "toml")
    points = tomllib.loads(project)["project"]["entry-points"][adapters.ENTRY_POINT_GROUP]
    package = tmp_path / "package"
    package.mkdir()
    (package / "mlbench_llmc.py").write_text(module, encoding="utf-8")
    monkeypatch.syspath_prepend(str(package))
    found = [EntryPoint(name, value, adapters.ENTRY_POINT_GROUP) for name, value in points.items()]
    monkeypatch.setattr(adapters, "entry_points", lambda group: found)
    adapters.load_adapters.cache_clear()
    adapters.third_party.cache_clear()
    (adapter,), problems = adapters.third_party()
    assert problems == ()
    yield adapter
    adapters.load_adapters.cache_clear()
    adapters.third_party.cache_clear()


@pytest.mark.parametrize("promise", PROMISES)
def test_it_keeps_the_promise(promise: str, written: Adapter, tmp_path: Path) -> None:
    if "unreadable" in promise and os.geteuid() == 0:
        pytest.skip("root may read everything")
    wanted = inspect.signature(PROMISES[promise]).parameters
    kinds: list[str | None] = sorted(contract.GARBAGE) if "kind" in wanted else [None]  # type: ignore[assignment]
    for number, kind in enumerate(kinds):
        folder = tmp_path / f"run{number}"
        folder.mkdir()
        empty = tmp_path / f"empty{number}"
        empty.mkdir()
        written.example(str(folder))
        given = {"adapter": written, "example": str(folder.resolve()), "tmp_path": empty, "kind": kind}

        PROMISES[promise](**{name: given[name] for name in wanted})


def test_there_are_promises_to_keep() -> None:
    assert len(PROMISES) >= 12


def test_mlbench_reads_such_a_log(written: Adapter, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "logs" / "gpt2"
    folder.mkdir(parents=True)
    written.example(str(folder))
    home = str(tmp_path / "home")

    read = run(["--home", home, "ingest", str(tmp_path / "logs")])
    capsys.readouterr()
    asked = run(["--home", home, "query", "-c", "metrics.val/loss, count(train/loss)", "--format", "json"])

    (row,) = json.loads(capsys.readouterr().out)
    assert (read, asked) == (0, 0)
    assert row == {"run": "gpt2", "metrics.val/loss": 6.4623, "count(train/loss)": 3}
