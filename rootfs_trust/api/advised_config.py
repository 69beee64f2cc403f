"""The files that ``advise`` writes: the config with only the advised anchors, and the certificates that it did not have
yet.

The text of the config is edited, so that its comments, servers and policy stay.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

from rootfs_trust.audit.advice import Advice, Advised
from rootfs_trust.errors import CONFIG, CONFLICT, USAGE, ConflictError, InputError, refuse
from rootfs_trust.inputs.certificates import certificates
from rootfs_trust.inputs.config import AnchorTable, Config
from rootfs_trust.inputs.config_reader import parse_toml, read_text
from rootfs_trust.inputs.files import read_inputs
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.text import as_toml, printable
from rootfs_trust.times import EARLIEST
from rootfs_trust.toml_editor.statements import Statement, cut
from rootfs_trust.x509 import encode
from rootfs_trust.x509.constrained import original_of

_DIRECTORY = "anchors"
"""The directory next to the config for advised anchors that the config does not contain yet."""

_ANCHOR, _BASE = ("anchor",), ("store", "base")


class _Added(NamedTuple):
    """An anchor that is added to the config. ``file`` is relative to the config."""

    anchor: Anchor
    file: str
    needed: str

    @property
    def table(self) -> dict[str, str]:
        return {"file": self.file, "name": self.anchor.name, "sha256": self.anchor.certificate.sha256}

    @property
    def text(self) -> str:
        pairs = "".join(f"{key} = {as_toml(value)}\n" for key, value in self.table.items())
        return f"\n[[anchor]]  # {printable(self.needed)}\n{pairs}"


def advised_files(
    config: Config, anchors: Sequence[Anchor], advice: Advice, output: str, until: date
) -> Iterator[tuple[str, bytes]]:
    """Yield the path and content of each file to write, the config last. Raises InputError or ConflictError before the
    first one.

    ``anchors`` are those of ``advice``, under the names that they get.
    """
    folder = os.path.dirname(output)
    if os.path.realpath(folder or ".") != os.path.dirname(os.path.realpath(config.path)):
        hint = "its paths are relative to its own directory"
        raise InputError(USAGE(output, f"is not in the directory of {config.path}", hint))
    wanted = {original_of(each.certificate) or each.certificate.sha256 for each in anchors}
    kept = [bool(digests) and digests <= wanted for digests in map(_digests, config.anchors)]
    there = set().union(*(_digests(table) for table, keep in zip(config.anchors, kept, strict=True) if keep))
    added = [
        _Added(anchor, f"{_DIRECTORY}/{anchor.name}.pem", needed_for(each))
        for anchor, each in zip(anchors, advice.anchors, strict=True)
        if (original_of(anchor.certificate) or anchor.certificate.sha256) not in there
    ]
    text = _edited(read_text(config.path), config.path, kept, added, until)
    files = [(os.path.join(folder, each.file), encode(each.anchor.certificate.der)) for each in added]
    _refuse_others(files)
    if files:
        os.makedirs(os.path.join(folder, _DIRECTORY), exist_ok=True)
    return iter((*files, (output, text.encode())))


def needed_for(advised: Advised) -> str:
    """Return the reason for a proposed anchor: the servers and clients that need it, or the root that it replaces."""
    if advised.successor_of:
        return f"follows {advised.successor_of} ({advised.source})"
    needs = (f"{need.server} ({'every client' if need.every else ', '.join(need.clients)})" for need in advised.needs)
    return f"needed for {', '.join(needs)}"


def _digests(table: AnchorTable) -> set[str]:
    files = (file for file in read_inputs([table.file]).files if file.wanted)
    return {each.certificate.sha256 for file in files for each in certificates(file.path, file.data, EARLIEST).found}


def _refuse_others(files: Sequence[tuple[str, bytes]]) -> None:
    problems = []
    for path, content in files:
        if os.path.lexists(path) and not _holds(path, content):
            problems.append(CONFLICT(path, "already exists with other content", "move it away"))
    refuse(ConflictError, problems)


def _holds(path: str, content: bytes) -> bool:
    try:
        with open(path, "rb") as file:
            return os.path.isfile(path) and file.read(len(content) + 1) == content
    except OSError:
        return False


# -- the text of the config -----------------------------------------------------------------------------------


def _edited(text: str, path: str, kept: Sequence[bool], added: Sequence[_Added], until: date) -> str:
    """Return the text of the advised config. Raises InputError if the tables are written in a way that cannot be
    edited.
    """
    wanted = parse_toml(text, path)
    tables = [table for table, keep in zip(wanted.pop("anchor", []), kept, strict=True) if keep]
    wanted = {**wanted, "store": {**wanted.get("store", {}), "base": "none"}}
    if tables or added:
        wanted["anchor"] = [*tables, *(each.table for each in added)]
    lines = _with_base(_without_anchors(cut(text if text.endswith("\n") else f"{text}\n"), kept))
    tail = f"\n# Advised for every [[server]] until {until}.\n{''.join(each.text for each in added)}" if added else ""
    result = f"{''.join(lines)}{tail}"
    if _read(result, path) != wanted:
        message = "cannot be edited safely: [store] and [[anchor]] are not written with headers"
        raise InputError(CONFIG(path, message, "write them with headers, then run again"))
    return result


def _read(text: str, path: str) -> dict[str, Any] | None:
    try:
        return parse_toml(text, path)
    except InputError:
        return None


def _without_anchors(statements: Sequence[Statement], kept: Sequence[bool]) -> Iterator[Statement]:
    """Yield the statements without the ``[[anchor]]`` tables to delete. Comments are kept."""
    number, keep = -1, True
    for each in statements:
        if each.is_header:
            number += each.path == _ANCHOR
            keep = each.path != _ANCHOR or kept[number]
        if keep or each.kind in ("comment", "empty"):
            yield each


def _with_base(statements: Iterator[Statement]) -> list[str]:
    """Return the lines with ``base = "none"`` in the table ``[store]``."""
    found = list(statements)
    if any(each.path == _BASE for each in found):
        return [each.with_value('"none"') if each.path == _BASE else each.text for each in found]
    header = next((each for each in found if each.kind == "header" and each.path == _BASE[:1]), None)
    if header is None:
        first = next((number for number, each in enumerate(found) if each.is_header), len(found))
        lines = [each.text for each in found]
        return [*lines[:first], '[store]\nbase = "none"\n\n', *lines[first:]]
    return [line for each in found for line in ([each.text, 'base = "none"\n'] if each is header else [each.text])]
