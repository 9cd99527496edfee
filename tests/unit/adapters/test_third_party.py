"""What other packages offer is found wherever Python finds it, and nothing is imported where none does."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from mlbench.adapters import ENTRY_POINT_GROUP, entry_points

POINTS = f"[console_scripts]\nother = other:main\n\n[{ENTRY_POINT_GROUP}]\nours = ours:ADAPTER\n"
METADATA = "Metadata-Version: 2.1\nName: ours\nVersion: 1.0\n"


@pytest.mark.parametrize("folder", ["ours-1.0.dist-info", "Ours.EGG-INFO", "ours-1.0.egg/EGG-INFO"])
def test_a_package_is_found_by_its_folder(folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / folder
    place.mkdir(parents=True)
    (place / "METADATA").write_text(METADATA)
    (place / "PKG-INFO").write_text(METADATA)
    (place / "entry_points.txt").write_text(POINTS)
    monkeypatch.syspath_prepend(str(place.parent))

    assert [point.value for point in entry_points(ENTRY_POINT_GROUP)] == ["ours:ADAPTER"]


def test_a_package_is_found_in_a_zip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "ours.zip", "w") as packed:
        packed.writestr("ours-1.0.dist-info/METADATA", METADATA)
        packed.writestr("ours-1.0.dist-info/entry_points.txt", POINTS)
    monkeypatch.syspath_prepend(str(tmp_path / "ours.zip"))

    assert [point.value for point in entry_points(ENTRY_POINT_GROUP)] == ["ours:ADAPTER"]


def test_where_no_package_offers_any_nothing_is_imported_for_it() -> None:
    script = "import sys; from mlbench.adapters import entry_points\n"
    script += f"print(list(entry_points({ENTRY_POINT_GROUP!r})), 'importlib.metadata' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["[]", "False"]
