"""The version of a client's library, and the versions that are assumed where a rootfs shows none."""

from __future__ import annotations

import re
from typing import NamedTuple

Numbers = tuple[int, ...]

_NUMBER = re.compile(r"(?:\d{1,9}:)?v?(\d{1,9}(?:\.\d{1,9})*)")


class Version(NamedTuple):
    """The version of ``library``. ``numbers`` is the oldest in the rootfs; ``newest`` is None if none was found.

    ``place`` is the file with the version. ``variant`` names another row in the tables of algorithms.
    """

    library: str
    numbers: Numbers
    newest: Numbers | None = None
    place: str = ""
    variant: str = ""

    @property
    def text(self) -> str:
        """The version and where it was found, as a sentence."""
        if self.newest is None:
            return f"the rootfs shows no version of {self.library}, and {dotted(self.numbers)} is assumed"
        several = f" to {dotted(self.newest)}" if self.newest != self.numbers else ""
        return f"the rootfs has {self.library} {dotted(self.numbers)}{several} ({self.place})"


ASSUMED = {
    "openssl": Version("OpenSSL", (3, 0)),
    "gnutls": Version("GnuTLS", (3, 7)),
    "go": Version("Go", (1, 26)),
    "rustls": Version("rustls", (0, 103, 13)),
    "java": Version("Java", (17,)),
    "mbedtls": Version("Mbed TLS", (2, 28)),
    "python": Version("Python", (3, 11)),
}
"""The assumed version of each engine if the rootfs shows none."""


def dotted(numbers: Numbers) -> str:
    """Return a version as text, such as ``3.0.15``."""
    return ".".join(map(str, numbers))


def numbers_in(text: str) -> Numbers:
    """Return the numbers at the beginning of a package version, without the epoch."""
    match = _NUMBER.match(text)
    return tuple(map(int, match[1].split("."))) if match else ()
