import io
import mmap
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlbench.wire import window as module
from mlbench.wire.tfrecord import write_record
from mlbench.wire.window import SLACK_BYTES, Window, give_back, take_window
from tests.unit.wire.event_logs import WALLS, event, simple, varint


def loaded(content: bytes, offset: int = 0) -> Window:
    window = Window()
    window.load(io.BytesIO(content), offset)
    return window


def filled(size: int) -> bytes:
    """A payload of this length."""
    return bytes(place % 251 for place in range(size))


class Dripping(io.BytesIO):
    """Gives a few bytes at a time, as a file system may."""

    def readinto(self, target: memoryview) -> int:  # type: ignore[override]
        return super().readinto(target[:7])


def test_a_window_holds_the_bytes_of_the_file_from_an_offset_on() -> None:
    window = Window()

    window.load(Dripping(b"0123456789abcdefghij"), 3)

    assert (window.n_bytes, window.bytes_at(0, window.n_bytes)) == (17, b"3456789abcdefghij")


def test_a_window_is_filled_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WINDOW_BYTES", 8)
    window, file = Window(), io.BytesIO(b"0123456789")

    found = []
    for offset in (0, 8, 10):
        window.load(file, offset)
        found.append(window.bytes_at(0, window.n_bytes))

    assert found == [b"01234567", b"89", b""]


def test_a_window_begins_where_a_page_begins() -> None:
    """A few bytes behind it, the kernel copies the file's pages at a quarter of the speed (decision 0120)."""
    windows = [Window(), Window()]

    assert [window.octets.ctypes.data % mmap.PAGESIZE for window in windows] == [0, 0]


# ---------------------------------------------------------------- where records lie


@pytest.mark.parametrize("most", [0, 2, 3, 10])
def test_records_are_found_one_behind_the_other_but_no_more_than_wanted(most: int) -> None:
    content = b"".join(map(write_record, (b"one", b"", b"three")))

    places = loaded(b"??" + content + b"rest").walk(2, most)

    assert places.tolist() == [2, 21, 37][:most]


def test_of_a_record_that_is_not_whole_nothing_is_said() -> None:
    content = write_record(b"one") + write_record(b"two")

    for n_bytes in range(19, 38):
        assert loaded(content[:n_bytes]).walk(0, 10).tolist() == [0], n_bytes
    assert loaded(content).walk(0, 10).tolist() == [0, 19]


def test_a_length_of_sixteen_million_is_left_to_the_plain_reader() -> None:
    content = write_record(b"one") + struct.pack("<Q", 1 << 24) + bytes(100)

    assert loaded(content).walk(0, 10).tolist() == [0]


SIZES = st.sampled_from([0, 1, 11, 12, 30, 255, 256, 65_535, 65_536, 70_000]) | st.integers(0, 600)


@settings(deadline=None)
@given(st.lists(SIZES, max_size=12), st.integers(0, 30), st.integers(0, 30))
def test_looking_for_all_headers_at_once_finds_the_same_records(sizes: list[int], before: int, n_zeros: int) -> None:
    content = b"".join(write_record(filled(size)) for size in sizes)
    window = loaded(b"?" * before + content + bytes(n_zeros))
    step_by_step = window.walk(before, module._MANY - 1).tolist()

    at_once = window.walk(before, module._MANY).tolist()

    n_short = next((place for place, size in enumerate(sizes) if size > 0xFFFF), len(sizes))
    assert at_once == step_by_step[: n_short or None]


@given(st.lists(st.integers(0, 100), max_size=12), st.data())
def test_looking_for_all_headers_at_once_in_damage_finds_nothing_else(sizes: list[int], data: st.DataObject) -> None:
    content = bytearray(b"".join(write_record(filled(size)) for size in sizes))
    if content:
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    window = loaded(bytes(content))

    at_once = window.walk(0, module._MANY).tolist()

    assert at_once == window.walk(0, module._MANY - 1).tolist()[: len(at_once)]


def test_behind_a_header_within_a_payload_the_records_are_found_when_asked_again() -> None:
    inner = write_record(b"inner")
    content = write_record(b"1" + inner + b"2") + write_record(b"last")
    window = loaded(content)

    assert window.walk(0, module._MANY).tolist() == [0]
    assert window.walk(len(inner) + 18, module._MANY).tolist() == [len(inner) + 18]


def test_where_no_header_holds_the_lengths_alone_are_followed() -> None:
    content = bytearray(write_record(b"one") + write_record(b"two"))
    content[8] ^= 1

    assert loaded(bytes(content)).walk(0, module._MANY).tolist() == [0, 19]
    assert loaded(b"\xff" * 40).walk(0, module._MANY).tolist() == []


def test_lengths_are_as_the_records_say() -> None:
    window = loaded(write_record(filled(300)) + write_record(b""))

    places = np.array([0, 316])

    assert window.lengths(places).tolist() == [300, 0]
    assert [window.length(place) for place in places.tolist()] == [300, 0]


def test_bytes_are_taken_at_many_places_at_once() -> None:
    window = loaded(b"0123456789")

    assert [bytes(one) for one in window.take(np.array([7, 0, 1]), 3)] == [b"789", b"012", b"123"]


def test_what_is_taken_at_the_end_of_a_window_reaches_into_its_slack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WINDOW_BYTES", 16)
    window = loaded(bytes(16))

    assert window.take(np.array([16]), SLACK_BYTES).size == 1


# ---------------------------------------------------------------- the seal


def sealed(content: bytes) -> bool:
    window = loaded(content)
    places = window.walk(0, 100)
    return window.seal(places, window.lengths(places))


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_sound_records_are_sealed(payloads: list[bytes]) -> None:
    assert sealed(b"".join(map(write_record, payloads)))


def test_a_changed_bit_anywhere_breaks_the_seal_or_the_chain_of_records() -> None:
    content = b"".join(map(write_record, (b"one", b"", b"three", filled(40))))

    for place in range(8 * len(content)):
        wrong = bytearray(content)
        wrong[place // 8] ^= 1 << place % 8
        window = loaded(bytes(wrong))
        places = window.walk(0, 100)
        holds = window.seal(places, window.lengths(places))
        is_whole = places.tolist() == [0, 19, 35, 56]
        assert not (holds and is_whole), place
        if holds and places.size:  # what is before a length that reaches beyond the window is sound
            assert place // 8 >= int(places[-1]) + 16, place


def test_what_was_sealed_can_be_followed_again_but_not_sealed_again() -> None:
    window = loaded(write_record(b"one") + write_record(b"two"))
    places = window.walk(0, 100)

    assert window.seal(places[:1], window.lengths(places[:1]))
    assert window.walk(0, 100).tolist() == places.tolist()
    assert window.seal(places[1:], window.lengths(places[1:]))
    assert not window.seal(places, window.lengths(places))


# ---------------------------------------------------------------- wall time and step


@pytest.mark.parametrize(
    "step", [0, 1, 127, 128, 16_383, 16_384, 2**21, 2**28, 2**35, 2**42, 2**49 - 1, 2**49, 2**56 - 1]
)
def test_a_step_of_up_to_eight_bytes_is_read(step: int) -> None:
    payload = event(simple("a", 1), step=step, wall=WALLS[1])

    fronts = loaded(write_record(payload)).fronts(np.array([0]))

    assert fronts.steps().tolist() == [step]
    assert fronts.widths().tolist() == [10 + len(varint(step))]
    assert fronts.wall_s.tobytes() == WALLS[1]


@pytest.mark.parametrize(
    ("payload", "width"),
    [
        (event(simple("a", 1), step=None), 9),
        (event(simple("a", 1), step=2**56), 0),
        (event(simple("a", 1), step=-1), 0),
        (event(simple("a", 1), step_octets=b"\x85\x80\x00"), 13),
        (event(simple("a", 1))[9:], 0),
        (b"", 0),
    ],
)
def test_what_does_not_begin_as_scalars_do_has_no_width(payload: bytes, width: int) -> None:
    assert loaded(write_record(payload)).fronts(np.array([0])).widths().tolist() == [width]


def test_a_payload_without_a_step_is_of_step_zero() -> None:
    fronts = loaded(write_record(event(simple("a", 1), step=None))).fronts(np.array([0]))

    assert fronts.steps().tolist() == [0]


@given(st.lists(st.integers(0, 2**56 - 1) | st.integers(0, 300), min_size=1, max_size=20))
def test_many_steps_are_read_at_once(steps: list[int]) -> None:
    records = [write_record(event(simple("a", 1), step=step)) for step in steps]
    places = np.cumsum([0, *map(len, records[:-1])])

    fronts = loaded(b"".join(records)).fronts(places)

    assert fronts.steps().tolist() == steps
    assert fronts.widths().tolist() == [10 + len(varint(step)) for step in steps]


# ---------------------------------------------------------------- windows that are used again


def test_a_window_that_was_given_back_is_used_again_and_only_a_few_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_free", [])
    windows = [take_window() for _window in range(6)]

    for window in windows:
        give_back(window)

    assert len(module._free) == 4
    assert take_window() is windows[3]
    assert len({id(window) for window in windows}) == 6
