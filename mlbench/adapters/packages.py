"""Packages and hardware written down beside a run, never in the middle of source code.

`requirements.txt`, outputs of `pip freeze`, `pip list` and `conda list` (also `--export`, `--explicit`), conda's
`environment.yml`, lock files of poetry, uv and Pipenv; outputs of `nvidia-smi`, `lscpu` and `torch.utils.collect_env`.
Where Python files or a `pyproject.toml` lie beside, such a file says what the project wants, not what a run had.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping

from mlbench.model import (
    Adapter,
    Claim,
    Cursor,
    Environment,
    Fact,
    JsonValue,
    Listing,
    Problem,
    ReadStatus,
    Role,
    Source,
)
from mlbench.wire.content import load_content
from mlbench.wire.dump_tree import TreeError
from mlbench.wire.flatten import value_text
from mlbench.wire.jsonlog import JsonError, as_mapping, as_text, load_json
from mlbench.wire.packages import (
    MAX_PACKAGES,
    machine_in_text,
    packages_in_text,
    packages_of_conda,
    packages_of_lock,
)
from mlbench.wire.yamltext import load_yaml

_TEXTS = re.compile(
    r"(?:requirements|pip[-_]?(?:freeze|list|packages)|freeze|conda[-_]?(?:list|packages|env|explicit)|packages|"
    r"spec[-_]file|installed[-_]packages)(?:[-_.]\w+)?\.(?:txt|log)|pip_freeze",
    re.IGNORECASE,
)
_CONDA = re.compile(r"(?:conda[-_.]?)?(?:environment|env)\.ya?ml|conda(?:[-_]env)?\.ya?ml", re.IGNORECASE)
_LOCKS = frozenset({"poetry.lock", "uv.lock", "Pipfile.lock", "pylock.toml"})
_MACHINES = re.compile(
    r"(?:nvidia[-_]?smi|gpu[-_]?info|collect[-_]env|lscpu|env[-_]?info|hardware)\.(?:txt|log)", re.IGNORECASE
)
_ENDINGS = ("txt", "log", "yml", "yaml", "lock", "toml", "pip_freeze")
_WORDS = (
    "requirements", "pip", "freeze", "conda", "packages", "spec", "env", "lock", "nvidia", "gpu", "lscpu", "hardware",
)  # fmt: skip
"""Each name that has a reader holds one of them."""
_PROJECT = ("pyproject.toml", "setup.py", "setup.cfg", "Pipfile")
_Reader = Callable[[str], Iterable[tuple[str, str]]]


def claims(listing: Listing) -> Iterator[Claim]:
    names = [name for name in listing.naming(_WORDS, *_ENDINGS) if _reader(name)]
    if not names or listing.ending("py") or any(listing.has(name) for name in _PROJECT):
        return
    for name in names:
        yield Claim(os.path.join(listing.path, name), Role.CONTEXT, listing.path)


def _reader(name: str) -> _Reader | None:
    if _TEXTS.fullmatch(name):
        return lambda text: _as_packages(packages_in_text(text))
    if _CONDA.fullmatch(name):
        return _conda
    if name in _LOCKS:
        return _lock_json if name == "Pipfile.lock" else _lock_toml
    return machine_in_text if _MACHINES.fullmatch(name) else None


def _as_packages(found: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """`python` of conda is the interpreter."""
    for name, version in found:
        yield ("python" if name == "python" else f"package:{name}"), version


def _conda(text: str) -> Iterator[tuple[str, str]]:
    value = load_yaml(text).value
    yield from _as_packages(packages_of_conda(value))
    if name := as_mapping(value).get("name"):
        yield "conda", value_text(name)


def _lock_toml(text: str) -> Iterator[tuple[str, str]]:
    return _as_packages(packages_of_lock(tomllib.loads(text)))


def _lock_json(text: str) -> Iterator[tuple[str, str]]:
    return _as_packages(packages_of_lock(load_json(text)))


def read(source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    content = load_content(source.path)
    reader = _reader(os.path.basename(source.path))
    if content.problem is not None or reader is None:
        yield from filter(None, [content.problem])
        yield Cursor({}, content.status)
        return
    try:
        found = dict(list(reader(_decoded(content.data)))[: MAX_PACKAGES + 1])
    except (TreeError, JsonError, tomllib.TOMLDecodeError, RecursionError) as error:
        yield Problem(source.path, f"the packages could not be read: {as_text(str(error)) or 'it nests too deeply'}")
        yield Cursor({}, ReadStatus.DAMAGED, n_bad=1)
        return
    for key, version in list(found.items())[:MAX_PACKAGES]:
        yield Environment(key, version)
    if len(found) > MAX_PACKAGES:
        yield Problem(source.path, f"it names more than {MAX_PACKAGES} packages; the others were left out")
    yield Cursor({}, content.status, n_records=len(found))


def _decoded(data: bytes) -> str:
    """PowerShell's `pip freeze > requirements.txt` writes UTF-16."""
    return data.decode("utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig", "replace")


def example(folder: str) -> None:
    """What `pip freeze > requirements.txt` leaves."""
    with open(os.path.join(folder, "requirements.txt"), "w", encoding="utf-8") as file:
        file.write("numpy==2.4.6\ntorch==2.13.0+cpu\nmine @ git+https://github.com/a/b@0123456789abcdef\n")


ADAPTER = Adapter(
    name="packages",
    claims=claims,
    read=read,
    example=example,
    formats="Packages and hardware beside a run: requirements, pip freeze, conda, lock files, nvidia-smi, collect_env",
    files=("requirements*.txt", "pip_freeze.txt", "conda_list.txt", "environment.yml", "conda.yaml", "*.lock",
           "nvidia-smi.txt", "collect_env.txt"),
)  # fmt: skip
