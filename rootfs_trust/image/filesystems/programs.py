"""Runs the programs of file system formats: the only place where this package starts a process.

A program is started without a shell, in a temporary directory and without the caller's environment, and is killed at
its time limit. Its output is untrusted text: errors show its last line, escaped.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO

from rootfs_trust.errors import APPLY, TOOL_MISSING, ApplyError, InputError
from rootfs_trust.text import printable

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Directories to search for programs after those of the caller's PATH: e2fsprogs installs to sbin, which most users do
not have in it.
"""

_LIMIT = 3600
"""Time limit for one program in seconds. mksquashfs -comp xz needs minutes for a gigabyte."""

_MOST_SHOWN = 300
_LAST = 1 << 16
"""Maximum number of bytes of a program's output that are kept."""


def find_program(name: str, package: str, path: str) -> str:
    """Return the path of a program. Raises InputError with the path ``path`` if its package is not installed."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), PATH]))
    if found is None:
        message = f"needs the program {name}, which is not installed"
        raise InputError(TOOL_MISSING(path, message, f"install the package {package}"))
    return found


@contextlib.contextmanager
def work_directory() -> Iterator[str]:
    """Create a temporary directory that only this user can open."""
    with tempfile.TemporaryDirectory(prefix="rootfs-trust-") as path:
        yield path


def run_program(
    words: Sequence[str],
    *,
    directory: str,
    path: str,
    stdin: Iterable[bytes] = (),
    environment: Mapping[str, str] | None = None,
    statuses: tuple[int, ...] = (0,),
) -> str:
    """Run a program and return its output. Raises ApplyError with the path ``path`` unless it succeeds."""
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(  # noqa: S603 - a list of words, the first one found by find_program
            words,
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=directory,
            env={"PATH": os.pathsep.join([os.environ.get("PATH", ""), PATH]), "LC_ALL": "C", **(environment or {})},
            start_new_session=True,
        )
        late = threading.Event()
        timer = threading.Timer(_LIMIT, _kill, [process, late])
        timer.start()
        try:
            _write_input(process, stdin)
            status = process.wait()
        except BaseException:
            _kill(process)
            process.wait()
            raise
        finally:
            timer.cancel()
        text = _text(out)
    if status not in statuses:
        raise _failed(words, path, _end_of(status, late=late.is_set()), text)
    return text


def _write_input(process: subprocess.Popen[bytes], stdin: Iterable[bytes]) -> None:
    """Write the program's input. If the program ends before it has read everything, its exit status explains why."""
    if process.stdin is None:
        return
    with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
        for piece in stdin:
            pipe.write(piece)


def _kill(process: subprocess.Popen[bytes], late: threading.Event | None = None) -> None:
    if late is not None:
        late.set()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _text(out: IO[bytes]) -> str:
    """Return the end of a program's output."""
    size = out.seek(0, os.SEEK_END)
    out.seek(max(0, size - _LAST))
    return out.read().decode("utf-8", "replace")


def _end_of(status: int, *, late: bool) -> str:
    if late:
        return f"was killed after {_LIMIT} s"
    return f"was killed by signal {-status}" if status < 0 else f"failed with exit status {status}"


def _failed(words: Sequence[str], path: str, end: str, text: str) -> ApplyError:
    name = next(os.path.basename(word) for word in words if os.path.basename(word) != "fakeroot")
    lines = [line for line in text.splitlines() if line.strip()]
    said = printable(lines[-1].strip()[:_MOST_SHOWN]) if lines else "nothing"
    return ApplyError(APPLY(path, f"cannot be written: {name} {end} and said: {said}"), written="nothing was written")
