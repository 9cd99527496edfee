import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlbench.wire import templates as module
from mlbench.wire.events import decode_event
from mlbench.wire.templates import Templates
from tests.unit.wire.event_messages import WALL_S, event, tensor, value


def learned(*payloads: bytes) -> Templates:
    templates = Templates()
    for payload in payloads:
        templates.learn(payload, decode_event(payload, {}))
    return templates


def test_a_payload_that_differs_in_time_step_and_value_is_known() -> None:
    templates = learned(event(value("loss", simple_value=0.5), step=1))

    match = templates.match(event(value("loss", simple_value=0.25), step=2, wall_s=3.5))

    assert match == (("loss",), 2, 3.5, (0.25,))


@pytest.mark.parametrize("step", [0, 1, 127, 128, 16_383, 16_384, 2**40, 2**63 - 1, -1])
def test_a_step_of_any_width_is_read(step: int) -> None:
    templates = learned(event(value("loss", simple_value=0.5), step=1))

    assert templates.match(event(value("loss", simple_value=0.25), step=step)) == (("loss",), step, WALL_S, (0.25,))


def test_a_tensor_with_metadata_is_known() -> None:
    def payload(number: float) -> bytes:
        content = struct.pack("<f", number)
        return event(value("loss", plugin="scalars", tensor=tensor("FLOAT", tensor_content=content)), step=1)

    assert learned(payload(0.5)).match(payload(0.25)) == (("loss",), 1, WALL_S, (0.25,))


def test_many_values_in_one_event_are_known() -> None:
    templates = learned(event(value("a", simple_value=1), value("b", simple_value=2)))

    match = templates.match(event(value("a", simple_value=3), value("b", simple_value=4)))

    assert match == (("a", "b"), 0, WALL_S, (3.0, 4.0))


# Two payloads of one length with their values in other places: at the end, and before the metadata.
LONG_TAG = "a234567890123456789"
PLAIN = event(value(LONG_TAG, simple_value=1))
TENSOR = event(value("a", plugin="scalars", tensor=tensor("FLOAT", float_val=[1])))


def test_layouts_of_one_length_are_told_apart() -> None:
    other = event(value("b" + LONG_TAG[1:], simple_value=2))

    templates = learned(PLAIN, TENSOR, other)

    assert len(PLAIN) == len(TENSOR)
    assert templates.match(PLAIN) == ((LONG_TAG,), 0, WALL_S, (1.0,))
    assert templates.match(TENSOR) == (("a",), 0, WALL_S, (1.0,))
    assert templates.match(other) == (("b" + LONG_TAG[1:],), 0, WALL_S, (2.0,))


@pytest.mark.parametrize(
    "payload",
    [
        event(value("lost", simple_value=0.5), step=1),
        event(value("losses", simple_value=0.5), step=1),
        event(value("loss", simple_value=0.5), step=1)[9:],
        event(value("loss", simple_value=0.5), step=1)[:-1],
        b"",
        b"\x09" + bytes(8) + b"\x10" + b"\xff" * 40,
    ],
)
def test_anything_else_is_not_known(payload: bytes) -> None:
    assert learned(event(value("loss", simple_value=0.5), step=1)).match(payload) is None


@pytest.mark.parametrize(
    "payload",
    [
        event(value("loss", simple_value=1), file_version=""),
        event(value("loss", simple_value=1))[9:],
        event(),
        event(value("l", simple_value=1), wall_s=0),
        event(value("loss", tensor=tensor("DOUBLE", double_val=[1]))),
        event(value("a", simple_value=1), value("text", plugin="text", tensor=tensor("STRING", string_val=[b"a"]))),
        event(value("los??", simple_value=1)).replace(b"??", b"\xff\xff"),
        event(value("x" * 4096, simple_value=1)),
        b"\x09" + bytes(8) + b"\x2a\x00",
    ],
)
def test_what_cannot_be_a_template_is_not_learned(payload: bytes) -> None:
    assert learned(payload).match(payload) is None


def test_only_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_TEMPLATES", 2)
    first, second, third = (event(value(tag, simple_value=1)) for tag in ("aa", "bb", "cc"))

    templates = learned(first, second, third)

    assert [templates.match(payload) is None for payload in (first, second, third)] == [True, True, False]


def test_only_so_many_layouts_are_tried_for_one_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_LAYOUTS", 1)

    templates = learned(PLAIN, TENSOR)

    assert templates.match(PLAIN) is not None
    assert templates.match(TENSOR) is None


def test_what_was_forgotten_is_not_known() -> None:
    payload = event(value("loss", simple_value=1))
    templates = learned(payload)

    templates.forget()

    assert templates.match(payload) is None


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", "cc"]), st.integers(-3, 2**20)), min_size=1, max_size=8),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), max_size=2),
)
def test_a_match_is_what_the_long_way_reads(logged: list[tuple[str, int]], damage: list[tuple[int, int]]) -> None:
    payloads = [event(value(tag, simple_value=step / 7), step=step) for tag, step in logged]
    templates = learned(*payloads)
    damaged = bytearray(payloads[0])
    for place, octet in damage:
        damaged[place % len(damaged)] = octet

    match = templates.match(bytes(damaged))

    if match is not None:
        found = decode_event(bytes(damaged), {})
        assert repr(match) == repr(
            (
                tuple(one.tag for one in found.values),
                found.step,
                found.wall_s,
                tuple(one.number for one in found.values),
            )
        )
