"""Standard output and standard error of a command, with defined behaviour if they fail.

- If the reader exits early (``| head -1``), the rest of the output is dropped, and the exit status is the command's.
- If standard output cannot be written (a full disk), that is an error, reported once.
- If standard error cannot be written, messages are dropped, because there is no other place for them.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, TextIO

from rootfs_trust.errors import OUTPUT, ApplyError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class OutputError(ApplyError):
    """Standard output cannot be written."""


class _Stream(io.RawIOBase):
    """Write to the file descriptor ``fd``. After the first failure, drop the rest."""

    def __init__(self, fd: int, *, report: bool) -> None:
        self._fd = fd
        self._report = report
        self._lost = False

    def fileno(self) -> int:
        return self._fd

    def isatty(self) -> bool:
        return os.isatty(self._fd)

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        """Write ``data``. Raises OutputError at the first failure if ``report`` is true."""
        size = memoryview(data).nbytes
        if self._lost:
            return size
        try:
            return os.write(self._fd, data)
        except OSError as error:
            self._lost = True
            if self._report and not isinstance(error, BrokenPipeError):
                message = f"cannot be written: {error.strerror}"
                hint = "check where standard output is redirected"
                raise OutputError(OUTPUT("standard output", message, hint)) from error
            return size


@contextmanager
def standard_streams() -> Iterator[None]:
    """Replace ``sys.stdout`` and ``sys.stderr`` for one command. Bytes that are not UTF-8 are escaped.

    A stream that the calling program has already replaced is not changed.
    """
    _open_missing()
    with ExitStack() as stack:
        if _is_ours(sys.stdout, 1):
            stack.enter_context(redirect_stdout(_text(1, report=True)))
        if _is_ours(sys.stderr, 2):
            stack.enter_context(redirect_stderr(_text(2, report=False)))
        yield


def _is_ours(stream: TextIO | None, fd: int) -> bool:
    try:
        return stream is None or stream.fileno() == fd
    except (OSError, ValueError):  # a buffer and a closed stream have no descriptor
        return False


def _text(fd: int, *, report: bool) -> io.TextIOWrapper:
    inherited = sys.stdout if fd == 1 else sys.stderr
    encoding = getattr(inherited, "encoding", None) or "utf-8"
    raw = io.BufferedWriter(_Stream(fd, report=report))
    return io.TextIOWrapper(raw, encoding, "backslashreplace", line_buffering=os.isatty(fd), write_through=fd == 2)


def _open_missing() -> None:
    """Open /dev/null for each closed standard descriptor, so that no other file gets its number."""
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            # open(2) returns the lowest free number, which is this one.
            os.open(os.devnull, os.O_RDONLY if fd == 0 else os.O_WRONLY)
            if fd == 0:
                sys.stdin = io.TextIOWrapper(io.BytesIO())
