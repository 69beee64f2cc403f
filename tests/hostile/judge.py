"""What is wrong with a run, by the contract of the commands."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import stat
import unicodedata
import zlib
from contextlib import suppress

from tests.hostile.commands import Command
from tests.hostile.process import MEMORY, Ran
from tests.hostile.world import MARKERS

csv.field_size_limit(1 << 26)  # the default of 128 KiB is less than a name may have

_GUARDED = re.compile(r"unexpected error|internal error|this is a (?:bug|defect)|please report", re.IGNORECASE)
"""How the command line reports what no code expected: in one line, although it is a defect."""


def of_output(ran: Ran, command: Command) -> list[str]:
    """What its status and its text say, whatever the run was."""
    text = ran.out.decode("utf-8", "surrogateescape")
    errors = ran.err.decode("utf-8", "surrogateescape")
    found = []
    if ran.hung:
        return [f"does not end: {ran.seconds:.0f} s"]
    if ran.status < 0:
        return [f"ended by signal {-ran.status}"]
    if "Traceback (most recent call last)" in text + errors or _GUARDED.search(errors + text):
        found.append(f"traceback: {_last_line(errors, text)}")
    if ran.status not in (0, 2, 3, 4, 130, 143) and not (ran.status == 1 and command.verdict):
        found.append(f"exit status {ran.status}")
    if ran.memory > MEMORY:
        found.append(f"memory: {ran.memory >> 20} MiB")
    # Lines of CSV end with both characters (RFC 4180).
    found += _odd_text("standard output", text.replace("\r\n", "\n") if command.format == "csv" else text)
    found += _odd_text("standard error", errors)
    return [*found, *_of_errors(ran, errors, text, command), *_of_format(ran, text, command)]


def _last_line(errors: str, text: str) -> str:
    lines = (errors.strip() or text.strip()).splitlines() or [""]
    places = [line.strip() for line in lines if "rootfs_trust/" in line]
    return f"{lines[-1][:200]} {places[-1] if places else ''}"


def _odd_text(where: str, text: str) -> list[str]:
    odd = sorted({f"U+{ord(char):04X}" for char in text if _is_odd(char)})
    return [f"{where} holds {', '.join(odd[:6])}"] if odd else []


def _is_odd(char: str) -> bool:
    """Whether a terminal or a page may take it for more than a character."""
    return char not in "\n\t" and unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _of_errors(ran: Ran, errors: str, text: str, command: Command) -> list[str]:
    lines = errors.splitlines()
    told = [line for line in lines if line.startswith("rootfs-trust: error: ")]
    found = []
    if len(told) != len(set(told)):
        found.append(f"an error twice: {next(line for line in told if told.count(line) > 1)[:200]}")
    strange = [line for line in lines if not line.startswith("rootfs-trust: ")]
    if strange and command.words[0] not in ("fleet", "init") and ran.status != 0:
        found.append(f"a line of error that is none of ours: {strange[0][:200]!r}")
    if ran.status == 0 and told:
        found.append(f"exit status 0 with an error: {told[0][:200]}")
    if ran.status in (2, 3, 4) and not told and '"errors"' not in text:
        found.append(f"exit status {ran.status} without an error")
    return found


def _of_format(ran: Ran, text: str, command: Command) -> list[str]:
    try:
        if command.format == "json" and (ran.status in (0, 1) or text):
            json.loads(text)
        elif command.format == "lines":
            for line in text.splitlines():
                json.loads(line)
        elif command.format == "csv" and ran.status == 0:
            list(csv.DictReader(io.StringIO(text), strict=True))
    except (ValueError, csv.Error) as error:
        return [f"standard output is not {command.format}: {error}"]
    return []


def leaks(ran: Ran, *folders: str) -> list[str]:
    """Where the content of a canary is that should be nowhere."""
    found = [
        f"a canary's content on {name}"
        for name, data in (("standard output", ran.out), ("standard error", ran.err))
        if _holds(data)
    ]
    for folder in folders:
        for path, data in _files(folder):
            if _holds(data) or _holds(_unpacked(data)):
                found.append(f"a canary's content in {os.path.relpath(path, os.path.dirname(folder))}")
    return found


def _holds(data: bytes) -> bool:
    return any(marker in data for marker in MARKERS)


def _unpacked(data: bytes) -> bytes:
    if data.startswith(b"\x1f\x8b"):
        with suppress(OSError, EOFError, zlib.error):
            return gzip.GzipFile(fileobj=io.BytesIO(data)).read(1 << 22)
    return b""


def _files(folder: str):
    """The regular files below, by name and the first 4 MiB; hard links from outside are known by their count."""
    pending = [folder]
    while pending:
        try:
            entries = list(os.scandir(pending.pop()))
        except OSError:
            continue
        for entry in entries:
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            if stat.S_ISDIR(status.st_mode):
                pending.append(entry.path)
            elif stat.S_ISREG(status.st_mode) and status.st_nlink == 1:
                fd = os.open(entry.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
                with open(fd, "rb") as file:
                    yield entry.path, file.read(1 << 22)


def pages(folder: str) -> list[str]:
    """Control characters in reports and documents that were written."""
    found = []
    for path, data in _files(folder):
        if path.endswith((".html", ".md", ".json", ".toml")) and b"\0" not in data[:1]:
            with suppress(UnicodeDecodeError):
                found += _odd_text(os.path.basename(path), data.decode())
    return found
