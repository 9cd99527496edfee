"""Where the real files lie that tests read in place."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
CORPORA = SHARED / "corpora"
FORMATS = SHARED / "formats"

needs_corpora = pytest.mark.skipif(
    not (CORPORA / "INDEX.md").exists(), reason="the real corpora are not at ../shared/corpora"
)
needs_formats = pytest.mark.skipif(
    not (FORMATS / "expected.json").exists(), reason="the sample files are not at ../shared/formats"
)
