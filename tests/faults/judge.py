"""What has to hold of a tree after a run in which something failed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from rootfs_trust.rootfs.plan import STAGED_PREFIX
from tests.faults.calls import INTERRUPTED, Run
from tests.faults.cases import Case
from tests.support import kernel
from tests.support.debian_tree import snapshot
from tests.support.trust import held

Tree = Mapping[str, tuple[object, ...]]
_HASH_LINK = re.compile(r"([0-9a-f]{8})\.(\d+)")
_TAKEN = re.compile(r".*\.(pem|crt|cer|crl|der)|[0-9a-f]{8}\.r?\d+", re.DOTALL)
"""Names that openssl rehash, update-ca-certificates or a look-up by hash takes for a certificate."""


class Trust(NamedTuple):
    """SHA-256 of what each way of reading finds."""

    bundle: frozenset[str]
    by_hash: frozenset[tuple[str, str]]
    """With the hash under which OpenSSL's look-up comes to it."""
    directory: frozenset[str]
    """Every file of the folder, as Go and rustls read it."""


def look(path: Path) -> Tree:
    """Entries with type, mode, owner, time and content; a folder's time is left out."""
    found = snapshot(path)
    return {
        name: (*entry[:3], *((None,) if str(entry[0]).startswith("d") else entry[3:4]), entry[4])
        for name, entry in found.items()
    }


def trust(path: Path, case: Case) -> Trust:
    root = os.open(path, os.O_PATH | os.O_DIRECTORY)
    try:
        names = sorted(os.listdir(path / case.store))
        contents = {name: _read(root, f"{case.store}/{name}") for name in names if not name.startswith(STAGED_PREFIX)}
    finally:
        os.close(root)
    whole = {name: frozenset(held(content).trusted) for name, content in contents.items() if content is not None}
    bundle = frozenset() if case.bundle is None else whole.get(os.path.basename(case.bundle), frozenset())
    return Trust(bundle, frozenset(_by_hash(whole)), frozenset().union(*whole.values()))


def _read(root: int, path: str) -> bytes | None:
    """As on the device, by the kernel; None for a link that leads nowhere."""
    try:
        fd = kernel.open_in_root(root, os.fsencode(path), flags=os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with open(fd, "rb") as file:
        return file.read()


def _by_hash(whole: Mapping[str, frozenset[str]]) -> Iterator[tuple[str, str]]:
    """X509_LOOKUP_hash_dir: from number 0 on, as long as there is a file."""
    for value in {found[1] for found in map(_HASH_LINK.fullmatch, whole) if found}:
        number = 0
        while (name := f"{value}.{number}") in whole:
            yield from ((value, sha256) for sha256 in whole[name])
            number += 1


def is_a_defect(errors: str) -> bool:
    """Whether a run was ended by an error that nobody expected."""
    return "Traceback" in errors or "a bug in rootfs-trust" in errors


class Judge:
    """Knows the tree before the run and after an undisturbed one."""

    def __init__(self, case: Case, before: Path, after: Path) -> None:
        self._case = case
        self.look = look
        self.before, self.after = look(before), look(after)
        self._trust_before, self._trust_after = trust(before, case), trust(after, case)

    def faults(self, path: Path, done: Run, *, killed: bool, writing: bool) -> Iterator[str]:
        """What is wrong; ``writing`` says that a call that writes came before the fault, or was it."""
        found = look(path)
        yield from self._halves(found, killed)
        yield from self._losses(trust(path, self._case))
        if not killed:
            yield from self._words(path, found, done, writing)

    def noted(self, path: Path) -> set[str]:
        """Of fleets alone."""
        return set()

    def again(self, output: str, noted: set[str]) -> Iterator[str]:
        """Of fleets alone."""
        yield from ()

    def _halves(self, found: Tree, killed: bool) -> Iterator[str]:
        for name in found.keys() | self.before.keys() | self.after.keys():
            staged = os.path.basename(name).startswith(STAGED_PREFIX)
            if staged:
                yield from self._leftover(name, found[name], killed)
            elif found.get(name) not in (self.before.get(name), self.after.get(name)):
                yield f"{name} is neither as before nor as after: {found.get(name)}"

    def _leftover(self, name: str, entry: tuple[object, ...], killed: bool) -> Iterator[str]:
        if not killed:
            yield f"{name} was left behind"
        if _TAKEN.fullmatch(os.path.basename(name)):
            yield f"{name} has a name of a certificate"
        content = entry[4] if isinstance(entry[4], bytes) else b""
        known = self._trust_before.directory | self._trust_after.directory
        if not set(held(content).trusted) <= known:
            yield f"{name} brings trust of its own"

    def _losses(self, now: Trust) -> Iterator[str]:
        for way, was, will, found in zip(Trust._fields, self._trust_before, self._trust_after, now, strict=True):
            if not found >= was & will:
                yield f"{way} lost {sorted(was & will - found)}"
            if not found <= was | will:
                yield f"{way} won {sorted(found - (was | will))}"

    def _words(self, path: Path, found: Tree, done: Run, writing: bool) -> Iterator[str]:
        """The exit status, and a line that says what was and what was not written."""
        lines = done.errors.splitlines()
        changed = {name for name in found.keys() | self.before.keys() if found.get(name) != self.before.get(name)}
        if done.status == INTERRUPTED:
            # Warnings and notes of the run come before that line.
            defect = is_a_defect(done.errors) or any(" error: " in line for line in lines)
            if defect or lines[-1:] != ["rootfs-trust: interrupted"]:
                yield "does not say that it was interrupted"
        elif done.status == 0:
            if found != self.after:
                yield "ended well, and the tree is not as it should be"
        elif done.status not in ((4,) if writing else (2, 4)):
            yield f"exit status {done.status}"
        elif is_a_defect(done.errors) or len([line for line in lines if " error: " in line]) != 1:
            yield "not one line of error"
        elif done.status == 2 and changed:
            yield "status 2 and something was written"
        elif done.status == 4:
            # rehash takes folders of the host, and names their entries so.
            yield from self._told(lines[-1].replace(f"{path}/", "/"), changed, found)

    def _told(self, line: str, changed: set[str], found: Tree) -> Iterator[str]:
        if "all changes are written" in line:
            if found != self.after:
                yield "says that all changes are written"
            return
        if "nothing was written" in line:
            written = set()
        elif "written before: " in line:
            listed = line.partition("written before: ")[2].partition("; not ")[0]
            written = {path.lstrip("/") for path in listed.split(", ")}
        else:
            yield "does not say what was written"
            return
        # A folder's time is not looked at, and what was gone already is no change.
        if missing := changed - written:
            yield f"does not say that {sorted(missing)} changed"
        if wrong := {name for name in written if found.get(name) != self.after.get(name)}:
            yield f"says that {sorted(wrong)} is written"
