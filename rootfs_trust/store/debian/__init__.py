"""Debian's trust store, and those of the distributions whose tool is derived from Debian's."""
