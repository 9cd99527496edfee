"""`import mlbench`, and what can be asked from Python."""

import math
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

import mlbench
from mlbench.api import OpenHome
from mlbench.errors import HomeError, UsageError
from mlbench.ingest.run import ingest_paths
from mlbench.journal import RunRef, open_journal
from mlbench.paths import find_home
from tests.paths import ROOT

SAMPLES = ROOT / "sample_runs"
HEAVY = {"duckdb", "pyarrow", "numpy", "textual", "rich", "click", "yaml", "pandas", "polars", "platformdirs"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made: Path = tmp_path_factory.mktemp("api") / "home"
    ingest_paths(find_home(str(made)), [str(SAMPLES)])
    return made


@pytest.fixture
def home(folder: Path) -> OpenHome:
    return mlbench.open(folder)


# ---------------------------------------------------------------- loading


def test_import_mlbench_loads_nothing_but_itself_and_open_loads_nothing_heavy() -> None:
    code = (
        "import sys; before = set(sys.modules); import mlbench; own = sorted(set(sys.modules) - before); "
        f"mlbench.open; print(own, sorted({HEAVY!r} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "['mlbench'] []\n"


def test_the_package_has_a_version_and_no_other_attributes_appear() -> None:
    assert mlbench.__version__ == "0.1.0"
    with pytest.raises(AttributeError, match="module 'mlbench' has no attribute 'opne'"):
        mlbench.opne  # noqa: B018


def test_no_progress_is_drawn_among_the_data_where_python_thinks_that_somebody_types(folder: Path) -> None:
    code = f"import mlbench; h = mlbench.open({str(folder)!r}); print(list(h.sql(\"SELECT current_setting('enable_progress_bar') AS bar\")))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[{'bar': False}]\n"


# ---------------------------------------------------------------- which home


def test_a_home_a_project_a_directory_of_logs_and_nothing_can_be_opened(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(folder, tmp_path / "project" / ".mlbench", symlinks=True)
    monkeypatch.setenv("MLBENCH_HOME", str(folder))

    assert len(mlbench.open(str(folder)).runs()) == 33
    assert len(mlbench.open(tmp_path / "project").runs()) == 33
    assert len(mlbench.open().runs()) == 33
    assert len(mlbench.open(SAMPLES / "logs" / "long").runs()) == 2
    assert {row["run_id"] for row in mlbench.open(SAMPLES / "logs" / "long").params()} == {
        row["run_id"] for row in mlbench.open(SAMPLES / "logs" / "long").runs()
    }
    assert repr(mlbench.open(folder)) == f"mlbench.open('{folder}')"


def test_what_was_never_ingested_is_told(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLBENCH_HOME", str(folder))

    with pytest.raises(HomeError, match=r"nothing was ingested from here yet\. Try: mlbench ingest"):
        mlbench.open(tmp_path)
    with pytest.raises(HomeError, match="no such directory"):
        mlbench.open(tmp_path / "nowhere")


def test_nothing_is_written(home: OpenHome, folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}

    home.runs()
    home.params()
    home.series("val/loss")
    home.sql("SELECT 1")

    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


# ---------------------------------------------------------------- questions


def test_runs_have_the_columns_that_were_asked_for(home: OpenHome) -> None:
    frame = home.runs(
        "optimizer = sgd and lr < 1",
        columns=["params.lr", "max(metrics.val/acc) as best", "started"],
        sort="best:desc",
        limit=2,
    )

    assert frame.columns == ("run", "run_id", "params.lr", "best", "started")
    first, second = frame
    assert first["best"] >= second["best"] > 0.5
    assert first["params.lr"] == 0.1
    assert isinstance(first["started"], datetime)
    assert repr(frame) == "<2 rows of run, run_id, params.lr, best, started>"


def test_runs_without_columns_have_those_that_differ_and_none_has_none(home: OpenHome) -> None:
    assert {"params.lr", "metrics.val/acc"} <= set(home.runs().columns)
    assert home.runs(columns=None).columns == ("run", "run_id")


def test_a_word_that_was_just_said_is_in_the_next_answer(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "home", symlinks=True)
    home = mlbench.open(tmp_path / "home")
    (row,) = home.sql("SELECT key, fingerprint FROM runs ORDER BY name LIMIT 1")

    with open_journal(find_home(str(tmp_path / "home"))) as journal:
        journal.tag(RunRef(row["key"], row["fingerprint"]), add=["b", "a"])

    assert [run["tag"] for run in home.runs("tag = a", columns=["tag"])] == [["a", "b"]]


def test_params_are_long_with_text_number_layer_and_source(home: OpenHome) -> None:
    rows = [row for row in home.params("logs/long/w128-seed0") if row["key"] == "lr"]

    assert [(row["run"], row["value"], row["num"], row["type"]) for row in rows] == [
        ("logs/long/w128-seed0", "0.01", 0.01, "float")
    ]
    assert rows[0]["source"].startswith(str(SAMPLES))


def test_series_have_every_point_of_the_view(home: OpenHome) -> None:
    effective = home.series("val/loss", "logs/long")
    raw = home.series(["val/loss", "val/acc*"], "logs/long", view="raw")

    assert effective.columns == ("run", "run_id", "metric", "step", "wall_time", "value")
    assert {row["run"] for row in effective} == {"logs/long/w128-seed0", "logs/long/w128-seed1"}
    assert {row["metric"] for row in raw} == {"val/loss", "val/acc"}
    assert len(raw) > 2 * len(effective)
    steps = [row["step"] for row in effective if row["run"] == "logs/long/w128-seed0"]
    assert steps == sorted(set(steps))


def test_series_tell_their_axis_when_asked(home: OpenHome) -> None:
    frame = home.series("val/loss", "logs/long", axis=True)

    assert frame.columns == ("run", "run_id", "metric", "step", "wall_time", "value", "axis", "x")
    assert {row["axis"] for row in frame} == {"step"}
    assert all(row["x"] == row["step"] for row in frame)


def test_nan_stays_nan(home: OpenHome) -> None:
    frame = home.series("train/loss", "nan(metrics.train/loss)")

    assert any(math.isnan(row["value"]) for row in frame)


def test_sql_takes_parameters_and_keeps_the_order(home: OpenHome) -> None:
    frame = home.sql("SELECT name, n_metrics FROM runs WHERE name LIKE ? ORDER BY name DESC", ["logs/long/%"])

    assert [row["name"] for row in frame] == ["logs/long/w128-seed1", "logs/long/w128-seed0"]


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("DELETE FROM run", "one SELECT is all"),
        ("SELECT 1; SELECT 2", "one SELECT is all"),
        ("COPY (SELECT 1) TO 'x.csv'", "one SELECT is all"),
        ("SELECT nme FROM runs", "nme"),
        ("SELEC", "SELEC"),
    ],
)
def test_sql_that_is_no_select_is_refused(home: OpenHome, statement: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        home.sql(statement)


def test_mistakes_are_told_as_on_the_command_line(home: OpenHome) -> None:
    with pytest.raises(UsageError, match="Did you mean 'val/loss'"):
        home.runs("metrics.val/los < 1")
    with pytest.raises(UsageError, match="no metric 'val/los' in 33 runs"):
        home.series("val/los")
    with pytest.raises(UsageError, match="no view 'effectiv'"):
        home.series("val/loss", view="effectiv")


# ---------------------------------------------------------------- forms


def test_arrow_has_exact_values_and_types(home: OpenHome) -> None:
    table = home.runs("logs/long", columns=["params.lr", "tag", "started"]).to_arrow()
    series = home.series("val/loss", "logs/long").to_arrow()

    assert [str(kind) for kind in table.schema.types] == [
        "string", "string", "double", "list<item: string>", "timestamp[us, tz=UTC]",
    ]  # fmt: skip
    assert [str(kind) for kind in series.schema.types[3:]] == ["int64", "double", "double"]
    assert series.num_rows == len(home.series("val/loss", "logs/long"))


def test_an_empty_answer_has_no_rows_in_any_form(home: OpenHome) -> None:
    frame = home.runs("lr > 1000", columns=["params.lr"])

    assert (len(frame), list(frame), frame.to_arrow().num_rows) == (0, [], 0)
    assert len(home.params("lr > 1000")) == 0


@pytest.mark.parametrize("name", ["pandas", "polars"])
def test_without_the_library_it_says_what_to_install(
    home: OpenHome, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setitem(sys.modules, name, None)  # as if it were not there

    with pytest.raises(
        ModuleNotFoundError, match=rf"to_{name} needs {name}, which is not installed\. Try: pip install"
    ):
        getattr(home.runs(columns=None), f"to_{name}")()


@pytest.mark.parametrize("name", ["pandas", "polars"])
def test_with_the_library_it_is_its_frame(home: OpenHome, name: str) -> None:
    pytest.importorskip(name, reason=f"{name} is not installed here; mlbench does not need it")

    frame = getattr(home.series("val/loss", "logs/long"), f"to_{name}")()
    runs = getattr(home.runs(columns=["params.lr", "tag", "started"]), f"to_{name}")()

    assert list(frame.columns) == ["run", "run_id", "metric", "step", "wall_time", "value"]
    assert frame["value"].to_list()[:3] == [row["value"] for row in home.series("val/loss", "logs/long")][:3]
    assert len(runs) == 33
