import json
import os
import struct
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorboard.compat.proto import event_pb2
from tensorboard.plugins.hparams import plugin_data_pb2

from mlbench.adapters import tensorboard as module
from mlbench.adapters.tensorboard import ADAPTER
from mlbench.model import (
    Blob,
    Claim,
    Cursor,
    Fact,
    JsonValue,
    Layer,
    Listing,
    Param,
    Points,
    Problem,
    ReadStatus,
    Restart,
    Role,
    RunField,
    Source,
    SweepDescription,
)
from mlbench.wire import window
from mlbench.wire.tfrecord import write_record
from tests.facts import apart
from tests.unit.wire.event_messages import WALL_S, event, strings, value

NAME = "events.out.tfevents.1700000000.node1.4242.0"


def read(path: Path, cursor: Mapping[str, JsonValue] | None = None) -> list[Fact]:
    return list(apart(ADAPTER.read(Source(str(path), str(path.parent)), cursor)))


def write(folder: Path, *payloads: bytes, name: str = NAME) -> Path:
    path = folder / name
    path.write_bytes(b"".join(map(write_record, payloads)))
    return path


def scalar(number: int, tag: str = "loss") -> bytes:
    return event(value(tag, simple_value=number), step=number, wall_s=WALL_S + number)


def series(facts: Iterable[Fact]) -> dict[str, list[tuple[int, int, int, int]]]:
    """Of each metric the steps, the bits of wall time and value, and the places, in order."""
    found: dict[str, list[tuple[int, int, int, int]]] = {}
    for fact in facts:
        if isinstance(fact, Points):
            columns = (fact.steps, fact.wall_s.view(np.int64), fact.values.view(np.int64), fact.seq)
            found.setdefault(fact.metric, []).extend(zip(*(column.tolist() for column in columns), strict=True))
    return found


def values(facts: Iterable[Fact], metric: str = "loss") -> list[float]:
    return [one for fact in facts if isinstance(fact, Points) and fact.metric == metric for one in fact.values]


def others(facts: Iterable[Fact]) -> list[Fact]:
    return [fact for fact in facts if not isinstance(fact, Points | Cursor)]


def problems(facts: Iterable[Fact]) -> list[tuple[str, str]]:
    return [(fact.what, fact.place) for fact in facts if isinstance(fact, Problem)]


def last_cursor(facts: list[Fact]) -> Cursor:
    cursor = facts[-1]
    assert isinstance(cursor, Cursor)
    return Cursor(json.loads(json.dumps(cursor.state)), cursor.status, cursor.n_records, cursor.n_bad)


# ---------------------------------------------------------------- claims


def test_every_event_file_is_claimed_and_nothing_else() -> None:
    names = (
        "._events.out.tfevents.1",
        "args.txt",
        "events.out.tfevents.1700000000.node1",
        "events.out.tfevents.1700000000.node1.profile-empty",
        "my.tfevents.v2",
    )

    assert list(ADAPTER.claims(Listing("/runs/a", names, ("tfevents",)))) == [
        Claim("/runs/a/events.out.tfevents.1700000000.node1", Role.EVENTS, "/runs/a"),
        Claim("/runs/a/my.tfevents.v2", Role.EVENTS, "/runs/a"),
    ]


# ---------------------------------------------------------------- facts


def test_points_keep_their_order_and_their_place(tmp_path: Path) -> None:
    path = write(tmp_path, scalar(1), scalar(1, "acc"), scalar(2), scalar(2, "acc"))

    points = [fact for fact in read(path) if isinstance(fact, Points)]

    assert [fact.metric for fact in points] == ["loss", "acc"]
    assert points[1].steps.tolist() == [1, 2]
    assert points[1].wall_s.tolist() == [WALL_S + 1, WALL_S + 2]
    assert points[1].values.tolist() == [1.0, 2.0]
    assert points[1].seq.tolist() == [1, 3]


def test_the_placeholder_of_lightning_is_a_point_like_any_other(tmp_path: Path) -> None:
    path = write(tmp_path, event(value("hp_metric", simple_value=-1)))

    assert values(read(path), "hp_metric") == [-1.0]


def test_a_wall_time_that_is_no_time_keeps_its_bits(tmp_path: Path) -> None:
    odd_nan = 0x7FF800000000ABCD
    path = write(tmp_path, scalar(0), b"\x09" + struct.pack("<Q", odd_nan) + scalar(1)[9:])

    assert series(read(path))["loss"][1][1] == odd_nan


def test_a_picture_is_told_by_its_place_in_the_file(tmp_path: Path) -> None:
    png = b"\x89PNG...."
    picture = event(value("img", plugin="images", tensor=strings(b"4", b"3", png)), step=7)
    path = write(tmp_path, scalar(1), picture)

    (blob,) = (fact for fact in read(path) if isinstance(fact, Blob))

    assert path.read_bytes()[blob.offset : blob.offset + blob.length] == png
    assert (blob.kind, blob.metric, blob.step, blob.wall_s, blob.seq) == ("image", "img", 7, WALL_S, 1)
    assert (blob.encoding, blob.width, blob.height) == ("png", 4, 3)


def test_a_graph_is_told_by_its_place_in_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, event(graph_def=b"graph"), scalar(1))

    (blob,) = (fact for fact in read(path) if isinstance(fact, Blob))

    assert path.read_bytes()[blob.offset : blob.offset + blob.length] == b"graph"
    assert (blob.kind, blob.metric, blob.seq) == ("graph", "graph", 0)
    assert series(read(path))["loss"][0][3] == 1


def test_restarts_are_told_with_the_place_of_the_next_value(tmp_path: Path) -> None:
    start = event(session_log=event_pb2.SessionLog(status=event_pb2.SessionLog.START), step=4)
    path = write(tmp_path, event(file_version="brain.Event:2"), scalar(1), start)

    assert [fact for fact in read(path) if isinstance(fact, Restart)] == [
        Restart("file_version", 0, 0, "brain.Event:2"),
        Restart("session_start", 1, 4),
    ]


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("events.out.tfevents.1700000000.node1.4242.0", "node1"),
        ("events.out.tfevents.1700000000.node1.4242.0.v2", "node1"),
        ("events.out.tfevents.1700000000.node1", "node1"),
        ("events.out.tfevents.1700000000.node1.v2", "node1"),
        ("events.out.tfevents.1700000000.cm21.nyu.cluster", "cm21.nyu.cluster"),
        ("events.out.tfevents.1700000000.cm21.nyu.cluster.9.1", "cm21.nyu.cluster"),
        ("events.out.tfevents.1700000000.10.0.0.5.4242.0", "10.0.0.5"),
        ("events.out.tfevents.1700000000.10.0.0.5", "10.0.0.5"),
        ("events.out.tfevents.1700000000.node1.4242.0.suffix", "node1"),
        ("events.out.tfevents.1700000000", ""),
        ("events.tfevents", ""),
    ],
)
def test_the_host_is_in_the_name(tmp_path: Path, name: str, host: str) -> None:
    facts = read(write(tmp_path, scalar(0), name=name))

    assert [fact.value for fact in facts if isinstance(fact, RunField) and fact.name == "host"] == [host] * bool(host)


def test_a_name_that_is_not_utf8_gives_text_that_is(tmp_path: Path) -> None:
    name = os.fsdecode(b"events.out.tfevents.1700000000.caf\xe9.1.0")

    facts = read(write(tmp_path, scalar(0), name=name))

    assert RunField("host", "caf\ufffd") in facts


@pytest.mark.parametrize("wall_s", [0.0, float("nan"), float("inf")])
def test_a_run_starts_with_its_first_event_or_with_its_name(tmp_path: Path, wall_s: float) -> None:
    known = read(write(tmp_path, scalar(0), scalar(1)))
    unknown = read(write(tmp_path, event(value("a", simple_value=1), wall_s=wall_s)))
    nameless = read(write(tmp_path, event(value("a", simple_value=1), wall_s=wall_s), name="tfevents"))

    assert [fact for fact in known if isinstance(fact, RunField)] == [
        RunField("host", "node1"),
        RunField("started", WALL_S),
    ]
    assert RunField("started", 1_700_000_000.0) in unknown
    assert not [fact for fact in nameless if isinstance(fact, RunField)]


def test_arguments_in_a_text_are_parameters(tmp_path: Path) -> None:
    table = b"|param|value|\n|-|-|\n|lr|0.1|"
    path = write(tmp_path, event(value("hyperparameters/text_summary", plugin="text", tensor=strings(table))))

    facts = read(path)

    assert Param("lr", "0.1", 0.1, Layer.CONFIG) in facts
    assert [(fact.kind, fact.encoding) for fact in facts if isinstance(fact, Blob)] == [("text", "utf-8")]


def hparams(tag: str, message: Any) -> bytes:
    return event(value(f"_hparams_/{tag}", plugin="hparams", content=message.SerializeToString()))


def test_a_session_of_the_hparams_plugin_gives_parameters_and_status(tmp_path: Path) -> None:
    started, ended = plugin_data_pb2.HParamsPluginData(), plugin_data_pb2.HParamsPluginData()
    started.session_start_info.hparams["lr"].number_value = 0.1
    ended.session_end_info.status = 1
    ended.session_end_info.end_time_secs = WALL_S + 60
    path = write(tmp_path, hparams("session_start_info", started), hparams("session_end_info", ended))

    facts = others(read(path))

    assert Param("lr", "0.1", 0.1, Layer.HPARAMS) in facts
    assert RunField("status", "finished") in facts
    assert RunField("ended", WALL_S + 60) in facts
    assert [fact.kind for fact in facts if isinstance(fact, Blob)] == ["hparams", "hparams"]


def test_an_experiment_describes_a_sweep_once(tmp_path: Path) -> None:
    experiment = plugin_data_pb2.HParamsPluginData()
    experiment.experiment.description = "sweep"
    path = write(tmp_path, *[hparams("experiment", experiment)] * 2)

    assert [fact for fact in read(path) if isinstance(fact, SweepDescription)] == [SweepDescription()]


def test_metadata_of_an_earlier_file_of_the_folder_hold_for_this_one(tmp_path: Path) -> None:
    path = write(tmp_path, event(value("note", tensor=strings(b"hello"))))

    alone = [fact.kind for fact in read(path) if isinstance(fact, Blob)]
    after = [fact.kind for fact in read(path, {"plugins": {"note": "text"}}) if isinstance(fact, Blob)]

    assert (alone, after) == (["tensor"], ["text"])


def test_a_tag_whose_plugin_is_named_late_is_no_scalar_from_then_on(tmp_path: Path) -> None:
    from tests.unit.wire.event_messages import tensor

    number = value("a", tensor=tensor("FLOAT", float_val=[1]))
    named = value("a", plugin="mine", tensor=tensor("FLOAT", float_val=[1]))
    path = write(tmp_path, event(number), event(number), event(named), event(number))

    facts = read(path)

    assert values(facts, "a") == [1.0, 1.0]
    assert [fact.seq for fact in facts if isinstance(fact, Blob)] == [2, 3]


# ---------------------------------------------------------------- cursors


def test_the_end_of_a_reading_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, scalar(0), scalar(1))

    cursor = last_cursor(read(path))

    assert (cursor.status, cursor.n_records, cursor.n_bad) == (ReadStatus.EOF, 2, 0)
    assert (cursor.state["offset"], cursor.state["seq"]) == (path.stat().st_size, 2)


def test_a_second_reading_gives_only_what_has_come_since(tmp_path: Path) -> None:
    cursor = last_cursor(read(write(tmp_path, scalar(0), scalar(1))))
    path = write(tmp_path, scalar(0), scalar(1), scalar(2))

    facts = read(path, cursor.state)

    assert [(step, seq) for step, _, _, seq in series(facts)["loss"]] == [(2, 2)]
    assert others(facts) == []
    assert [fact for fact in read(path, last_cursor(facts).state) if not isinstance(fact, Cursor)] == []


def test_a_tail_that_is_being_written_is_no_problem(tmp_path: Path) -> None:
    path = write(tmp_path, scalar(0), scalar(1))
    path.write_bytes(path.read_bytes()[:-3])

    facts = read(path)

    assert values(facts) == [0.0]
    assert problems(facts) == []
    assert last_cursor(facts).status == ReadStatus.TRUNCATED


def test_a_file_cut_at_every_byte_and_read_on_gives_the_same_facts(tmp_path: Path) -> None:
    ADAPTER.example(str(tmp_path))
    (path,) = tmp_path.iterdir()
    content = path.read_bytes()
    whole = read(path)

    for n_bytes in range(len(content) + 1):
        path.write_bytes(content[:n_bytes])
        first = read(path)
        path.write_bytes(content)
        second = read(path, last_cursor(first).state)

        assert series([*first, *second]) == series(whole), n_bytes
        assert [*others(first), *others(second)] == others(whole), n_bytes
        assert last_cursor(second) == last_cursor(whole), n_bytes


def test_a_long_file_comes_in_batches_each_with_a_cursor_to_go_on_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window, "WINDOW_BYTES", 500)
    monkeypatch.setattr(module, "_FLUSH_COST", 1)
    path = write(tmp_path, *map(scalar, range(50)))
    whole = read(path)

    cursors = [place for place, fact in enumerate(whole) if isinstance(fact, Cursor)]

    assert len(cursors) > 5
    for place in cursors:
        cursor = last_cursor(whole[: place + 1])
        assert series([*whole[: place + 1], *read(path, cursor.state)]) == series(whole)


def test_problems_of_an_interrupted_reading_are_told_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window, "WINDOW_BYTES", 500)
    monkeypatch.setattr(module, "_FLUSH_COST", 1)
    path = write(tmp_path, b"\x00", *map(scalar, range(50)))
    reading: Iterator[Fact] = ADAPTER.read(Source(str(path), str(tmp_path)), None)
    first = []
    for fact in reading:
        first.append(fact)
        if isinstance(fact, Cursor):
            break

    second = read(path, last_cursor(first).state)

    assert problems(first) == []
    assert problems(second) == [("1 record holds no valid event and was left out", "offset 0")]


@pytest.mark.parametrize(
    "state", [{}, {"offset": "x"}, {"offset": -1, "plugins": [], "untold": {"tag": 1, "x": [1, 2]}}]
)
def test_a_cursor_that_is_none_of_ours_begins_at_the_start(tmp_path: Path, state: dict[str, JsonValue]) -> None:
    path = write(tmp_path, scalar(0))

    assert read(path, state)[-1] == read(path)[-1]


# ---------------------------------------------------------------- what goes wrong


def test_an_empty_file_is_empty(tmp_path: Path) -> None:
    path = write(tmp_path)

    (cursor,) = read(path)

    assert isinstance(cursor, Cursor)
    assert cursor.status == ReadStatus.EMPTY


def test_a_pointer_of_git_lfs_is_told(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n")

    problem, cursor = read(path)

    assert isinstance(problem, Problem)
    assert isinstance(cursor, Cursor)
    assert (problem.what, problem.hint) == (
        "The file is a Git LFS pointer; the events themselves are not here",
        "git lfs pull",
    )
    assert cursor.status == ReadStatus.LFS_POINTER
    assert values(read(write(tmp_path, scalar(3)), cursor.state)) == [3.0]


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    problem, cursor = read(tmp_path / NAME, {"offset": 50})

    assert isinstance(problem, Problem)
    assert isinstance(cursor, Cursor)
    assert problem.what == "The file could not be read: No such file or directory"
    assert (cursor.status, cursor.state["offset"]) == (ReadStatus.UNREADABLE, 50)


def test_a_pipe_is_told_and_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / NAME
    os.mkfifo(path)

    assert problems(read(path)) == [("The file could not be read: it is not a regular file", "")]


@pytest.mark.parametrize("payloads", [[scalar(7)], [scalar(7), scalar(8), scalar(9)]])
def test_a_file_that_was_replaced_is_read_again(tmp_path: Path, payloads: list[bytes]) -> None:
    cursor = last_cursor(read(write(tmp_path, b"\x00", scalar(0), scalar(1))))

    facts = read(write(tmp_path, *payloads), cursor.state)

    assert problems(facts) == [("The file is not the one that was read before: it is shorter, or has other bytes", "")]
    assert values(facts) == [7.0, 8.0, 9.0][: len(payloads)]
    assert (last_cursor(facts).state["restarted"], last_cursor(facts).n_bad) == (True, 0)
    assert "restarted" not in last_cursor(read(tmp_path / NAME, last_cursor(facts).state)).state


def test_a_name_that_is_not_utf8_is_told_and_its_values_are_kept(tmp_path: Path) -> None:
    damaged = scalar(1, "lo??").replace(b"??", b"\xff\xfe")
    path = write(tmp_path, scalar(0), damaged, damaged)

    facts = read(path)

    assert values(facts, "lo\ufffd\ufffd") == [1.0, 1.0]
    assert problems(facts) == [
        ("2 values have names that are not valid UTF-8; the wrong bytes are shown as \ufffd", "offset 40")
    ]
    assert last_cursor(facts).status == ReadStatus.EOF


def test_hyper_parameters_that_cannot_be_decoded_are_told(tmp_path: Path) -> None:
    path = write(tmp_path, event(value("_hparams_/session_start_info", plugin="hparams", content=b"\x00")))

    assert problems(read(path)) == [("1 description of hyper-parameters could not be decoded", "offset 0")]


def test_damage_of_one_kind_is_told_once_with_its_count(tmp_path: Path) -> None:
    path = write(tmp_path, *map(scalar, range(6)), b"\x00", b"\x00\x00")
    content = bytearray(path.read_bytes())
    starts = [n * len(content[: len(write_record(scalar(1)))]) for n in range(6)]
    size = len(write_record(scalar(1)))
    first = len(write_record(scalar(0)))
    starts = [0, *(first + n * size for n in range(5))]
    for start in (starts[1], starts[3]):
        content[start + 15] ^= 1
    for start in (starts[2], starts[4]):
        content[start] ^= 1
    path.write_bytes(content)

    facts = read(path)

    assert values(facts) == [0.0, 5.0]
    assert problems(facts) == [
        ("2 records have a bad checksum and were left out", f"offset {starts[1]}"),
        ("The framing is broken in 2 places; what lies there was left out", f"offset {starts[2]}"),
        ("2 records hold no valid event and were left out", f"offset {starts[5] + size}"),
    ]
    assert (last_cursor(facts).status, last_cursor(facts).n_bad) == (ReadStatus.DAMAGED, 6)
    assert problems(read(path, last_cursor(facts).state)) == []


def test_damage_at_the_end_is_told_once_while_the_file_grows(tmp_path: Path) -> None:
    path = write(tmp_path, scalar(0))
    whole = path.read_bytes()
    readings: list[list[Fact]] = []
    cursor: Mapping[str, JsonValue] | None = None
    for tail in (b"\xff" * 20, b"\xff" * 40, b"\xff" * 40 + write_record(scalar(1))):
        path.write_bytes(whole + tail)
        readings.append(read(path, cursor))
        cursor = last_cursor(readings[-1]).state

    assert [problems(facts) for facts in readings] == [
        [("The framing is broken in 1 place; what lies there was left out", f"offset {len(whole)}")],
        [],
        [],
    ]
    assert [values(facts) for facts in readings] == [[0.0], [], [1.0]]
    assert last_cursor(readings[-1]).n_bad == 1


def test_of_a_file_that_goes_on_behind_half_a_record_nothing_else_is_lost(tmp_path: Path) -> None:
    path = write(tmp_path, *map(scalar, range(6)))
    content, size = path.read_bytes(), len(write_record(scalar(1)))
    begun, rest = content[: -5 * size], content[-4 * size :]
    for n_left in range(12, size):
        half = content[len(begun) :][:n_left]
        path.write_bytes(begun + half + rest)
        whole = read(path)

        assert values(whole) == [0.0, 2.0, 3.0, 4.0, 5.0], n_left
        assert problems(whole) == [
            (
                "1 record was begun and not finished, and was left out; another one begins within it",
                f"offset {len(begun)}",
            )
        ]
        assert (last_cursor(whole).status, last_cursor(whole).n_bad) == (ReadStatus.DAMAGED, 1)

        path.write_bytes(begun + half)
        facts = read(path)
        for n_more in range(1, 4):
            path.write_bytes(begun + half + rest[: n_more * size + 12])
            facts += read(path, last_cursor(facts).state)
        path.write_bytes(begun + half + rest)
        facts += read(path, last_cursor(facts).state)
        assert (values(facts), problems(facts)) == (values(whole), problems(whole)), n_left
        assert last_cursor(facts) == last_cursor(whole), n_left


def test_a_record_that_holds_others_and_is_being_written_is_read_when_it_is_there(tmp_path: Path) -> None:
    """An event file that was logged as text: until it is there as a whole it looks like a half record."""
    log = b"".join(write_record(scalar(number, "inner")) for number in range(5))
    path = write(tmp_path, scalar(1), event(value("text", tensor=strings(log)), step=2), scalar(3))
    content, whole = path.read_bytes(), read(path)
    assert values(whole) == [1.0, 3.0]
    assert not problems(whole)

    n_restarted = 0
    for cut in range(len(write_record(scalar(1))), len(content)):
        path.write_bytes(content[:cut])
        first = read(path)
        path.write_bytes(content[: cut + 3])
        second = read(path, last_cursor(first).state)
        path.write_bytes(content)
        third = read(path, last_cursor(second).state)
        facts = [*first, *second, *third]
        for later in (second, third):
            if last_cursor(later).state.get("restarted"):
                n_restarted += 1
                facts = [*later, *third] if later is second else third
        assert (values(facts), problems(facts)) == ([1.0, 3.0], []), cut
        assert last_cursor(facts).status is ReadStatus.EOF
    assert n_restarted > 50


def test_one_wrong_byte_costs_at_most_one_record_and_is_always_told(tmp_path: Path) -> None:
    path = write(tmp_path, *map(scalar, range(1, 6)))
    content = path.read_bytes()
    whole = [1.0, 2.0, 3.0, 4.0, 5.0]

    for place in range(len(content)):
        for change in (0x01, 0x80, 0xFF):
            path.write_bytes(content[:place] + bytes([content[place] ^ change]) + content[place + 1 :])
            facts = read(path)

            lost = place * 5 // len(content)
            assert values(facts) == whole[:lost] + whole[lost + 1 :], place
            assert len(problems(facts)) == 1, place
            assert last_cursor(facts).status == ReadStatus.DAMAGED, place


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.binary(max_size=200))
def test_rubbish_gives_facts_or_problems_and_never_raises(tmp_path: Path, content: bytes, more: bytes) -> None:
    path = write(tmp_path, content)
    path.write_bytes(path.read_bytes() + more)

    facts = read(path)

    assert isinstance(facts[-1], Cursor)
    assert [fact for fact in read(path, last_cursor(facts).state) if not isinstance(fact, Cursor)] == []


def test_reading_writes_nothing(tmp_path: Path) -> None:
    ADAPTER.example(str(tmp_path))
    (path,) = tmp_path.iterdir()
    before = (path.stat().st_mtime_ns, path.read_bytes())
    tmp_path.chmod(0o500)

    read(path)

    tmp_path.chmod(0o700)
    assert (path.stat().st_mtime_ns, path.read_bytes()) == before
    assert list(tmp_path.iterdir()) == [path]


def test_the_example_has_every_kind_of_fact(tmp_path: Path) -> None:
    ADAPTER.example(str(tmp_path))

    facts = read(next(tmp_path.iterdir()))

    assert problems(facts) == []
    assert {metric: len(points) for metric, points in series(facts).items()} == {"train/loss": 10, "val/loss": 10}
    assert [fact.kind for fact in facts if isinstance(fact, Blob)] == ["histogram", "image", "text"]
    assert [fact.key for fact in facts if isinstance(fact, Param)] == ["lr"]


def test_a_reading_that_breaks_off_keeps_what_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(self: window.Window, file: BinaryIO, offset: int) -> None:
        if offset >= len(write_record(scalar(0))) + len(write_record(scalar(1))):
            raise OSError(5, "Input/output error")
        real(self, file, offset)

    real = window.Window.load
    monkeypatch.setattr(window, "WINDOW_BYTES", 2 * len(write_record(scalar(1))))
    monkeypatch.setattr(window.Window, "load", load)
    path = write(tmp_path, scalar(0), scalar(1), scalar(2))

    facts = read(path)
    monkeypatch.undo()

    assert values(facts) == [0.0, 1.0]
    assert problems(facts) == [("The file could not be read: Input/output error", "")]
    assert last_cursor(facts).status == ReadStatus.UNREADABLE
    assert values(read(path, last_cursor(facts).state)) == [2.0]
