"""The terminal workbench for comparing machine-learning experiments. From Python: `mlbench.open()` (`mlbench.api`)."""

TYPE_CHECKING = False  # as type checkers understand it; typing itself would cost as much as all else here
if TYPE_CHECKING:
    from mlbench.api import open_home as open  # noqa: A004 - read as mlbench.open
    from mlbench.capture import log_args

__all__ = ["__version__", "log_args", "open"]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """`mlbench.open` and `mlbench.log_args`, loaded when they are asked for: `import mlbench` alone costs nothing."""
    if name == "log_args":
        from mlbench.capture import log_args

        return log_args
    if name != "open":
        raise AttributeError(f"module 'mlbench' has no attribute {name!r}")
    from mlbench.api import open_home

    return open_home
