"""Trees of real logs that are edited at random: files grow, are cut, renamed, replaced, deleted, copied and touched.

Left out are edits of which a catalog keeps what it has read, on purpose: bytes flipped in the middle of an event file that
was read on; and kinds whose runs tell of files beside them that are written once (models and media of trackers, templates of
notebooks).
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

from mlbench.catalog.reader import Reader, open_reader
from mlbench.paths import Home
from tests.paths import FORMATS
from tests.reliability.trees import _EXPRESSIONS, _tables

KINDS = (
    "argparse", "clearml", "gin", "guild", "hf", "hydra", "lightning", "mlcollections", "mlflow/mlruns", "mmengine",
    "neptune", "rlzoo", "sacred", "sb3", "tfevents", "trackio",
)  # fmt: skip
_READ_AGAIN = "is not the one that was read before"
"""A problem that tells of what happened, and not of the tree."""


class EditedTree:
    """Some formats in a folder, and what can happen to their files."""

    def __init__(self, folder: Path, dice: random.Random, *, n_kinds: int = 2) -> None:
        self.folder, self._dice = folder, dice
        self._kinds = dice.sample(KINDS, n_kinds)
        self._whole: dict[str, bytes] = {}
        for kind in self._kinds:
            self._restore(kind)
        for path in self._files():
            self._whole.setdefault(path.name, path.read_bytes())
            if dice.random() < 0.15:
                self._cut(path)

    def edit(self) -> str:
        """Do something, and tell what."""
        files = self._files()
        if not files:
            self._restore(kind := self._dice.choice(self._kinds))
            return f"restore {kind}"
        path = self._dice.choice(files)
        edits: list[Callable[[Path], object]] = [
            self._cut, self._grow, self._grow, self._grow, self._write_whole, Path.unlink, self._rename, self._touch,
            self._replace, self._copy_folder, self._rename_folder, self._delete_folder, self._restore_some,
        ]  # fmt: skip
        edit = self._dice.choice(edits)
        edit(path)
        return f"{edit.__name__} {path.relative_to(self.folder)}"

    def _files(self) -> list[Path]:
        return sorted(path for path in self.folder.rglob("*") if path.is_file())

    def _restore(self, kind: str) -> None:
        shutil.copytree(FORMATS / kind, self.folder / kind, dirs_exist_ok=True)

    def _restore_some(self, _path: Path) -> None:
        self._restore(self._dice.choice(self._kinds))

    def _cut(self, path: Path) -> None:
        content = path.read_bytes()
        n_bytes = self._dice.randint(0, len(content))
        newline = content.rfind(b"\n", 0, n_bytes) + 1
        os.truncate(path, newline if newline and self._dice.random() < 0.5 else n_bytes)

    def _grow(self, path: Path) -> None:
        for one in {path, *self._dice.sample(files := self._files(), min(3, len(files)))}:
            whole, n_bytes = self._whole.get(one.name, b""), one.stat().st_size
            if n_bytes < len(whole):
                with one.open("ab") as file:
                    file.write(whole[n_bytes : self._dice.randint(n_bytes, len(whole))])

    def _write_whole(self, path: Path) -> None:
        path.write_bytes(self._whole.get(path.name, b""))

    def _rename(self, path: Path) -> None:
        path.rename(path.with_name(self._dice.choice("az") + path.name))

    def _touch(self, path: Path) -> None:
        os.utime(path, (1e9, self._dice.choice((1e9, 1.1e9))))

    def _replace(self, path: Path) -> None:
        shutil.copyfile(self._dice.choice(self._files()), path.with_name("new"))
        path.with_name("new").replace(path)

    def _some_folder(self) -> Path:
        return self._dice.choice(sorted(path for path in self.folder.rglob("*") if path.is_dir()))

    def _copy_folder(self, _path: Path) -> None:
        folder = self._some_folder()
        shutil.copytree(folder, folder.with_name(f"{folder.name}c"), dirs_exist_ok=True)

    def _rename_folder(self, _path: Path) -> None:
        folder = self._some_folder()
        if not folder.with_name(f"{folder.name}m").exists():
            folder.rename(folder.with_name(f"{folder.name}m"))

    def _delete_folder(self, _path: Path) -> None:
        shutil.rmtree(self._some_folder())


def told(home: Home) -> list[str]:
    """All that the catalog tells of the runs that are there, sorted; a sketch may be coarser where a curve grew."""
    with open_reader(home, now_s=1.8e9) as reader:
        missing = {run_id for (run_id,) in reader.rows("SELECT run_id FROM run WHERE is_missing")}
        return sorted([*_rows(reader, missing), *_points(reader, missing)])


def _rows(reader: Reader, missing: set[str]) -> list[str]:
    lines = []
    for table, columns in _tables(reader):
        columns = [column for column in columns if column not in {"sketch", "n_records", "n_bad"}]
        named = ", ".join(_EXPRESSIONS.get(column, f'"{column}"') for column in columns)
        for values in reader.rows(f"SELECT {named} FROM {table}"):
            row = dict(zip(columns, values, strict=True))
            runs = set(row.pop("run_ids", None) or [row.get("run_id")])
            if not runs <= missing and _READ_AGAIN not in str(row.get("what")):
                lines.append(f"{table} {sorted(map(str, runs - missing))} {row!r}")
    return lines


def _points(reader: Reader, missing: set[str]) -> list[str]:
    lines = []
    for series_id, *name in reader.rows("SELECT series_id, run_id, source_run, source_metric FROM series"):
        if name[0] not in missing:
            table = reader.points([series_id])
            columns = [table.column(column).to_pylist() for column in ("seq", "step", "wall_s", "value")]
            lines += [f"point {name!r} {point!r}" for point in zip(*columns, strict=True)]
    return lines
