"""Promises of model files: described as their libraries describe them, and never loaded."""

import io
import json
import os
import pickle
import struct
import zipfile
from pathlib import Path

import pytest

from mlbench.adapters.model_files import ADAPTER
from mlbench.model import Artifact, Fact, Listing, Problem, Source
from mlbench.wire.modelfile import ModelFileError, describe_model
from tests.paths import FORMATS, needs_formats

FOLDER = FORMATS / "models"


def facts_of(path: Path) -> list[Fact]:
    return list(ADAPTER.read(Source(str(path), str(path.parent)), None))


@needs_formats
def test_genuine_files_are_described_as_expected() -> None:
    told = json.loads((FORMATS / "expected.json").read_text())["models"]["files"]
    tensors = describe_model(str(FOLDER / "model.safetensors"))
    torch = describe_model(str(FOLDER / "l.ckpt"))
    keras = describe_model(str(FOLDER / "m.keras"))

    one = told["model.safetensors"]
    assert (tensors.n_tensors, tensors.n_parameters, list(tensors.kinds)) == (
        one["tensors"],
        one["parameters"],
        one["dtypes"],
    )
    assert dict(tensors.metadata) == one["metadata"]
    assert tensors.digest == f"sha256:{one['sha256']}"
    assert torch.n_entries == told["l.ckpt"]["zip_entries"]
    assert list(torch.imports) == told["l.ckpt"]["pickle_globals"]
    assert torch.digest == f"sha256:{told['l.ckpt']['sha256']}"
    assert keras.n_entries == len(told["m.keras"]["zip_entries"])
    assert dict(keras.metadata) == {"keras": told["m.keras"]["keras_version"]}
    (saved,) = [fact for fact in facts_of(FOLDER / "savedmodel" / "saved_model.pb") if isinstance(fact, Artifact)]
    assert saved.digest == f"sha256:{told['savedmodel']['sha256_saved_model']}"


@needs_formats
def test_they_are_claimed_by_name_and_by_what_they_begin_with() -> None:
    files = tuple(sorted(name for name in os.listdir(FOLDER) if (FOLDER / name).is_file()))

    claimed = [os.path.basename(claim.path) for claim in ADAPTER.claims(Listing(str(FOLDER), files, ()))]

    assert sorted(claimed) == ["l.ckpt", "m.keras", "model.safetensors"]


class Trap:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("echo trapped > /tmp/mlbench-trapped",)


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_pickle_is_looked_at_and_never_loaded(tmp_path: Path, protocol: int) -> None:
    with zipfile.ZipFile(tmp_path / "m.pt", "w") as archive:
        archive.writestr("m/data.pkl", pickle.dumps(Trap(), protocol=protocol))

    found = describe_model(str(tmp_path / "m.pt"))

    assert found.imports == ("posix.system",)
    assert "unpickling would import posix.system" in found.text
    assert not Path("/tmp/mlbench-trapped").exists()


def test_two_saves_under_other_names_have_one_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlbench.wire.modelfile.MAX_HASHED_BYTES", 0)
    for name in ("a", "b"):
        with zipfile.ZipFile(tmp_path / f"{name}.pt", "w") as archive:
            archive.writestr(f"{name}/data/0", b"123")

    assert describe_model(str(tmp_path / "a.pt")).digest == describe_model(str(tmp_path / "b.pt")).digest


@pytest.mark.parametrize(
    "content",
    [b"", b"12345678", struct.pack("<Q", 1 << 62) + b"{}", struct.pack("<Q", 2) + b"[]", struct.pack("<Q", 3) + b"{x}"],
)
def test_damaged_headers_are_problems(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)

    with pytest.raises(ModelFileError):
        describe_model(str(path))
    assert any(isinstance(fact, Problem) for fact in facts_of(path))


def test_a_zip_that_is_cut_is_a_problem(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("m/data.pkl", b"x" * 100)
    path = tmp_path / "m.ckpt"
    path.write_bytes(buffer.getvalue()[:50])

    assert any(isinstance(fact, Problem) for fact in facts_of(path))


@pytest.mark.parametrize(("name", "kind"), [("w.safetensors", "model"), ("w.pt", "checkpoint")])
def test_a_git_lfs_pointer_tells_the_hash_and_size_of_the_model(tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / name
    path.write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 5005\n")

    claims = list(ADAPTER.claims(Listing(str(tmp_path), (name,), ())))
    facts = facts_of(path)

    assert [claim.path for claim in claims] == [str(path)]
    (model,) = (fact for fact in facts if isinstance(fact, Artifact))
    assert (model.kind, model.digest, model.size_bytes) == (kind, f"sha256:{'a' * 64}", 5005)
    assert any(isinstance(fact, Problem) and "git lfs pull" in fact.hint for fact in facts)


def test_a_model_among_many_binaries_of_data_is_told_by_its_name(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "pytorch_model.bin", "w") as archive:
        archive.writestr("archive/data.pkl", b"")
    names = ("pytorch_model.bin", *(f"zz_{number:04d}.bin" for number in range(200)))
    for name in names[1:]:
        (tmp_path / name).write_bytes(b"PK\x03\x04")

    claimed = ADAPTER.claims(Listing(str(tmp_path), names, ()))

    assert [os.path.basename(claim.path) for claim in claimed] == ["pytorch_model.bin"]


@pytest.mark.parametrize("name", ["m.keras", "m.pt"])
def test_a_member_that_cannot_be_unpacked_or_named_costs_what_it_would_have_told(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in ("metadata.json", "data.pkl"):
            archive.writestr(member, b'{"keras_version": "3"}' * 9)
    content = bytearray((tmp_path / name).read_bytes())
    for at in (content.index(b"metadata.json") + 13, content.index(b"data.pkl") + 8):
        content[at : at + 4] = b"\xff\xff\xff\xff"

    (tmp_path / name).write_bytes(content)
    described = describe_model(str(tmp_path / name))
    flagged = content.replace(b"PK\x01\x02", b"PK\x01\x02").replace(b"data.pkl", b"\x80\xff\x80\xffdata")
    flags = flagged.rindex(b"PK\x01\x02") + 9
    flagged[flags] |= 8  # its name is said to be UTF-8
    (tmp_path / name).write_bytes(flagged)

    assert (described.n_entries, described.metadata, described.imports) == (2, (), ())
    with pytest.raises(ModelFileError, match="damaged"):
        describe_model(str(tmp_path / name))
