"""Make the sample runs again, with the same values: `python sample_runs/make.py`.

Needs the extra `sample` (`pip install -e '.[sample]'`), takes about a minute on one core, and replaces `logs/` and
`code.bundle`. Everything is genuine training by train.py; only the clock, the host name and the process ids in the
names of event files are made up, so that they are the same each time.
"""

import argparse
import hashlib
import importlib.util
import os
import shutil
import struct
import sys
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count, product
from pathlib import Path

# Before numpy is imported: one thread adds in one order.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"

from dulwich.objects import Blob, Commit, ShaFile, Tree
from dulwich.repo import Repo

HERE = Path(__file__).resolve().parent
START_S = 1_768_208_400.0
"""2026-01-12 09:00 UTC, when the first of these runs is said to have begun."""
STEP_S = 0.137
"""Of the made-up clock: what one event takes."""
HOST = "atelier"
REMOTE = b"https://git.example.org/atelier/digits.git"
AUTHOR = b"Ada Example <ada@example.org>"

FIX = ("    return Split(split.features / 16.0, split.labels)\n", "    return split\n")
"""The second commit changes this line of train.py, and the docstring above it."""
FIX_DOCSTRING = (
    "Pixels are 0 to 16; unscaled, they drown the initial weights and most hidden units die at the first steps.",
    "Pixels as they are, 0 to 16.",
)


class KilledError(BaseException):
    """The machine goes down."""


@dataclass
class Clock:
    """Stands in for `time.time`: a little later at each look; may hold the moment at which the machine goes down."""

    seconds: float
    dies_after: int | None = None
    n_looks: int = 0

    def __call__(self) -> float:
        self.n_looks += 1
        if self.dies_after is not None and self.n_looks > self.dies_after:
            raise KilledError
        # Every seventh look the disk is slow, so that wall time is no line.
        self.seconds += STEP_S + (0.4 if self.n_looks % 7 == 0 else 0.0)
        return self.seconds


@dataclass(frozen=True)
class Plan:
    """One run to make."""

    logdir: str
    commit: int
    """0 or 1: the first or the second."""
    options: dict[str, object] = field(default_factory=dict)
    dies_after: int | None = None
    """Events until the kill; the run is then resumed."""


def plans() -> list[Plan]:
    """In the order of the story: first tries, the fix, the right data, the sweep, and a long run."""
    found = []
    for story, commit, data in (("first-try", 0, "v1"), ("scaled-pixels", 1, "v1")):
        for seed in range(3):
            options = {"data": data, "optimizer": "sgd", "lr": 0.1, "width": 64, "seed": seed}
            found.append(Plan(f"{story}/seed{seed}", commit, options))
    for optimizer, lr, width, seed in product(("sgd", "adam"), (0.01, 0.1), (16, 64), range(3)):
        options = {"optimizer": optimizer, "lr": lr, "width": width, "seed": seed}
        found.append(Plan(f"sweep/{optimizer}-lr{lr}-w{width}-seed{seed}", 1, options))
    wild = {"optimizer": "sgd", "lr": 30.0, "width": 64, "weight_decay": 0.1, "seed": 0}
    found.append(Plan("sweep/sgd-lr30-w64-wd0.1-seed0", 1, wild))
    long = {"optimizer": "adam", "lr": 0.01, "width": 128, "steps": 300}
    found.append(Plan("long/w128-seed0", 1, long | {"seed": 0}, dies_after=240))
    found.append(Plan("long/w128-seed1", 1, long | {"seed": 1}))
    return found


def make_repository(folder: Path) -> tuple[Repo, list[bytes]]:
    """A repository with the two commits of train.py; ids depend on the text of train.py and digits.yaml alone."""
    source = (HERE / "train.py").read_text()
    before = source
    for right, wrong in (FIX, FIX_DOCSTRING):
        if before.count(right) != 1:
            raise SystemExit(f"train.py: this line should be there once: {right}")
        before = before.replace(right, wrong)
    repository = Repo.init(str(folder), default_branch=b"main")
    config = repository.get_config()
    config.set((b"remote", b"origin"), b"url", REMOTE)
    config.write_to_path()
    texts = ((before, b"Train a small network on the digits\n"), (source, b"Scale pixels to 0..1\n"))
    ids: list[bytes] = []
    for place, (text, message) in enumerate(texts):
        tree = Tree()
        for name, content in (("train.py", text), ("digits.yaml", (HERE / "digits.yaml").read_text())):
            blob = Blob.from_string(content.encode())
            repository.object_store.add_object(blob)
            tree.add(name.encode(), 0o100644, blob.id)
        commit = Commit()
        commit.tree, commit.parents, commit.message = tree.id, ids[-1:], message
        commit.author = commit.committer = AUTHOR
        commit.author_time = commit.commit_time = int(START_S) - 86_400 + place * 79_200
        commit.author_timezone = commit.commit_timezone = 0
        repository.object_store.add_object(tree)
        repository.object_store.add_object(commit)
        ids.append(commit.id)
    repository.refs[b"refs/heads/main"] = ids[-1]
    return repository, ids


def write_history(repository: Repo, ids: list[bytes], path: Path) -> None:
    """All objects as a git bundle, whole and in one order, so that its bytes depend on nothing but them."""
    found: dict[bytes, ShaFile] = {}
    for commit_id in ids:
        commit = repository[commit_id]
        if not isinstance(commit, Commit):
            raise SystemExit(f"{commit_id!r} is no commit")
        tree = repository[commit.tree]
        if not isinstance(tree, Tree):
            raise SystemExit(f"{commit.tree!r} is no tree")
        found |= {item.id: item for item in (commit, tree, *(repository[entry.sha] for entry in tree.items()))}
    body = b"PACK" + struct.pack(">II", 2, len(found)) + b"".join(map(packed, found.values()))
    head = b"# v2 git bundle\n%b HEAD\n%b refs/heads/main\n\n" % (ids[-1], ids[-1])
    path.write_bytes(head + body + hashlib.sha1(body, usedforsecurity=False).digest())


def packed(item: ShaFile) -> bytes:
    """One object of a pack: type and size in 4 + 7 + 7... bits, then the zlib stream."""
    content = item.as_raw_string()
    first, rest = (item.type_num << 4) | (len(content) & 15), len(content) >> 4
    head = bytearray()
    while rest:
        head.append(first | 0x80)
        first, rest = rest & 0x7F, rest >> 7
    head.append(first)
    return bytes(head) + zlib.compress(content, 9)


def load_train(folder: Path, place: int) -> Callable[..., int]:
    """`main` of the train.py that is checked out in a folder."""
    spec = importlib.util.spec_from_file_location(f"train_{place}", folder / "train.py")
    if spec is None or spec.loader is None:
        raise SystemExit(f"{folder}: train.py cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    main: Callable[..., int] = module.main
    return main


def make_run(plan: Plan, main: Callable[..., int], config: Path, logs: Path, clock: Clock, pids: "count[int]") -> None:
    options = [f"--{name}={value}" for name, value in plan.options.items()]
    argv = [f"--config={config.name}", f"--logdir={logs / plan.logdir}", *options]
    os.chdir(config.parent)
    clock.n_looks, clock.dies_after = 0, plan.dies_after
    try:
        main(argv, now=clock, host=HOST, pid=next(pids))
    except KilledError:
        clock.dies_after = None
        clock.seconds += 1_847
        main([*argv, "--resume"], now=clock, host=HOST, pid=next(pids))
    clock.seconds = float(int(clock.seconds) + 12)


def make(output: Path) -> None:
    """Fill `output` with logs/ and code.bundle; what is there is replaced."""
    logs = output / "logs"
    shutil.rmtree(logs, ignore_errors=True)
    logs.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "digits"
        folder.mkdir()
        repository, ids = make_repository(folder)
        write_history(repository, ids, output / "code.bundle")
        clock, pids = Clock(START_S), count(4101)
        main, checked_out = None, None
        for plan in plans():
            if plan.commit != checked_out:
                repository.refs[b"refs/heads/main"] = ids[plan.commit]
                repository.get_worktree().reset_index()
                main, checked_out = load_train(folder, plan.commit), plan.commit
            if main is None:
                raise SystemExit("there is no train.py")
            make_run(plan, main, folder / "digits.yaml", logs, clock, pids)
            print(plan.logdir, flush=True)
        os.chdir(output)
        repository.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the sample runs again.")
    parser.add_argument("--output", default=str(HERE), help="folder for logs/ and code.bundle (default: beside me)")
    make(Path(parser.parse_args().output).resolve())
