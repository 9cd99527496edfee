"""`python -m mlbench` is `mlbench`."""

from mlbench.main import console

console()
