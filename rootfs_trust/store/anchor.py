"""A trust anchor, and the rules for its name in the store. ``install`` and ``remove`` use the same rules."""

from __future__ import annotations

from typing import NamedTuple

from rootfs_trust.store.purposes import Purposes
from rootfs_trust.x509 import Certificate, Name

MAX_NAME = 200
"""Maximum length of a name in bytes. File systems allow 255, which must include the suffix."""

_SAFE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
_SUFFIXES = (".pem", ".crt", ".cer", ".der", ".p7b", ".p7c")


class Anchor(NamedTuple):
    """A certificate to trust, under a safe name. ``where`` is the place that it was read from, for messages."""

    name: str
    certificate: Certificate
    where: str
    replace: bool = False
    """Replace another certificate of this name, if there is one."""
    purposes: Purposes = None
    """The purposes for which the certificate is trusted."""
    fence_where_possible: bool = False
    """Install a constrained anchor even if a client of the rootfs ignores name constraints."""


def safe_name(text: str) -> str:
    """Turn ``text`` into a file name that is safe in any store: ASCII letters, digits, ``.``, ``_`` and ``-``.

    Every other character becomes ``_``. A leading dot or dash also becomes ``_``, because shells and tools treat it
    specially.
    """
    name = "".join(char if char in _SAFE else "_" for char in text)[:MAX_NAME]
    return f"_{name[1:]}" if name[:1] in (".", "-") else name


def name_of_file(path: str) -> str:
    """Return the name for the only certificate of a file: the base name without the suffix."""
    base = path.rpartition("/")[2]
    stem, dot, suffix = base.rpartition(".")
    return safe_name(stem if stem and dot + suffix.lower() in _SUFFIXES else base)


def name_of_subject(subject: Name, sha256: str) -> str:
    """Return the name for a certificate in a file with several: common name, organization, or digest."""
    return safe_name((subject.common_name or subject.organization or "").strip()) or f"anchor-{sha256[:8]}"
