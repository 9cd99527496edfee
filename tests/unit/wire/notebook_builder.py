"""Small notebooks for tests, of the shape that Jupyter writes."""

import json

Cell = tuple[str, str]


def notebook(*cells: Cell, count: int | None = None, output: str = "", **metadata: object) -> bytes:
    """A notebook of (kind, source) cells; code cells have the execution count and the output."""
    rows = []
    for number, (kind, source) in enumerate(cells):
        row: dict[str, object] = {"cell_type": kind, "id": f"id{number}{count}", "metadata": {}}
        row["source"] = source.splitlines(keepends=True)
        if kind == "code":
            said = [{"output_type": "stream", "name": "stdout", "text": [output]}] if output else []
            row |= {"execution_count": count, "outputs": said}
        rows.append(row)
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": rows}, indent=1).encode()
