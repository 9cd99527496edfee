"""TensorBoard's own three readers as oracles: what each really shows of a folder, to the bit."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from mlbench.wire.crc32c import masked_crc32c

Point = tuple[int, int, int]
"""Step, bits of the wall time, bits of the value as a double."""
Shown = dict[str, list[Point]]
"""Tag to its points in order; tags without a point are left out."""

_READY = re.compile(r"Finished load cycle")
_PATIENCE_S = 60.0


@contextmanager
def hastened() -> Iterator[None]:
    """Let tensorboard's readers take checksums from `google_crc32c` (1,000 times faster) and look up a dtype once."""
    from tensorboard.compat.tensorflow_stub import dtypes

    with (
        patch("tensorboard.compat.tensorflow_stub.pywrap_tensorflow.masked_crc32c", masked_crc32c),
        patch.object(dtypes, "as_dtype", cache(dtypes.as_dtype)),
    ):
        yield


def bits(number: float) -> int:
    return int(np.float64(number).view(np.int64))


def event_accumulator(folder: Path) -> Shown:
    """Simple values, and the tensors of tags whose first metadata say scalars; {} where the reader raises."""
    from tensorboard.backend.event_processing import event_accumulator as reader

    accumulator = reader.EventAccumulator(str(folder), size_guidance=reader.STORE_EVERYTHING_SIZE_GUIDANCE)
    if not _reload(accumulator):
        return {}
    tags = accumulator.Tags()
    found = {tag: [(e.step, e.wall_time, e.value) for e in accumulator.Scalars(tag)] for tag in tags["scalars"]}
    for tag in tags["tensors"]:
        if _says_scalar(accumulator, tag):
            both = found.get(tag, []) + _numbers(accumulator.Tensors(tag))
            found[tag] = sorted(both, key=lambda point: point[1]) if tag in found else both
    return _in_bits(found)


def plugin_accumulator(folder: Path) -> Shown:
    """Tensors of tags whose first metadata say scalars, after tensorboard's own migration; {} where it raises."""
    from tensorboard.backend.event_processing import plugin_event_accumulator as reader

    accumulator = reader.EventAccumulator(str(folder), size_guidance=reader.STORE_EVERYTHING_SIZE_GUIDANCE)
    if not _reload(accumulator):
        return {}
    tags = accumulator.Tags()["tensors"]
    return _in_bits({tag: _numbers(accumulator.Tensors(tag)) for tag in tags if _says_scalar(accumulator, tag)})


def _reload(accumulator: Any) -> bool:
    try:
        accumulator.Reload()
    except Exception:  # noqa: BLE001 - whatever it raises, its user is left with nothing
        return False
    return True


def _says_scalar(accumulator: Any, tag: str) -> bool:
    try:
        metadata = accumulator.SummaryMetadata(tag)
    except KeyError:
        return False
    if metadata.data_class:
        return bool(metadata.data_class == 1)
    return bool(metadata.plugin_data.plugin_name == "scalars")


def _numbers(events: list[Any]) -> list[tuple[int, float, float]]:
    return [(e.step, e.wall_time, number) for e in events if (number := _number(e.tensor_proto)) is not None]


def _number(tensor: Any) -> float | None:
    from tensorboard.util.tensor_util import make_ndarray

    try:
        item = make_ndarray(tensor).item()
    except Exception:  # noqa: BLE001 - several elements, an unknown type, too little content: no number
        return None
    return float(item) if isinstance(item, int | float) else None


def _in_bits(found: dict[str, list[tuple[int, float, float]]]) -> Shown:
    return {
        tag: [(step, bits(wall_s), bits(value)) for step, wall_s, value in points]
        for tag, points in found.items()
        if points
    }


# ---------------------------------------------------------------- the data server


def server_binary() -> str | None:
    """The data server's program; None where this platform has none that runs."""
    try:
        import tensorboard_data_server

        path = tensorboard_data_server.server_binary()
        if path is None:
            return None
        subprocess.run([path, "--version"], capture_output=True, check=True, timeout=10)
    except (ImportError, OSError, subprocess.SubprocessError):
        return None
    return str(path)


def data_server(root: Path, port_file: Path) -> dict[str, Shown]:
    """What the server shows of every run below `root` with all samples kept: run to tag to points."""
    binary = server_binary()
    assert binary is not None
    arguments = ["--logdir", str(root), "--reload", "once", "-v", "--samples-per-plugin=scalars=all",
                 "--host", "127.0.0.1", "--port", "0", "--port-file", str(port_file), "--die-after-stdin"]  # fmt: skip
    with subprocess.Popen(
        [binary, *arguments], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace"
    ) as server:
        watchdog = threading.Timer(_PATIENCE_S, server.kill)
        watchdog.start()
        try:
            assert server.stderr is not None
            assert any(_READY.search(line) for line in server.stderr), "the data server ended before it had loaded"
            return _ask(int(port_file.read_text()))
        finally:
            watchdog.cancel()
            server.kill()


def _ask(port: int) -> dict[str, Shown]:
    import grpc
    from tensorboard.data.proto import data_provider_pb2 as messages
    from tensorboard.data.proto.data_provider_pb2_grpc import TensorBoardDataProviderStub

    options = [("grpc.max_receive_message_length", -1)]
    with grpc.secure_channel(f"127.0.0.1:{port}", grpc.local_channel_credentials(), options=options) as channel:
        request = messages.ReadScalarsRequest(
            plugin_filter=messages.PluginFilter(plugin_name="scalars"),
            downsample=messages.Downsample(num_points=1 << 40),
        )
        answer = TensorBoardDataProviderStub(channel).ReadScalars(request, wait_for_ready=True, timeout=_PATIENCE_S)
    return {run.run_name: _in_bits(dict(_series(run))) for run in answer.runs}


def _series(run: Any) -> Iterator[tuple[str, list[tuple[int, float, float]]]]:
    for series in run.tags:
        columns = (series.data.step, series.data.wall_time, series.data.value)
        yield series.tag_name, list(zip(*columns, strict=True))
