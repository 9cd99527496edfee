"""DuckDB is imported without the e-mail package, and `importlib.metadata` is whole for everybody else."""

import subprocess
import sys
from importlib.metadata import version
from textwrap import dedent

import pytest

from mlbench.catalog import importing


def output(code: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", dedent(code)], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_duckdb_knows_its_version_without_the_email_package() -> None:
    found = output("""
        import sys
        from mlbench.catalog.importing import import_duckdb
        import_duckdb()
        import duckdb
        print(duckdb.__version__, "email" in sys.modules, duckdb.connect().execute("SELECT 42").fetchone()[0])
    """)

    assert found == [version("duckdb"), "False", "42"]


def test_everybody_else_gets_all_of_importlib_metadata() -> None:
    found = output("""
        from mlbench.catalog.importing import import_duckdb
        import_duckdb()
        import importlib
        early = importlib.metadata.version
        from importlib.metadata import PackageNotFoundError, entry_points, metadata
        try:
            early("no-such-package")
        except PackageNotFoundError:
            print("none")
        print(early("numpy"), importlib.metadata.version("duckdb"), metadata("numpy")["Name"])
        print(hasattr(importlib.metadata, "no_such_name"), bool(list(entry_points())))
    """)

    assert found == ["none", version("numpy"), version("duckdb"), "numpy", "False", "True"]


def test_whoever_asks_first_for_another_version_gets_it() -> None:
    found = output("""
        from mlbench.catalog.importing import import_duckdb
        import_duckdb()
        from importlib.metadata import version
        print(version("numpy"), version("duckdb"))
    """)

    assert found == [version("numpy"), version("duckdb")]


def test_several_threads_may_ask_at_once() -> None:
    found = output("""
        import threading
        from mlbench.catalog.importing import import_duckdb
        import_duckdb()
        import importlib
        names = []
        def ask():
            names.append(importlib.metadata.metadata("numpy")["Name"])
        threads = [threading.Thread(target=ask) for _ in range(8)]
        [one.start() for one in threads], [one.join() for one in threads]
        print(names.count("numpy"))
    """)

    assert found == ["8"]


def test_where_no_folder_tells_the_version_it_is_asked_for_in_the_usual_way() -> None:
    found = output("""
        import sys
        from mlbench.catalog import importing
        importing._version_by_folder = lambda: ""
        importing.import_duckdb()
        import duckdb
        print(duckdb.__version__, "email" in sys.modules)
    """)

    assert found == [version("duckdb"), "True"]


def test_the_folder_says_what_pip_has_written(monkeypatch: pytest.MonkeyPatch) -> None:
    assert importing._version_by_folder() == version("duckdb")

    monkeypatch.setattr(importing, "_NAME", "no_such_module")
    assert importing._version_by_folder() == ""
