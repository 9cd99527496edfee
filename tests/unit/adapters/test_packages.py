"""Promises of packages beside a run: exact versions only, no credentials, and never a run of their own."""

import json
import os
from pathlib import Path

import pytest

from mlbench.adapters.packages import ADAPTER
from mlbench.model import Environment, Fact, Listing, Problem, Source
from mlbench.wire.packages import packages_in_text
from tests.unit.ingest.test_data import mlbench, run_with

CONDA_LIST = """# packages in environment at /opt/conda:
#
# Name                    Version                   Build  Channel
_libgcc_mutex             0.1                 conda_forge    conda-forge
numpy                     1.21.2           py39h20f2e39_0
python                    3.9.7                h12debd9_1
torch                     2.0.1                    pypi_0    pypi
"""
SMI = """| NVIDIA-SMI 535.104.05   Driver Version: 535.104.05   CUDA Version: 12.2     |
|   0  NVIDIA A100-SXM4-40GB          On  | 00000000:07:00.0 Off |                    0 |
|   1  NVIDIA A100-SXM4-40GB          On  | 00000000:0F:00.0 Off |                    0 |
|    0   N/A  N/A      4711      C   python --token=hunter2hunter2             3021MiB |
"""


def facts_of(folder: Path, name: str, content: str | bytes) -> list[Fact]:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    (claim,) = ADAPTER.claims(Listing(str(folder), (name,), ()))
    return list(ADAPTER.read(Source(claim.path, claim.run_folder), None))


def environment(facts: list[Fact]) -> dict[str, str]:
    return {fact.key: fact.value for fact in facts if isinstance(fact, Environment)}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("numpy==2.4.6", ("numpy", "2.4.6")),
        ("Torch == 2.13.0+cpu  # the small one", ("torch", "2.13.0+cpu")),
        ("ruamel.yaml===0.19", ("ruamel-yaml", "0.19")),
        ("uvicorn[standard]==0.3 ; python_version > '3.8'", ("uvicorn", "0.3")),
        ("a==1 --hash=sha256:aaaa", ("a", "1")),
        ("mine @ git+https://ada:secret@github.com/a/b.git@0123456789abcdef", ("mine", "0123456789abcdef")),
        ("mine @ file:///home/ada/mine", ("mine", "file:///home/ada/mine")),
        ("-e git+ssh://git@host/a/b@0123456789abcdef#egg=My_Own", ("my-own", "0123456789abcdef")),
        ("numpy>=1.20", None),
        ("--index-url https://ada:secret@pypi.example.org/simple", None),
        ("-r other.txt", None),
        ("\x1b[31mred==1", None),
        ("=" * 5000, None),
    ],
)
def test_a_line_of_requirements(line: str, expected: tuple[str, str] | None) -> None:
    assert list(packages_in_text(line)) == ([expected] if expected else [])


def test_addresses_lose_their_credentials() -> None:
    ((_name, version),) = packages_in_text("mine @ https://ada:hunter2hunter2@host.example.org/mine.whl")

    assert "hunter2" not in version
    assert "host.example.org/mine.whl" in version


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("pip_list.txt", "Package    Version\n---------- -------\nnumpy      1.2\npip        24.0\n",
         {"package:numpy": "1.2", "package:pip": "24.0"}),
        ("conda_list.txt", CONDA_LIST,
         {"package:-libgcc-mutex": "0.1", "package:numpy": "1.21.2", "python": "3.9.7", "package:torch": "2.0.1"}),
        ("conda-list.txt", "# platform: linux-64\nnumpy=1.21.2=py39_0\n", {"package:numpy": "1.21.2"}),
        ("spec-file.txt", "@EXPLICIT\nhttps://conda.anaconda.org/conda-forge/linux-64/numpy-base-1.21.2-py39_0.tar.bz2#aa\n",
         {"package:numpy-base": "1.21.2"}),
        ("environment.yml",
         "name: pvd\ndependencies:\n- python=3.9.7\n- conda-forge::ase=3.22.1=py_0\n- pip:\n  - torch==2.0\n- make\n",
         {"python": "3.9.7", "package:ase": "3.22.1", "package:torch": "2.0", "conda": "pvd"}),
        ("uv.lock", '[[package]]\nname = "numpy"\nversion = "2.4.6"\n', {"package:numpy": "2.4.6"}),
        ("Pipfile.lock", json.dumps({"default": {"numpy": {"version": "==2.4.6"}, "x": 1}}), {"package:numpy": "2.4.6"}),
        ("nvidia-smi.txt", SMI,
         {"driver": "535.104.05", "cuda": "12.2", "gpu": "NVIDIA A100-SXM4-40GB", "n_gpus": "2"}),
        ("collect_env.txt", "PyTorch version: 2.0.1\nOS: Debian 12\nPython version: 3.11.2 (main)\nGPU 0: NVIDIA A100\n",
         {"package:torch": "2.0.1", "os": "Debian 12", "python": "3.11.2", "gpu": "NVIDIA A100", "n_gpus": "1"}),
        ("requirements.txt", "numpy==1.0\r\n".encode("utf-16"), {"package:numpy": "1.0"}),
    ],
)  # fmt: skip
def test_each_form_gives_its_versions(
    tmp_path: Path, name: str, content: str | bytes, expected: dict[str, str]
) -> None:
    facts = facts_of(tmp_path, name, content)

    assert environment(facts) == expected
    assert not [fact for fact in facts if isinstance(fact, Problem)]


@pytest.mark.parametrize(
    ("name", "content"),
    [("uv.lock", "a = "), ("Pipfile.lock", "{"), ("environment.yml", "a: ["), ("poetry.lock", "[" * 100_000)],
)
def test_what_cannot_be_read_is_a_problem(tmp_path: Path, name: str, content: str) -> None:
    assert any(isinstance(fact, Problem) for fact in facts_of(tmp_path, name, content))


@pytest.mark.parametrize("beside", ["train.py", "pyproject.toml"])
def test_requirements_of_a_project_are_not_those_of_a_run(tmp_path: Path, beside: str) -> None:
    assert list(ADAPTER.claims(Listing(str(tmp_path), tuple(sorted(("requirements.txt", beside))), ()))) == []


def test_packages_are_shown_compared_and_asked_for_and_make_no_run(tmp_path: Path) -> None:
    for name, text in (("a", "numpy==1.0\ntorch==2.0\n"), ("b", "numpy==1.1\nscipy==3\n")):
        run_with(tmp_path, name, "lr: 0.1\n")
        (tmp_path / "runs" / name / "requirements.txt").write_text(text)
    (tmp_path / "runs" / "alone").mkdir()
    (tmp_path / "runs" / "alone" / "requirements.txt").write_text("numpy==1.0\n")

    mlbench(tmp_path, "ingest", str(tmp_path / "runs"))

    assert [row["run"] for row in mlbench(tmp_path, "query", "env.numpy >= '1.1'")] == ["b"]
    assert len(mlbench(tmp_path, "query")) == 2
    rows = mlbench(tmp_path, "diff", "a", "b")
    told = {row["key"]: [row[name] for name in ("a", "b")] for row in rows if row["section"] == "environment"}
    assert told == {
        "package:numpy": ["1.0", "1.1"],
        "package:torch": ["2.0", None],
        "package:scipy": [None, "3"],
    }


@pytest.mark.parametrize("name", [
    "requirements.txt", "requirements-dev.txt", "pip-freeze.txt", "pip_list.log", "freeze.txt", "conda-list.txt",
    "environment.yml", "conda_env.yaml", "env.yml", "packages.txt", "spec-file.txt", "installed_packages.txt", "poetry.lock",
    "uv.lock", "Pipfile.lock", "pylock.toml", "nvidia-smi.txt", "gpu_info.log", "collect_env.txt", "lscpu.txt", "env-info.txt",
    "hardware.txt", "pip_freeze",
])  # fmt: skip
def test_each_name_that_has_a_reader_is_found_among_many(name: str) -> None:
    listing = Listing("/x", (name, *(f"img_{number}.txt" for number in range(100))), ())

    assert [os.path.basename(claim.path) for claim in ADAPTER.claims(listing)] == [name]
