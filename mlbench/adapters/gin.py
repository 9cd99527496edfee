"""Gin: `operative_config-<step>.gin`, the bindings that a training used, and `config.gin`, those that it was given.

`operative_config*.gin` (of several, the one of the last step) holds the defaults that were used, too; where there is
none, a `config.gin` is read, unless source code lies beside it. `%macros` are what they name, with the text as it
stands in the file; `@references` stay texts. gin-config 0.1 to 0.5.
What gin's hook writes into event files, the text `gin/operative_config`, is read with these (`wire.text_params`).
Link: https://github.com/google/gin-config
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

from mlbench.model import Adapter, Claim, Fact, JsonValue, Listing, ReadStatus, Role, Source
from mlbench.wire.dump_facts import cursor_of, params_of, problem_of, read_dump_text
from mlbench.wire.dump_gin import read_gin
from mlbench.wire.dump_names import CODE_ENDINGS
from mlbench.wire.dump_tree import TreeError

_OPERATIVE = re.compile(r"operative_config(?:-(\d{1,18}))?\.gin")


def claims(listing: Listing) -> Iterator[Claim]:
    operative = [(int(match[1] or -1), name) for name in listing.ending("gin") if (match := _OPERATIVE.fullmatch(name))]
    if operative:
        yield Claim(os.path.join(listing.path, max(operative)[1]), Role.DUMP, listing.path)
    elif listing.has("config.gin") and not listing.ending(*CODE_ENDINGS):
        yield Claim(os.path.join(listing.path, "config.gin"), Role.DUMP, listing.path, is_weak=True)


def read(source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    found = read_dump_text(source.path)
    facts: list[Fact] = list(found.problems)
    status = found.status
    if found.text is not None:
        try:
            facts += params_of(source.path, read_gin(found.text))
        except TreeError as error:
            facts.append(problem_of(source.path, error))
            status = ReadStatus.UNREADABLE
    yield from facts
    yield cursor_of(status, facts)


def example(folder: str) -> None:
    """What gin writes of a training with a macro and a scope."""
    text = (
        "# Macros:\n# " + "=" * 78 + "\nW = 128\n\n# Parameters for mlp:\n# " + "=" * 78 + "\nmlp.act = 'relu'\n"
        "mlp.width = %W\n\n# Parameters for train/mlp:\n# " + "=" * 78 + "\ntrain/mlp.act = 'gelu'\n\n"
        "# Parameters for Trainer:\n# " + "=" * 78 + "\nTrainer.betas = (0.9, 0.999)\nTrainer.model = @mlp()\n"
        "Trainer.name = \\\n    ('a name that gin has broken into two because it would not '\n     'fit on one line')\n"
    )
    with open(os.path.join(folder, "operative_config-0.gin"), "w", encoding="utf-8") as file:
        file.write(text)


ADAPTER = Adapter(
    name="gin",
    claims=claims,
    read=read,
    example=example,
    formats="Gin configurations, operative or given",
    files=("operative_config*.gin", "config.gin"),
)
