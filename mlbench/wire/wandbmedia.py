"""What a W&B row logs besides numbers: objects with a `_type` whose content lies in a file below `files/media`.

Clients write each key of such an object as an item of its own (nested keys) or the object as one JSON value; both are
read. Of a file its place is told, never its content; a table that `wandb.plot.confusion_matrix` made is a matrix.
Link: https://docs.wandb.ai/guides/track/log/media/
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from mlbench.model import Blob, JsonValue
from mlbench.wire.confusion import parse_matrix
from mlbench.wire.content import load_content
from mlbench.wire.jsonlog import JsonError, as_list, as_text, load_json
from mlbench.wire.wandblog import Item

_KINDS = {"image-file": "image", "images/separated": "image", "audio-file": "audio", "table-file": "table"}
_MAX_TABLE_BYTES = 1 << 20
"""A confusion matrix of 100 classes is 250 kB."""
_MAX_FILES = 1000
"""Of one row."""


def media_in(items: Sequence[Item], internal: Sequence[str]) -> dict[str, Mapping[str, JsonValue]]:
    """The objects of a row that have a `_type`, by dotted name."""
    objects: dict[str, dict[str, JsonValue]] = {}
    for item in items:
        if item.keys and item.keys[0] in internal:
            continue
        if isinstance(item.value, Mapping) and "_type" in item.value:
            objects[".".join(item.keys)] = dict(item.value)
        elif len(item.keys) > 1:
            objects.setdefault(".".join(item.keys[:-1]), {})[item.keys[-1]] = item.value
    return {name: content for name, content in objects.items() if "_type" in content}


def blobs_of(
    name: str, media: Mapping[str, JsonValue], folder: str, step: int, wall_s: float, seq: int
) -> Iterator[Blob]:
    """The places of a media object's files; none for kinds that are not known, and files that are not here.

    Args:
        name: of the metric.
        media: the object.
        folder: `files` of the run.
        step: of the row.
        wall_s: Unix seconds, or NaN.
        seq: place among all values of the log.
    """
    kind = _KINDS.get(as_text(media.get("_type")), "")
    if not kind:
        return
    names = (
        [as_text(media.get("path"))] if "path" in media else [as_text(one) for one in as_list(media.get("filenames"))]
    )
    for path in names[:_MAX_FILES]:
        full = os.path.normpath(os.path.join(folder, path))
        if not path or not full.startswith(os.path.join(folder, "media") + os.sep) or not os.path.isfile(full):
            continue
        inside = os.path.join(os.path.basename(folder), os.path.relpath(full, folder))
        encoding = os.path.splitext(path)[1].lstrip(".").lower().replace("jpg", "jpeg")
        yield Blob(
            _kind_of_table(full) if kind == "table" else kind, name, step, wall_s, seq, 0, os.path.getsize(full),
            encoding if encoding.isalnum() else "", _pixels(media.get("width")), _pixels(media.get("height")),
            file=inside,
        )  # fmt: skip


def _kind_of_table(path: str) -> str:
    content = load_content(path, limit_bytes=_MAX_TABLE_BYTES)
    try:
        return "confusion" if parse_matrix(load_json(content.data)) is not None else "table"
    except JsonError:
        return "table"


def _pixels(value: JsonValue) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 31 else 0
