"""From key presses to actions: one table for all panes, remapped by the settings; counts and key sequences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from mlbench.dataclass import dataclass
from mlbench.tui.actions import ACTIONS, BY_ID, PANES, Action, key_text

MOST_COUNT = 9999
"""A number before a key is not read beyond this."""
ALWAYS = frozenset({"left", "right", "up", "down", "pageup", "pagedown", "home", "end", "enter", "escape"})
"""Keys that stay with their actions beside the remapped ones, unless they are given to others: no remapping may leave
somebody without a way to move, to choose and to leave."""


@dataclass(frozen=True, slots=True)
class Pressed:
    """What became of a key: an action, or a beginning of one, or neither."""

    action: Action | None = None
    count: int = 1
    """The number typed before it."""
    has_count: bool = False
    pending: str = ""
    """What was typed so far, if more must come: a number, or the first key of a sequence."""


class Keyboard:
    """Knows which keys mean which action in which pane; remembers what was typed of a sequence."""

    def __init__(self, remaps: Mapping[str, str] | None = None) -> None:
        self.keys: dict[str, tuple[str, ...]] = {action.id: action.keys for action in ACTIONS}
        self.complaints: tuple[str, ...] = self._remap(remaps or {})
        """What is wrong with the remapped keys, one sentence each."""
        self._actions = {pane: self._table(pane) for pane in PANES}
        self._typed = ""
        self._count = ""

    def _remap(self, remaps: Mapping[str, str]) -> tuple[str, ...]:
        complaints = []
        said: dict[str, tuple[str, ...]] = {}
        for name, keys in remaps.items():
            if name not in BY_ID:
                near = get_close_matches(name, BY_ID, n=1)
                hint = f" Did you mean '{near[0]}'?" if near else " Try: , in the workbench, which lists them"
                complaints.append(f"keys: there is no action '{name}'.{hint}")
                continue
            typed = (each.split() for each in keys.split(",") if each.strip())
            said[name] = tuple(" ".join(map(_named, one)) for one in typed)
        self.keys |= {name: (*keys, *_kept(name, said)) for name, keys in said.items()}
        return (*complaints, *self._clashes(remaps))

    def _clashes(self, remaps: Mapping[str, str]) -> list[str]:
        """Of two actions with one key in one pane the remapped one has it; the other one is told."""
        told = []
        for name in remaps.keys() & BY_ID.keys():
            for other in ACTIONS:
                shared = set(self.keys[name]) & set(self.keys[other.id])
                if other.id == name or not shared or not _meet(BY_ID[name], other):
                    continue
                if other.id in remaps and other.id < name:
                    continue
                self.keys[other.id] = tuple(key for key in self.keys[other.id] if key not in shared)
                told.append(f"keys: {', '.join(sorted(shared))} is now {name}, and no longer {other.id}")
        return sorted(told)

    def _table(self, pane: str) -> dict[str, Action]:
        """Key to action; a pane's own action wins over one that works everywhere."""
        table: dict[str, Action] = {}
        for is_own in (False, True):
            for action in ACTIONS:
                if bool(action.panes) == is_own and action.works_in(pane):
                    table |= dict.fromkeys(self.keys[action.id], action)
        return table

    def press(self, key: str, pane: str) -> Pressed:
        """Take one key. A key that means nothing ends what was typed before it."""
        table = self._actions[pane]
        typed = f"{self._typed} {key}".strip()
        if not self._typed and self._is_count(key, table):
            self._count = (self._count + key)[: len(str(MOST_COUNT))]
            return Pressed(pending=self._count)
        action = table.get(typed)
        if action is None and any(keys.startswith(f"{typed} ") for keys in table):
            self._typed = typed
            return Pressed(pending=typed)
        count, had_count = self._count, bool(self._count)
        self.clear()
        return Pressed(action, count=int(count) if count else 1, has_count=had_count)

    def _is_count(self, key: str, table: Mapping[str, Action]) -> bool:
        if not (key.isascii() and key.isdigit()):
            return False
        return bool(self._count) or (key not in table and key != "0")

    def clear(self) -> None:
        """Forget what was typed of a sequence."""
        self._typed = self._count = ""

    @property
    def is_waiting(self) -> bool:
        """Whether a number or the beginning of a sequence was typed."""
        return bool(self._typed or self._count)

    def following(self, pane: str) -> tuple[tuple[str, Action], ...]:
        """What may come after what was typed of a sequence: the next key, and the action."""
        start = f"{self._typed} "
        return tuple((keys.removeprefix(start), action) for keys, action in self._actions[pane].items()
                     if self._typed and keys.startswith(start))  # fmt: skip

    def first_key(self, action: Action) -> str:
        """The key to show for an action, '' where it has none."""
        return next(iter(self.keys[action.id]), "")

    def name_of(self, action_id: str) -> str:
        """What to type for an action, as people read it: its first key, else its id on the command line."""
        key = self.first_key(BY_ID[action_id])
        return key_text(key) if key else f":{action_id}"

    def footer(self, pane: str) -> Sequence[tuple[str, Action]]:
        """The first key and the action of what the footer shows in a pane."""
        shown = [action for action in ACTIONS if action.footer and action.works_in(pane)]
        shown.sort(key=lambda action: action.footer)
        return [(key, action) for action in shown if (key := self.working_key(action, pane))]

    def working_key(self, action: Action, pane: str) -> str:
        """The first key that reaches an action in a pane, '' where none does."""
        return next((key for key in self.keys[action.id] if self._actions[pane].get(key) is action), "")

    def working(self, pane: str) -> Sequence[tuple[tuple[str, ...], Action]]:
        """All actions that work in a pane with the keys that reach them there."""
        table = self._actions[pane]
        found = [(tuple(key for key in self.keys[action.id] if table.get(key) is action), action) for action in ACTIONS]
        return [
            (keys, action) for keys, action in found if action.works_in(pane) and (keys or not self.keys[action.id])
        ]


_SPELLINGS = {"esc": "escape", "return": "enter", "pgdn": "pagedown", "pgup": "pageup", "comma": ",", "blank": "space"}


def _named(key: str) -> str:
    return _SPELLINGS.get(key.lower(), key if len(key) == 1 else key.lower())


def _kept(name: str, said: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The keys that a remapped action keeps: those that always work and were not given away."""
    taken = {key for other, keys in said.items() if other == name or _meet(BY_ID[name], BY_ID[other]) for key in keys}
    return [key for key in BY_ID[name].keys if key in ALWAYS and key not in taken]


def _meet(one: Action, other: Action) -> bool:
    """Whether both work in one pane on the same footing: a pane's own key may always hide one of everywhere."""
    if bool(one.panes) != bool(other.panes):
        return False
    return not one.panes or bool(set(one.panes) & set(other.panes))
