"""Values of expected.json that the tests of adapters leave over: types, sums, and whole systems of many small files."""

from __future__ import annotations

import json
import math
import os
import shlex
import shutil
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from mlbench.adapters import (
    absl_flags,
    blessing,
    dvc_experiments,
    dvc_project,
    hydra,
    json_lines,
    kfp,
    metrics_csv,
    mlflow_files,
    mlflow_sqlite,
    mlmd,
    model_files,
    neptune_export,
    neptune_offline,
    notebook,
    tensorboard,
    wandb_files,
)
from mlbench.model import (
    Adapter,
    Artifact,
    Blob,
    DataVersion,
    Fact,
    Layer,
    LineageEdge,
    ModelVersion,
    Param,
    RunField,
    Source,
)
from mlbench.wire.delta import open_log, read_commit_info
from mlbench.wire.dump_names import shape_suffix
from mlbench.wire.dumps import parse_dump
from mlbench.wire.files import is_lfs_pointer
from mlbench.wire.gitlfs import is_lfs_path, pointer_at, rules_in
from mlbench.wire.gitrepo import open_repository, read_state
from mlbench.wire.modelfile import describe_model
from mlbench.wire.parity.shown import read_folder
from tests.paths import FORMATS, needs_formats
from tests.unit.adapters.reading import (
    assert_params,
    claims_below,
    fields_of,
    params_of,
    points_of,
    read,
    read_only_claim,
    series_of,
)

pytestmark = needs_formats

Found = dict[str, Any]
SPELLED = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
KINDS = {
    "histograms": "histogram", "histograms_tf1": "histogram", "text": "text", "images": "image", "images_tf1": "image",
    "audio": "audio", "audio_tf1": "audio", "hparams": "hparams", "pr_curves": "pr_curve", "custom_scalars": "layout",
    "mesh": "tensor", "no_plugin": "tensor", "graph_keras_model": "graph",
}  # fmt: skip
PURGED = ("histograms_tf1", "images_tf1", "audio_tf1")
"""Of these the accumulator drops what a restart repeats."""


@pytest.fixture
def told(request: pytest.FixtureRequest) -> Any:
    """What is expected of the system that the test is named after."""
    return json.loads((FORMATS / "expected.json").read_text(encoding="utf-8"))[request.node.name.split("_")[1]]


def runs_of(adapter: Adapter, system: str) -> dict[str, list[Fact]]:
    """The facts of each run, by the path or part that names it."""
    claims = claims_below(adapter, FORMATS / system)
    return {claim.part or os.path.relpath(claim.path, FORMATS / system): read(adapter, claim) for claim in claims}


# ---------------------------------------------------------------- TensorBoard


def test_tfevents(told: Found) -> None:
    folders = {
        os.path.relpath(folder, FORMATS / "tfevents")
        for folder, _folders, files in os.walk(FORMATS / "tfevents")
        if any("tfevents" in name for name in files)
    }

    assert len(folders) == told["runs"]
    assert folders == told["runs_detail"].keys()
    for name, want in told["runs_detail"].items():
        _assert_events(str(FORMATS / "tfevents" / name), want)
    for name, want in told["csv"].items():
        path = FORMATS / "tfevents" / name
        (claim,) = [claim for claim in claims_below(metrics_csv.ADAPTER, path.parent) if claim.path == str(path)]
        facts = read(metrics_csv.ADAPTER, claim)
        assert_numbers(series_of(facts), want["series"])
        assert {found[0] for found in series_of(facts).values()} == {want["rows"]}


def _assert_events(folder: str, want: Found) -> None:
    claims = [claim for claim in claims_below(tensorboard.ADAPTER, folder) if os.path.dirname(claim.path) == folder]
    facts = [fact for claim in claims for fact in read(tensorboard.ADAPTER, claim)]
    raw = series_of(facts)
    shown = {one.tag: one for one in read_folder("eventaccumulator", folder).series}
    assert shown.keys() == raw.keys() == want["scalars"].keys()
    for metric, one in want["scalars"].items():
        found = shown[metric]
        assert (len(found.steps), found.steps[0], found.steps[-1]) == (one["n"], one["first_step"], one["last_step"])
        assert found.values[-1] == pytest.approx(SPELLED.get(one["last_value"], one["last_value"]), nan_ok=True)
        assert raw[metric][0] == one["n_raw"]
    plugin = {one.tag: one for one in read_folder("plugin", folder).series}
    for metric, one in want.get("plugin_event_accumulator_differs", {}).items():
        found = plugin[metric]
        assert (len(found.steps), found.steps[0], found.steps[-1], found.values[-1]) == (
            one["n"], one["first_step"], one["last_step"], one["last_value"])  # fmt: skip
    _assert_others([fact for fact in facts if isinstance(fact, Blob)], want)
    _assert_hparams(facts, want.get("hparams", {}), Path(folder))


def _assert_others(blobs: list[Blob], want: Found) -> None:
    for plugin, tags in want["other"].items():
        for tag, count in tags.items():
            mine = [blob for blob in blobs if blob.metric == tag and blob.kind == KINDS[plugin]]
            is_purged = plugin in PURGED
            assert len({(blob.step, None if is_purged else blob.wall_s) for blob in mine}) == count, (plugin, tag)
    graphs = {blob.metric for blob in blobs if blob.kind == "graph"}
    assert ("graph" in graphs) == bool(want.get("graph"))
    assert set(want.get("run_metadata", ())) <= graphs


def _assert_hparams(facts: list[Fact], want: Found, folder: Path) -> None:
    params = params_of(facts)
    begun = want.get("session_start_info", {})
    assert {key: begun[key] for key in begun}.items() <= params.items()
    ended = want.get("session_end_info", {}).get("status")
    assert fields_of(facts).get("status") == ({1: "finished"}[ended] if ended else None)
    if "experiment" in want:  # a description of a sweep: its names are those of parameters and metrics in its runs
        (blob,) = [fact for fact in facts if isinstance(fact, Blob) and fact.metric == "_hparams_/experiment"]
        assert any(_holds(path, blob, want["experiment"]) for path in folder.iterdir())


def _holds(path: Path, blob: Blob, experiment: Found) -> bool:
    """Whether the blob's bytes in a file name all that the experiment does."""
    if not path.is_file() or "tfevents" not in path.name:
        return False
    content = path.read_bytes()[blob.offset : blob.offset + blob.length]
    names = [*experiment["hparams"], *experiment["metrics"]]
    return len(content) == blob.length and all(name.encode() in content for name in names)


def kind_of(value: object) -> str:
    """The word of expected.json for the type of a value."""
    kinds = ((bool, "bool"), (int, "int"), (float, "float"), (str, "str"), (list, "list"), (dict, "map"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "null")


def assert_numbers(found: dict[str, Any], wanted: Found) -> None:
    for metric, one in wanted.items():
        assert found[metric] == (one["n"], one["first_step"], one["last_step"], one["last_value"]), metric


# ---------------------------------------------------------------- parameters


def test_argparse(told: Found) -> None:
    folder = FORMATS / "argparse"
    params = {key: SPELLED.get(str(one["value"]), one["value"]) for key, one in told["params"].items()}

    assert {key: kind_of(value) for key, value in params.items()} == {
        key: one["type"] for key, one in told["params"].items()
    }
    files = told["files"]
    for name, want in files.items():
        if name in ("log.txt", "flagfile.txt", "flags_into_string.txt", "argv_shlex.txt"):
            continue
        dump = parse_dump((folder / name).read_text(encoding="utf-8"), suffix=shape_suffix(str(folder / name)))
        assert isinstance(dump.values.value, dict)
        found = dump.values.value
        if "params" in want:
            assert len(found) == want["params"], name
            assert params.keys() - found.keys() == set(want.get("missing", ()))
            assert all(found[key] == params[key] for key in found if name != "args.yaml" or key != "mode"), name
        if "params_given" in want:
            assert list(found) == list(want["params_given"])
            values = {key: one["value"] for key, one in want["values"].items()} if "values" in want else params
            assert all(found[key] == values[key] for key in found)
            assert all(kind_of(found[key]) == one["type"] for key, one in want.get("values", {}).items())
        if "defaults_shown" in want:
            assert dump.defaults is not None
            assert {key: raw.text for (key,), raw in dump.defaults.raw.items()} == want["defaults_shown"]
        if "dumps_in_file" in want:
            assert (folder / name).read_text(encoding="utf-8").count("Namespace(") == want["dumps_in_file"]
    assert told["runs"] == 1
    _assert_odd_files(folder, files)


def _assert_odd_files(folder: Path, files: Found) -> None:
    """A log, flag files, and a command line with quotes."""
    log = files["log.txt"]
    (claim,) = [one for one in claims_below(json_lines.ADAPTER, folder) if one.path.endswith("log.txt")]
    series = series_of(read(json_lines.ADAPTER, claim))
    assert log["step_key"] not in series
    for metric, one in log["series"].items():
        assert (series[metric][0], series[metric][3]) == (one["n"], one["last_value"])
        assert series[metric][0] == log["rows"]
    assert files["flags_into_string.txt"]["same_as"] == "flagfile.txt"
    for name in ("flagfile.txt", "flags_into_string.txt"):
        flags = params_of(_claimed(absl_flags.ADAPTER, folder / name))
        for key, one in files["flagfile.txt"]["flags"].items():
            assert flags[key] == one["value"], (name, key)
            assert kind_of(flags[key]) == one["type"]
    text = (folder / "argv_shlex.txt").read_text(encoding="utf-8")
    found = parse_dump(text, suffix="").values.value
    assert isinstance(found, dict)
    for key, one in files["argv_shlex.txt"]["values"].items():
        assert (found[key], kind_of(found[key])) == (one["value"], one["type"])
    assert len(shlex.split(text)) > 2


def _claimed(adapter: Adapter, path: Path) -> list[Fact]:
    """The facts of one file, whatever its name: a copy has the name that is claimed."""
    return list(adapter.read(Source(str(path), str(path.parent)), None))


def test_hydra(told: Found) -> None:
    jobs = {os.path.dirname(path): facts for path, facts in runs_of(hydra.ADAPTER, "hydra").items()}

    assert len(jobs) == told["runs"]
    assert len({os.path.dirname(path) for path in jobs if path.startswith("multirun")}) == told["sweeps"]
    for name, want in told["runs_detail"].items():
        config = {fact.key: fact for fact in jobs[name] if isinstance(fact, Param) and fact.layer is Layer.CONFIG}
        for key, one in want["params"].items():
            is_open = "${" in str(one["value"])
            value = config[key].raw if is_open else config[key].value
            assert (value, kind_of(value)) == (one["value"], one["type"])
        derived = {
            fact.key: fact.value for fact in jobs[name] if isinstance(fact, Param) and fact.layer is Layer.DERIVED
        }
        assert derived["hydra.mode"] == want["mode"]
        # A value of the environment is not asked for: what the program got is not known.
        assert want["resolved"]["seed"] == "3"
        assert config["seed"].value in ("${oc.env:SEED,3}", "3", 3)


# ---------------------------------------------------------------- trackers


def test_wandb(told: Found) -> None:
    runs = {os.path.basename(path)[-8:]: facts for path, facts in runs_of(wandb_files.ADAPTER, "wandb").items()}

    assert len(runs) == told["runs"]
    for name, want in told["runs_detail"].items():
        facts = runs[want["id"]]
        fields = fields_of(facts)
        assert name.endswith(f"run-{want['id']}.wandb")
        assert (fields["project"], fields["group"], fields["job_type"], fields["note"], fields["host"]) == (
            want["project"], want["group"], want["job_type"], want["notes"], want["host"])  # fmt: skip
        assert (fields["name"], fields["exit_code"]) == (want["name"], want["exit_code"])
        assert_params(facts, want["params"])
        for metric, one in want["series"].items():
            nans = [step for step, value in points_of(facts, metric) if math.isnan(value)]
            assert nans == ([one["nan_at_step"]] if "nan_at_step" in one else [])


def test_mlflow(told: Found) -> None:
    for key, adapter in (("sqlite", mlflow_sqlite.ADAPTER), ("file_store", mlflow_files.ADAPTER)):
        runs = {os.path.basename(name): facts for name, facts in runs_of(adapter, "mlflow").items()}
        for run_id, want in told[key]["runs_detail"].items():
            kinds = {fact.key: kind_of(fact.raw) for fact in runs[run_id] if isinstance(fact, Param)}
            assert kinds == {name: one["type"] for name, one in want["params"].items()}
            for metric, one in want["series"].items():
                # What the client repeats, the line that logging a model wrote again, counts once here.
                n_repeated = one["n_from_client"] - one["n"]
                assert n_repeated in ((0,) if key == "sqlite" else (0, 1))
                assert series_of(runs[run_id])[metric][0] == one["n"]
    (model,) = told["registry"]
    facts = [
        fact for run in runs_of(mlflow_sqlite.ADAPTER, "mlflow").items() for fact in [(run[0], one) for one in run[1]]
    ]
    found = {fact.version: (run_id, fact) for run_id, fact in facts if isinstance(fact, ModelVersion)}
    for version in model["versions"]:
        run_id, fact = found[str(version["version"])]
        assert (run_id, fact.uri, fact.status.upper()) == (version["run_id"], version["source"], version["status"])


def test_neptune(told: Found) -> None:
    offline = read_only_claim(neptune_offline.ADAPTER, FORMATS / "neptune")
    exported = [facts for _path, facts in runs_of(neptune_export.ADAPTER, "neptune").items()]

    assert told["offline"]["runs"] == 1
    assert_params(offline, told["offline"]["params"])
    for want, facts in zip(told["exports"]["runs_detail"].values(), exported, strict=True):
        assert_params(facts, {key: {**one, "value": params_of(facts)[key]} for key, one in want["params"].items()})


# ---------------------------------------------------------------- pipelines and stores


def test_kfp(told: Found) -> None:
    runs = runs_of(kfp.ADAPTER, "kfp")
    folders = {path.split(os.sep)[1] for path in runs if path.startswith("local_outputs")}
    tasks = {path.split(os.sep)[2] for path in runs if path.startswith("local_outputs")}
    facts = [fact for run in runs.values() for fact in run]

    assert (folders, len(folders)) == ({told["run"]}, told["runs"])
    assert tasks == set(told["components"]) == told["tasks"].keys()
    assert RunField("project", told["pipeline"]) in facts
    lr = params_of(facts)["lr"]
    assert kind_of(lr) == told["pipeline_params"]["lr"]["type"]
    assert told["tasks"]["evaluate"]["artifacts"] == {}
    train = told["tasks"]["train"]["artifacts"]
    (matrix,) = [fact for fact in facts if isinstance(fact, Blob)]
    (path,) = [FORMATS / "kfp" / name for name in runs if f"{os.sep}train{os.sep}" in name]
    text = path.read_bytes()[matrix.offset : matrix.offset + matrix.length].decode()
    assert all(f'"{label}"' in text for label in train["cm"]["labels"])
    assert train["model"]["framework"] == "x"  # said to people; of a model its file is told


def test_notebooks(told: Found) -> None:
    runs = runs_of(notebook.ADAPTER, "notebooks")

    assert len(list((FORMATS / "notebooks").iterdir())) - 1 >= told["files"]
    for name, want in told["runs_detail"].items():
        for key, layer in (("params", Layer.OVERRIDE), ("defaults", Layer.DEFAULT)):
            found = {fact.key: fact.value for fact in runs[name] if isinstance(fact, Param) and fact.layer is layer}
            assert {one: kind_of(found[one]) for one in want[key]} == {one: it["type"] for one, it in want[key].items()}


def test_models(told: Found) -> None:
    keras, saved = told["files"]["m.keras"], told["files"]["savedmodel"]
    with zipfile.ZipFile(FORMATS / "models" / "m.keras") as archive:
        assert sorted(archive.namelist()) == sorted(keras["zip_entries"])

    found = describe_model(str(FORMATS / "models" / "m.keras"))

    assert found.n_entries == len(keras["zip_entries"])
    assert found.digest == f"sha256:{keras['sha256']}"
    facts = read_only_claim(model_files.ADAPTER, FORMATS / "models" / "savedmodel")
    (model,) = [fact for fact in facts if isinstance(fact, Artifact)]
    assert ("fingerprint" in model.detail) == ("fingerprint.pb" in set(saved["files"]))


def test_delta(told: Found) -> None:
    log = open_log(str(FORMATS / "delta" / "table"))
    link = told["run_link"]

    commit = read_commit_info(log, link["version"])

    assert (commit.extra["run_id"], commit.user) == (link["run_id"], link["userName"])


def test_gitlfs(told: Found, tmp_path: Path) -> None:
    for name in ("repo", "clone"):
        with tarfile.open(FORMATS / "gitlfs" / f"{name}.tar.gz") as packed:
            packed.extractall(tmp_path, filter="data")
        stored = [path for path in (tmp_path / name / ".git" / "lfs" / "objects").rglob("*") if path.is_file()]
        assert len(stored) == told[name]["objects_present"]
    repository = open_repository(str(tmp_path / "repo"))
    assert repository is not None
    assert repository.objects is not None
    for one in told["commits"]:
        commit = read_state(repository, one["commit"])
        assert commit is not None
        assert commit.subject == one["subject"]
        empty = told["empty_file"]
        assert (pointer_at(repository.objects, commit.tree, empty["path"]) is not None) == empty["pointer"]
        assert (tmp_path / "repo" / empty["path"]).stat().st_size == empty["size"]
    repository.close()
    rules = rules_in((tmp_path / "repo" / ".gitattributes").read_text(encoding="utf-8"))
    for pattern in told["tracked_patterns"]:
        assert is_lfs_path(pattern.replace("**", "x").replace("*", "x"), rules)
    for name in told["clone"]["worktree_files_are_pointers"]:
        assert is_lfs_pointer((tmp_path / "clone" / name).read_bytes())


def test_dvc(told: Found, tmp_path: Path) -> None:
    with tarfile.open(FORMATS / "dvc" / "repo.tar.gz") as packed:
        packed.extractall(tmp_path, filter="data")
    facts = read_only_claim(dvc_project.ADAPTER, tmp_path / "repo")
    repository = open_repository(str(tmp_path / "repo"))
    assert repository is not None

    for one in told["commits"]:
        commit = read_state(repository, one["commit"])
        assert commit is not None
        assert commit.subject == one["subject"]
    assert (repository.head.commit, repository.head.branch) == (told["head"], told["branch"])
    repository.close()
    sizes = {fact.name: fact.size_bytes for fact in facts if isinstance(fact, DataVersion)}
    for one in told["data_versions"]:
        assert sizes[os.path.join(os.path.dirname(one["file"]), one["path"])] == one["size"]
        assert one.get("nfiles") in (None, 3)
    outs = [fact for fact in facts if isinstance(fact, LineageEdge) and fact.direction == "output"]
    assert len(outs) == told["pipeline"]["outs"]
    assert set(told["pipeline"]["metrics_files"]) == {"eval.json", "dvclive/metrics.json"}
    (experiment,) = told["experiments"]
    (claim,) = claims_below(dvc_experiments.ADAPTER, tmp_path / "repo")
    series, params = series_of(read(dvc_experiments.ADAPTER, claim)), params_of(read(dvc_experiments.ADAPTER, claim))
    assert experiment["ref"].endswith(f"/{experiment['name']}")
    assert {key: kind_of(params[key]) for key in experiment["params"]} == {
        key: one["type"] for key, one in experiment["params"].items()
    }
    assert series["eval.auc"][3] == experiment["metrics"]["eval.auc"]
    assert series["train/loss"][2] == experiment["metrics"]["step"]


def test_mlmd(told: Found, tmp_path: Path) -> None:
    db, other = told["metadata_db"], told["kfp_db"]
    runs = {fields_of(facts)["name"]: facts for _path, facts in runs_of(mlmd.ADAPTER, "mlmd").items()}

    assert db["executions"] == sum(one["steps"] for one in db["runs_detail"].values())
    assert db["input_edges"] + db["output_edges"] == db["lineage_edges"]
    for name, want in db["runs_detail"].items():
        assert fields_of(runs[name])["status"] == {"COMPLETE": "finished"}[want["status"]]
        assert len(want["step_types"]) == want["steps"]
        assert (
            db["trainer_params"][name].items()
            <= {key.rpartition(".")[2]: value for key, value in params_of(runs[name]).items()}.items()
        )
    assert db["contexts"] >= db["runs"]
    run, _slash, task = other["name"].partition("/")
    assert (fields_of(runs[run])["status"], other["status"]) == ("finished", "COMPLETE")
    assert any(key.startswith(f"{task}.") for key in params_of(runs[run]))
    assert (other["executions"], other["cached"], other["type"]) == (1, True, "system.ContainerExecution")
    # Beside a store its own words hold; the files alone are read where none lies above them.
    shutil.copytree(FORMATS / "mlmd" / "pipeline_root", tmp_path / "pipeline_root")
    names = [os.path.basename(claim.path) for claim in claims_below(blessing.ADAPTER, tmp_path)]
    assert {name: names.count(name) for name in told["blessing_files"]} == told["blessing_files"]
