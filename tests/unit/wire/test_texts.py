from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlbench.wire.protobuf import WireError
from mlbench.wire.texts import read_texts
from tests.unit.wire.event_messages import strings, tensor


def read(message: Any) -> tuple[tuple[str, ...], ...]:
    return read_texts(message.SerializeToString(), "tensor")


def test_a_text_is_one_cell() -> None:
    assert read_texts("größer".encode(), "utf-8") == (("größer",),)


def test_a_table_keeps_its_rows() -> None:
    assert read(strings(b"a", b"b", b"c", b"d", b"e", b"f", shape=(2, 3))) == (("a", "b", "c"), ("d", "e", "f"))


def test_a_list_has_one_cell_a_row() -> None:
    assert read(strings(b"a", b"b")) == (("a",), ("b",))
    assert read(tensor("STRING", string_val=[b"a"])) == (("a",),)


def test_of_more_dimensions_the_last_makes_the_rows() -> None:
    assert read(strings(*b"abcdefgh".split(b"x"), *[b"y"] * 7, shape=(2, 2, 2))) == (
        ("abcdefgh", "y"), ("y", "y"), ("y", "y"), ("y", "y"),
    )  # fmt: skip


def test_an_empty_table_has_no_rows() -> None:
    assert read(tensor("STRING", (3, 0))) == ()
    assert read(tensor("STRING", (0,))) == ()


def test_bytes_that_are_no_utf8_become_replacement_characters() -> None:
    assert read_texts(b"a\xff", "utf-8") == (("a�",),)
    assert read(strings(b"\xff")) == (("�",),)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (tensor("FLOAT", float_val=[1]), "holds no texts"),
        (strings(b"a", b"b", shape=(3,)), "has 2 texts"),
        (strings(b"a", shape=(-1, -1)), "has 1 texts"),
        (strings(b"a", shape=(2**40, 2**40)), "has 1 texts"),
    ],
)
def test_what_is_no_text_is_refused(message: Any, said: str) -> None:
    with pytest.raises(WireError, match=said):
        read(message)


def test_an_unknown_rank_is_refused() -> None:
    message = strings(b"a")
    message.tensor_shape.unknown_rank = True

    with pytest.raises(WireError, match="holds no texts"):
        read(message)


def test_another_encoding_is_refused() -> None:
    with pytest.raises(WireError, match="neither"):
        read_texts(b"", "png")


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_texts_or_the_one_error(raw: bytes) -> None:
    try:
        assert isinstance(read_texts(raw, "tensor"), tuple)
    except WireError:
        pass
