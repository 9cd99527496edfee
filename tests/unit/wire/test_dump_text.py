import codecs

import pytest

from mlbench.wire.dump_text import decode_text
from mlbench.wire.dump_tree import TreeError


def test_line_ends_become_newlines_and_the_mark_goes() -> None:
    assert decode_text(codecs.BOM_UTF8 + b"a\r\nb\rc") == ("a\nb\nc", None)


def test_what_powershell_writes_is_read() -> None:
    assert decode_text("lr: é\r\n".encode("utf-16")) == ("lr: é\n", None)


def test_bytes_that_are_not_utf_8_are_replaced_and_told() -> None:
    assert decode_text(b"a: 1\nb: \xe9\n") == ("a: 1\nb: \ufffd\n", 2)


def test_half_a_character_of_utf_16_is_told() -> None:
    assert decode_text(codecs.BOM_UTF16_LE + "a\nb".encode("utf-16-le") + b"x") == ("a\nb\ufffd", 2)


@pytest.mark.parametrize("content", [b"a\0b", codecs.BOM_UTF16_LE + "a\0".encode("utf-16-le")])
def test_binary_content_is_refused(content: bytes) -> None:
    with pytest.raises(TreeError, match="is binary"):
        decode_text(content)
