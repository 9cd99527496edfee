import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlbench.wire import shapes as module
from mlbench.wire.events import decode_event
from mlbench.wire.shapes import Shapes
from mlbench.wire.tfrecord import write_record
from mlbench.wire.window import Window
from tests.unit.wire import event_logs, event_messages
from tests.unit.wire.event_logs import double_value, event, log, simple, tensor_value
from tests.unit.wire.event_messages import tensor, value


def learned(*payloads: bytes) -> Shapes:
    shapes = Shapes()
    for payload in payloads:
        shapes.learn(payload, decode_event(payload, {}))
    return shapes


def shape_of(shapes: Shapes, payload: bytes) -> int:
    """What the short way and the way for many say; they agree."""
    (number,) = classified(shapes, payload)
    assert shapes.recognise(payload) == number
    return number


def classified(shapes: Shapes, *payloads: bytes) -> list[int]:
    window = Window()
    window.load(io.BytesIO(log(*payloads)), 0)
    places = window.walk(0, 1 << 16)
    found: list[int] = shapes.classify(window, places, window.lengths(places))[0].tolist()
    return found


LOSS = event(simple("loss", 1), step=1)


def test_a_payload_that_differs_in_time_step_and_value_has_the_same_shape() -> None:
    assert shape_of(learned(LOSS), event(simple("loss", 2), step=2, wall=struct.pack("<d", 3.5))) == 0


@pytest.mark.parametrize("step", [None, 0, 1, 127, 128, 16_383, 16_384, 2**40, 2**56 - 1])
def test_a_shape_holds_for_steps_of_any_width_and_for_none(step: int | None) -> None:
    assert shape_of(learned(LOSS), event(simple("loss", 2), step=step)) == 0


@pytest.mark.parametrize("step", [2**56, 2**63 - 1, -1])
def test_a_step_of_more_than_eight_bytes_is_left_to_the_decoder(step: int) -> None:
    shapes = learned(event(simple("loss", 2), step=step))

    assert shapes.n_shapes == 1
    assert shape_of(shapes, event(simple("loss", 2), step=step)) == -1


@pytest.mark.parametrize("is_content", [True, False])
@pytest.mark.parametrize("plugin", ["scalars", ""])
def test_a_tensor_has_a_shape(plugin: str, is_content: bool) -> None:
    shapes = learned(event(tensor_value("loss", 1, plugin=plugin, is_content=is_content)))

    assert shape_of(shapes, event(tensor_value("loss", 2, plugin=plugin, is_content=is_content), step=300)) == 0


def test_many_values_in_one_event_are_one_shape() -> None:
    shapes = learned(event(simple("a", 1), tensor_value("b", 2)))

    assert shape_of(shapes, event(simple("a", 3), tensor_value("b", 4))) == 0
    assert shapes.tags == ["a", "b"]
    assert (shapes.flat.n_values.tolist(), shapes.flat.tags.tolist()) == ([2], [0, 1])


def test_values_are_told_by_their_distance_from_the_end() -> None:
    payload = event(simple("a", 0x11111111), tensor_value("b", 0x22222222, plugin="scalars"), simple("a", 0x33333333))

    flat = learned(LOSS, payload).flat

    assert flat.first.tolist() == [0, 1]
    assert [payload[len(payload) - end :][:4].hex() for end in flat.ends[1:].tolist()] == ["11" * 4, "22" * 4, "33" * 4]


def test_nothing_learned_is_nothing_known() -> None:
    shapes = Shapes()

    assert (shapes.n_shapes, shapes.flat.first.size, shapes.flat.tags.size) == (0, 0, 0)
    assert shape_of(shapes, LOSS) == -1


# Two payloads of one length with their values in other places: at the end, and before the metadata.
LONG_TAG = "a234567890123456789"
PLAIN = event_messages.event(value(LONG_TAG, simple_value=1))
TENSOR = event_messages.event(value("a", plugin="scalars", tensor=tensor("FLOAT", float_val=[1])))


def test_layouts_of_one_length_are_told_apart() -> None:
    other = event_messages.event(value("b" + LONG_TAG[1:], simple_value=2))

    shapes = learned(PLAIN, TENSOR, other)

    assert len(PLAIN) == len(TENSOR)
    assert classified(shapes, TENSOR, other, PLAIN, other, LOSS) == [1, 2, 0, 2, -1]
    assert [shapes.recognise(payload) for payload in (TENSOR, other, PLAIN, LOSS)] == [1, 2, 0, -1]


def test_only_so_many_layouts_are_tried_for_one_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_LAYOUTS", 1)

    shapes = learned(PLAIN, TENSOR)

    assert (shape_of(shapes, PLAIN), shape_of(shapes, TENSOR)) == (0, -1)


@pytest.mark.parametrize(
    "payload",
    [
        event(simple("lost", 1), step=1),
        event(simple("losses", 1), step=1),
        LOSS[9:],
        LOSS[11:],
        LOSS[:-1],
        LOSS + b"\x00",
        b"",
        b"\x09" + bytes(8),
        b"\x09" + bytes(8) + b"\x10",
        b"\x09" + bytes(8) + b"\x10\x80",
        b"\x09" + bytes(8) + b"\x10" + b"\xff" * 40,
        LOSS.replace(b"loss", b"los\xf3"),
    ],
)
def test_anything_else_is_not_known(payload: bytes) -> None:
    assert shape_of(learned(LOSS), payload) == -1


@pytest.mark.parametrize(
    "payload",
    [
        event_messages.event(value("loss", simple_value=1), file_version=""),
        event_messages.event(value("loss", simple_value=1))[9:],
        event_messages.event(),
        event_messages.event(value("l", simple_value=1), wall_s=0),
        event(double_value("loss", 1.0)),
        event(simple("a", 1), event_logs.PICTURE),
        event_messages.event(value("los??", simple_value=1)).replace(b"??", b"\xff\xff"),
        event(simple("x" * 4096, 1)),
        b"\x09" + bytes(8) + b"\x2a\x00",
        b"\x89\x00" + LOSS[1:],  # keys of two bytes where one is enough
        LOSS[:9] + b"\x90\x00" + LOSS[10:],
        # Of two numbers of a value the later one holds, which may stand before another value's.
        event(event_logs.part(1, event_logs.part(1, b"a"))),
    ],
)
def test_what_is_no_scalar_alone_is_not_learned(payload: bytes) -> None:
    shapes = Shapes()

    assert not shapes.learn(payload, decode_event(payload, {}))
    assert shapes.n_shapes == 0
    assert shape_of(shapes, payload) == -1


def test_a_shape_is_learned_once() -> None:
    shapes = Shapes()

    assert [shapes.learn(LOSS, decode_event(LOSS, {})) for _time in range(2)] == [True, False]
    assert shapes.n_shapes == 1


def test_only_so_many_shapes_are_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_SHAPES", 2)
    payloads = [event(simple(tag, 1)) for tag in ("aa", "bb", "cc")]

    shapes = learned(*payloads)

    assert shapes.is_full
    assert [shape_of(shapes, payload) for payload in payloads] == [0, 1, -1]


def test_shapes_whose_hashes_cannot_be_told_apart_are_not_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_TABLE_BITS", 8)
    payloads = [event(simple(f"{number:03}", number)) for number in range(300)]

    shapes = learned(*payloads)

    found = classified(shapes, *payloads)
    assert found == [shapes.recognise(payload) for payload in payloads]
    assert shapes.n_shapes < 256
    assert sorted(number for number in found if number >= 0) == list(range(shapes.n_shapes))


def test_thousands_of_shapes_of_one_length_are_told_apart() -> None:
    payloads = [event(simple(f"{number:05}", number), step=number) for number in range(3000)]

    shapes = learned(*payloads)

    found = classified(shapes, *payloads)
    assert shapes.n_shapes > 2900
    assert [number for number in found if number >= 0] == list(range(shapes.n_shapes))


def test_records_of_many_lengths_are_grouped_whatever_their_order() -> None:
    payloads = [event(simple("x" * (1 + number * 7 % 40), number), step=number) for number in range(80)]
    shapes = learned(*payloads[:30])

    found = classified(shapes, b"", *payloads, b"\x00")

    assert found == [-1, *(shapes.recognise(payload) for payload in payloads), -1]
    assert found[1:31] == list(range(30))
    assert set(found[41:71]) == set(range(30))


def test_shapes_of_tensors_are_blocked_by_the_plugin_of_any_of_their_tags() -> None:
    shapes = learned(
        event(simple("a", 1)), event(tensor_value("a", 1)), event(tensor_value("b", 1)),
        event(tensor_value("b", 1), tensor_value("a", 1)),
    )  # fmt: skip

    assert shapes.blocked({"a", "unknown"}).tolist() == [False, True, False, True]
    assert shapes.blocked(set()).tolist() == [False] * 4


@settings(deadline=None)
@given(
    st.lists(event_logs.scalars(), min_size=1, max_size=6),
    st.lists(event_logs.scalars(), max_size=6),
    st.lists(st.tuples(st.integers(0, 90), st.integers(0, 255)), max_size=3),
)
def test_what_is_recognised_is_what_the_long_way_reads(
    taught: list[bytes], others: list[bytes], damage: list[tuple[int, int]]
) -> None:
    shapes = learned(*taught)
    wrong = bytearray(taught[0])
    for place, octet in damage:
        wrong[place % len(wrong)] = octet
    payloads = [bytes(wrong), *taught, *others]
    flat = shapes.flat

    found = classified(shapes, *payloads)

    assert found == [shapes.recognise(payload) for payload in payloads]
    for payload, number in zip(payloads, found, strict=True):
        if number >= 0:
            first, n_values = int(flat.first[number]), int(flat.n_values[number])
            ends = flat.ends[first : first + n_values].tolist()
            values = decode_event(payload, {}).values
            assert [shapes.tags[tag] for tag in flat.tags[first : first + n_values].tolist()] == [
                one.tag for one in values
            ]
            assert [len(payload) - end for end in ends] == [one.number_at for one in values]


def test_a_record_at_the_very_end_of_a_window_is_looked_at_within_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlbench.wire.window.WINDOW_BYTES", len(write_record(LOSS)))

    assert classified(learned(LOSS), LOSS) == [0]
    assert np.iinfo(np.uint16).max >= module.MAX_TAIL_BYTES  # lengths are sorted as 16 bits
