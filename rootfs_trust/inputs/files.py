"""Read the certificate files that the user names on the command line or in rootfs-trust.toml."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from rootfs_trust.errors import NO_CERTIFICATE, PRIVATE_KEY, SKIPPED, TOO_LARGE, UNREADABLE, URL, Problem
from rootfs_trust.x509 import private_key_form

MAX_INPUT = 16 * 1024 * 1024
"""Maximum size of an input in bytes, enough for about 8,000 certificates."""

GIVEN = "<bytes>"
"""Path in messages and in the provenance for an input that is given as bytes."""

SUFFIXES = (".pem", ".crt", ".cer", ".der", ".p7b", ".p7c")
"""Suffixes of files that are read from a directory. A file named on the command line may have any name."""

NAMES_THAT_COUNT = f"certificate files have the suffixes {' '.join(SUFFIXES)}"
NO_CERTIFICATE_NAME = "does not have the suffix of a certificate file"

_URL = re.compile(r"\b(?:https?|ftps?|file)://", re.I)


class InputFile(NamedTuple):
    """A host file and its bytes. ``wanted`` is False if the file is only searched for private keys."""

    path: str
    data: bytes
    wanted: bool = True


class InputRecord(NamedTuple):
    """A host file that a run uses: its kind, its path, and the SHA-256 of its bytes."""

    kind: str
    path: str
    sha256: str


def used(kind: str, path: str, data: bytes) -> InputRecord:
    """Return the record of the file at ``path`` with the content ``data``."""
    return InputRecord(kind, path, sha256(data, usedforsecurity=False).hexdigest())


@dataclass(slots=True)
class FilesRead:
    """The files that were read, warnings about skipped ones, and problems."""

    files: list[InputFile] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_inputs(inputs: Iterable[str | bytes]) -> FilesRead:
    """Read each of ``inputs``: the bytes of a file, or the path of a file, a directory or ``-`` (standard input).

    A directory is not read recursively, and its links are followed.
    """
    reading = FilesRead()
    for path in inputs:
        if isinstance(path, bytes):
            reading.files.append(InputFile(GIVEN, path))
        elif path == "-":
            _add(reading, "-", wanted=True)
        elif os.path.isdir(path):
            _add_directory(reading, path)
        else:
            _add(reading, path, wanted=True)
    return reading


def _add_directory(reading: FilesRead, folder: str) -> None:
    try:
        names = sorted(os.listdir(folder), key=os.fsencode)
    except OSError as error:
        reading.problems.append(_unreadable(folder, error))
        return
    before = len(reading.files)
    for path in (os.path.join(folder, name) for name in names if not name.startswith(".")):
        if is_special(path):
            reading.notes.append(skipped(path, "is not a regular file"))
        else:
            _add(reading, path, wanted=path.lower().endswith(SUFFIXES))
    if not any(file.wanted for file in reading.files[before:]):
        reading.problems.append(NO_CERTIFICATE(folder, "the directory contains no certificate file", NAMES_THAT_COUNT))


def is_special(path: str) -> bool:
    """Return whether a directory entry must not be opened: a directory, FIFO, socket or device."""
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False


def _add(reading: FilesRead, path: str, *, wanted: bool) -> None:
    try:
        data = _read(path)
    except OSError as error:
        if wanted:
            reading.problems.append(_unreadable(path, error))
        else:
            reading.notes.append(skipped(path, f"cannot be read ({error.strerror})"))
        return
    if not wanted:
        reading.notes.append(skipped(path, NO_CERTIFICATE_NAME))
    elif len(data) > MAX_INPUT:
        hint = "use only the certificates that the device needs, not a whole archive"
        reading.problems.append(TOO_LARGE(path, f"is larger than {MAX_INPUT} bytes", hint))
        return
    reading.files.append(InputFile(path, data, wanted))


def _read(path: str) -> bytes:
    if path == "-":
        return sys.stdin.buffer.read(MAX_INPUT + 1)
    with open(path, "rb") as file:
        return file.read(MAX_INPUT + 1)


def read_file(path: str) -> bytes:
    """Read a configuration or template. Raises OSError, or ValueError if the file is too large."""
    data = _read(path)
    if len(data) > MAX_INPUT:
        raise ValueError(f"is larger than {MAX_INPUT} bytes")
    return data


def private_key(path: str, data: bytes) -> Problem | None:
    """Return a problem if an input contains a private key, else None. The message contains no part of the key."""
    form = private_key_form(data)
    if not form:
        return None
    message = f"the file contains a private key ({form}), which must not be in an image"
    return PRIVATE_KEY(path, message, "delete the key, and use only certificates")


def skipped(path: str, why: str) -> Problem:
    """Return a note about a file of a directory or archive that is skipped."""
    return SKIPPED(path, f"{why}, so it is skipped", NAMES_THAT_COUNT)


def _unreadable(path: str, error: OSError) -> Problem:
    if _URL.search(path):
        return URL(path, "is a URL, and rootfs-trust opens no connection")
    return UNREADABLE(path, f"cannot be read: {error.strerror}")
