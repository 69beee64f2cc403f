"""Edits a TOML file in place: everything that is not edited keeps its text, order and comments."""
