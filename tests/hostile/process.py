"""Runs the command line in a forked child: limits of time and memory, and a crash or a hang is only the child's."""

from __future__ import annotations

import gc
import os
import resource
import select
import signal
import sys
import time
import traceback
import types
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from tests.support.peers import PLAIN_ENVIRONMENT

PROCESSOR_SECONDS, SECONDS = 20, 90
"""Limits of a run: of its processor time, and by the clock."""

MEMORY = 1 << 30
"""Bytes that a run may map beyond what the corpus itself has."""

LARGEST_FILE = 1 << 29


@dataclass(frozen=True)
class Setup:
    """How a run differs from a plain one. ``inside`` is called in the child before the command."""

    words: tuple[str, ...] = ()
    environment: Mapping[str, str] | None = None
    inside: Callable[[], None] | None = None
    memory: int = MEMORY
    files: int = 1024
    largest_file: int = LARGEST_FILE
    signal: int = 0
    after: float = 0.0
    """Seconds until ``signal`` is sent."""
    stdin: bytes = b""
    before: Callable[[], None] | None = None
    """Called in the runner before the run, and ``undo`` after it."""
    undo: Callable[[], None] | None = None


PLAIN = Setup()


@dataclass(frozen=True)
class Ran:
    """``status``: the exit status, or the negative number of the signal that ended it."""

    words: tuple[str, ...]
    status: int
    out: bytes
    err: bytes
    seconds: float
    memory: int
    """Bytes of the child's largest resident set."""
    hung: bool


def run(words: tuple[str, ...], cwd: str, setup: Setup = PLAIN) -> Ran:
    """``rootfs-trust WORDS``, in a child of this process."""
    stdin, out, err = (os.memfd_create(name, os.MFD_CLOEXEC) for name in ("stdin", "out", "err"))
    os.write(stdin, setup.stdin)
    os.lseek(stdin, 0, os.SEEK_SET)
    mapped = _mapped()
    start = time.monotonic()
    pid = os.fork()
    if pid == 0:
        _child(words, cwd, setup, (stdin, out, err), mapped)
    hung, status, usage = _wait(pid, setup)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)  # what the command started and left
    try:
        return Ran(
            words,
            os.waitstatus_to_exitcode(status),
            *(_content(fd) for fd in (out, err)),
            time.monotonic() - start,
            usage.ru_maxrss * 1024,
            hung or os.waitstatus_to_exitcode(status) == -signal.SIGXCPU,
        )
    finally:
        for fd in (stdin, out, err):
            os.close(fd)


def _wait(pid: int, setup: Setup) -> tuple[bool, int, resource.struct_rusage]:
    watched = os.pidfd_open(pid)
    try:
        if setup.signal and not select.select([watched], [], [], setup.after)[0]:
            os.kill(pid, setup.signal)
        ended = bool(select.select([watched], [], [], SECONDS)[0])
    finally:
        os.close(watched)
    if not ended:
        os.killpg(pid, signal.SIGKILL)
    _, status, usage = os.wait4(pid, 0)
    return not ended, status, usage


def _child(words: tuple[str, ...], cwd: str, setup: Setup, streams: tuple[int, int, int], mapped: int) -> None:
    status = 1
    try:
        os.setsid()
        for number, fd in enumerate(streams):
            os.dup2(fd, number)
        os.closerange(3, 4096)
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_DFL)  # a SIGINT before main() is Python's matter
        os.chdir(cwd)
        os.environ.clear()
        os.environ.update({**PLAIN_ENVIRONMENT, **(setup.environment or {})})
        sys.stdin, sys.stdout, sys.stderr = (
            open(number, mode, closefd=False, encoding="utf-8", errors=errors)  # noqa: SIM115 - for the child's whole life
            for number, mode, errors in ((0, "r", "strict"), (1, "w", "strict"), (2, "w", "backslashreplace"))
        )
        # Workers of a fleet are started again; they must not import the corpus.
        sys.modules["__main__"] = types.ModuleType("__main__")
        sys.argv = ["rootfs-trust", *words]
        gc.collect()
        _limit(setup, mapped)
        if setup.inside:
            setup.inside()
        status = _command()
    except BaseException:  # the child must end here, whatever happens
        traceback.print_exc()
    finally:
        with suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _command() -> int:
    """As Python itself ends a program: its status, or 1 and a traceback."""
    from rootfs_trust.cli.run import main

    try:
        main()
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except KeyboardInterrupt:
        traceback.print_exc()
        return 130
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _limit(setup: Setup, mapped: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (setup.largest_file, setup.largest_file))
    resource.setrlimit(resource.RLIMIT_AS, (mapped + setup.memory, mapped + setup.memory))
    resource.setrlimit(resource.RLIMIT_NOFILE, (setup.files, setup.files))


def _mapped() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def _content(fd: int) -> bytes:
    size = min(os.fstat(fd).st_size, 1 << 26)
    return os.pread(fd, size, 0)
