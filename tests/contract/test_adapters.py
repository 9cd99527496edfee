"""The promises that every adapter keeps; a new adapter is held to them without a new line here."""

from __future__ import annotations

import ast
import json
import math
import os
import random
import shutil
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

from mlbench.adapters import load_adapters
from mlbench.model import (
    RUN_FIELDS,
    RUN_STATUSES,
    Adapter,
    Blob,
    Claim,
    Cursor,
    Fact,
    JsonValue,
    Listing,
    Param,
    Points,
    PointTable,
    Problem,
    RunField,
    Source,
)
from tests.facts import apart
from tests.paths import ROOT

MAX_CUTS = 4096
"""Examples up to this size are cut at every byte; of larger ones this many cuts are sampled, the ends always."""

ADAPTERS = load_adapters()
each_adapter = pytest.mark.parametrize("adapter", ADAPTERS, ids=[adapter.name for adapter in ADAPTERS])

Comparable = tuple[object, ...]


# ---------------------------------------------------------------- what the promises are made of


def list_folder(folder: str) -> Listing:
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
        files = tuple(entry.name for entry in found if entry.is_file())
        return Listing(folder, files, tuple(entry.name for entry in found if entry.is_dir()))


def walk(root: str) -> Iterator[Listing]:
    pending = [os.path.realpath(root)]
    while pending:
        listing = list_folder(pending.pop())
        yield listing
        pending += [os.path.join(listing.path, name) for name in listing.folders]


def claims_below(adapter: Adapter, root: str) -> list[Claim]:
    return [claim for listing in walk(root) for claim in adapter.claims(listing)]


def source_of(claim: Claim) -> Source:
    return Source(claim.path, claim.run_folder, claim.follows, claim.part, claim.rule)


def read_all(adapter: Adapter, source: Source, cursor: Mapping[str, JsonValue] | None = None) -> list[Fact]:
    facts = list(adapter.read(source, cursor))
    assert_well_formed(facts)
    return facts


def comparable(value: object) -> object:
    """A value that equals another one exactly if it is the same to the bit, NaN included."""
    if isinstance(value, float):
        return ("float", value.hex())
    if hasattr(value, "tobytes"):
        return (str(value.dtype), value.shape, value.tobytes())  # type: ignore[attr-defined]
    if is_dataclass(value) and not isinstance(value, type):
        return (type(value).__name__, *(comparable(getattr(value, part.name)) for part in fields(value)))
    if isinstance(value, Mapping):
        return ("mapping", *((key, comparable(inner)) for key, inner in value.items()))
    if isinstance(value, list | tuple):
        return ("list", *(comparable(inner) for inner in value))
    return (type(value).__name__, value)


def comparables(facts: Iterable[Fact]) -> list[object]:
    return [comparable(fact) for fact in facts]


def without_batches(facts: Iterable[Fact]) -> tuple[dict[str, Comparable], list[object]]:
    """Points joined per metric, whatever their batches; and every other fact but cursors and Problems, in order."""
    points: dict[str, tuple[list[object], ...]] = {}
    others: list[object] = []
    for fact in apart(facts):
        if isinstance(fact, Points):
            columns = points.setdefault(fact.metric, ([], [], [], []))
            columns[0].append(fact.steps.tobytes())
            columns[1].append(fact.wall_s.tobytes())
            columns[2].append(fact.values.tobytes())
            columns[3].append(fact.seq.tobytes())
        elif not isinstance(fact, Cursor | Problem):
            others.append(comparable(fact))
    return {metric: tuple(b"".join(map(_bytes, column)) for column in columns) for metric, columns in points.items()}, (
        others
    )


def _bytes(value: object) -> bytes:
    assert isinstance(value, bytes)
    return value


def last_cursor(facts: list[Fact]) -> dict[str, JsonValue]:
    cursor = facts[-1]
    assert isinstance(cursor, Cursor)
    state = json.loads(json.dumps(cursor.state))
    assert isinstance(state, dict)
    return state


def texts_of(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif is_dataclass(value) and not isinstance(value, type):
        for part in fields(value):
            yield from texts_of(getattr(value, part.name))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from texts_of(key)
            yield from texts_of(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts_of(inner)


def assert_well_formed(facts: list[Fact]) -> None:
    assert facts, "a reading ends with a Cursor"
    assert isinstance(facts[-1], Cursor), "a reading ends with a Cursor"
    for fact in facts:
        for text in texts_of(fact):
            text.encode()
        match fact:
            case Points():
                assert_points(fact)
            case PointTable():
                assert_table(fact)
            case Blob():
                assert math.isfinite(fact.wall_s) or math.isnan(fact.wall_s)
                assert fact.offset >= 0
                assert fact.length >= 0
            case RunField():
                assert_run_field(fact)
            case Param():
                json.dumps(fact.value)
            case Problem():
                assert fact.what
            case _:
                pass


def assert_points(points: Points) -> None:
    import numpy as np

    n = len(points.steps)
    assert n >= 1
    assert points.steps.dtype == np.int64
    assert points.seq.dtype == np.int64
    assert points.wall_s.dtype == np.float64
    assert points.values.dtype == np.float64
    assert points.wall_s.shape == points.values.shape == points.seq.shape == (n,)
    assert bool(np.all(np.diff(points.seq) > 0))
    assert not bool(np.any(np.isinf(points.wall_s)))


def assert_table(table: PointTable) -> None:
    import numpy as np

    assert table.which.dtype == np.int32
    assert np.unique(table.which).tolist() == list(range(len(table.metrics)))
    assert len(set(table.metrics)) == len(table.metrics)
    for points in table.split():
        assert_points(points)


def assert_run_field(field: RunField) -> None:
    assert field.name in RUN_FIELDS
    if field.name in {"started", "ended"}:
        assert isinstance(field.value, float | int)
        assert math.isfinite(field.value)
    if field.name == "status":
        assert field.value in RUN_STATUSES


def tree_state(root: str) -> list[tuple[str, int, int]]:
    state: list[tuple[str, int, int]] = []
    for listing in walk(root):
        for name in (*listing.files, *listing.folders):
            path = os.path.join(listing.path, name)
            stat = os.stat(path)
            state.append((os.path.relpath(path, root), stat.st_size, stat.st_mtime_ns))
    return sorted(state)


def seeded(seed: int) -> random.Random:
    return random.Random(seed)


def cuts_of(size: int) -> list[int]:
    if size <= MAX_CUTS:
        return list(range(size + 1))
    sampled = seeded(size).sample(range(size), MAX_CUTS // 4)
    return sorted({*sampled, *range(64), *range(size - 64, size + 1)})


def files_of(claim: Claim) -> list[str]:
    """The files that a claim reads: the claimed file, or those that a folder record follows."""
    if os.path.isfile(claim.path):
        return [claim.path]
    return [path for path in claim.follows if os.path.isfile(path)]


@pytest.fixture
def example(adapter: Adapter, tmp_path: Path) -> str:
    folder = tmp_path / "run"
    folder.mkdir()
    adapter.example(str(folder))
    return str(folder.resolve())


# ---------------------------------------------------------------- the promises


def test_names_are_unique() -> None:
    names = [adapter.name for adapter in ADAPTERS]

    assert len(names) == len(set(names))


@each_adapter
def test_it_says_what_it_reads(adapter: Adapter) -> None:
    assert adapter.formats
    assert adapter.files


@each_adapter
def test_it_claims_its_example(adapter: Adapter, example: str) -> None:
    claims = claims_below(adapter, example)

    assert claims
    for claim in claims:
        assert os.path.exists(claim.path)
        assert os.path.isdir(claim.run_folder)


@each_adapter
def test_no_other_adapter_claims_what_it_reads(adapter: Adapter, example: str) -> None:
    claims = claims_below(adapter, example)
    claimed = {path for claim in claims for path in (claim.path, *claim.follows)}

    for other in ADAPTERS:
        if other is not adapter:
            assert claimed.isdisjoint(claim.path for claim in claims_below(other, example)), other.name


@each_adapter
def test_it_claims_nothing_in_an_empty_folder_or_one_that_is_gone(adapter: Adapter, tmp_path: Path) -> None:
    gone = Listing(str(tmp_path / "gone"), (), ())

    assert list(adapter.claims(list_folder(str(tmp_path)))) == []
    assert list(adapter.claims(gone)) == []


@each_adapter
def test_claiming_never_raises_for_files_that_vanished(adapter: Adapter, example: str) -> None:
    listings = list(walk(example))
    shutil.rmtree(example)

    for listing in listings:
        list(adapter.claims(listing))


@each_adapter
def test_it_reads_its_example_without_a_problem(adapter: Adapter, example: str) -> None:
    for claim in claims_below(adapter, example):
        facts = read_all(adapter, source_of(claim))

        assert [fact for fact in facts if isinstance(fact, Problem)] == []
        assert len(facts) > 1


@each_adapter
def test_reading_twice_gives_equal_facts_in_equal_order(adapter: Adapter, example: str) -> None:
    for claim in claims_below(adapter, example):
        first = read_all(adapter, source_of(claim))
        second = read_all(adapter, source_of(claim))

        assert comparables(first) == comparables(second)


@each_adapter
def test_its_cursor_survives_json(adapter: Adapter, example: str) -> None:
    for claim in claims_below(adapter, example):
        facts = read_all(adapter, source_of(claim))

        assert last_cursor(facts) == facts[-1].state  # type: ignore[union-attr]
        read_all(adapter, source_of(claim), last_cursor(facts))


@each_adapter
def test_a_file_cut_anywhere_and_read_on_equals_the_whole(adapter: Adapter, example: str) -> None:
    for claim in claims_below(adapter, example):
        whole = without_batches(read_all(adapter, source_of(claim)))
        for path in files_of(claim):
            content = Path(path).read_bytes()
            for cut in cuts_of(len(content)):
                Path(path).write_bytes(content[:cut])
                before = read_all(adapter, source_of(claim))
                Path(path).write_bytes(content)
                if adapter.appends:
                    after = read_all(adapter, source_of(claim), last_cursor(before))
                    assert without_batches([*before, *after]) == whole, f"cut at byte {cut}"
                elif cut % 97 == 0:
                    assert without_batches(read_all(adapter, source_of(claim))) == whole, f"cut at byte {cut}"


@each_adapter
def test_nothing_new_gives_no_new_facts(adapter: Adapter, example: str) -> None:
    if not adapter.appends:
        pytest.skip("this source is read whole on any change")

    for claim in claims_below(adapter, example):
        first = read_all(adapter, source_of(claim))
        again = read_all(adapter, source_of(claim), last_cursor(first))

        assert without_batches(again) == ({}, [])


GARBAGE = {
    "empty": b"",
    "a newline": b"\n",
    "nul bytes": b"\0" * 5000,
    "ones": b"\xff" * 5000,
    "random bytes": seeded(1).randbytes(20_000),
    "random text": "".join(seeded(2).choices("{}[]():=,'\"\\-#&*!|>%@` \n\tabcé01.", k=5000)).encode(),
    "open brackets": b"[" * 50_000,
    "open braces": b'{"a":' * 20_000,
    "half a surrogate pair": b'{"a": "\\ud800", "b": 1}',
    "a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22"
    b"eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n",
    "JSON": b'{"a": {"b": [1, NaN, null, {"c": "d"}]}}\n',
    "JSON lines": b'{"step": 1, "loss": 0.5}\n{"step": "x", "loss": null}\n[1]\n3\n',
    "CSV": b"step,loss\n1,0.5\nx,\n2\n1,2,3,4\n",
    "a huge number": b"[" + b"9" * 20_000 + b"]",
}


@each_adapter
@pytest.mark.parametrize("kind", sorted(GARBAGE))
def test_garbage_in_its_place_gives_facts_or_problems(adapter: Adapter, example: str, kind: str) -> None:
    for claim in claims_below(adapter, example):
        for path in files_of(claim):
            content = Path(path).read_bytes()
            Path(path).write_bytes(GARBAGE[kind])

            read_all(adapter, source_of(claim))
            list(adapter.claims(list_folder(os.path.dirname(path))))

            Path(path).write_bytes(content)


@each_adapter
def test_bytes_flipped_anywhere_give_facts_or_problems(adapter: Adapter, example: str) -> None:
    generator = seeded(3)
    for claim in claims_below(adapter, example):
        for path in files_of(claim):
            content = Path(path).read_bytes()
            for _ in range(100 if content else 0):
                damaged = bytearray(content)
                for _ in range(generator.randint(1, 4)):
                    damaged[generator.randrange(len(damaged))] = generator.randrange(256)
                Path(path).write_bytes(damaged)

                read_all(adapter, source_of(claim))

            Path(path).write_bytes(content)


@each_adapter
def test_a_folder_in_its_place_gives_facts_or_problems(adapter: Adapter, example: str) -> None:
    for claim in claims_below(adapter, example):
        for path in files_of(claim):
            os.remove(path)
            os.mkdir(path)

        read_all(adapter, source_of(claim))


@each_adapter
def test_a_missing_source_gives_a_problem(adapter: Adapter, example: str) -> None:
    claims = claims_below(adapter, example)
    shutil.rmtree(example)

    for claim in claims:
        facts = read_all(adapter, source_of(claim))

        assert [fact for fact in facts if isinstance(fact, Problem)]


@each_adapter
def test_a_fifo_in_its_place_does_not_block(adapter: Adapter, example: str) -> None:
    for claim in claims_below(adapter, example):
        for path in files_of(claim):
            os.remove(path)
            os.mkfifo(path)
        reader = threading.Thread(target=read_all, args=(adapter, source_of(claim)), daemon=True)

        reader.start()
        reader.join(timeout=20)

        assert not reader.is_alive()


@each_adapter
@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_in_its_place_gives_facts_or_problems(adapter: Adapter, example: str) -> None:
    for claim in claims_below(adapter, example):
        for path in files_of(claim):
            os.chmod(path, 0)

        read_all(adapter, source_of(claim))


@each_adapter
def test_it_writes_nothing(adapter: Adapter, example: str) -> None:
    before = tree_state(example)

    for claim in claims_below(adapter, example):
        read_all(adapter, source_of(claim))

    assert tree_state(example) == before


# ---------------------------------------------------------------- what the code may never call

FORBIDDEN_MODULES = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "subprocess", "runpy"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "execfile"}
FORBIDDEN_ATTRIBUTES = {
    "os.system", "os.popen", "os.execv", "os.execvp", "os.spawnv", "os.posix_spawn", "builtins.eval", "builtins.exec",
    "yaml.load", "yaml.load_all", "yaml.full_load", "yaml.unsafe_load", "torch.load", "importlib.import_module",
}  # fmt: skip
UNSAFE_LOADERS = {"Loader", "CLoader", "FullLoader", "CFullLoader", "UnsafeLoader", "CUnsafeLoader"}


def dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return f"{dotted(node.value)}.{node.attr}" if isinstance(node, ast.Attribute) else ""


def offences_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names if name.name.split(".")[0] in FORBIDDEN_MODULES)
            case ast.ImportFrom(module=module) if (module or "").split(".")[0] in FORBIDDEN_MODULES:
                yield str(module)
            case ast.Call(func=func) if dotted(func) in FORBIDDEN_CALLS | FORBIDDEN_ATTRIBUTES:
                yield dotted(func)
            case ast.Attribute() if dotted(node).startswith("yaml.") and node.attr in UNSAFE_LOADERS:
                yield dotted(node)
            case ast.keyword(arg="allow_pickle", value=value):
                if not (isinstance(value, ast.Constant) and value.value is False):
                    yield "allow_pickle"
            case ast.keyword(arg="shell", value=ast.Constant(value=True)):
                yield "shell=True"


READERS = sorted([*(ROOT / "mlbench" / "adapters").rglob("*.py"), *(ROOT / "mlbench" / "wire").rglob("*.py")])


@pytest.mark.parametrize("path", READERS, ids=[str(path.relative_to(ROOT / "mlbench")) for path in READERS])
def test_a_reader_executes_and_unpickles_nothing(path: Path) -> None:
    offences = list(offences_in(ast.parse(path.read_text(encoding="utf-8"))))

    # Only the package itself imports its own modules by name.
    allowed = ["importlib.import_module"] if path == ROOT / "mlbench" / "adapters" / "__init__.py" else []
    assert offences == allowed


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from subprocess import run",
        "eval('1')",
        "import os\nos.system('x')",
        "import yaml\nyaml.load(text, Loader=None)",
        "import yaml\nreader = yaml.UnsafeLoader",
        "import numpy as np\nnp.load(path, allow_pickle=True)",
        "run(command, shell=True)",
    ],
)
def test_the_check_of_readers_finds_what_is_forbidden(code: str) -> None:
    assert list(offences_in(ast.parse(code)))
