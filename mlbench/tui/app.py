"""The app: one screen, its panes, and the way of keys, messages and sizes to the desk."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual.app import App, ComposeResult, SuspendNotSupported
from textual.containers import Container
from textual.events import Click, Key, Paste, Resize
from textual.geometry import Offset
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from mlbench.errors import MlbenchError
from mlbench.paths import Home
from mlbench.render.cells import line_of
from mlbench.render.palette import is_light_ground
from mlbench.safe import text_of_path
from mlbench.settings import Settings, read_settings
from mlbench.tui import compat
from mlbench.tui.actions import BY_ID, PANES
from mlbench.tui.asker import Answered, Asker
from mlbench.tui.clipboard import copy_text
from mlbench.tui.desk import FOLLOW, KEEP, Desk
from mlbench.tui.doing import do
from mlbench.tui.doing.choosing import sort_column
from mlbench.tui.doing.finding import go_where
from mlbench.tui.doing.moving import to_row
from mlbench.tui.panes import Panes
from mlbench.tui.picturing import draw_images_by, fit_cells
from mlbench.tui.screens.help import HelpScreen
from mlbench.tui.session import IndexProgress, Session
from mlbench.tui.terminal import Depth, colour_depth, editor_words, glyphs_of, small_text, too_small
from mlbench.tui.theme import looks_of, themes
from mlbench.tui.threads import use_threads_that_can_be_left
from mlbench.tui.widgets.runs_table import RunsTable

if TYPE_CHECKING:
    from mlbench.tui.ahead import Ahead
    from mlbench.tui.first_answer import Known
    from mlbench.tui.graphics import Graphics
    from mlbench.tui.host import HelpRow


class Progressed(Message):
    """The reading of logs has come further."""

    def __init__(self, progress: IndexProgress) -> None:
        super().__init__()
        self.progress = progress


class Workbench(App[int]):
    """mlbench on the screen. What it does is in `doing`, what it knows in the desk, what it shows in the panes."""

    CSS_PATH = "mlbench.tcss"
    TITLE = "mlbench"
    ENABLE_COMMAND_PALETTE = False  # ours is a list above the prompt line: docs/decisions/0086

    def __init__(self, session: Session, *, settings: Settings | None = None, depth: Depth = "truecolor",
                 glyphs: str = "braille", is_light_ground: bool = False) -> None:  # fmt: skip
        settings = settings or Settings()
        self._terminal = (depth, glyphs, is_light_ground)
        self.looks = looks_of(settings.theme, depth, is_light_ground=is_light_ground, is_linear=settings.plain)
        super().__init__(ansi_color=True if self.looks.is_native else None)
        self.animation_level = "none"
        for theme in themes():
            self.register_theme(theme)
        # Set as a property it would have the style sheet read and the screen painted again after the first paint.
        self.set_reactive(App.theme, self.looks.theme_name)
        self.set_class(self.current_theme.dark, "-dark-mode", update=False)
        self.set_class(not self.current_theme.dark, "-light-mode", update=False)
        self.stylesheet.set_variables(self.get_css_variables())
        self.panes = Panes(self.looks, glyphs if settings.glyphs == "auto" else settings.glyphs, self._tell)
        self.asker = Asker(self, self._complain)
        self.desk = Desk(session, self.asker, self, self.panes, settings)
        self.copies = ""  # the folder for copies that the terminal may not take, '' for none
        self.panes.footer.on_other_width = partial(self.panes.draw_bars, self.desk)
        self._delays: dict[str, Timer] = {}
        self._has_begun = False
        self._held: dict[str, tuple[float, Callable[[], None]]] | None = None
        """What is to be done later, until the rows of a kept answer are on the screen."""
        self.graphics: Graphics | None = None

    def _complain(self, error: MlbenchError) -> None:
        self.desk.complain(error)

    def _tell(self, progress: IndexProgress) -> None:
        """Called in the thread that reads logs."""
        self.post_message(Progressed(progress))

    # ------------------------------------------------------------ building

    def compose(self) -> ComposeResult:
        """Header, panes, prompt and footer."""
        panes = self.panes
        yield panes.header
        yield Container(
            panes.table,
            panes.divider,
            panes.right,
            id="body",
        )
        yield panes.prompt
        yield panes.footer
        yield panes.popup
        yield panes.small

    def get_default_screen(self) -> Screen[object]:
        """The one screen."""
        return Screen(id="workbench")

    def on_mount(self) -> None:
        """What needs heavy modules begins after the first paint."""
        use_threads_that_can_be_left()
        self.arrange()
        self.desk.panes.draw_bars(self.desk)
        if self.desk.view.marks:
            self.desk.panes.draw_chart(self.desk)  # says what will be read
        if self.desk.session.is_ahead:
            self._held = {}
            self.desk.ask_runs()
            if self.desk.answers.found is None:
                self._held = None
        self._has_begun = self.desk.answers.found is not None  # what was kept is shown by the first paint
        self.call_after_refresh(self._go_on_beginning if self._has_begun else self._begin)
        self.set_timer(compat.COLLECTED_AFTER_S, compat.collect_garbage_again)
        compat.leave_on_signals(self._leave_by_signal)
        compat.speak_plainly(self, is_on=self.looks.is_linear)
        if not self.is_headless:
            compat.leave_when_hung_up(self._leave_by_signal)
            compat.repaint_when_brought_back(lambda: self.refresh(layout=True))

    def _begin(self) -> None:
        if not self.asker.is_busy and self.desk.answers.found is None:
            self.desk.ask_runs()

    def _go_on_beginning(self) -> None:
        """Once the first rows are on the screen: what needs DuckDB in this process would keep them waiting."""
        held, self._held = self._held, None
        for name, (delay_s, call) in (held or {}).items():
            self.later(name, delay_s, call)
        if held is not None:
            self.desk.ask_runs()  # the clock has gone on since the answer was kept
        self.desk.ask_names()
        self.desk.start_index()
        if complaints := self.desk.keyboard.complaints:
            self.desk.say("; ".join(complaints), "warning")
        draw_images_by(self, self.desk.settings.images)

    def on_unmount(self) -> None:
        """However it ends: the thread that reads logs must not keep the process."""
        self.desk.is_leaving = True

    # ------------------------------------------------------------ events

    def on_key(self, event: Key) -> None:
        """Every key goes to the prompt if it is open, else to the action that it means."""
        if len(self.screen_stack) > 1:
            return
        event.stop()
        event.prevent_default()
        if event.key == "ctrl+j":  # enter, typed before the program had the terminal, comes as a line feed
            event = Key("enter", "\r")
        if not self.desk.waiting.holds(event):
            self.take_key(event)

    def take_key(self, event: Key) -> None:
        """Give a key to the prompt, or do what it means."""
        character = event.character if event.is_printable else None
        if self.desk.prompter.prompt is not None:
            self.desk.prompter.press(event.key, character)
            self.panes.draw_bars(self.desk)
            self._follow_cursor()
            return
        self.desk.message = ()
        key = character if character is not None and character != " " else event.key
        pressed = self.desk.keyboard.press(key, self.desk.view.pane)
        if pressed.action is not None:
            do(self.desk, pressed.action, pressed.count)
        self.panes.draw_bars(self.desk)
        self._follow_cursor()

    def _follow_cursor(self) -> None:
        """Put the terminal's cursor where the user is: a screen reader reads there."""
        if self.looks.is_linear:
            self.cursor_position = Offset(*self.panes.place_of_cursor)

    def on_paste(self, event: Paste) -> None:
        """Into the prompt; elsewhere a pasted text is no sequence of keys."""
        if len(self.screen_stack) == 1:
            event.stop()
            self.desk.prompter.paste(event.text)
            self.panes.draw_bars(self.desk)

    def act(self, action_id: str, n: int = 1) -> None:
        """Do an action by its id, in a pane where it works."""
        if go_where(self.desk, BY_ID[action_id]):
            do(self.desk, BY_ID[action_id], n)
        self.panes.draw_bars(self.desk)

    def on_resize(self, event: Resize) -> None:
        """Too small a terminal gets one line in place of a broken screen."""
        compat.catch_up_with_size(self, event.size)
        size = (event.size.width, event.size.height)
        self.screen_stack[0].set_class(too_small(size), "small")
        text = f"{small_text(size)}. Make it larger; {self.desk.key('app.back')} leaves"
        self.panes.small.show(
            line_of((text if len(text) <= size[0] else f"{size[0]}x{size[1]} is too small: 60x15 needed", ""))
        )
        self.panes.arrange(*size, self.desk.view)
        fit_cells(self)

    def on_answered(self, message: Answered) -> None:
        """An answer has come back."""
        self.asker.deliver(message)
        self._follow_cursor()
        if not self._has_begun and message.asked.slot == "runs":
            self._has_begun = True
            self.call_after_refresh(self._go_on_beginning)

    def on_progressed(self, message: Progressed) -> None:
        """Reading has come further."""
        if self.desk.answers.done is None:
            self.desk.take_progress(message.progress)

    def on_runs_table_picked(self, message: RunsTable.Picked) -> None:
        """A row or a title was clicked."""
        if message.column is not None:
            self.panes.table.move_column(message.column)
        if message.row is None:
            sort_column(self.desk, 1)
        else:
            to_row(self.desk, message.row)

    def on_runs_table_scrolled(self, message: RunsTable.Scrolled) -> None:
        """The wheel was turned over the table."""
        to_row(self.desk, self.panes.table.cursor + message.rows)

    def on_lines_view_picked(self) -> None:
        """A line of a page was clicked."""
        self.desk.inspector.follow_cursor()

    def on_click(self, event: Click) -> None:
        """The pane that is clicked is the one at work."""
        name = event.widget.id if isinstance(event.widget, Widget) else None
        if name in PANES and name != self.desk.view.pane and len(self.screen_stack) == 1:
            self.desk.with_view(pane=name)

    # ------------------------------------------------------------ what the desk needs

    def arrange(self) -> None:
        """Show the panes that the view asks for."""
        self.panes.arrange(self.size.width, self.size.height, self.desk.view)
        if self.looks.is_linear:
            self.call_after_refresh(self._read_anew)  # where the panes are is known once they are laid out

    def _read_anew(self) -> None:
        self.panes.draw_bars(self.desk)
        self._follow_cursor()

    def later(self, name: str, delay_s: float, call: Callable[[], None]) -> None:
        """Call after a delay; a second call under the same name takes the place of the first."""
        if self._held is not None:
            self._held[name] = (delay_s, call)
            return
        if name in self._delays:
            self._delays.pop(name).stop()
        if delay_s <= 0:
            call()
        else:
            self._delays[name] = self.set_timer(delay_s, partial(self._now, name, call))

    def _now(self, name: str, call: Callable[[], None]) -> None:
        self._delays.pop(name, None)
        call()

    @property
    def is_busy(self) -> bool:
        """Whether something will still change by itself: a delay, or a question under way."""
        return bool(self._delays.keys() - {FOLLOW, KEEP}) or self.asker.is_busy or self.desk.answers.done is None

    def leave(self) -> None:
        """End: what is being read stops at the next run, and what was read is kept."""
        self.desk.is_leaving = True
        if self.graphics is not None:
            self.graphics.clear()
        if self.desk.answers.found is not None:
            self.desk.session.save_state(self.desk.state_text)
        self.exit(0)

    def _leave_by_signal(self, number: int) -> None:
        """As `leave`, with the exit code that shells give to an end by a signal."""
        self.desk.is_leaving = True
        self.exit(128 + number)

    def stop(self) -> None:
        """Give the terminal to the shell until it brings us back."""
        if compat.is_job_of_a_shell():
            self.action_suspend_process()
        else:
            self.desk.say("There is no shell here that could bring the workbench back", "warning")

    def copy(self, text: str) -> str:
        """By OSC 52, which also works over ssh, or as `tui.clipboard` has it."""
        return copy_text(text, self.copy_to_clipboard, self.copies, setting=self.desk.settings.clipboard)

    def edit(self, path: str) -> str:
        """Let the user's editor write a file; the terminal is the editor's until it ends."""
        words = editor_words(os.environ)
        name = text_of_path(os.path.basename(words[0]))
        try:
            with self.suspend():  # it must not be left by an exception: the terminal would stay the editor's
                complaint = _run_editor(words, path, name)
        except SuspendNotSupported:
            return "no editor can be opened here"
        return complaint

    def show_help(self, title: str, rows: Sequence[HelpRow]) -> None:
        """Open a page of help."""
        self.push_screen(HelpScreen(self.looks, title, rows, self.desk.keyboard))

    def take_settings(self, settings: Settings) -> None:
        """Draw everything again with other glyphs and colours, and listen to the mouse or not."""
        depth, glyphs, is_light_ground = self._terminal
        self.looks.become(looks_of(settings.theme, depth, is_light_ground=is_light_ground, is_linear=settings.plain))
        compat.speak_plainly(self, is_on=settings.plain)
        self.panes.glyphs = glyphs if settings.glyphs == "auto" else settings.glyphs
        draw_images_by(self, settings.images)
        self.ansi_color = True if self.looks.is_native else None
        self.theme = self.looks.theme_name
        compat.listen_to_mouse(self, is_on=settings.mouse)
        self.panes.draw_all(self.desk)
        self.arrange()
        self.refresh(layout=True)

    async def action_quit(self) -> None:
        """Textual's own ctrl+q, which comes before all keys, also stops the reading."""
        self.leave()


def _run_editor(words: Sequence[str], path: str, name: str) -> str:
    try:
        code = subprocess.run([*words, path], check=False).returncode  # noqa: S603 - the user's own editor
    except OSError as error:
        return f"the editor {name} cannot be run: {error.strerror}. Set EDITOR"
    return f"the editor {name} ended with {code}" if code else ""


def run_workbench(
    home: Home, roots: Sequence[str], *, settings: Settings | None = None, ahead: Ahead | Known | None = None
) -> int:
    """Open the workbench and stay in it until the user leaves.

    Args:
        home: where catalog and journal are.
        roots: directories of logs; () shows all that was ever ingested.
        settings: by default those of the user.
        ahead: the first answer, where it is being read already.

    Returns:
        The exit code.
    """
    from mlbench.tui.catalog_session import CatalogSession

    settings = settings or read_settings()
    compat.forget_fixed_size(os.environ)
    is_ascii = compat.use_any_encoding()
    compat.install(is_ascii=is_ascii)
    session = CatalogSession(home, roots, ahead=ahead)
    app = Workbench(
        session,
        settings=settings,
        depth=colour_depth(os.environ),
        glyphs=glyphs_of(
            "auto", os.environ, "ascii" if is_ascii else sys.__stdout__.encoding if sys.__stdout__ else ""
        ),
        is_light_ground=is_light_ground(os.environ),
    )
    app.copies = home.cache
    try:
        code = app.run(mouse=settings.mouse)
    finally:
        app.desk.is_leaving = True
        compat.stop_reading_keys(app)
        session.close()
    return code or app.return_code or 0
