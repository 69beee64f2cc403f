"""Analyse a finished tree: what it trusts, and problems with that. Does no I/O."""
