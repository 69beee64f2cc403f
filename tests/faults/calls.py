"""The calls of a run as strace tells them, and a run in which one of them fails, or is the last."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.faults.cases import EPOCH
from tests.support.peers import PLAIN_ENVIRONMENT, peer

FAULTS = ("ENOSPC", "EIO", "SIGKILL", "SIGTERM")
KILLED, INTERRUPTED = -signal.SIGKILL, 128 + signal.SIGTERM
"""Exit statuses."""
SETS = "%file,%desc"
WRITES = re.compile(
    "write|f(data)?sync|rename(at2?)?|(sym)?link(at)?|unlink(at)?|mkdir(at)?|rmdir|[fl]?ch(mod|own)(at)?|utimensat|"
    "f?truncate|[fl]?setxattr"
)
_LINE = re.compile(r"(?:\d+ +)?(\w+)\((.*)")
_BY_DESCRIPTOR = '"/proc/self/fd/'
# The same calls in each run: one order of sets, and compiled modules of these runs, which nobody else writes.
ENVIRONMENT = {
    **PLAIN_ENVIRONMENT,
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "SOURCE_DATE_EPOCH": str(EPOCH),
}


class Call(NamedTuple):
    """A call on the tree: its name, the how-maniest of that name in the whole run, and its text."""

    name: str
    number: int
    text: str

    @property
    def writes(self) -> bool:
        return WRITES.fullmatch(self.name) is not None or "O_CREAT" in self.text


class Run(NamedTuple):
    status: int
    errors: str
    output: str
    calls: list[Call]
    injected: list[Call]


PROGRAM = ("-m", "rootfs_trust")


def run(
    words: Sequence[str],
    log: Path,
    place: Path,
    *,
    fault: str = "",
    at: Call | None = None,
    program: Sequence[str] = PROGRAM,
    programs: bool = False,
    compiled: Path | None = None,
) -> Run:
    """The command with ``fault`` at the call ``at``; the calls that name something below ``place``.

    ``programs`` says that it starts others, which are not traced: strace counts the calls of each by themselves.
    ``compiled`` is the directory of compiled modules. The first run writes it; later ones only read it.
    """
    # Stopping at these calls alone is quicker, but strace sends no signals then.
    quick = [] if fault.startswith("SIG") else ["--seccomp-bpf"]
    # With --seccomp-bpf strace follows what is started, too.
    follow = [] if programs else ["-f", *quick]
    trace = [peer("strace"), *follow, "-y", "-qq", "-s", "300", "-o", str(log), "-e", f"trace={SETS}"]
    if at is not None:
        what = f"signal={fault}" if fault.startswith("SIG") else f"error={fault}"
        trace += ["-e", f"inject={at.name}:{what}:when={at.number}"]
    done = subprocess.run(
        [*trace, sys.executable, *program, *words],
        env={**ENVIRONMENT, **_modules(compiled)},
        cwd="/",
        capture_output=True,
        timeout=60,
        check=False,
    )
    return Run(done.returncode, done.stderr.decode(), done.stdout.decode(), *_read(log, place, at))


def _modules(compiled: Path | None) -> dict[str, str]:
    """A module that is imported from its source takes other calls than one that is compiled."""
    if compiled is None:
        return {}
    first = {} if compiled.exists() else {"PYTHONDONTWRITEBYTECODE": ""}
    return {"PYTHONPYCACHEPREFIX": os.fspath(compiled), **first}


def _read(log: Path, place: Path, at: Call | None) -> tuple[list[Call], list[Call]]:
    calls = list(_calls(log.read_text(errors="replace").splitlines()))
    if at is not None:
        return [], [call for call in calls if (call.name, call.number) == (at.name, at.number)]
    return [call for call in calls if call.name != "execve" and _is_on_tree(call, os.fspath(place))], []


def _is_on_tree(call: Call, place: str) -> bool:
    return place in call.text or (_BY_DESCRIPTOR in call.text and call.name.endswith("xattr"))


def _calls(lines: list[str]) -> Iterator[Call]:
    counts: Counter[str] = Counter()
    for line in lines:
        if found := _LINE.match(line):
            name, text = found.groups()
            counts[name] += 1
            yield Call(name, counts[name], text)


def first_argument(call: Call) -> str:
    """The descriptor with its path, or the path."""
    return re.sub(r"pipe:\[\d+]", "pipe", re.split(r", |\)", call.text)[0])
