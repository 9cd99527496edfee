"""What a bare text means: numbers, booleans and nothing, by the rules of YAML 1.2 and of Python's `str()`."""

from __future__ import annotations

import re

from mlbench.model import JsonValue

MAX_DIGITS = 100
"""Longer integers stay text: no parameter has them, and converting them takes quadratic time."""

_CORE_INT = re.compile(r"[-+]?[0-9]+\Z|0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_CORE_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_CORE_WORDS: dict[str, JsonValue] = {
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}

_PYTHON_WORDS: dict[str, JsonValue] = {
    **dict.fromkeys(("None", "null"), None),
    **dict.fromkeys(("True", "true"), True),
    **dict.fromkeys(("False", "false"), False),
    **dict.fromkeys(("inf", "+inf", "Infinity", "+Infinity"), float("inf")),
    **dict.fromkeys(("-inf", "-Infinity"), float("-inf")),
    **dict.fromkeys(("nan", "-nan", "NaN"), float("nan")),
}
_PYTHON_INT = re.compile(r"[-+]?[0-9][0-9_]*\Z|[-+]?0[xX][0-9a-fA-F]+\Z")
_PYTHON_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")

YAML_1_1_WORDS = frozenset(["yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF"])
_YAML_1_1_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?\Z")
_YAML_1_1_OCTAL = re.compile(r"[-+]?0[0-7_]+\Z")
_YAML_1_1_UNDERSCORES = re.compile(r"[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+][0-9]+)?\Z")
_YAML_1_1_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*(?:[eE][-+][0-9]+)?|\.[0-9]+(?:[eE][-+][0-9]+)?)\Z")


def core_value(text: str) -> JsonValue:
    """A plain YAML scalar by the core schema of YAML 1.2: `1e-8` is a number, `on` is text, `012` is 12."""
    if text in _CORE_WORDS:
        return _CORE_WORDS[text]
    if _CORE_INT.match(text):
        return whole_number(text)
    if _CORE_FLOAT.match(text):
        return float(text)
    return text


def python_value(text: str) -> JsonValue:
    """A text that `str()` of a plain Python value gave; anything else stays text."""
    if text in _PYTHON_WORDS:
        return _PYTHON_WORDS[text]
    if _PYTHON_INT.match(text) and not text.endswith("_") and "__" not in text:
        return whole_number(text.replace("_", "")) if "_" in text else whole_number(text)
    if _PYTHON_FLOAT.match(text) and "_" not in text:
        return float(text)
    return text


def whole_number(text: str) -> int | str:
    """A text of digits as a number, with its sign and 0x or 0o; text where it is absurdly long."""
    if len(text) > MAX_DIGITS:
        return text
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    base = {"0x": 16, "0X": 16, "0o": 8}.get(digits[:2], 10)
    return sign * int(digits if base == 10 else digits[2:], base)


def yaml_1_1_meaning(text: str) -> str:
    """What a YAML 1.1 reader takes a plain scalar for, '' where it agrees with YAML 1.2."""
    if text in YAML_1_1_WORDS:
        return "true" if text.lower() in {"yes", "on"} else "false"
    if not text[:1] or text[0] not in "-+.0123456789":
        return ""
    if _YAML_1_1_BASE_60.match(text):
        return "a base-60 number"
    if len(text.lstrip("-+")) > 1 and _YAML_1_1_OCTAL.match(text):
        return "an octal number"
    if "_" in text:
        return "a number" if _YAML_1_1_UNDERSCORES.match(text) else ""
    if text.lower().strip("+-").startswith("0o"):
        return "text"
    is_number = _CORE_FLOAT.match(text) and not _CORE_INT.match(text)
    return "text" if is_number and not _YAML_1_1_FLOAT.match(text) else ""


_WORDS: dict[str, tuple[JsonValue, str]] = {
    **{word: (value, yaml_1_1_meaning(word)) for word, value in _CORE_WORDS.items()},
    **{word: (word, yaml_1_1_meaning(word)) for word in YAML_1_1_WORDS},
}
_COMMON_NUMBER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)(\.[0-9]*(?:[eE][-+][0-9]+)?)?\Z")
"""Numbers that YAML 1.1 and 1.2 read alike: nearly all that there are."""


def plain_value(text: str) -> tuple[JsonValue, str]:
    """`core_value` and `yaml_1_1_meaning` of a plain scalar at once, with one regular expression for most."""
    if (word := _WORDS.get(text)) is not None:
        return word
    if text[0] not in "-+.0123456789":
        return text, ""
    if found := _COMMON_NUMBER.match(text):
        return (whole_number(text) if found[1] is None else float(text)), ""
    return core_value(text), yaml_1_1_meaning(text)
