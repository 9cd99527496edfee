"""Flag files of absl-py: every flag of a training, one a line.

Files: `flags.txt`, `flagfile.txt`, `*.flagfile`, as `FLAGS.flags_into_string()` and `append_flags_into_file()` of
absl-py 0.1 to 2.5 write them (https://abseil.io/docs/python/guides/flags#flag-files), without the flags of absl itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from mlbench.model import Adapter, Claim, Fact, JsonValue, Listing, ReadStatus, Role, Source
from mlbench.wire.dump_absl import looks_like_flag_file, read_flag_file
from mlbench.wire.dump_facts import cursor_of, params_of, problem_of, read_dump_text
from mlbench.wire.dump_names import is_argparse_name, is_flag_file_name
from mlbench.wire.dump_tree import TreeError, load_tree
from mlbench.wire.files import read_head


def claims(listing: Listing) -> Iterator[Claim]:
    """Claim flag files by name; `flags.txt`, which may also be a Namespace, by its first line."""
    for name in listing.naming(("flag",), "txt", "flagfile"):
        if not is_flag_file_name(name):
            continue
        path = os.path.join(listing.path, name)
        if is_argparse_name(name) and not looks_like_flag_file(read_head(path).decode(errors="replace")):
            continue
        yield Claim(path, Role.DUMP, listing.path)


def read(source: Source, cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    """Yield the flags."""
    del cursor  # A dump is read whole.
    found = read_dump_text(source.path)
    facts: list[Fact] = list(found.problems)
    status = found.status
    if found.text is not None:
        try:
            lines = read_flag_file(found.text)
            facts += params_of(source.path, load_tree(lines.values, remarks=lines.remarks))
        except TreeError as error:
            facts.append(problem_of(source.path, error))
            status = ReadStatus.UNREADABLE
    yield from facts
    yield cursor_of(status, facts)


def write_example(folder: str) -> None:
    """Write what absl writes for a training with a few flags."""
    with open(os.path.join(folder, "flags.txt"), "w", encoding="utf-8") as file:
        file.write("--batch_size=256\n--env_name=Walker2d-v2\n--noamp\n--layers=1,2\n--nohelp\n--verbosity=0\n")


ADAPTER = Adapter(
    name="absl",
    claims=claims,
    read=read,
    example=write_example,
    formats="Flag files of absl-py",
    files=("flags.txt", "flagfile.txt", "*.flagfile"),
)
