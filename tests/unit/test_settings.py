import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from mlbench.errors import UsageError
from mlbench.settings import CHOICES, Settings, parse_settings, read_settings, settings_path


def test_without_a_file_every_setting_has_its_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLBENCH_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    settings = read_settings()

    assert settings == Settings()
    assert settings.smoothing == 0.6
    assert settings.smoothing_levels == (0.0, 0.6, 0.9, 0.99)
    assert (settings.glyphs, settings.theme, settings.mouse) == ("auto", "auto", True)
    assert (settings.store, settings.executor, settings.keys) == ("duckdb", "local", {})


def test_the_file_lies_in_the_users_configuration_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLBENCH_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "mlbench").mkdir()
    (tmp_path / "mlbench" / "settings.toml").write_text("mouse = false\n")

    assert settings_path() == str(tmp_path / "mlbench" / "settings.toml")
    assert read_settings().mouse is False


def test_the_environment_names_another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = tmp_path / "mine.toml"
    chosen.write_text('glyphs = "ascii"\n')
    monkeypatch.setenv("MLBENCH_CONFIG", str(chosen))

    assert read_settings() == Settings(glyphs="ascii")


def test_a_named_file_that_is_missing_is_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLBENCH_CONFIG", str(tmp_path / "nowhere.toml"))

    with pytest.raises(UsageError, match=r"nowhere\.toml: there are no settings here\. Try: unset MLBENCH_CONFIG"):
        read_settings()


def test_a_folder_in_place_of_the_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the settings cannot be read: Is a directory"):
        read_settings(str(tmp_path))


def test_every_setting_can_be_set() -> None:
    text = b"""
        smoothing = 0
        smoothing_levels = [0, 0.5]
        glyphs = "blocks"
        theme = "light"
        mouse = false
        store = "duckdb"
        executor = "local"
        [keys]
        runs.compare = "d,c"
        "runs.tag" = "t"
    """

    settings = parse_settings(text, "settings.toml")

    assert settings == Settings(
        smoothing=0.0, smoothing_levels=(0.0, 0.5), glyphs="blocks", theme="light", mouse=False,
        keys={"runs.compare": "d,c", "runs.tag": "t"},
    )  # fmt: skip
    assert isinstance(settings.smoothing, float)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("smothing = 0.6", "settings.toml: there is no setting 'smothing'. Did you mean 'smoothing'?"),
        (
            "zzz = 1",
            "settings.toml: there is no setting 'zzz'. Try: smoothing, smoothing_levels, glyphs, images, theme",
        ),
        ("smoothing = 1", "smoothing = 1 will not do: it takes a number from 0 up to, not including, 1"),
        ("smoothing = true", "smoothing = True will not do"),
        ("smoothing = nan", "smoothing = nan will not do"),
        ('smoothing = "high"', "smoothing = 'high' will not do"),
        ("smoothing_levels = []", "smoothing_levels = [] will not do"),
        ("smoothing_levels = [0, 2]", "Try: smoothing_levels = [0, 0.6, 0.9, 0.99]"),
        ('mouse = "yes"', "mouse = 'yes' will not do: it takes true or false. Try: mouse = true"),
        ('glyphs = "brail"', "it takes auto, braille, blocks, ascii. Did you mean 'braille'?"),
        ("theme = 3", "theme = 3 will not do: it takes auto, dark, light, ansi-dark, ansi-light. Try: auto, dark"),
        ('store = "oracle"', "store = 'oracle' will not do: it takes duckdb"),
        ("[keys]\nrun = 3", "keys = {'run': 3} will not do: it takes a table of action ids and keys"),
        ("keys = 1", "keys = 1 will not do"),
        ("smoothing 0.6", "settings.toml: not valid TOML: "),
        ("a = " + "[" * 5000, "settings.toml: not valid TOML: "),
    ],
)
def test_a_mistake_is_told_with_what_to_type(line: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_settings(line.encode(), "settings.toml")

    assert message in str(caught.value)


def test_bytes_that_are_no_text_are_told() -> None:
    with pytest.raises(UsageError, match="not valid TOML"):
        parse_settings(b"theme = '\xff'", "settings.toml")


def test_every_choice_is_a_setting_and_holds_its_default() -> None:
    defaults = Settings()

    assert set(CHOICES) < {field.name for field in fields(Settings)}
    for name, choices in CHOICES.items():
        assert getattr(defaults, name) in choices


def test_defaults_cost_no_parser() -> None:
    script = "import sys; from mlbench.settings import read_settings; read_settings(); print('tomllib' in sys.modules)"
    environment = {"HOME": "/nonexistent", "PYTHONPATH": ":".join(sys.path)}

    done = subprocess.run(
        [sys.executable, "-I", "-c", "import sys; sys.path[:] = " + repr(sys.path) + "; " + script],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout.strip() == "False"
