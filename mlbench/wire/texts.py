"""The bytes of a logged text as rows of cells: one text, a list of texts, or a table.

TensorBoard's text plugin logs a string tensor. Of rank 0 and 1 each string is a blob of its own; of a table the
whole tensor is.
"""

from __future__ import annotations

import math

from mlbench.wire.protobuf import WireError, text_at
from mlbench.wire.tensors import DT_STRING, read_tensor


def read_texts(content: bytes, encoding: str) -> tuple[tuple[str, ...], ...]:
    """Decode the bytes of a blob of kind `text`.

    Args:
        content: the bytes.
        encoding: `utf-8` for the text itself, `tensor` for a tensor of strings.

    Returns:
        Rows of cells: one of one for a text; of a tensor with more than two dimensions all rows of its last one.
        What is no UTF-8 is U+FFFD.

    Raises:
        WireError: the bytes are something else, or hold another count of strings than their shape says.
    """
    if encoding == "utf-8":
        return ((text_at(content, 0, len(content)),),)
    if encoding != "tensor":
        raise WireError("the text is neither UTF-8 nor a tensor")
    tensor = read_tensor(content, 0, len(content))
    if tensor.dtype != DT_STRING or tensor.shape is None:
        raise WireError("the tensor holds no texts")
    if any(size < 0 for size in tensor.shape) or math.prod(tensor.shape) != len(tensor.strings):
        raise WireError(f"the tensor has {len(tensor.strings)} texts, and its shape says otherwise")
    cells = [text_at(content, *span) for span in tensor.strings]
    n_columns = tensor.shape[-1] if len(tensor.shape) > 1 else 1
    return tuple(tuple(cells[at : at + n_columns]) for at in range(0, len(cells), max(n_columns, 1)))
