"""The words of the project as types: sources, claims and the facts that adapters read.

Everything here is frozen and plain, so that it crosses threads and processes. Nothing heavy is
imported: the first paint of the workbench loads this module.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, KeysView, Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from mlbench.dataclass import dataclass
from mlbench.model.lineage import Artifact as Artifact
from mlbench.model.lineage import DataVersion as DataVersion
from mlbench.model.lineage import LineageEdge as LineageEdge
from mlbench.model.lineage import ModelVersion as ModelVersion
from mlbench.model.lineage import Validation as Validation
from mlbench.model.points import Points as Points
from mlbench.model.points import PointTable as PointTable

if TYPE_CHECKING:
    from mlbench.model.points import Float64Array as Float64Array
    from mlbench.model.points import Int32Array as Int32Array
    from mlbench.model.points import Int64Array as Int64Array

JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"


class Role(StrEnum):
    """What a claimed source is for the run it tells of."""

    EVENTS = "events"
    """An event file: makes a run; folds into the run of a folder above by the rules of identity."""
    METRICS = "metrics"
    """A framework's metric file: makes a run of its folder."""
    TRACKER = "tracker"
    """A tracker's own record of one run (MLflow folder, `.wandb`, Sacred folder, Hydra job with metrics...)."""
    DUMP = "dump"
    """A parameter dump: makes a run only where nothing else does and no run lies below."""
    CONTEXT = "context"
    """Tells more of the run that its folder belongs to; never makes one."""
    ASIDE = "aside"
    """Known to the adapter and part of no run (what was deleted, the parent of a batch): never read."""


class Layer(StrEnum):
    """Where a parameter was said. Of two layers that name one key, the later in `PRECEDENCE` holds."""

    DERIVED = "derived"
    DEFAULT = "default"
    INHERITED = "inherited"
    HPARAMS = "hparams"
    CONFIG = "config"
    OVERRIDE = "override"
    CLI = "cli"


PRECEDENCE: tuple[Layer, ...] = tuple(Layer)
"""Weakest first."""


class ReadStatus(StrEnum):
    """How a reading ended; all but `eof` are shown to the user."""

    EOF = "eof"
    TRUNCATED = "truncated"
    """The tail is shorter than a whole record: the normal state of a file that is being written."""
    DAMAGED = "damaged"
    """Some records were left out, each told as a Problem."""
    UNREADABLE = "unreadable"
    LFS_POINTER = "lfs_pointer"
    EMPTY = "empty"


FEW_FILES = 32
"""Among so few names one is looked for as they are, sooner than by its ending: 50 are looked for in each folder."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One folder as the scan saw it. Adapters look at names first and read heads only where a name matches.

    Of ten thousand files in a folder an adapter asks for those that it may know: `has` and `ending` cost the same
    whatever their number.
    """

    path: str
    """Real path. Bytes that are not UTF-8 are surrogate escapes, as `os.fsdecode` gives them."""
    files: tuple[str, ...]
    """Names of regular files, in the order of the disk: to sort those of a million images is half of listing them."""
    folders: tuple[str, ...]
    """Names of folders, sorted."""
    mappings_above: tuple[str, ...] = ()
    """Paths of the user's mappings that hold here besides one in this folder, the nearest first."""
    _by_ending: dict[str, list[str]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _sorted: set[str] = field(default_factory=set, init=False, repr=False, compare=False)
    """Endings whose names are in order."""
    _together: dict[tuple[str, ...], str] = field(default_factory=dict, init=False, repr=False, compare=False)
    """For endings all names as one text in lower case, in which a word is looked for at once."""

    def ending(self, *endings: str) -> list[str]:
        """The files whose name has one of these endings behind its last dot, whatever its case: `ending("csv")`.

        Sorted. A name without a dot is its own ending.
        """
        if self.endings().isdisjoint(endings):
            return []
        found = [self._with(ending) for ending in endings if ending in self._by_ending]
        return found[0] if len(found) == 1 else sorted(name for names in found for name in names)

    def endings(self) -> KeysView[str]:
        """What stands behind the last dots of the names, in lower case."""
        if not self._by_ending and self.files:
            self._apart()
        return self._by_ending.keys()

    def _apart(self) -> None:
        """The names by their ending, in one pass."""
        exact: dict[str, list[str]] = {}
        for name in self.files:
            ending = name.rpartition(".")[2]
            if ending in exact:
                exact[ending].append(name)
            else:
                exact[ending] = [name]
        for ending, names in exact.items():
            self._by_ending.setdefault(ending.lower(), []).extend(names)

    def _with(self, ending: str) -> list[str]:
        names = self._by_ending[ending]
        if ending not in self._sorted:
            names.sort()
            self._sorted.add(ending)
        return names

    def forget(self) -> None:
        """Let go of what was put in order to answer; it is done again when somebody asks."""
        self._by_ending.clear()
        self._sorted.clear()
        self._together.clear()

    def naming(self, words: tuple[str, ...], *endings: str) -> list[str]:
        """Those of `ending` whose name, in lower case, holds one of the words."""
        names = self.ending(*endings)
        if not names:
            return names
        if endings not in self._together:
            self._together[endings] = "\n".join(names).lower()
        together = self._together[endings]
        there = [word for word in words if word in together]
        return [name for name in names if any(word in name.lower() for word in there)] if there else []

    def has(self, name: str) -> bool:
        """Whether a file of this name is there."""
        if len(self.files) <= FEW_FILES:
            return name in self.files
        names = self.ending(name.rpartition(".")[2].lower())
        at = bisect_left(names, name)
        return at < len(names) and names[at] == name


@dataclass(frozen=True, slots=True)
class Claim:
    """An adapter's word that it can read `path`."""

    path: str
    """File or folder to read."""
    role: Role
    run_folder: str
    """The folder whose run this tells of: mostly the folder listed, its parent for a nested record."""
    is_weak: bool = False
    """A dump with a name that anything may have (`config.yaml`): alone in a leaf folder it makes a run,
    but it never draws a run below, that has a dump of its own, up into its folder."""
    is_one_training: bool = False
    """A metric file that is a whole training by itself (Keras CSVLogger): two of them in one folder are two runs."""
    is_closed: bool = False
    """The scan shall not look for other sources below `path` (a store that this adapter reads whole)."""
    follows: tuple[str, ...] = ()
    """Further files whose change means that `path` must be read again (for folder records)."""
    part: str = ""
    """The native id of one run where `path` holds many (a tracker's database): each part is a run of its own."""
    mark: str = ""
    """Of a part: differs whenever the part has changed. It stands in the place of the size and time of the files,
    so that one run that goes on does not make a whole database be read again."""
    is_own_run: bool = False
    """Context that makes a run where none is around: a verdict on a model tells of a training by itself."""
    problem: Problem | None = None
    """Why it cannot be said now which parts `path` holds (it is locked, damaged...). Such a claim makes no run."""
    is_mapped: bool = False
    """The user's mapping names `path`: no other adapter gets it."""
    rule: str = ""
    """What the user's mapping says of `path`: when it says something else, `path` is read again."""

    @property
    def place(self) -> str:
        """The path, and the part behind `#`: names the source within its adapter."""
        return f"{self.path}#{self.part}" if self.part else self.path


@dataclass(frozen=True, slots=True)
class Source:
    """What `Adapter.read` gets: a claimed file or folder."""

    path: str
    run_folder: str
    follows: tuple[str, ...] = ()
    part: str = ""
    rule: str = ""
    """As in the claim."""


# ---------------------------------------------------------------- facts


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter. `raw` is what the file says, `value` what it means; they are stored side by side."""

    key: str
    """Dotted: `optim.lr`, `layers[0].dim` is `layers.0.dim` only where the source itself nests; lists stay values."""
    raw: str
    value: JsonValue
    layer: Layer = Layer.CONFIG
    line: int | None = None
    """1-based line in the source, where known."""


@dataclass(frozen=True, slots=True)
class Blob:
    """Something that is not a scalar, by its place in the source; never copied."""

    kind: str
    """histogram, image, text, audio, tensor, graph, pr_curve, hparams, layout, table or confusion."""
    metric: str
    step: int
    wall_s: float
    seq: int
    offset: int
    """Byte offset of the payload (for images: of the encoded bytes) in the source."""
    length: int
    encoding: str = ""
    """png, jpeg, gif, wav, utf-8, proto, json."""
    width: int = 0
    height: int = 0
    digest: str = ""
    """16 hexadecimal digits: BLAKE2b of the payload, where the adapter has seen its bytes."""
    file: str = ""
    """Path below the run's folder where the payload lies in a file of its own; '' for the source itself."""


@dataclass(frozen=True, slots=True)
class RunField:
    """A field of the run that the source records. `started` and `ended` are Unix seconds UTC."""

    name: str
    """One of RUN_FIELDS."""
    value: str | float


RUN_FIELDS = ("name", "project", "group", "status", "started", "ended", "host", "user", "command", "entry_point",
              "note", "exit_code", "job_type", "parent")  # fmt: skip
RUN_STATUSES = ("running", "finished", "failed", "killed")
"""What a source may record as `status`; the queries derive `stalled` and `no metrics`."""


@dataclass(frozen=True, slots=True)
class ImportedTag:
    """A tag that the source holds; read-only. A tag without a value has `value` ''."""

    key: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class GitState:
    """The code a run came from, and how that is known."""

    commit: str
    """Full hexadecimal id, or as much of it as was recorded."""
    how: str
    """recorded, tracked, reflog or guess: certain to weak."""
    branch: str = ""
    is_dirty: bool | None = None
    """None: not recorded."""
    remote: str = ""
    """Without credentials."""
    subject: str = ""
    committed_s: float | None = None
    repository: str = ""
    """Path of the work tree on this machine, '' when only recorded."""


@dataclass(frozen=True, slots=True)
class Environment:
    """One fact of the environment on the allow-list: `python`, `package:torch`, `gpu`, `cuda`, `hostname`..."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Restart:
    """A mark that readers of TensorBoard logs act upon: `file_version` (value) or `session_start`."""

    kind: str
    seq: int
    step: int
    value: str = ""


@dataclass(frozen=True, slots=True)
class SweepDescription:
    """The source describes a sweep (an HParams experiment) and is no training: alone it makes no run."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be read: where, what, what to do. Never an exception."""

    path: str
    what: str
    """One sentence in the past or present tense, without the path: `3 records had a bad checksum and were left out`."""
    place: str = ""
    """`line 12`, `offset 4096`: where in the file."""
    hint: str = ""
    """What to type or do next, '' if nothing."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the source was read. The last one that `read` yields is stored and given back next time."""

    state: Mapping[str, JsonValue]
    """JSON-able; opaque to everybody but the adapter."""
    status: ReadStatus = ReadStatus.EOF
    n_records: int = 0
    """Records read so far, over all readings."""
    n_bad: int = 0


Fact: TypeAlias = (
    Param | Points | PointTable | Blob | RunField | ImportedTag | GitState | Environment | DataVersion | Artifact
    | LineageEdge | Validation | ModelVersion | Restart | SweepDescription | Problem | Cursor
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Adapter:
    """How to recognise and read one kind of source. One module in `mlbench.adapters` holds one `ADAPTER`."""

    name: str
    claims: Callable[[Listing], Iterator[Claim]]
    """Looks at a folder's names (and at heads of files whose name fits); cheap, never raises.

    Who asks a listing for names, endings or folders of which none is there, asks for nothing else and claims nothing,
    is not asked again about folders like this one (`ingest/claiming.py`).
    """
    read: Callable[[Source, Mapping[str, JsonValue] | None], Iterator[Fact]]
    """Yields facts, a Problem for what cannot be read, and a Cursor at the end. Never raises for bad input.

    With a cursor of an earlier reading, an adapter with `appends` yields only what has come since.
    """
    example: Callable[[str], None]
    """Writes a small genuine example of the source into an empty folder; used by the contract suite."""
    appends: bool = False
    """The source only grows at its end and `read` can go on from a cursor; else it is read whole on any change."""
    version: int = 1
    """Raised when `read` yields other facts than before: the sources are then read again."""
    formats: str = ""
    """One line for docs/reference/sources.md: which files, which versions."""
    files: tuple[str, ...] = field(default=())
    """Glob patterns of the file names, for docs/reference/sources.md."""
