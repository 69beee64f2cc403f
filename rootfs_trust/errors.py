"""Errors and warnings. Each has an id, a path, a message, and a hint that says what to do.

A problem is data (:class:`Problem`), so that a command can collect many of them before it reports any. An exception
carries one or more problems and has the exit status of the command.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Problem(NamedTuple):
    """One problem: a stable ``id``, the ``path`` that it concerns, what is wrong, and how to fix it.

    ``argument`` is the argument that matches nothing, if that is the problem.
    """

    id: str
    path: str
    message: str
    hint: str = ""
    argument: str = ""

    def __str__(self) -> str:
        text = f"{self.path}: {self.message}" if self.path else self.message
        return f"{text}; {self.hint}" if self.hint else text


class RootfsTrustError(Exception):
    """Base class of all errors of this package. Carries every problem that was found, in order."""

    exit_status = 2

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


class InputError(RootfsTrustError):
    """Wrong use, or input that cannot be read or is refused. Nothing was written."""


class DamagedImageError(RootfsTrustError):
    """Malformed data was found in one place of an image. The rest of the image was not checked, and nothing was
    written.

    It is not an InputError, so code that tolerates unreadable files does not catch it. Callers of the API get an
    InputError instead.
    """


class ConflictError(RootfsTrustError):
    """The root filesystem has a file that rootfs-trust must not overwrite. Nothing was written."""

    exit_status = 3


class ApplyError(RootfsTrustError):
    """The disk or the root filesystem failed during the run. The problems say what was written and what was not."""

    exit_status = 4


class MalformedError(RootfsTrustError):
    """Bytes are malformed. The caller knows the file, and adds its path to the message."""

    def __init__(self, message: str) -> None:
        super().__init__(Problem("malformed", "", message))
        self.message = message


class PasswordError(MalformedError):
    """Bytes that the given password does not open. They may also be damaged."""


def refuse(error: type[RootfsTrustError], problems: Iterable[Problem]) -> None:
    """Raise ``error`` with each problem once, if there are any."""
    once = dict.fromkeys(problems)
    if once:
        raise error(*once)
