"""Every test runs under the audit hook: nothing that a log holds is unpickled, run, or sent anywhere."""

import os
import sys
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

from tests import guard

guard.install()
# Hundreds of tests start mlbench as a program: without bytecode each of them compiles all its modules anew, which takes
# a third of the time of a query. It is kept where Python keeps it, and git ignores it.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# Property tests judge what is answered, not how busy the machine is.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """One worker more than processors: a fourth of their time they wait for terminals, delays and other processes."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    return 1 + (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """Fail the test in which mlbench's own code did what it never does."""
    guard.violations.clear()
    result = yield
    assert guard.violations == []
    return result
