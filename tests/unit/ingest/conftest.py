"""What tests of the ingest start from."""

from pathlib import Path

import pytest

from mlbench.paths import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home."""
    return Home(str(tmp_path / "home/journal"), str(tmp_path / "home/cache"), "test")
