"""Parse the text of an argument that selects certificates."""

from __future__ import annotations

from rootfs_trust.store.selection import DIGEST, Selection

SPKI, FILE = "spki:", "file:"
"""Prefixes of arguments that select certificates by key and by file."""


def digest(value: object) -> str:
    """Convert a SHA-256 in hex, with or without ``sha256:`` and colons, to 64 lower-case digits."""
    text = value.removeprefix(DIGEST).replace(":", "").lower() if isinstance(value, str) else ""
    if len(text) != 64 or not set(text) <= set("0123456789abcdef"):
        raise ValueError("the 64 hex digits of a SHA-256")
    return text


def selection(text: str) -> Selection:
    """Parse an argument that selects certificates. :mod:`rootfs_trust.inputs.selections` reads files and root data.

    Raises ValueError with what was expected for a wrong digest.
    """
    if text.startswith(SPKI):
        try:
            return Selection(text, spki=frozenset((digest(text.removeprefix(SPKI)),)))
        except ValueError as error:
            raise ValueError(f"spki: and {error} of a SubjectPublicKeyInfo") from error
    if text.startswith(DIGEST) or _is_bare_digest(text):
        return Selection(text, frozenset((digest(text),)))
    return Selection(text)


def _is_bare_digest(text: str) -> bool:
    try:
        digest(text)
    except ValueError:
        return False
    return True
