"""Bytes: framing, checksums, dumps, git objects. Truncated is an answer here, not an error."""
