from mlbench.tui.completion import Completion
from mlbench.tui.prompts import Prompt, Prompter


def typed(prompter: Prompter, text: str) -> None:
    for character in text:
        prompter.press("space" if character == " " else character, character)


def words(text: str, cursor: int) -> Completion:
    start = text.rfind(" ", 0, cursor) + 1
    return Completion(start, cursor, tuple(word for word in ("loss", "lr") if word.startswith(text[start:cursor])))


def test_what_is_typed_is_told_and_accepted() -> None:
    said: list[str] = []
    prompter = Prompter()
    prompter.open(Prompt("/", said.append, text="a", on_change=lambda text: said.append(f"~{text}")))

    typed(prompter, "b c")
    prompter.press("left", None)
    prompter.press("enter", None)

    assert said == ["~ab", "~ab ", "~ab c", "ab c"]
    assert prompter.prompt is None


def test_escape_cancels() -> None:
    said: list[str] = []
    prompter = Prompter()
    prompter.open(Prompt("/", said.append, on_cancel=lambda: said.append("left")))

    typed(prompter, "a")
    prompter.press("escape", None)

    assert said == ["left"]


def test_tab_takes_the_first_word_and_down_goes_to_the_next() -> None:
    said: list[str] = []
    prompter = Prompter()
    prompter.open(Prompt("/", said.append, complete=words))

    typed(prompter, "x l")
    assert len(prompter.popup(40)) == 2
    prompter.press("down", None)
    prompter.press("down", None)
    prompter.press("up", None)
    prompter.press("down", None)
    prompter.press("enter", None)
    assert prompter.edit.text == "x lr"
    prompter.press("enter", None)

    assert said == ["x lr"]


def test_up_leaves_the_words_and_tab_takes_one() -> None:
    prompter = Prompter()
    prompter.open(Prompt("/", print, complete=words))

    typed(prompter, "l")
    prompter.press("down", None)
    prompter.press("up", None)
    assert prompter.chosen is None
    prompter.press("tab", None)

    assert prompter.edit.text == "loss"
    assert prompter.popup(40) == ()


def test_what_was_typed_before_comes_back() -> None:
    prompter = Prompter()
    for text in ("one", "two", "one"):
        prompter.open(Prompt("/", lambda _text: None, history="query"))
        typed(prompter, text)
        prompter.press("enter", None)

    prompter.open(Prompt("/", lambda _text: None, history="query"))
    seen = []
    for key in ("up", "up", "up", "down", "down", "down"):
        prompter.press(key, None)
        seen.append(prompter.edit.text)

    assert seen == ["one", "two", "two", "one", "", ""]


def test_a_text_that_is_refused_stays() -> None:
    said: list[str] = []
    prompter = Prompter()
    prompter.open(Prompt("/", said.append, text="lr <", refuses=lambda text: text.endswith("<")))

    prompter.press("enter", None)

    assert prompter.prompt is not None
    assert said == []


def test_a_question_takes_only_its_keys() -> None:
    said: list[str] = []
    prompter = Prompter()

    for key in ("x", "Y", "n"):
        prompter.open(Prompt("sure? y/n", said.append, on_cancel=lambda: said.append("no"), keys=("y",)))
        prompter.press(key, key)

    assert said == ["y", "no"]


def test_a_pasted_text_is_put_in_on_one_line() -> None:
    prompter = Prompter()
    prompter.paste("nothing is open")
    prompter.open(Prompt("note:", print))

    prompter.paste("two\nlines")

    assert prompter.edit.text == "two lines"


def test_a_long_text_is_shown_around_its_cursor() -> None:
    prompter = Prompter()
    prompter.open(Prompt("/", print, text="0123456789" * 5))

    line, place = prompter.line(20)

    text = "".join(cell.text for cell in line)
    assert text.startswith(" / …")
    assert text.endswith("789")
    assert place < 20


def test_hostile_text_in_the_prompt_is_shown_as_signs() -> None:
    prompter = Prompter()
    prompter.open(Prompt("note:", print, text="\x1b]52;c;aGk=\x07"))

    line, _place = prompter.line(60)

    assert "".join(cell.text for cell in line).isprintable()


def test_without_a_prompt_there_is_nothing() -> None:
    prompter = Prompter()
    prompter.press("a", "a")

    assert prompter.line(80) == ((), 0)
    assert prompter.popup(80) == ()
    assert prompter.hint == ""
