"""Every key that expected.json has of the frameworks' sample files equals what the catalog holds of them.

The folders are read as a user has them: without the scripts that made them, and all at once. A key that no line here
compares fails its test.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mlbench.adapters import clearml, sb3_model
from mlbench.catalog.reader import Reader, open_reader
from mlbench.ingest.run import ingest_paths
from mlbench.model import Role
from mlbench.paths import Home
from mlbench.wire.dump_gin import read_gin
from mlbench.wire.dumps import parse_dump
from mlbench.wire.flatten import flatten
from tests.paths import FORMATS, needs_formats
from tests.unit.adapters.reading import claims_below

SYSTEMS = (
    "lightning",
    "hf",
    "sb3",
    "rlzoo",
    "mmengine",
    "gin",
    "mlcollections",
    "sacred",
    "guild",
    "trackio",
    "clearml",
)
SCRIPTS = ("make.py", "make.sh", "app.py", "flags.py", "make_tf.py")
SPELLED = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
FLOAT32_DIGITS = 6e-8

pytestmark = needs_formats

Found = dict[str, Any]


@dataclass
class Store:
    """The catalog of the sample files, and where their copies lie."""

    reader: Reader
    root: Path
    home: Path

    def runs(self, system: str) -> dict[str, Found]:
        """By path below the system's folder."""
        columns = ("id", "name", "project", "status", "job_type", "note", "host", "started", "ended", "exit_code",
                   "entry_point", "command", "hint", "path", "key")  # fmt: skip
        chosen = ", ".join(f'"{name}"' for name in columns)
        base = str(self.root / system)
        rows = self.reader.rows(
            f"SELECT {chosen}, epoch(started), epoch(ended) FROM runs WHERE path = ? OR starts_with(path, ?) ORDER BY key",
            [base, f"{base}/"],
        )  # fmt: skip
        names = (*columns, "started_s", "ended_s")
        found = [dict(zip(names, row, strict=True)) for row in rows]
        return {str(run["key"]).removeprefix(base).strip("/"): run for run in found}

    def only(self, system: str) -> Found:
        (run,) = self.runs(system).values()
        return run

    def params(self, run: Found, layer: str = "") -> Found:
        """Value and type of every parameter that holds; of one layer if it is named."""
        rows = self.reader.rows("SELECT key, type, raw, num, value, layer FROM params WHERE run_id = ?", [run["id"]])
        return {
            key: {"value": _value(kind, number, text), "type": kind}
            for key, kind, _raw, number, text, found in rows
            if layer in ("", found)
        }

    def series(self, run: Found, adapter: str) -> Found:
        rows = self.reader.rows(
            "SELECT source_metric, n, first_step, last_step, last_value, n_raw FROM series WHERE run_id = ? "
            "AND adapter = ?",
            [run["id"], adapter],
        )
        keys = ("n", "first_step", "last_step", "last_value", "n_raw")
        return {metric: dict(zip(keys, row, strict=True)) for metric, *row in rows}

    def column(self, sql: str, run: Found) -> list[Any]:
        return [row[0] for row in self.reader.rows(sql, [run["id"]])]

    def points(self, run: Found, metric: str) -> list[tuple[int, float]]:
        rows = self.reader.rows("SELECT series_id FROM series WHERE run_id = ? AND metric = ?", [run["id"], metric])
        table = self.reader.points([row[0] for row in rows])
        return list(zip(table["step"].to_pylist(), table["value"].to_pylist(), strict=True))


def _value(kind: str, number: float | None, text: str) -> object:
    match kind:
        case "bool":
            return bool(number)
        case "int":
            return int(text)
        case "float":
            return number
        case "null":
            return None
        case "list" | "dict":
            return json.loads(text)
        case _:
            return text


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("expected")
    root = folder / "formats"
    for system in SYSTEMS:
        shutil.copytree(FORMATS / system, root / system, ignore=shutil.ignore_patterns(*SCRIPTS))
    home = Home(str(folder / "home" / "journal"), str(folder / "home" / "cache"), "test")
    ingest_paths(home, [str(root)])
    with open_reader(home) as reader:
        yield Store(reader, root.resolve(), folder / "home")


@pytest.fixture
def wanted(request: pytest.FixtureRequest) -> Iterator[Found]:
    """What is expected of the system that the test is named after; all of it must have been taken out and compared."""
    system = request.node.name.removeprefix("test_")
    found: Found = json.loads((FORMATS / "expected.json").read_text(encoding="utf-8"))[system]
    for said in ("written_by", "verified_with", "note"):
        found.pop(said, None)
    yield found
    assert found == {}, "these keys were not compared"


def assert_params(found: Found, wanted: Found) -> None:
    """All that is wanted is there, equal in value and type."""
    assert {key: found.get(key) for key in wanted} == {
        key: {"value": SPELLED.get(want["value"], want["value"]) if want["type"] == "float" else want["value"],
              "type": "dict" if want["type"] == "map" else want["type"]}
        for key, want in wanted.items()
    }  # fmt: skip


def assert_series(found: Found, wanted: Found, *, is_float32: bool = False) -> None:
    """All that is wanted is there: points, first and last step, last value; raw points where they are told."""
    for metric, want in wanted.items():
        assert metric in found, (metric, sorted(found))
        value = SPELLED.get(want["last_value"], want["last_value"])
        assert found[metric]["last_value"] == pytest.approx(
            value, rel=FLOAT32_DIGITS if is_float32 else 0, abs=0, nan_ok=True
        )
        checked = {"n", "first_step", "last_step", "n_raw"} & want.keys()
        assert {key: found[metric][key] for key in checked} == {key: want[key] for key in checked}, metric
        assert want.keys() - checked <= {"last_value", "nan_at_step"}


def test_lightning(store: Store, wanted: Found) -> None:
    runs = store.runs("lightning")

    assert wanted.pop("runs") == len(runs)
    for version, want in wanted.pop("runs_detail").items():
        run = runs[f"tb/exp/{version}"]
        assert_params(store.params(run, "config"), want["params"])
        assert_series(store.series(run, "csv"), want.pop("csv_series"))
        assert_series(store.series(run, "tensorboard"), want.pop("event_series"))
        (rows,) = store.column("SELECT n_records FROM sources WHERE list_contains(run_ids, ?) AND adapter = 'csv'", run)
        assert rows == want.pop("csv_rows")
        hparams = store.column("SELECT key FROM param_layers WHERE run_id = ? AND layer = 'hparams'", run)
        assert set(hparams) == set(want.pop("event_hparams"))
        want.pop("params")
        assert want == {}


def test_hf(store: Store, wanted: Found) -> None:
    run = store.only("hf")
    params = store.params(run)

    assert wanted.pop("runs") == 1
    assert_params(params, wanted.pop("params"))
    assert_params({key.removeprefix("model_config."): value for key, value in params.items()
                   if key.startswith("model_config.")}, wanted.pop("model_params"))  # fmt: skip
    state = store.series(run, "hf-trainer")
    assert_series(state, wanted.pop("state_series"))
    assert_series(store.series(run, "tensorboard"), wanted.pop("event_series"), is_float32=True)
    assert state["epoch"]["last_step"] == wanted.pop("global_step")
    assert state["epoch"]["last_value"] == wanted.pop("epoch")
    assert state["epoch"]["n"] == wanted["log_history_rows"].pop("final")
    sources = "SELECT path FROM sources WHERE list_contains(run_ids, ?) AND adapter = 'tensorboard'"
    events = store.column(sources, run)
    assert len(events) == wanted.pop("event_files")
    in_text = "SELECT count(*) FROM param_layers WHERE run_id = ? AND key NOT LIKE 'model_config.%' AND source IN (SELECT unnest(?))"
    assert store.reader.rows(in_text, [run["id"], events])[0][0] >= wanted.pop("training_args_keys_in_event_text")
    for checkpoint, rows in wanted.pop("log_history_rows").items():
        said = json.loads((store.root / "hf" / "out" / checkpoint / "trainer_state.json").read_text())["log_history"]
        assert len(said) == rows < state["epoch"]["n"], "a checkpoint holds a beginning of the same history"


def test_sb3(store: Store, wanted: Found) -> None:
    run = store.only("sb3")
    table = store.series(run, "csv")

    assert wanted.pop("runs") == 1
    assert wanted.pop("rows") == table["time/iterations"]["n"]
    assert wanted.pop("step_column") not in table
    assert_series(table, wanted.pop("csv_series"))
    assert_series(store.series(run, "tensorboard"), wanted.pop("event_series"), is_float32=True)
    monitor = wanted.pop("monitor")
    lengths, returns = (store.points(run, f"monitor.mon/{name}") for name in "lr")
    assert monitor.pop("episodes") == len(returns)
    assert monitor.pop("last_return") == returns[-1][1]
    assert monitor.pop("sum_length") == sum(value for _step, value in lengths)
    assert monitor.pop("env_id") == store.params(run)["env_id"]["value"]
    assert monitor == {}
    assert_params(store.params(run), wanted.pop("model_zip_plain_params"))


def test_rlzoo(store: Store, wanted: Found) -> None:
    run = store.only("rlzoo")
    sql = "SELECT key, type, num, value FROM param_layers WHERE run_id = ? AND ends_with(source, ?)"

    def said(name: str) -> Found:
        rows = store.reader.rows(sql, [run["id"], name])
        return {key: {"value": _value(kind, number, text), "type": kind} for key, kind, number, text in rows}

    assert wanted.pop("runs") == 1
    given, config = said("args.yml"), said("config.yml")
    want = wanted.pop("args")
    inner = want.pop("hyperparams")["value"]
    assert_params(given, want)
    assert {key: given[f"hyperparams.{key}"]["value"] for key in inner} == inner
    assert config.keys() == wanted["config"].keys()
    assert_params(config, wanted.pop("config"))
    assert (given["algo"]["value"], given["env"]["value"]) == (wanted.pop("algo"), wanted.pop("env"))
    assert run["command"] == wanted.pop("command")
    assert store.params(run)["n_timesteps"]["value"] == 600
    evaluations = wanted.pop("evaluations")
    means = store.points(run, "evaluations/mean_reward")
    assert [step for step, _value in means] == evaluations.pop("timesteps")
    assert [value for _step, value in means] == evaluations.pop("mean_return")
    assert evaluations.pop("shape") == [len(means), 5]
    assert evaluations == {}
    returns = store.points(run, "monitor.0/r")
    assert wanted.pop("monitor") == {"episodes": len(returns), "last_return": returns[-1][1]}


def test_mmengine(store: Store, wanted: Found) -> None:
    run = store.only("mmengine")
    logged = store.series(run, "mmengine")

    assert wanted.pop("runs") == 1
    assert_series({key.removeprefix("train/"): value for key, value in logged.items()}, wanted.pop("train_series"))
    assert_series({key.removeprefix("val/"): value for key, value in logged.items()}, wanted.pop("val_series"))
    assert logged["train/loss"]["n"] == wanted.pop("train_rows")
    assert logged["val/acc"]["n"] == wanted.pop("val_rows")
    assert logged["train/loss"]["n"] + logged["val/acc"]["n"] == wanted.pop("rows")
    assert wanted.pop("val_step_axis") == "epoch"
    assert logged["val/acc"]["last_step"] == store.points(run, "train/epoch")[-1][1]
    assert_params(store.params(run), wanted.pop("params"))
    # The effective view sets points aside where steps go back; the raw number of points is all of them.
    drawn = store.series(run, "tensorboard")
    for metric, want in wanted.pop("event_series").items():
        assert drawn[metric]["n_raw"] == want["n_raw"] == want["n"]
        assert drawn[metric]["last_step"] == want["last_step"]
        assert drawn[metric]["last_value"] == pytest.approx(want["last_value"], rel=FLOAT32_DIGITS)
        assert store.points(run, metric)[0][0] == want["first_step"]
    assert store.params(run)["last_checkpoint"]["value"] == wanted.pop("last_checkpoint")


def test_gin(store: Store, wanted: Found) -> None:
    run = store.only("gin")
    params = store.params(run)

    assert wanted.pop("runs") == 1
    assert {key: param["value"] for key, param in params.items()} == wanted.pop("operative")
    assert read_gin((FORMATS / "gin" / "config.gin").read_text()).value == wanted.pop("config")
    raw = dict(store.reader.rows("SELECT key, raw FROM params WHERE run_id = ?", [run["id"]]))
    assert {key: raw[key] for key in wanted["raw_text"]} == wanted.pop("raw_text")


def test_mlcollections(store: Store, wanted: Found) -> None:
    run = store.only("mlcollections")

    assert wanted.pop("runs") == 1
    params = store.params(run)
    assert params.keys() == wanted["params"].keys()
    assert_params(params, wanted.pop("params"))
    frozen = parse_dump((FORMATS / "mlcollections" / "frozen_repr.txt").read_text()).values.value
    assert isinstance(frozen, Mapping)
    leaves = {leaf.key: leaf.value for leaf in flatten(frozen).leaves}
    assert leaves == {key: want["value"] for key, want in wanted.pop("frozen_repr").items()}


def test_sacred(store: Store, wanted: Found) -> None:
    runs = store.runs("sacred")

    assert len(runs) == wanted.pop("runs")
    for number, want in wanted.pop("runs_detail").items():
        run = runs[f"my_runs/{number}"]
        params = store.params(run)
        assert params.keys() == want["params"].keys()
        assert_params(params, want.pop("params"))
        series = store.series(run, "sacred")
        assert_series(series, want.pop("series"))
        assert (series["result"]["last_value"] if "result" in series else None) == want.pop("result")
        assert run["status"] == {"COMPLETED": "finished", "FAILED": "failed"}[want.pop("status")]
        assert (run["host"], run["started"].isoformat(), run["ended"].isoformat()) == (
            want.pop("host"), want.pop("start"), want.pop("stop"))  # fmt: skip
        notes = store.column("SELECT body FROM notes WHERE run_id = ?", run)
        assert (notes[0] if notes else None) == want.pop("comment")
        errors = store.column("SELECT value FROM tags WHERE run_id = ? AND tag = 'error'", run)
        assert (errors[0] if errors else None) == want.pop("error")
        updated = store.column("SELECT key FROM param_layers WHERE run_id = ? AND layer = 'override'", run)
        assert set(updated) == {leaf.key for leaf in flatten(want.pop("config_updates")).leaves}
        assert store.column("SELECT name FROM artifacts WHERE run_id = ?", run) == want.pop("artifacts")
        assert want == {}


def test_guild(store: Store, wanted: Found) -> None:
    runs = {Path(path).name: run for path, run in store.runs("guild").items()}

    assert len(runs) == wanted.pop("runs")
    aside = [claim for claim in _claims("guild", store) if claim.role is Role.ASIDE and claim.path.endswith("/trash")]
    assert wanted.pop("deleted_runs") == len(aside)
    for identity, want in wanted.pop("runs_detail").items():
        run = runs[identity]
        assert (run["job_type"], run["name"], run["exit_code"]) == (
            want.pop("op"), want.pop("label"), want.pop("exit_status"))  # fmt: skip
        assert store.column("SELECT tag FROM tags WHERE run_id = ?", run) == want.pop("tags")
        assert store.column("SELECT body FROM notes WHERE run_id = ?", run) == want.pop("comments")
        params = store.params(run)
        assert params.keys() == want["params"].keys()
        assert_params(params, want.pop("params"))
        assert list(store.params(run, "override")) == want.pop("user_flags")
        assert round(run["started_s"] * 1e6) == want.pop("started_us")
        assert round(run["ended_s"] * 1e6) == want.pop("stopped_us")
        assert_series(store.series(run, "tensorboard"), want.pop("series"), is_float32=True)
        assert want == {}
    secret = wanted.pop("must_not_appear_in_catalog").encode()
    files = [path for path in store.home.rglob("*") if path.is_file()]
    assert len(files) > 3
    assert [path for path in files if secret in path.read_bytes()] == []
    assert _texts_with(store.reader, secret.decode()) == []


def _claims(system: str, store: Store) -> list[Any]:
    from mlbench.adapters import load_adapters

    (adapter,) = [adapter for adapter in load_adapters() if adapter.name == system]
    return claims_below(adapter, store.root / system)


def _texts_with(reader: Reader, secret: str) -> list[str]:
    """Columns of the catalog in which a text holds the secret: segments are compressed, a search of bytes is not enough."""
    columns = reader.rows(
        "SELECT table_name, column_name FROM information_schema.columns WHERE data_type = 'VARCHAR' "
        "AND table_name NOT LIKE 'points%'"
    )
    return [
        f"{table}.{column}"
        for table, column in columns
        if reader.rows(f'SELECT count(*) FROM "{table}" WHERE contains("{column}", ?)', [secret])[0][0]
    ]


def test_trackio(store: Store, wanted: Found) -> None:
    runs = {run["name"]: run for run in store.runs("trackio").values()}

    assert len(runs) == wanted.pop("runs")
    assert {run["project"] for run in runs.values()} == {wanted.pop("project")}
    assert sum(len(store.points(run, "train/loss")) for run in runs.values()) == wanted.pop("metric_rows")
    for name, want in wanted.pop("runs_detail").items():
        params = store.params(runs[name])
        assert params.keys() == want["params"].keys()
        assert_params(params, want.pop("params"))
        assert_series(store.series(runs[name], "trackio"), want["series"])
        steps = [step for step, value in store.points(runs[name], "nan") if math.isnan(value)]
        assert steps == [want.pop("series")["nan"]["nan_at_step"]]
        assert want == {}


def test_clearml(store: Store, wanted: Found) -> None:
    run = store.only("clearml")

    assert wanted.pop("runs") == 1
    assert Path(run["path"]).name == wanted.pop("id")
    assert (run["name"], run["project"], run["entry_point"]) == (
        wanted.pop("name"), wanted.pop("project"), wanted.pop("entry_point"))  # fmt: skip
    assert store.column("SELECT tag FROM tags WHERE run_id = ?", run) == wanted.pop("tags")
    assert store.column("SELECT body FROM notes WHERE run_id = ?", run) == [wanted.pop("comment")]
    rows = store.reader.rows("SELECT key, raw, type FROM params WHERE run_id = ?", [run["id"]])
    assert {key: {"value": raw, "type": kind} for key, raw, kind in rows} == {
        key.removeprefix("General/").replace("/", "."): want for key, want in wanted.pop("params").items()
    }
    series = store.series(run, clearml.ADAPTER.name)
    assert_series(series, wanted.pop("series"))
    assert {name: series[name]["last_value"] for name in wanted["single_values"]} == wanted.pop("single_values")
    plots = store.reader.rows(
        "SELECT metric, step, path, byte_offset, byte_length FROM blob WHERE run_id = ?", [run["id"]]
    )
    found = {
        metric: {"iter": step, "z": json.loads(Path(path).read_bytes()[at : at + n])}
        for metric, step, path, at, n in plots
    }
    assert found == wanted.pop("plots")
    artifacts = store.reader.rows("SELECT name, size_bytes, digest FROM artifacts WHERE run_id = ?", [run["id"]])
    assert [{"key": key, "size": size, "sha256": digest.removeprefix("sha256:")} for key, size, digest in artifacts] == (
        wanted.pop("artifacts"))  # fmt: skip
    records = "SELECT n_records FROM sources WHERE list_contains(run_ids, ?) AND ends_with(path, 'metrics.jsonl')"
    assert store.column(records, run) == [wanted.pop("events")]


def test_a_model_is_read_once_for_each_folder(store: Store) -> None:
    assert len(claims_below(sb3_model.ADAPTER, store.root / "rlzoo")) == 1
