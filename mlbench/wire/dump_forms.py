"""Dumps of one form: the runs of a sweep write the same lines but for some values; what is around those is read once.

A text is cut into lines, and each line into its value and what stands around that: the latter, of all lines, is the
form. It is learned from the usual readers (`read_plain`, `read_json`): they read it with a mark in the place of each
value, and where a mark comes out as a parameter, its key and line are those of the value there. Of the next text of
that form only the values are read.

This is exact since those readers take all values of a line alike: which keys there are, what lies below which, on which
line, and whether a key is there twice is told by the form alone. So values are narrowed here to what they are known to
take as one: numbers, words, quotes without escapes, in YAML also bare words in brackets. For all else, for a form that
brings remarks, and where adapters look into the values (`_ODD_KEYS`), the answer is None: the usual way is to be gone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import NamedTuple, TypeAlias

from mlbench.model import JsonValue, Layer, Param
from mlbench.wire import recurring
from mlbench.wire.dump_json import read_json
from mlbench.wire.dump_tree import Loaded, load_tree
from mlbench.wire.dump_values import plain_value, whole_number
from mlbench.wire.flatten import Leaf, flatten
from mlbench.wire.yaml_plain import BARE, ITEM, KEY, read_plain

MAX_CHARACTERS = 16 << 10
"""Of a text that is looked at here: no limit of a dump can be passed."""
MAX_FORMS, MAX_VALUES = 64, 1024
"""That are remembered: of more all are forgotten, so that a process stays small."""
MAX_VALUE_CHARACTERS = 128
MAX_MET = 1024
"""Values of a form that are remembered with the place at which they stood."""
_ODD_KEYS = ("wandb_version", "only_check_args", "helpfull", "__tag__")
"""W&B's configurations, absl's own flags, tagged values: what becomes of these depends on more than their place."""

_Read: TypeAlias = tuple[JsonValue, str]
"""A value and its text, as parameters have it."""
_Form: TypeAlias = tuple[object, ...]


class _Place(NamedTuple):
    """A parameter of a form, of those whose values stand in the text."""

    key: str
    line: int | None
    at: int
    """Which of the text's values is its own, or the first of its list; -1 where the form tells all."""
    end: int
    """Behind the last one of its list; 0 where it is no list."""
    fixed: Param
    """What the form tells, where it tells all."""
    met: dict[str, Param | None]
    """Parameters by the text of their value; None for a text that stood here once."""
    most: int
    """How many."""


class _Meanings(dict[str, _Read | None]):
    """What values mean, by their text; each is looked at once."""

    def __init__(self, read: Callable[[str], _Read | None]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, text: str) -> _Read | None:
        if len(text) > MAX_VALUE_CHARACTERS:
            return None
        if len(self) >= MAX_VALUES:
            self.clear()
        meaning = self[text] = _decimal(text) or self._read(text)
        return meaning


_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+")
_decimals: dict[str, _Read] = {}
"""Numbers with a point, which all languages take alike: a run's dumps often name the same."""


def _decimal(text: str) -> _Read | None:
    found = _decimals.get(text)
    if found is None and _DECIMAL.fullmatch(text):
        if len(_decimals) >= MAX_VALUES:
            _decimals.clear()
        found = _decimals[text] = (float(text), text)
    return found


class _Language(NamedTuple):
    lines: re.Pattern[str]
    """Finds every line; groups: what stands before its value, the value, what stands behind it."""
    mark: str
    """What stands in the place of a value while a form is learned; `{}` becomes its number."""
    read: Callable[[str], Loaded | None]
    values: _Meanings
    items: _Meanings
    """Of values that stand below each other in a list."""


# ---------------------------------------------------------------- YAML

_YAML_VALUE = re.compile(rf"(?P<bare>{BARE})|(?P<list>\[(?:{ITEM}(?:, {ITEM})*)?\])|'[^'\\]*'|\"[^\"\\]*\"|\{{\}}")
_YAML_ITEM = re.compile(ITEM)


def _yaml_value(text: str) -> _Read | None:
    text = text.rstrip(" ")
    found = _YAML_VALUE.fullmatch(text) if text.isascii() and text.isprintable() else None
    if found is None:
        return None
    if found.lastgroup == "bare":
        return plain_value(text)[0], text
    if found.lastgroup == "list":
        return [plain_value(item)[0] for item in text[1:-1].split(", ")] if text != "[]" else [], text
    return ({}, text) if text == "{}" else (text[1:-1], text[1:-1])


def _yaml_item(text: str) -> _Read | None:
    text = text.rstrip(" ")
    return (plain_value(text)[0], text) if _YAML_ITEM.fullmatch(text) else None


_YAML = _Language(
    re.compile(rf"^( *(?:{KEY}:(?= |$)|-|#.*)? *)(.*)()$", re.MULTILINE), "m{}", read_plain,
    _Meanings(_yaml_value), _Meanings(_yaml_item),
)  # fmt: skip

# ---------------------------------------------------------------- JSON

_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)((?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)")
_JSON_TEXT = re.compile(r'"[ !#-\[\]-~]*"')
_JSON_WORDS: dict[str, JsonValue] = {"true": True, "false": False, "null": None}


def _json_value(text: str) -> _Read | None:
    if found := _JSON_NUMBER.fullmatch(text):
        return (float(text) if found[1] else whole_number(text)), text
    if _JSON_TEXT.fullmatch(text):
        return text[1:-1], text[1:-1]
    return (_JSON_WORDS[text], text) if text in _JSON_WORDS else None


def _json_item(text: str) -> _Read | None:
    """The same; the text of a list keeps the quotes."""
    found = _json_value(text)
    return (found[0], text) if found else None


def _read_json(text: str) -> Loaded | None:
    tree = read_json(text)
    return load_tree(tree) if tree is not None else None


_JSON = _Language(
    re.compile(
        r'^([ \t]*(?:"[A-Za-z0-9_./ \-]{1,128}": ?)?)("[^"\\\n]*"|[^\s"\[\]{},:]*)([\[\]{},]*)$', re.MULTILINE
    ), '"m{}"', _read_json, _Meanings(_json_value), _Meanings(_json_item),
)  # fmt: skip

# ---------------------------------------------------------------- forms

_LANGUAGES = {".yaml": _YAML, ".yml": _YAML, ".json": _JSON}
_forms: dict[_Form, tuple[_Place, ...] | None] = {}
"""None for one that was met once, as most are that will be met no more; nothing for one that cannot be learned."""


def read_by_form(text: str, suffix: str) -> list[Param] | None:
    """The parameters of a dump, None where it has to be read in the usual way.

    Args:
        text: the whole file.
        suffix: of the file's name, as `parse_dump` takes it.
    """
    language = _LANGUAGES.get(suffix)
    if language is None or len(text) > MAX_CHARACTERS:
        return None
    lines = language.lines.findall(text)
    if len(lines) != text.count("\n") + 1:
        return None
    before, values, behind = zip(*lines, strict=True)
    form = (suffix, before, behind, tuple(map(bool, values)))
    if form not in _forms:
        if len(_forms) >= MAX_FORMS:
            _forms.clear()
        _forms[form] = None
        return None
    places = _forms[form]
    if places is None:
        places = _forms[form] = _learn(lines, language)
    return _params(places, [value for value in values if value], language) if places else None


def _params(places: Sequence[_Place], values: Sequence[str], language: _Language) -> list[Param] | None:
    """The parameters with these values; None where one of them is none that is known to be taken alike."""
    meant, items = language.values, language.items
    params: list[Param] = []
    for key, line, at, end, fixed, met, most in places:
        if at < 0:
            params.append(fixed)
            continue
        text = "\n".join(values[at:end]) if end else values[at]
        param = met.get(text)
        if param is None:
            found = _list_of([items[value] for value in values[at:end]]) if end else meant[text]
            if found is None:
                return None
            param = Param(key, found[1], found[0], Layer.CONFIG, line)
            recurring.remember(met, text, param, most)
        params.append(param)
    return params


def _list_of(items: Sequence[_Read | None]) -> _Read | None:
    known = [item for item in items if item is not None]
    return ([value for value, _text in known], _in_brackets(known)) if len(known) == len(items) else None


def _in_brackets(items: Sequence[_Read]) -> str:
    return f"[{', '.join(text for _value, text in items)}]"


# ---------------------------------------------------------------- learning


def _learn(lines: Sequence[tuple[str, str, str]], language: _Language) -> tuple[_Place, ...]:
    """The parameters of a form; none where it cannot be learned."""
    numbers = count()
    marked = [
        before + (language.mark.format(next(numbers)) if value else "") + behind for before, value, behind in lines
    ]
    loaded = language.read("\n".join(marked))
    if loaded is None or loaded.remarks or not isinstance(loaded.value, dict):
        return ()
    flat = flatten(loaded.value, raw=loaded.raw)
    if flat.is_cut or any(word in leaf.path for leaf in flat.leaves for word in _ODD_KEYS):
        return ()
    places = tuple(_places(flat.leaves, language))
    n_values = sum(place.end - place.at if place.end else place.at >= 0 for place in places)
    return places if len(places) == len(flat.leaves) and n_values == next(numbers) else ()


def _places(leaves: Sequence[Leaf], language: _Language) -> Iterator[_Place]:
    """As long as the marks come in their order, each alone or in a list of nothing else."""
    at, most = 0, max(1, MAX_MET // max(1, len(leaves)))
    for leaf in leaves:
        is_list = isinstance(leaf.value, list) and bool(leaf.value)
        n_marks = len(leaf.value) if isinstance(leaf.value, list) else int(isinstance(leaf.value, str))
        marks = [language.mark.format(number) for number in range(at, at + n_marks)]
        items = [language.items[mark] for mark in marks]
        expected = _list_of(items) if is_list else language.values[marks[0]] if marks else (leaf.value, leaf.raw)
        if (leaf.value, leaf.raw) != expected:
            return
        fixed = Param(leaf.key, leaf.raw, leaf.value, Layer.CONFIG, leaf.line)
        yield _Place(leaf.key, leaf.line, at if marks else -1, at + n_marks if is_list else 0, fixed, {}, most)
        at += n_marks


def known() -> tuple[int, int]:
    """How many forms and values are remembered."""
    return len(_forms), sum(map(len, _meanings())) + len(_decimals)


def forget() -> None:
    """Begin anew, as a new process does."""
    _forms.clear()
    _decimals.clear()
    recurring.forget()
    for meanings in _meanings():
        meanings.clear()


def _meanings() -> list[_Meanings]:
    return [meanings for language in (_YAML, _JSON) for meanings in (language.values, language.items)]
