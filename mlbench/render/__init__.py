"""Answers drawn as cells and text. Roles, never colours; no terminal, no catalog."""
