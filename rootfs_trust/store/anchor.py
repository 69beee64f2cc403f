"""A trust anchor and its name in the store. One naming function, for adding and for taking away."""

from __future__ import annotations

from dataclasses import dataclass

from rootfs_trust.store.purposes import Purposes
from rootfs_trust.x509 import Certificate, Name

MAX_NAME = 200
"""Bytes; leaves room for the suffixes that file systems count towards their 255."""

_SAFE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
_SUFFIXES = (".pem", ".crt", ".cer", ".der", ".p7b", ".p7c")


@dataclass(frozen=True, slots=True)
class Anchor:
    """A certificate that shall be trusted, under a safe name; ``where`` is the place it was read from."""

    name: str
    certificate: Certificate
    where: str
    replace: bool = False
    """Whether it may take the place of another certificate of this name."""
    purposes: Purposes = None
    """What it shall be trusted for."""
    fence_where_possible: bool = False
    """Whether a constrained anchor is installed although a client of the tree ignores its constraints."""


def safe_name(text: str) -> str:
    """``text`` as the name of a file in any store: ASCII letters, digits, ``.``, ``_`` and ``-``.

    Every other character becomes ``_``; a leading dot or dash, which shells and tools treat specially, too.
    """
    name = "".join(char if char in _SAFE else "_" for char in text)[:MAX_NAME]
    return f"_{name[1:]}" if name[:1] in (".", "-") else name


def name_of_file(path: str) -> str:
    """The name that a file gives to its only certificate: its base name without the suffix."""
    base = path.rpartition("/")[2]
    stem, dot, suffix = base.rpartition(".")
    return safe_name(stem if stem and dot + suffix.lower() in _SUFFIXES else base)


def name_of_subject(subject: Name, sha256: str) -> str:
    """The name of a certificate that stands with others in one file: common name, organisation, or digest."""
    return safe_name((subject.common_name or subject.organization or "").strip()) or f"anchor-{sha256[:8]}"
