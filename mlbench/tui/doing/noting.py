"""Writing notes: on the prompt line or in the user's editor, with a draft on the disk as it is typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlbench.queries.answers import RunHead
from mlbench.tui.desk import Desk
from mlbench.tui.doing.saying import runs_text
from mlbench.tui.doing.types import Handler
from mlbench.tui.prompts import Prompt


def note(desk: Desk, _n: int) -> None:
    """Edit the note of a run on the prompt line, or write one on several."""
    _begin(desk, in_editor=False)


def note_in_editor(desk: Desk, _n: int) -> None:
    """The same in $EDITOR."""
    _begin(desk, in_editor=True)


def _begin(desk: Desk, *, in_editor: bool) -> None:
    runs = desk.chosen
    if not runs:
        desk.say("there is no run to write on", "muted")
        return
    session, first = desk.session, runs[0]

    def look() -> tuple[str, str]:
        old = session.note_of(first) if len(runs) == 1 and first.has_note else ""
        return old, session.drafts.read(runs)

    def go_on(found: tuple[str, str]) -> None:
        old, draft = found
        if in_editor:
            edit(desk, runs, old, draft or old)
        else:
            _ask(desk, runs, old, draft)

    desk.waiting.ask("note", look, go_on, lane="words")


def _ask(desk: Desk, runs: Sequence[RunHead], old: str, draft: str) -> None:
    taken_up = "taken up from a draft that was never said (ctrl+u clears it)   " if draft and draft != old else ""
    desk.ask_user(
        Prompt(
            f"note on {runs_text(runs)[:30]}:",
            lambda text: say_note(desk, runs, text),
            text=_one_line(draft or old),
            on_change=lambda text: _keep(desk, runs, old, body_of(text)),
            on_cancel=lambda: _leave(desk, runs),
            on_edit=lambda text: edit(desk, runs, old, body_of(text)),
            hint=f"{taken_up}ctrl+o opens $EDITOR; \\n begins a new line; an empty note takes it away",
        )
    )


def _one_line(body: str) -> str:
    return body.replace("\n", "\\n")


def body_of(text: str) -> str:
    r"""The note that a line means: `\n` in it begins a new line."""
    return text.replace("\\n", "\n").strip()


def _keep(desk: Desk, runs: Sequence[RunHead], old: str, body: str) -> None:
    """The draft is written as it is typed; of several that wait only the newest is."""
    drafts = desk.session.drafts
    is_worth_it = bool(body) and body != old

    def write() -> None:
        if is_worth_it:
            drafts.save(runs, body)
        else:
            drafts.remove(runs)

    desk.asker.ask("draft", write, lambda _nothing: None, lane="words")


def _leave(desk: Desk, runs: Sequence[RunHead]) -> None:
    def left(draft: str) -> None:
        if draft:
            desk.say(f"the draft is kept: {desk.key('runs.note')} takes it up again", "muted")

    desk.asker.ask("note", lambda: desk.session.drafts.read(runs), left, lane="words")


def edit(desk: Desk, runs: Sequence[RunHead], old: str, body: str) -> None:
    """Let the user's editor write the draft; when it ends well, the note is said."""
    drafts = desk.session.drafts

    def begin(_saved: None) -> None:
        complaint = desk.host.edit(drafts.path(runs))
        text = drafts.read(runs).strip()
        if complaint:
            desk.say(f"{complaint}. The draft is kept: {desk.key('runs.note')} takes it up again", "bad")
        elif text == old.strip():
            drafts.remove(runs)
            desk.say("the note was left as it is", "muted")
        else:
            say_body(desk, runs, text)

    desk.asker.ask("draft", lambda: drafts.save(runs, body), begin, lane="words")


def say_note(desk: Desk, runs: Sequence[RunHead], text: str) -> None:
    """Say a note as it was typed on a line."""
    say_body(desk, runs, body_of(text))


def say_body(desk: Desk, runs: Sequence[RunHead], body: str) -> None:
    """Say a note; its draft is thrown away when it is on the disk."""
    session = desk.session
    desk.asker.forget("draft")
    if not body and not any(run.has_note for run in runs):
        desk.asker.ask("note", lambda: session.drafts.remove(runs), lambda _nothing: None, lane="words")
        return

    def word() -> str:
        session.note(runs, body)
        session.drafts.remove(runs)
        done = "noted on" if body else "note taken away from"
        return f"{done} {runs_text(runs)}   ({desk.key('app.undo')} takes it back)"

    desk.say_word(word)


HANDLERS: Mapping[str, Handler] = {"runs.note": note, "runs.edit_note": note_in_editor}
