"""What the folder of a model that MLflow logged tells of the run that made it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlbench.model import Environment
from mlbench.wire.mlflow_model import description_of_model, environment_of_model, folder_of_model, size_of_model
from tests.paths import FORMATS, needs_formats

SERVED = "mlflow-artifacts:/1/models/m-1/artifacts"


def make_model(top: Path, about: str = "mlflow_version: 3.1.0\n", requirements: str = "numpy==2.4.6\nscipy\n") -> Path:
    folder = top / "1" / "models" / "m-1" / "artifacts"
    folder.mkdir(parents=True)
    (folder / "MLmodel").write_text(about)
    (folder / "requirements.txt").write_text(requirements)
    return folder


@needs_formats
@pytest.mark.parametrize(("store", "size"), [("art_file", 2174), ("art_sqlite", 2096)])
def test_the_environment_is_that_of_the_model(store: str, size: int) -> None:
    (first, *_rest) = sorted((FORMATS / "mlflow" / store / "models").iterdir())
    location = f"file:///data/lab/mlflow/{store}/models/{first.name}/artifacts"

    folder = folder_of_model([str(FORMATS / "mlflow")], location)

    assert folder == str((first / "artifacts").resolve())
    described = description_of_model(folder)
    assert size_of_model(described) == size
    found = list(environment_of_model(folder, described))
    assert found == [Environment("python", "3.11.7"), Environment("package:mlflow", "3.17.2")]


@pytest.mark.parametrize(
    "location",
    [
        SERVED, "s3://bucket/mlruns/1/models/m-1/artifacts", "file:///elsewhere/1/models/m-1/artifacts",
        "/elsewhere/1/models/m-1/artifacts/",
    ],
)  # fmt: skip
def test_a_model_is_found_by_the_end_of_its_address(tmp_path: Path, location: str) -> None:
    folder = make_model(tmp_path)

    assert folder_of_model([str(tmp_path / "none"), str(tmp_path)], location) == str(folder.resolve())


@pytest.mark.parametrize(
    "location", ["", "models", "file:///1/models/m-2/artifacts", "/x/../1/models/m-1/artifacts", "/1/models/m-1\0/artifacts",
                 "http://[bad", "/1/runs/m-1/artifacts"],
)  # fmt: skip
def test_what_is_no_such_address_finds_nothing(tmp_path: Path, location: str) -> None:
    make_model(tmp_path)

    assert folder_of_model([str(tmp_path)], location) is None


def test_a_link_does_not_lead_out_of_the_store(tmp_path: Path) -> None:
    make_model(tmp_path / "outside")
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "1").symlink_to(tmp_path / "outside" / "1")

    assert folder_of_model([str(tmp_path / "store")], SERVED) is None


@pytest.mark.parametrize("about", ["", "[1, 2", "mlflow_version: [3]\nmodel_size_bytes: -1\n", "- 1\n", "\ud7ff: \x00"])
def test_a_damaged_description_leaves_the_packages(tmp_path: Path, about: str) -> None:
    folder = str(make_model(tmp_path, about))
    described = description_of_model(folder)

    assert size_of_model(described) is None
    assert list(environment_of_model(folder, described)) == [Environment("package:numpy", "2.4.6")]
