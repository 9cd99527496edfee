import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from mlbench.render.prose import prose
from mlbench.safe import safe

MARKDOWN = MarkdownIt("commonmark", {"linkify": False}).enable("table")
NASTY = st.text(st.sampled_from("ab1 _*`#<>[]()!|&:@/\\~-+.=,;\"'$^{}\n\t日"), max_size=30)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("val/loss of run-3, seed_1", "val/loss of run-3, seed_1"),
        ("-0.5", "-0.5"),
        ("Größe 日本", "Größe 日本"),
        ("<b>", "&#60;b&#62;"),
        ("_a_ #1 @x", "&#95;a&#95; &#35;1 &#64;x"),
        ("www.evil.org", "www&#46;evil&#46;org"),
        ("http://x.org", "http&#58;&#47;&#47;x&#46;org"),
        ("1. a", "1&#46; a"),
        ("", ""),
    ],
)
def test_plain_words_stay_readable_and_all_others_are_escaped(text: str, escaped: str) -> None:
    assert prose(text) == escaped


@given(st.text(max_size=30) | NASTY)
def test_markdown_shows_what_was_written(text: str) -> None:
    tokens = MARKDOWN.parse(f"# {prose(text)}")

    children = tokens[1].children or []
    assert [token.type for token in children] in ([], ["text"])
    assert " ".join("".join(token.content for token in children).split()) == " ".join(safe(text).split())
