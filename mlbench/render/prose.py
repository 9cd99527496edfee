"""Text in Markdown that stays readable in the raw file."""

from __future__ import annotations

import re

from mlbench.safe import markdown_text, safe

# Nothing that Markdown, HTML or a forge acts upon: letters and digits, with single marks only inside of a word.
_PLAIN_WORD = re.compile(r"(?!www\.)(?:-(?=\d))?[^\W_]+(?:[/_.-][^\W_]+)*[,;]?", re.IGNORECASE)


def prose(text: object) -> str:
    """Plain words, paths and names of metrics as they are; words with anything else by `markdown_text`.

    `a_b`, `val/loss` and `-0.5` mean nothing to Markdown and are easier to read than their entities.
    """
    words = safe(text).split(" ")
    return " ".join(word if _PLAIN_WORD.fullmatch(word) else markdown_text(word) for word in words).strip()
