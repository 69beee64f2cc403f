"""Everything that can go wrong, said the same way: where, what, and a hint.

A problem is data (:class:`Trouble`), so that many can be collected and refused as a whole; an exception
carries one or more of them and knows the exit status that the contract gives it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trouble:
    """One problem: a stable ``id``, the ``path`` it concerns, what is wrong, and how to mend it."""

    id: str
    path: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.path}: {self.message}" if self.path else self.message
        return f"{text} ({self.hint})" if self.hint else text


class RootfsTrustError(Exception):
    """Root of all errors of this package; carries every trouble that was found, in order."""

    exit_status = 2

    def __init__(self, *troubles: Trouble) -> None:
        super().__init__("; ".join(map(str, troubles)))
        self.troubles = troubles


class InputError(RootfsTrustError):
    """Wrong use, or input that cannot be read or is refused. Nothing was written."""


class ConflictError(RootfsTrustError):
    """Something stands in the rootfs where we would write. Nothing was written."""

    exit_status = 3


class ApplyError(RootfsTrustError):
    """The disk or the target failed underway; the troubles say what was and what was not written."""

    exit_status = 4


class MalformedError(RootfsTrustError):
    """Bytes that are not what they should be; whoever knows the file puts its path before the message."""

    def __init__(self, message: str) -> None:
        super().__init__(Trouble("malformed", "", message))
        self.message = message
