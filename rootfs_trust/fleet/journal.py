"""The journal of finished targets: one line of JSON per target, appended after its result is synced to disk.

A killed run leaves at most one incomplete line. Incomplete and unknown lines are ignored.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self

from rootfs_trust.errors import JOURNAL, InputError
from rootfs_trust.fleet.change_detection import StampedPlace
from rootfs_trust.fleet.messages import JournalEntry, TargetResult

_LONGEST_LINE = 1 << 24
"""Maximum length of a line in bytes. A longer line was not written by rootfs-trust."""


class JournalFile:
    """A file of JSON lines at ``path``, locked for this run while it is open. Raises InputError."""

    def __init__(self, path: str) -> None:
        try:
            self._file = open(path, "a+b", opener=_without_waiting)  # noqa: SIM115 - closed by __exit__
        except OSError as error:
            raise InputError(JOURNAL(path, f"cannot be written: {error.strerror}")) from error
        if not stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
            self._file.close()
            raise InputError(JOURNAL(path, "is not a regular file"))
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            hint = "wait for it, or use a separate --journal for each run"
            raise InputError(JOURNAL(path, "another run uses it", hint)) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def records(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the position of each line that is an object, and the object."""
        self._file.seek(0)
        position = 0
        for line in iter(lambda: self._file.readline(_LONGEST_LINE), b""):
            record = _parsed(line)
            if record:
                yield position, record
            position += len(line)

    def record(self, position: int) -> dict[str, Any]:
        """Return the object on the line at ``position``, empty if it is not an object."""
        self._file.seek(position)
        return _parsed(self._file.readline(_LONGEST_LINE))

    def append(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Append a line for each of ``records``, and sync the journal."""
        lines = [f"{json.dumps(record)}\n" for record in records]
        if lines:
            self._end_line()
            self._file.write("".join(lines).encode())
            self._file.flush()
            os.fsync(self._file.fileno())

    def _end_line(self) -> None:
        """End an incomplete last line, so that the next line is not appended to it."""
        if self._file.seek(0, os.SEEK_END):
            self._file.seek(-1, os.SEEK_END)
            if self._file.read(1) != b"\n":
                self._file.write(b"\n")


class Journal(JournalFile):
    """The journal of a fleet run that changes its targets."""

    def done(self) -> dict[str, JournalEntry]:
        """Return the last entry of each target. Equal lists of places share memory."""
        found: dict[str, JournalEntry] = {}
        known: dict[tuple[StampedPlace, ...], tuple[StampedPlace, ...]] = {}
        for _, record in self.records():
            for target, done in _read(record):
                found[target] = done._replace(places=known.setdefault(done.places, done.places))
        return found

    def note(self, results: Iterable[TargetResult]) -> None:
        """Append the journal entries of ``results``, and sync the journal."""
        done = [(result.target, result.done) for result in results]
        self.append({"target": target, **entry._asdict()} for target, entry in done if entry is not None)


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK, 0o666)


def _parsed(line: bytes) -> dict[str, Any]:
    """Return the object on a line, empty if it is incomplete or something else."""
    with contextlib.suppress(ValueError, RecursionError):
        record = json.loads(line)
        return record if isinstance(record, dict) else {}
    return {}


def _read(record: dict[str, Any]) -> Iterator[tuple[str, JournalEntry]]:
    with contextlib.suppress(TypeError, KeyError):
        places = tuple(StampedPlace(*place) for place in record["places"])
        yield (
            record["target"],
            JournalEntry(record["policy"], record["input"], places, record["digest"], record.get("output", "")),
        )
