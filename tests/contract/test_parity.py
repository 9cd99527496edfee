"""The parity views against TensorBoard's own three readers, to the bit, over real logs and over every rule by hand."""

from __future__ import annotations

import logging
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlbench.ingest.run import ingest_paths
from mlbench.main import run
from mlbench.paths import find_home
from mlbench.wire.parity.shown import read_folder
from tests import tensorboards
from tests.contract.parity_cases import GROUPS, write_odd_folders
from tests.contract.parity_log import Log
from tests.paths import CORPORA, FORMATS, needs_corpora, needs_formats
from tests.tensorboards import Shown

VIEWS = pytest.mark.parametrize(
    "view",
    [
        "eventaccumulator",
        "plugin",
        pytest.param(
            "tensorboard",
            marks=pytest.mark.skipif(
                tensorboards.server_binary() is None, reason="TensorBoard's data server does not run on this platform"
            ),
        ),
    ],
)


@pytest.fixture(autouse=True)
def _quick_and_quiet() -> Iterator[None]:
    """The readers warn of every restart, and numpy of histograms beyond float32; nobody reads that here."""
    logging.disable(logging.WARNING)
    with tensorboards.hastened(), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield
    logging.disable(logging.NOTSET)


def ours(view: str, folder: Path) -> Shown:
    return {
        series.tag: list(
            zip(
                series.steps.tolist(),
                series.wall_s.view("int64").tolist(),
                series.values.view("int64").tolist(),
                strict=True,
            )
        )
        for series in read_folder(view, str(folder)).series
    }


def folders(root: Path) -> list[str]:
    """Every folder with event files below the root, as the server names it."""
    return sorted({str(path.parent.relative_to(root)) for path in root.rglob("*tfevents*") if path.is_file()})


class Readers:
    """The three real readers over one root; the server is started once, when it is first asked."""

    def __init__(self, root: Path, port_file: Path) -> None:
        self._root = root
        self._port_file = port_file
        self._served: dict[str, Shown] | None = None

    def shown(self, view: str, name: str) -> Shown:
        if view == "eventaccumulator":
            return tensorboards.event_accumulator(self._root / name)
        if view == "plugin":
            return tensorboards.plugin_accumulator(self._root / name)
        if self._served is None:
            self._served = tensorboards.data_server(self._root, self._port_file)
        return self._served.get(name, {})

    def compare(self, view: str, names: list[str]) -> tuple[list[str], int]:
        """The folders that our model shows otherwise than the reader, and how many points the reader shows of all."""
        theirs = {name: self.shown(view, name) for name in names}
        n_points = sum(len(points) for shown in theirs.values() for points in shown.values())
        return [name for name in names if ours(view, self._root / name) != theirs[name]], n_points


def test_the_readers_own_checksum_is_the_one_that_hastens_them() -> None:
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import crc32c as slow

    from mlbench.wire.crc32c import crc32c

    contents = [b"", b"123456789", bytes(range(256)), struct.pack("<Q", 2**40)]

    assert [slow(content) for content in contents] == [crc32c(content) for content in contents]


# ---------------------------------------------------------------- real logs


@pytest.fixture(scope="module")
def corpora_home(tmp_path_factory: pytest.TempPathFactory) -> str:
    home = str(tmp_path_factory.mktemp("corpora") / "home")
    ingest_paths(find_home(home), [str(CORPORA)])
    return home


@VIEWS
@needs_corpora
def test_every_real_run_is_exported_as_its_reader_shows_it(view: str, corpora_home: str, tmp_path: Path) -> None:
    readers = Readers(CORPORA, tmp_path / "port")
    output = str(tmp_path / "series.parquet")

    code = run(["export", "series", "--view", view, "--strict", "-o", output, "--home", corpora_home])

    exported = series_of(output)
    assert code == 0
    assert exported == {name: shown for name in folders(CORPORA) if (shown := readers.shown(view, name))}
    n_points = sum(len(points) for shown in exported.values() for points in shown.values())
    assert n_points == (201_048 if view == "tensorboard" else 220_944)


def series_of(path: str) -> dict[str, Shown]:
    """Source run to source metric to points in order, from an export."""
    table = pq.read_table(path)
    columns = [table.column(name).to_pylist() for name in ("source_run", "source_metric", "step")]
    wall_s, value = (table.column(name).to_numpy().view("int64").tolist() for name in ("wall_time", "value"))
    found: dict[str, Shown] = {}
    for source_run, tag, *point in zip(*columns, wall_s, value, strict=True):
        found.setdefault(source_run, {}).setdefault(tag, []).append((point[0], point[1], point[2]))
    return found


@VIEWS
@needs_formats
def test_what_each_writer_makes_is_shown_as_its_reader_shows_it(view: str, tmp_path: Path) -> None:
    root = FORMATS / "tfevents"
    readers = Readers(root, tmp_path / "port")

    different, n_points = readers.compare(view, folders(root))

    assert different == []
    assert n_points == {"eventaccumulator": 148, "plugin": 154, "tensorboard": 147}[view]


# ---------------------------------------------------------------- every rule


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every case in a folder of its own, so that one server reads them all."""
    root = tmp_path_factory.mktemp("cases")
    for group, made in GROUPS.items():
        for name, files in made():
            folder = root / group / name
            folder.mkdir(parents=True)
            for file, content in files.items():
                (folder / file).write_bytes(content)
    return root


@pytest.fixture(scope="module")
def readers(cases: Path, tmp_path_factory: pytest.TempPathFactory) -> Readers:
    return Readers(cases, tmp_path_factory.mktemp("server") / "port")


@VIEWS
@pytest.mark.parametrize("group", sorted(GROUPS))
def test_every_rule_is_that_of_the_reader(group: str, view: str, cases: Path, readers: Readers) -> None:
    names = [name for name in folders(cases / group) if name != "."]

    different, n_points = readers.compare(view, [f"{group}/{name}" for name in names])

    assert different == []
    assert len(names) == sum(1 for _case in GROUPS[group]())
    assert n_points > len(names) / 3


@VIEWS
def test_folders_that_are_odd_themselves_are_shown_as_the_reader_shows_them(view: str, tmp_path: Path) -> None:
    root = tmp_path / "logs"
    names = write_odd_folders(root)

    different, _n_points = Readers(root, tmp_path / "port").compare(view, names)

    assert different == []
    assert len(ours(view, root / "dangling-link")["a"]) == (4 if view == "tensorboard" else 2)
    assert len(ours(view, root / "holds-such-a-folder").get("a", [])) == (2 if view == "tensorboard" else 0)


# ---------------------------------------------------------------- any log

STEPS = st.integers(-2, 8)
TAGS = st.sampled_from(["a", "b"])
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("simple"), TAGS, STEPS),
        st.tuples(st.just("tensors"), TAGS, STEPS),
        st.tuples(st.just("bare"), TAGS, STEPS),
        st.tuples(st.just("start"), st.just(""), STEPS),
        st.tuples(st.just("graph"), st.just(""), STEPS),
        st.tuples(st.just("version"), st.sampled_from(["brain.Event:2", "brain.Event:1", "?"]), STEPS),
    ),
    max_size=25,
)


def log_of(events: list[tuple[str, str, int]], start_s: float) -> Log:
    log = Log(None, start_s=start_s)
    for kind, text, step in events:
        if kind == "simple":
            log.simple(text, step)
        elif kind in {"tensors", "bare"}:
            log.tensors(text, step, plugin="scalars" if kind == "tensors" else None)
        elif kind == "start":
            log.start(step)
        elif kind == "graph":
            log.event(step=step, graph_def=b"")
        else:
            log.event(step=step, file_version=text)
    return log


@settings(max_examples=150, deadline=None)
@given(first=EVENTS, second=EVENTS)
def test_any_sequence_of_events_is_shown_as_the_python_readers_show_it(
    tmp_path_factory: pytest.TempPathFactory, first: list[tuple[str, str, int]], second: list[tuple[str, str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("log")
    (folder / "tfevents.1").write_bytes(log_of(first, 1000.0).content)
    (folder / "tfevents.2").write_bytes(log_of(second, 2000.0).content)

    assert ours("eventaccumulator", folder) == tensorboards.event_accumulator(folder)
    assert ours("plugin", folder) == tensorboards.plugin_accumulator(folder)
