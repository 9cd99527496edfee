"""Packages and machines as texts beside a run tell them: requirements, `pip freeze`, conda, lock files, `nvidia-smi`.

Only names and exact versions come out; options (`--index-url https://user:password@host`) never do, and addresses of
packages lose their credentials. https://pip.pypa.io/en/stable/reference/requirements-file-format/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlbench.model import JsonValue
from mlbench.redaction import redact_url
from mlbench.wire.jsonlog import as_list, as_mapping, as_text

MAX_PACKAGES = 2000
MAX_VERSION = 200
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,100}[A-Za-z0-9])?"
_PINNED = re.compile(rf"({_NAME})(?:\[[^\]]*\])?\s*={{2,3}}\s*([^\s;,#]+)\s*(?:[;#\\].*|--hash.*)?")
_DIRECT = re.compile(rf"({_NAME})(?:\[[^\]]*\])?\s*@\s*(\S+).*")
_EDITABLE = re.compile(rf"(?:-e|--editable)[ =](\S+?)[#&]egg=({_NAME}).*")
_COLUMNS = re.compile(rf"({_NAME}|_\w+)\s+(\d[\w.!+-]*)(?:\s+\S+){{0,3}}\s*")
_CONDA = re.compile(rf"({_NAME}|_\w+)={{1,2}}([^\s=]+)(?:=\S+)?")
_CONDA_URL = re.compile(rf"\S+/({_NAME}|_\w+)-([^-/]+)-[^-/]+\.(?:conda|tar\.bz2)(?:#\S*)?")
_COMMIT = re.compile(r"@([0-9a-f]{7,64})$")
_CARD = re.compile(
    r"^(?:GPU \d+: |\|\s+\d+\s+)((?:NVIDIA|Tesla|GeForce|Quadro|AMD|A100|H100)[^|(]*?)"
    r"(?:\s{2,}.*|\s*\(UUID.*|\s+(?:On|Off)\s.*)?$"
)
_MACHINE = (
    ("gpu", _CARD),
    ("driver", re.compile(r"(?:Nvidia driver version|Driver Version): ([\w.]+)")),
    ("cuda", re.compile(r"(?:CUDA runtime version|CUDA used to build PyTorch|CUDA Version): ([\w.]+)")),
    ("python", re.compile(r"^Python version: ([\d.]+)")),
    ("os", re.compile(r"^OS: (.{1,200})")),
    ("package:torch", re.compile(r"^PyTorch version: (\S+)")),
    ("cpu", re.compile(r"^Model name:\s+(.{1,200})")),
    ("cudnn", re.compile(r"^cuDNN version: (\S+)")),
)  # fmt: skip
"""The only lines of `nvidia-smi`, `lscpu` and `torch.utils.collect_env` that are taken."""


def normal_name(name: str) -> str:
    """The name as package indexes compare it: PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def packages_in_text(text: str) -> Iterator[tuple[str, str]]:
    """Name and version of each line that says one: requirements, `pip freeze`, `pip list`, `conda list` in its forms.

    What is not pinned (`numpy>=1.20`) says nothing of what was installed and is left out.
    """
    lines = text.replace("\\\n", " ").splitlines()
    is_conda = any(line.startswith(("# platform:", "@EXPLICIT", "# packages in environment")) for line in lines[:20])
    is_table = any(re.match(r"#?\s*(?:Package|Name)\s+Version", line) for line in lines[:20])
    forms = [_CONDA_URL, _CONDA] if is_conda else []
    forms += [_COLUMNS] if is_table else []
    for line in lines:
        bare = line.strip()
        if not bare or bare.startswith("#") or len(bare) > 4096:
            continue
        found = next((match for form in [*forms, _PINNED] if (match := form.fullmatch(bare))), None)
        if found is not None:
            yield normal_name(found[1]), found[2][:MAX_VERSION]
        elif direct := _DIRECT.fullmatch(bare):
            yield normal_name(direct[1]), _address(direct[2])
        elif editable := _EDITABLE.fullmatch(bare):
            yield normal_name(editable[2]), _address(editable[1])


def _address(url: str) -> str:
    """Where a package came from: its commit where there is one, else the address without credentials."""
    url = url.partition("#")[0].removeprefix("git+")
    commit = _COMMIT.search(url)
    return commit[1] if commit else redact_url(url)[:MAX_VERSION]


def packages_of_conda(value: JsonValue) -> Iterator[tuple[str, str]]:
    """Those of an `environment.yml`, conda's and pip's."""
    for part in as_list(as_mapping(value).get("dependencies")):
        if isinstance(part, str) and (match := _CONDA.fullmatch(part.rpartition("::")[2].strip())):
            yield normal_name(match[1]), match[2][:MAX_VERSION]
        for line in as_list(as_mapping(part).get("pip")):
            yield from packages_in_text(as_text(line))


def packages_of_lock(value: JsonValue) -> Iterator[tuple[str, str]]:
    """Those of `poetry.lock`, `uv.lock`, `pylock.toml` and `Pipfile.lock`."""
    told = as_mapping(value)
    for part in [*as_list(told.get("package")), *as_list(told.get("packages"))]:
        one = as_mapping(part)
        if (name := as_text(one.get("name"))) and (version := as_text(one.get("version"))):
            yield normal_name(name), version[:MAX_VERSION]
    for name, entry in as_mapping(told.get("default")).items():
        if version := as_text(as_mapping(entry).get("version")):
            yield normal_name(str(name)), version.removeprefix("==")[:MAX_VERSION]


def machine_in_text(text: str) -> Iterator[tuple[str, str]]:
    """What is on the list above; equal graphics cards are counted."""
    cards: dict[str, int] = {}
    seen: set[str] = set()
    for line in text.splitlines()[:5000]:
        for key, form in _MACHINE:
            match = form.search(line[:1000])
            if match and key == "gpu":
                cards[match[1].strip()] = cards.get(match[1].strip(), 0) + 1
            elif match and key not in seen and match[1].strip() not in {"N/A", "Could"}:
                seen.add(key)
                yield key, match[1].strip()
    if cards:
        yield "gpu", ", ".join(cards)
        yield "n_gpus", str(sum(cards.values()))
