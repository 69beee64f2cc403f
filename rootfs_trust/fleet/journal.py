"""What is done already: a line of JSON a target, appended when its result is safe on the disk.

A run that is killed leaves at most one line that is cut off; it does not count, nor does any other that is not ours.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from types import TracebackType

from rootfs_trust.errors import InputError, Trouble
from rootfs_trust.fleet.jobs import Done, Result
from rootfs_trust.rootfs.stamps import Place


class Journal:
    """The journal at ``path``, held by this run alone while it is open. Raises InputError."""

    def __init__(self, path: str) -> None:
        try:
            self._file = open(path, "a+b")  # noqa: SIM115 - closed by __exit__
        except OSError as error:
            hint = "--journal names another place"
            raise InputError(Trouble("journal", path, f"cannot be written: {error.strerror}", hint)) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            hint = "wait for it, or give each run a --journal of its own"
            raise InputError(Trouble("journal", path, "another run uses it", hint)) from error

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def done(self) -> dict[str, Done]:
        """What was done last to each target; lists of places that are equal are kept once."""
        self._file.seek(0)
        found: dict[str, Done] = {}
        known: dict[tuple[Place, ...], tuple[Place, ...]] = {}
        for line in self._file:
            for target, done in _read(line):
                found[target] = done._replace(places=known.setdefault(done.places, done.places))
        return found

    def note(self, results: Iterable[Result]) -> None:
        """Append what ``results`` have to keep, and sync it."""
        lines = [_line(result.target, result.done) for result in results if result.done is not None]
        if lines:
            self._end_line()
            self._file.write("".join(lines).encode())
            self._file.flush()
            os.fsync(self._file.fileno())

    def _end_line(self) -> None:
        """Where a killed run left a line without its end, the next one must not be lost with it."""
        if self._file.seek(0, os.SEEK_END):
            self._file.seek(-1, os.SEEK_END)
            if self._file.read(1) != b"\n":
                self._file.write(b"\n")


def _line(target: str, done: Done) -> str:
    return json.dumps({"target": target, **done._asdict()}) + "\n"


def _read(line: bytes) -> Iterator[tuple[str, Done]]:
    with contextlib.suppress(ValueError, TypeError, KeyError):
        record = json.loads(line)
        places = tuple(Place(*place) for place in record["places"])
        yield (
            record["target"],
            Done(record["policy"], record["input"], places, record["digest"], record.get("output", "")),
        )
