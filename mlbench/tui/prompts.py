"""The one prompt line: what is asked, what was typed, and what could be typed next. No widget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field

from mlbench.dataclass import dataclass
from mlbench.render.cells import Cell, Line, fit_middle, line_of, take_cells, take_last_cells, width_cells
from mlbench.safe import Safe, safe
from mlbench.tui.completion import Completion
from mlbench.tui.lineedit import LineEdit
from mlbench.tui.menu import Menu

POPUP_CELLS, WIDE_CELLS = 64, 108
"""Columns of the list above the prompt; of one that says something behind each label."""

Completer = Callable[[str, int], Completion]


def _no_words(_text: str, cursor: int) -> Completion:
    return Completion(cursor, cursor)


def _nothing(_text: str = "") -> None:
    return None


def _takes_all(_text: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question to the user, answered on the prompt line."""

    label: str
    on_accept: Callable[[str], None]
    text: str = ""
    """What stands there at the beginning."""
    on_change: Callable[[str], None] = _nothing
    """Called with the text after every edit."""
    on_cancel: Callable[[], None] = _nothing
    complete: Completer = _no_words
    hint: str = ""
    """Said in the footer while nothing else is to say."""
    history: str = ""
    """Prompts of one name share what was typed before, '' for none."""
    on_edit: Callable[[str], None] | None = None
    """Called by ctrl+o with the text: it goes on elsewhere, and the prompt is closed."""
    keys: tuple[str, ...] = ()
    """One of these keys is the answer, and nothing is typed."""
    refuses: Callable[[str], bool] = _takes_all
    """Whether a text cannot be accepted: the prompt then stays."""
    menu: Menu | None = None
    """What is chosen from; the typed letters narrow it."""
    does: str = ""
    """What enter does to what was typed; '' for the usual word."""

    @property
    def ends(self) -> str:
        """How the prompt is left; '' where its question says so."""
        if self.keys:
            return ""
        if self.hint.startswith("enter "):
            return "esc leaves"
        usual = "chooses" if self.menu is not None and not self.menu.is_many else "keeps"
        return f"enter {self.does or usual} · esc leaves"


@dataclass(slots=True)
class Prompter:
    """The prompt that is open, and the line in it."""

    prompt: Prompt | None = None
    edit: LineEdit = field(default_factory=LineEdit)
    completion: Completion = field(default_factory=Completion)
    chosen: int | None = None
    """Candidate that the up and down keys have come to."""
    histories: dict[str, list[str]] = field(default_factory=dict)
    _place: int | None = None
    """Place in the history, None for the line being typed."""

    def open(self, prompt: Prompt) -> None:
        """Ask something else; an open prompt is left without an answer."""
        self.prompt = prompt
        self.edit = LineEdit(prompt.text, len(prompt.text))
        self._place = None
        self._look_up()

    def close(self) -> None:
        """Put the prompt away."""
        self.prompt = None
        self.completion = Completion()
        self.chosen = None

    def press(self, key: str, character: str | None) -> None:
        """Take a key: edit, complete, accept or cancel."""
        prompt = self.prompt
        if prompt is None:
            return
        if key in ("escape", "ctrl+c", "ctrl+g"):
            self.close()
            prompt.on_cancel()
        elif prompt.keys:
            self._answer_key(prompt, (character or key).lower())
        elif prompt.menu is not None and prompt.menu.press(key):
            self._look_up()
        elif key == "enter":
            self._accept(prompt)
        elif key == "ctrl+o" and prompt.on_edit is not None:
            text = self.edit.text
            self.close()
            prompt.on_edit(text)
        elif key in ("tab", "shift+tab", "down", "up", "ctrl+n", "ctrl+p"):
            self._walk(prompt, key)
        else:
            edited = self.edit.press(key, character)
            if edited is not None:
                self._change(prompt, edited)

    def paste(self, text: str) -> None:
        """Put a pasted text in at the cursor."""
        if self.prompt is not None and not self.prompt.keys:
            self._change(self.prompt, self.edit.put(" ".join(text.splitlines())))

    def _answer_key(self, prompt: Prompt, key: str) -> None:
        if key in prompt.keys:
            self.close()
            prompt.on_accept(key)
        elif key in ("q", "n", "enter"):
            self.close()
            prompt.on_cancel()

    def _accept(self, prompt: Prompt) -> None:
        if self.chosen is not None and prompt.menu is None:
            self._take(prompt, self.completion.words[self.chosen])
            return
        text = self.edit.text if prompt.menu is None else prompt.menu.answer(self.edit.text)
        if prompt.refuses(text):
            return
        if prompt.history and text.strip():
            past = self.histories.setdefault(prompt.history, [])
            self.histories[prompt.history] = [*(line for line in past if line != text), text]
        self.close()
        prompt.on_accept(text)

    def _change(self, prompt: Prompt, edited: LineEdit) -> None:
        is_other = edited.text != self.edit.text
        self.edit = edited
        self._place = None
        self._look_up()
        if is_other:
            prompt.on_change(edited.text)

    def _look_up(self) -> None:
        if self.prompt is not None and self.prompt.menu is not None:
            menu = self.prompt.menu
            menu.narrow(self.edit.text)
            self.chosen = menu.cursor - menu.top if menu.current is not None else None
            return
        self.chosen = None
        self.completion = self.prompt.complete(self.edit.text, self.edit.cursor) if self.prompt else Completion()

    def _walk(self, prompt: Prompt, key: str) -> None:
        """Tab takes the candidate at hand; up and down go through the candidates, else through the history."""
        words = self.completion.words
        if key == "tab" and words:
            self._take(prompt, words[self.chosen or 0])
        elif words and key in ("down", "ctrl+n"):
            self.chosen = 0 if self.chosen is None else min(self.chosen + 1, len(words) - 1)
        elif words and key in ("up", "ctrl+p", "shift+tab") and self.chosen is not None:
            self.chosen = self.chosen - 1 if self.chosen else None
        elif key in ("up", "ctrl+p"):
            self._recall(prompt, -1)
        elif key in ("down", "ctrl+n"):
            self._recall(prompt, 1)

    def _take(self, prompt: Prompt, word: str) -> None:
        edited = self.edit.replaced(self.completion.start, self.completion.end, word)
        self._change(prompt, edited)
        if word in self.completion.words[:1]:
            # Taken as it is: the same word is not offered again.
            self.completion = Completion(edited.cursor, edited.cursor)

    def _recall(self, prompt: Prompt, step: int) -> None:
        past = self.histories.get(prompt.history, [])
        place = (len(past) if self._place is None else self._place) + step
        if not past or not 0 <= place <= len(past):
            return
        text = past[place] if place < len(past) else ""
        self._change(prompt, LineEdit(text, len(text)))
        self._place = place

    # ------------------------------------------------------------ lines

    def line(self, width: int) -> tuple[Line, int]:
        """The prompt as a line, and the column of its cursor."""
        if self.prompt is None:
            return (), 0
        label = safe(f" {self.prompt.label} ")
        room = max(width - width_cells(label) - 1, 4)
        before, after = safe(self.edit.text[: self.edit.cursor]), safe(self.edit.text[self.edit.cursor :])
        if width_cells(before) > room - 1:
            before = safe("…") + take_last_cells(before, room - 2)
        place = width_cells(label) + width_cells(before)
        return (Cell(label, "accent"), Cell(before), Cell(take_cells(after, max(room - width_cells(before), 0)))), place

    @property
    def popup_cells(self) -> int:
        """Columns that the candidates would like to have."""
        menu = self.prompt.menu if self.prompt is not None else None
        return WIDE_CELLS if menu is not None and menu.label_cells else POPUP_CELLS

    def popup(self, width: int) -> tuple[Line, ...]:
        """The candidates, one a line."""
        if self.prompt is None or self.prompt.keys:
            return ()
        if self.prompt.menu is not None:
            return self.prompt.menu.lines(width)
        return tuple(
            line_of((" ", ""), (fit_middle(safe(word), max(width - 2, 4)), "")) for word in self.completion.words
        )

    @property
    def hint(self) -> Safe:
        """What the footer says of the prompt."""
        return safe(self.prompt.hint) if self.prompt else safe("")
