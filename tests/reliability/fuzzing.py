"""Every reader gets files that were changed at random: none may raise, take a second, or die.

Run as a process of its own (`python -m tests.reliability.fuzzing run FOLDER COUNT SEED MINUTES [TALLY]`), since it forks. An
input is made of the seed and its number alone: `... fuzzing one FOLDER SEED NUMBER` gives it again.
"""

from __future__ import annotations

import faulthandler
import json
import os
import random
import resource
import select
import shutil
import signal
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path

from mlbench.adapters import load_adapters
from mlbench.ingest.keep import SMALL_FACTS
from mlbench.ingest.secrets import redact_fact
from mlbench.model import Adapter, Claim, Listing, Source
from tests.paths import CORPORA, FORMATS
from tests.reliability.fuzz_contents import Seed, content_seeds, contents
from tests.reliability.fuzz_folders import folder_readers, folder_seeds, more_examples
from tests.reliability.killing import run_module
from tests.reliability.mutating import mutated

MOST_SEED_BYTES = 100_000
MOST_FOLDER_BYTES = 300_000
MOST_SEEDS = 60
"""Of one adapter, so that a corpus of a thousand configurations is not all there is."""
HANG_S = 1.0
"""Seconds of a core that one input may take."""
STUCK_S = 60.0
"""Seconds without a sign of life after which a process is killed; the machine may be busy."""
AT_ONCE = 2000
"""Inputs of one process: after them its memory is looked at and given back."""
MORE_MEMORY = 1 << 30
"""Bytes of address space beyond those of the start."""


@dataclass(slots=True)
class Found:
    """What came of the inputs."""

    n: int = 0
    by_target: dict[str, int] = field(default_factory=dict)
    crashes: list[str] = field(default_factory=list)
    """Exceptions and deaths: target, number and the last lines."""
    hangs: list[str] = field(default_factory=list)
    mended: list[str] = field(default_factory=list)
    """Crashes and hangs of an earlier part of the campaign that are none any more."""
    most_mb: int = 0
    """Memory that any process had at its highest beyond what it began with."""
    slowest_s: float = 0.0


# ---------------------------------------------------------------- what is changed


def listings(root: Path) -> Iterator[Listing]:
    """The folders of a tree."""
    for folder, folders, files in os.walk(root):
        folders.sort()
        yield Listing(folder, tuple(sorted(files)), tuple(folders))


def _adapter_seeds(root: Path, adapter: Adapter) -> Iterator[Seed]:
    for listing in listings(root):
        for claim in adapter.claims(listing):
            if (seed := _of_claim(adapter, root, claim)) is not None:
                yield seed
            if claim.part:
                break


def _of_claim(adapter: Adapter, root: Path, claim: Claim) -> Seed | None:
    """The claimed file or folder with what it follows; None where that is too much."""
    path, above = Path(claim.path), Path(claim.path).parent
    if path == root:
        return None
    within = [path] if path.is_file() else [inner for inner in sorted(path.rglob("*")) if inner.is_file()][:200]
    beside = [Path(name) for name in claim.follows if Path(name).is_file() and Path(name).is_relative_to(above)]
    files = {str(one.relative_to(above)): one for one in (*within, *beside)}
    sizes = [one.stat().st_size for one in files.values()]
    if not files or max(sizes) > MOST_SEED_BYTES or sum(sizes) > MOST_FOLDER_BYTES:
        return None
    inside = path.parent.relative_to(root).parts[-3:]
    prefix = "/".join((*inside, ""))
    return Seed(
        adapter.name,
        {prefix + name: one.read_bytes() for name, one in files.items()},
        tuple(prefix + name for name in files),
    )


@cache
def seeds(folder: str) -> dict[str, list[Seed]]:
    """By target; the adapters' own examples are made in `folder`, and real files are taken from where they lie."""
    found: dict[str, list[Seed]] = {}
    for adapter in load_adapters():
        example = Path(folder) / "examples" / adapter.name / "run"
        if not example.exists():
            example.mkdir(parents=True)
            adapter.example(str(example))
            more_examples(adapter.name, example)
        mine = list(_adapter_seeds(example.parent, adapter))
        real = [seed for root in (FORMATS, CORPORA) if root.is_dir() for seed in _adapter_seeds(root, adapter)]
        random.Random(adapter.name).shuffle(real)
        if mine or real:
            found[adapter.name] = (mine + real)[:MOST_SEEDS]
    for seed in (*content_seeds(), *folder_seeds(Path(folder) / "folders")):
        found.setdefault(seed.target, []).append(seed)
    found["dump"] = [Seed("dump", {"x": content}, ("x",)) for name in ("config_file", "argparse_dump", "hydra", "gin", "absl_flags")
                     for one in found.get(name, [])[:40] for content in one.files.values()]  # fmt: skip
    found["yaml"] += found["dump"]
    found["literal in a text"] = [
        seed._replace(target="literal in a text") for seed in found["literal"] + found["dump"]
    ]
    return found


# ---------------------------------------------------------------- one input


def make(folder: str, seed: int, number: int) -> Seed:
    """The input of a number: a seed with one file changed (seldom two)."""
    dice = random.Random(f"{seed} {number}")
    known = seeds(folder)
    target = dice.choice(sorted(known))
    chosen = dice.choice(known[target])
    others = [content for other in known[target][:20] for content in other.files.values()] or [b""]
    files = dict(chosen.files)
    for _file in range(dice.choice((1, 1, 1, 2))):
        name = dice.choice(chosen.changed)
        files[name] = mutated(files[name], dice, others)
    return Seed(target, files, chosen.changed)


def read_input(folder: str, made: Seed, number: int) -> None:
    """Hand an input to its reader; whatever is raised is a crash."""
    if made.target in _contents():
        _contents()[made.target](made.files["x"])
        return
    root = Path(folder) / f"input-{os.getpid()}-{number}"
    try:
        for name, content in made.files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        if made.target in _folders():
            _folders()[made.target](str(root))
        else:
            _read_claimed(_adapters()[made.target], root)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _read_claimed(adapter: Adapter, root: Path) -> None:
    for listing in listings(root):
        for claim in adapter.claims(listing):
            for fact in adapter.read(Source(claim.path, claim.run_folder, claim.follows, claim.part, claim.rule), None):
                if isinstance(fact, SMALL_FACTS):
                    redact_fact(fact, b"salt")


_contents, _folders = cache(contents), cache(folder_readers)


@cache
def _adapters() -> dict[str, Adapter]:
    return {adapter.name: adapter for adapter in load_adapters()}


# ---------------------------------------------------------------- many inputs


def fuzz(folder: Path, count: int, seed: int, until_s: float, tally: Path | None = None) -> Found:
    """Inputs 0 to `count`, or as many as there is time for.

    Args:
        folder: scratch.
        count: of inputs.
        seed: of which, with its number, an input is made.
        until_s: when to stop, by the monotonic clock.
        tally: a file that keeps what was found, so that a later call goes on; what had failed is tried again first.
    """
    found, number = _resumed(tally, seed)
    seeds(str(folder))
    _contents(), _folders(), _adapters()
    for warm in range(40):  # what is imported late is imported before the processes fork
        _try(str(folder), seed + 1, warm, Found())
    _try_again(folder, seed, found)
    while number < count and time.monotonic() < until_s:
        number = _some(folder, seed, number, min(number + AT_ONCE, count), found, until_s)
        if tally is not None:
            kept = json.dumps({"seed": seed, "next": number, "found": asdict(found)}, indent=1)
            tally.with_suffix(".new").write_text(kept, "utf-8")
            tally.with_suffix(".new").replace(tally)
    return found


def _resumed(tally: Path | None, seed: int) -> tuple[Found, int]:
    if tally is None or not tally.exists():
        return Found(), 0
    kept = json.loads(tally.read_text("utf-8"))
    if kept["seed"] != seed:
        raise ValueError(f"{tally}: this is the tally of seed {kept['seed']}")
    return Found(**kept["found"]), kept["next"]


def _try_again(folder: Path, seed: int, found: Found) -> None:
    for kind in ("crashes", "hangs"):
        again: list[str] = []
        for text in getattr(found, kind):
            number, once = int(text.partition("input ")[2].partition(":")[0]), Found()
            _some(folder, seed, number, number + 1, once, time.monotonic() + STUCK_S)
            (again if once.crashes or once.hangs else found.mended).append(text)
        setattr(found, kind, again)


def _some(folder: Path, seed: int, start: int, end: int, found: Found, until_s: float) -> int:
    """Inputs in a process of its own; gives the number to go on with."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if not child:
        os.close(read_end)
        _work(str(folder), seed, start, end, write_end, until_s)
        os._exit(0)
    os.close(write_end)
    last, whole = start, b""
    with os.fdopen(read_end, "rb", buffering=0) as told:
        while select.select([told], [], [], STUCK_S)[0] and (part := told.read(1 << 16)):
            whole += part
            *lines, whole = whole.split(b"\n")
            for line in lines:
                last = _heard(json.loads(line), found, last)
        os.kill(child, signal.SIGKILL)
    _pid, status = os.waitpid(child, 0)
    if last < end and time.monotonic() < until_s:
        # The number that was told last was being read when it died.
        how = "stuck" if os.WTERMSIG(status) == signal.SIGKILL else f"signal {os.WTERMSIG(status)}"
        (found.hangs if how == "stuck" else found.crashes).append(f"input {last}: {how}")
        return last + 1
    return last


def _heard(told: dict[str, object], found: Found, last: int) -> int:
    if "began" in told:
        return int(str(told["began"]))
    part = Found(**told["found"])  # type: ignore[arg-type]
    found.n += part.n
    found.by_target = dict(Counter(found.by_target) + Counter(part.by_target))
    found.crashes += part.crashes
    found.hangs += part.hangs
    found.most_mb = max(found.most_mb, part.most_mb)
    found.slowest_s = max(found.slowest_s, part.slowest_s)
    return int(str(told["next"]))


def _work(folder: str, seed: int, start: int, end: int, tell: int, until_s: float) -> None:
    taken = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (taken + MORE_MEMORY, taken + MORE_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    faulthandler.disable()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    began_mb = _resident_mb()
    for first in range(start, end, 100):
        part, until = Found(), min(first + 100, end)
        for number in range(first, until):
            os.write(tell, json.dumps({"began": number}).encode() + b"\n")
            _try(folder, seed, number, part)
        part.most_mb = max(0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024 - began_mb)
        is_over = time.monotonic() > until_s
        os.write(tell, json.dumps({"found": asdict(part), "next": until}).encode() + b"\n")
        if is_over:
            return


def _resident_mb() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20


def _try(folder: str, seed: int, number: int, part: Found) -> None:
    made = make(folder, seed, number)
    started_s = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for kind in (SyntaxWarning, DeprecationWarning):  # nobody is shown these
                warnings.simplefilter("ignore", kind)
            read_input(folder, made, number)
    except BaseException:  # noqa: BLE001 - whatever it is, it is what is looked for
        part.crashes.append(
            f"{made.target}, input {number}: {' | '.join(traceback.format_exc().splitlines()[-7:])[-700:]}"
        )
    took_s = time.process_time() - started_s
    part.n += 1
    part.by_target[made.target] = part.by_target.get(made.target, 0) + 1
    part.slowest_s = max(part.slowest_s, round(took_s, 3))
    if took_s > HANG_S:
        part.hangs.append(f"{made.target}, input {number}: {took_s:.1f} s")


def in_own_process(folder: Path, count: int, *, seed: int, minutes: float, tally: Path | None = None) -> Found:
    """The same in a process that may fork."""
    words = ("run", str(folder), str(count), str(seed), str(minutes), *([str(tally)] if tally else []))
    return Found(**run_module("tests.reliability.fuzzing", *words))


def main(what: str, folder: str, *words: str) -> None:
    """`run FOLDER COUNT SEED MINUTES` prints what was found; `one FOLDER SEED NUMBER` reads one input."""
    if what == "one":
        made = make(folder, int(words[0]), int(words[1]))
        print({name: content[:2000] for name, content in made.files.items() if name in made.changed})
        started_s = time.process_time()
        read_input(folder, made, int(words[1]))
        print(made.target, time.process_time() - started_s, "s")
        return
    until_s = time.monotonic() + 60 * float(words[2])
    tally = Path(words[3]) if words[3:] else None
    print(json.dumps(asdict(fuzz(Path(folder), int(words[0]), int(words[1]), until_s, tally))))


if __name__ == "__main__":
    main(*sys.argv[1:])
