"""Every test runs under the audit hook: nothing that a log holds is unpickled, run, or sent anywhere."""

from collections.abc import Generator

import pytest

from tests import guard

guard.install()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """Fail the test in which mlbench's own code did what it never does."""
    guard.violations.clear()
    result = yield
    assert guard.violations == []
    return result
