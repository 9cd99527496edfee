"""What no reader needs to be asked for: files that cannot be read, lengths that lie, and what prost accepts."""

import io
import os
import struct
from pathlib import Path

import pytest

from mlbench.wire.parity.curves import Curve
from mlbench.wire.parity.files import Damage, payloads
from mlbench.wire.parity.shown import PARITY_VIEWS, read_folder
from mlbench.wire.parity.strict import accepts, decode
from mlbench.wire.tfrecord import write_record
from tests.events import scalar_file

WALL = b"\x09" + struct.pack("<d", 5.0)
STEP = b"\x10\x02"
SCALAR = WALL + STEP + b"\x2a\x0a\x0a\x08\x0a\x01a\x15\x00\x00\x80\x3f"
DEEP = b"\xa3\x06" * 101 + b"\xa4\x06" * 101
"""Groups in groups, one more than the library follows."""


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        SCALAR,
        STEP + WALL,
        STEP + STEP,
        b"\x10\x82\x80\x00",
        b"\x10" + b"\xff" * 9 + b"\x01",
        SCALAR + b"\xa2\x06\x01x\xa0\x06\x05\xa5\x06abcd\xa1\x06abcdefgh",
        b"\xa3\x06\x0b\x08\x01\x0c\xa4\x06",
        b"\x2a\x0c\x0a\x0a\x42\x08\x2a\x04\x00\x00\x80\x3f\x2a\x00",
    ],
)  # fmt: skip
def test_what_prost_accepts(payload: bytes) -> None:
    assert accepts(payload)


@pytest.mark.parametrize(
    "payload",
    [
        b"\x08\x01",  # a wall time that is a varint
        b"\x11abcdefgh",  # a step that is a double
        b"\x2b\x2c",  # a summary that is a group
        b"\x00\x01",  # field 0
        b"\xa6\x06\x01",  # wire type 6
        b"\x0c",  # the end of a group that never began
        b"\xa3\x06\xac\x06",  # the end of another group
        b"\xa3\x06",  # no end of the group
        DEEP,
        b"\x10\x80",  # a number that does not end
        b"\x10" + b"\xff" * 9 + b"\x02",  # the 65th bit
        b"\x80\x80\x80\x80\x80\x01\x00",  # a key of more than 32 bits
        b"\x1a\x02\xc3\x28",  # a version that is not UTF-8
        b"\x2a\x05\x0a\x09\x0a\x01a",  # a value that is longer than its summary
        b"\x2a\x09\x0a\x07\x42\x05\x2a\x03\x00\x00\x00",  # three bytes of floats
        b"\x09abc",  # a double of three bytes
    ],
)
def test_what_prost_does_not_accept(payload: bytes) -> None:
    assert not accepts(payload)
    assert decode(payload) is None


def test_messages_in_messages_are_followed_to_a_depth_of_a_hundred() -> None:
    def nested(depth: int) -> bytes:
        """A tensor that holds a variant that holds a tensor, and so on."""
        content = b""
        for _level in range(depth):
            variant = b"\x1a" + _length(content) + content
            content = b"\x7a" + _length(variant) + variant
        value = b"\x42" + _length(content) + content
        summary = b"\x0a" + _length(value) + value
        return b"\x2a" + _length(summary) + summary

    assert accepts(nested(48))
    assert not accepts(nested(60))


def _length(content: bytes) -> bytes:
    size = len(content)
    octets = bytearray()
    while size >= 0x80:
        octets.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([*octets, size])


def test_a_payload_in_an_odd_order_means_what_python_makes_of_it() -> None:
    event = decode(STEP + WALL)

    assert event is not None
    assert (event.step, event.wall_time) == (2, 5.0)


# ---------------------------------------------------------------- files


def test_a_length_that_lies_ends_the_file_without_asking_for_memory(tmp_path: Path) -> None:
    record = write_record(SCALAR)
    head = struct.pack("<Q", 2**62)
    from mlbench.wire.crc32c import masked_crc32c

    (tmp_path / "tfevents").write_bytes(record + head + struct.pack("<I", masked_crc32c(head)) + b"x" * 40)

    with (tmp_path / "tfevents").open("rb") as file:
        found = list(payloads(file))

    assert [(item.offset, getattr(item, "content", None)) for item in found] == [(0, SCALAR)]


def test_a_file_that_shrinks_while_it_is_read_ends_there(tmp_path: Path) -> None:
    record = write_record(SCALAR)
    (tmp_path / "tfevents").write_bytes(record * 2)

    class Shrunk(io.BytesIO):
        def fileno(self) -> int:
            return whole.fileno()

    with (tmp_path / "tfevents").open("rb") as whole:
        found = list(payloads(Shrunk((record * 2)[:-3])))

    assert [item.offset for item in found] == [0]


def test_damage_of_a_length_is_the_last_item(tmp_path: Path) -> None:
    record = write_record(SCALAR)
    (tmp_path / "tfevents").write_bytes(record + b"\x01" + record)

    with (tmp_path / "tfevents").open("rb") as file:
        found = list(payloads(file))

    assert found[-1] == Damage(len(record))
    assert len(found) == 2


@pytest.mark.parametrize("view", PARITY_VIEWS)
def test_a_folder_that_cannot_be_listed_is_a_problem(view: str, tmp_path: Path) -> None:
    shown = read_folder(view, str(tmp_path / "nowhere"))

    assert shown.series == []
    assert [problem.what for problem in shown.problems] == ["The folder could not be read: No such file or directory"]


def test_a_pipe_loses_the_folder_to_python_and_is_no_file_to_the_server(tmp_path: Path) -> None:
    scalar_file(tmp_path / "tfevents.1", {"loss": [(0, 1.0)]})
    os.mkfifo(tmp_path / "tfevents.2")

    python, server = read_folder("plugin", str(tmp_path)), read_folder("tensorboard", str(tmp_path))

    assert (python.series, len(python.problems)) == ([], 1)
    assert ([series.tag for series in server.series], server.problems) == (["loss"], [])


def test_a_file_that_cannot_be_opened_is_left_out_by_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("tfevents.1", "tfevents.2"):
        scalar_file(tmp_path / name, {"loss": [(int(name[-1]), 1.0)]})
    from mlbench.wire.parity import shown as module

    def refuse(path: str) -> io.BufferedReader:
        if path.endswith("1"):
            raise PermissionError(13, "Permission denied")
        return Path(path).open("rb")

    monkeypatch.setattr(module, "open_regular", refuse)

    server, python = read_folder("tensorboard", str(tmp_path)), read_folder("eventaccumulator", str(tmp_path))

    assert server.series[0].steps.tolist() == [2]
    assert [problem.what for problem in server.problems] == ["The file could not be read: Permission denied"]
    assert python.series == []
    assert "(Permission denied): it shows nothing of the folder" in python.problems[0].what


# ---------------------------------------------------------------- curves


def test_points_are_dropped_from_a_step_on_or_from_the_end_only() -> None:
    anywhere, at_the_end = Curve(), Curve()
    for seq, step in enumerate([5, 1, 7, 2]):
        anywhere.add(step, 0.0, float(seq), seq)
        at_the_end.add(step, 0.0, float(seq), seq)

    anywhere.drop_from(5)
    at_the_end.drop_tail(2)

    assert anywhere.columns()[0].tolist() == [1, 2]
    assert at_the_end.columns()[0].tolist() == [5, 1]
