"""Golden files: text that must stay the same to the byte. `MLBENCH_UPDATE_GOLDEN=1` writes them anew."""

import os
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def check_golden(name: str, text: str) -> None:
    path = FOLDER / name
    if os.environ.get("MLBENCH_UPDATE_GOLDEN"):
        path.write_bytes(text.encode())
    assert path.is_file(), f"{name} is missing: look at the text, then set MLBENCH_UPDATE_GOLDEN=1 to write it"
    assert text.encode() == path.read_bytes()
