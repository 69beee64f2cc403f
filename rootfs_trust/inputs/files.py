"""Reads the files that the caller names on the host. The only reader of the host's file system."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from rootfs_trust.errors import Trouble

MAX_INPUT = 16 * 1024 * 1024
"""Bytes; some 8,000 certificates. A trust anchor file has two thousand bytes."""

SUFFIXES = (".pem", ".crt", ".cer", ".der", ".p7b", ".p7c")
"""What is taken from a folder; a file that is named on the command line may be called anything."""


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file of the host and its bytes. ``wanted`` is False for one that is only searched for private keys."""

    path: str
    data: bytes
    wanted: bool = True


class UsedFile(NamedTuple):
    """A file of the host that a run is made from: what it is used as, its path there, and the SHA-256 of its bytes."""

    kind: str
    path: str
    sha256: str


def used(kind: str, path: str, data: bytes) -> UsedFile:
    """The file at ``path``, whose bytes are ``data``."""
    return UsedFile(kind, path, sha256(data, usedforsecurity=False).hexdigest())


@dataclass(slots=True)
class Reading:
    """What was read, what was passed over (notes), and what could not be read (troubles)."""

    files: list[InputFile] = field(default_factory=list)
    notes: list[Trouble] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)


def read_inputs(paths: Iterable[str]) -> Reading:
    """Read each of ``paths``: a file, a folder (not recursive, links followed), or ``-`` for standard input."""
    reading = Reading()
    for path in paths:
        if path == "-":
            _add(reading, "-", wanted=True)
        elif os.path.isdir(path):
            _add_folder(reading, path)
        else:
            _add(reading, path, wanted=True)
    return reading


def _add_folder(reading: Reading, folder: str) -> None:
    try:
        names = sorted(os.listdir(folder), key=os.fsencode)
    except OSError as error:
        reading.troubles.append(_unreadable(folder, error))
        return
    before = len(reading.files)
    for path in (os.path.join(folder, name) for name in names if not name.startswith(".")):
        if _is_special(path):
            reading.notes.append(_skipped(path, "is no regular file"))
        else:
            _add(reading, path, wanted=path.lower().endswith(SUFFIXES))
    if not any(file.wanted for file in reading.files[before:]):
        reading.troubles.append(
            Trouble(
                "no-certificate",
                folder,
                "the folder holds no certificate file",
                f"names that count end in {' '.join(SUFFIXES)}",
            )
        )


def _is_special(path: str) -> bool:
    """Whether a folder's entry is something that is never opened: a folder, FIFO, socket or device."""
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False


def _add(reading: Reading, path: str, *, wanted: bool) -> None:
    try:
        data = _read(path)
    except OSError as error:
        if wanted:
            reading.troubles.append(_unreadable(path, error))
        else:
            reading.notes.append(_skipped(path, f"cannot be read ({error.strerror})"))
        return
    if not wanted:
        reading.notes.append(_skipped(path, "is no certificate file by its name"))
    elif len(data) > MAX_INPUT:
        reading.troubles.append(_too_large(path))
        return
    reading.files.append(InputFile(path, data, wanted))


def _read(path: str) -> bytes:
    if path == "-":
        return sys.stdin.buffer.read(MAX_INPUT + 1)
    with open(path, "rb") as file:
        return file.read(MAX_INPUT + 1)


def read_file(path: str) -> bytes:
    """The content of a file that is a config or a template. Raises OSError, ValueError for one that is too large."""
    data = _read(path)
    if len(data) > MAX_INPUT:
        raise ValueError(f"is larger than {MAX_INPUT} bytes")
    return data


def _skipped(path: str, why: str) -> Trouble:
    return Trouble("skipped", path, f"{why}, and is passed over", f"names that count end in {' '.join(SUFFIXES)}")


def _too_large(path: str) -> Trouble:
    return Trouble(
        "too-large",
        path,
        f"is larger than {MAX_INPUT} bytes",
        "give the certificates that the device needs, not a whole archive",
    )


def _unreadable(path: str, error: OSError) -> Trouble:
    return Trouble("unreadable", path, f"cannot be read: {error.strerror}", "check the path and its permissions")
