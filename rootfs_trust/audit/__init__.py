"""Reads a finished tree back and answers: what it trusts, and what is wrong with that. Writes nothing."""
