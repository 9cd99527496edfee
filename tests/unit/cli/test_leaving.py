"""How the process of the installed command ends: at once where nothing forbids it, with its exit code, told to the end."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import atexit, sys, threading, time
from mlbench import main

class Kept:
    def __del__(self):
        sys.stderr.write("taken apart\\n")

kept = Kept()
atexit.register(lambda: sys.stdout.write("at exit\\n"))

def late():
    time.sleep(0.2)
    sys.stdout.write("waited for\\n")

{before}
sys.argv = ["mlbench", {word!r}]
try:
    main.{entry}()
finally:
    sys.stderr.write("after us\\n")
"""


def ended(word: str, before: str = "", *, entry: str = "console", stdout: str = "") -> tuple[int, list[str], list[str]]:
    script = SCRIPT.format(word=word, before=before, entry=entry)
    if stdout:
        with Path(stdout).open("w") as file:
            done = subprocess.run(
                [sys.executable, "-c", script], stdout=file, stderr=subprocess.PIPE, text=True, check=False
            )
        return done.returncode, [], done.stderr.splitlines()
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines(), done.stderr.splitlines()


@pytest.mark.parametrize(("word", "code"), [("--version", 0), ("no such command", 2)])
def test_the_command_ends_at_once_with_its_code_and_all_that_was_said(word: str, code: int) -> None:
    found, out, err = ended(word)

    assert (found, out[-1]) == (code, "at exit")
    assert "after us" not in err
    assert "taken apart" not in err


@pytest.mark.parametrize("before", ["threading.Thread(target=late).start()", "sys.setprofile(lambda *_: None)"])
def test_it_ends_as_any_program_where_somebody_has_something_to_do_after_it(before: str) -> None:
    found, out, err = ended("--version", before)

    assert (found, out.count("at exit")) == (0, 1)
    assert ("waited for" in out) == ("late" in before)
    assert "after us" in err


def test_it_ends_as_any_program_when_python_calls_it() -> None:
    found, out, err = ended("no such command", entry="main")

    assert (found, out[-1]) == (2, "at exit")
    assert "after us" in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has it")
def test_what_cannot_be_said_in_the_end_is_told_as_python_tells_it() -> None:
    found, _out, err = ended("--version", stdout="/dev/full")
    usual, _out, told = ended("--version", stdout="/dev/full", entry="main")

    assert found == usual != 0
    assert any("No space left" in line for line in err)
    assert any("No space left" in line for line in told)
