from pathlib import Path

import pytest

from docs.picture import make_picture


@pytest.mark.slow
def test_the_picture_shows_the_marked_runs_with_their_chart_and_comparison(tmp_path: Path) -> None:
    path = tmp_path / "workbench.svg"

    make_picture(str(path))

    text = path.read_text(encoding="utf-8").replace("&#160;", " ")
    assert text.startswith("<svg")
    assert "mlbench sample_runs" in text
    assert "24 of 33 runs" in text
    assert "params: 3 differ" in text or "params: 4 differ" in text
    assert str(Path.home()) not in text
