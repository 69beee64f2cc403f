"""Output of ``check``: findings as JSON, and as text with one paragraph per cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from textwrap import wrap

import click

from rootfs_trust.audit.findings import ERROR, LEVELS, NOTE, WARNING, Finding
from rootfs_trust.cli.output import coloured
from rootfs_trust.rootfs.view import parent
from rootfs_trust.text import printable

_COLOURS = {ERROR: "red", WARNING: "yellow", NOTE: "cyan"}
_FEW = 3
"""Maximum number of findings of one kind in one directory that are printed without ``-v``."""

Lines = Iterator[tuple[str, str]]
"""Lines as arguments of ``echo``: a coloured prefix, and untrusted text."""


def document(finding: Finding) -> dict[str, object]:
    """Return the JSON object of one finding."""
    return {
        "id": finding.id,
        "level": finding.level,
        "path": finding.path,
        "line": finding.line or None,
        "message": finding.message,
        "why": finding.kind.why,
        "fix": finding.fix,
        "command": finding.command or None,
        **({"sha256": finding.sha256} if finding.sha256 else {}),
        **_expectation(finding),
    }


def _expectation(finding: Finding) -> dict[str, object]:
    about = finding.expectation
    return {} if about is None else {"server": about.server, "client": about.client or None}


def fitted(prefix: str, text: str, columns: int | None) -> Lines:
    """Wrap a line of :func:`lines` to at most ``columns`` characters (None: no limit). Commands and long paths are not
    wrapped, so that they can be copied.
    """
    text = printable(text)
    if columns is None or text.startswith("    fix: run "):
        yield prefix, text
        return
    level = click.unstyle(prefix)
    first, *rest = wrap(
        level + text, max(columns, 24), subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
    yield prefix, first.removeprefix(level)
    yield from (("", line) for line in rest)


def lines(found: Sequence[Finding], root: str, *, verbose: bool) -> Lines:
    """Return the findings as text, grouped by kind, and then by cause or directory.

    Findings about the whole tree have the host path ``root`` instead of ``/``, which would be read as the host's.
    """
    found = [replace(finding, path=root) if finding.path == "/" else finding for finding in found]
    kinds: dict[tuple[str, str], dict[str, list[Finding]]] = {}
    for finding in found:
        groups = kinds.setdefault((finding.level, finding.id), {})
        groups.setdefault(finding.cause or _server(finding) or parent(finding.path), []).append(finding)
    notes = [id_ for level, id_ in kinds if level == NOTE]
    for (level, _), groups in kinds.items():
        if verbose or level != NOTE or len(notes) <= _FEW:
            yield from _kind(list(groups.values()), verbose=verbose)
    if not verbose and len(notes) > _FEW:
        counts = Counter(finding.id for finding in found if finding.level == NOTE)
        yield _level(NOTE), f" {', '.join(f'{count} {id_}' for id_, count in counts.most_common())}; -v shows them"


def summary(found: Sequence[Finding], root: str) -> str:
    """Return a line with the number of findings of each level."""
    counts = Counter(finding.level for finding in found)
    parts = [f"{counts[level]} {level}{'' if counts[level] == 1 else 's'}" for level in LEVELS if counts[level]]
    return f"{', '.join(parts) or 'Nothing found'} in {root}."


def _kind(groups: Sequence[Sequence[Finding]], *, verbose: bool) -> Lines:
    every = [finding for group in groups for finding in group]
    first = every[0]
    if first.level == NOTE and not verbose and len(every) > _FEW and len(groups) > 1:
        yield _level(NOTE), f" {first.id}: {len(every)} times: {_finding_names(every, verbose=False)}; -v names all"
        return
    shown = groups if verbose else groups[:_FEW]
    one_fix = len({finding.fix for group in shown for finding in group}) == 1
    for group in shown:
        yield from _paragraph(group, verbose=verbose, with_fix=not one_fix)
    if rest := sum(map(len, groups[len(shown) :])):
        yield _level(first.level), f" {first.id}: {rest} more in other places; -v names all"
    if verbose:
        yield "", f"    why: {first.kind.why}"
    if one_fix and (verbose or first.level != NOTE):
        yield "", f"    fix: {first.fix}"


def _paragraph(group: Sequence[Finding], *, verbose: bool, with_fix: bool) -> Lines:
    first = group[0]
    with_fix &= verbose or first.level != NOTE
    if first.cause and len(group) > 1:
        yield from _of_one_cause(group, verbose=verbose)
        if with_fix:
            fixes = {finding.fix for finding in group}
            yield "", f"    fix: {first.fix if len(fixes) == 1 else first.kind.fix}"
        return
    if _server(first) and len(group) > 1 and not verbose:
        yield from _of_one_server(group)
        if with_fix:
            yield "", f"    fix: {first.fix}"
        return
    shown = group if verbose else group[:_FEW]
    yield from _finding_lines(shown, with_fixes=with_fix)
    if len(group) > len(shown):
        yield _level(first.level), f" {first.id}: {_others(group)}; -v names all"


def _of_one_cause(group: Sequence[Finding], *, verbose: bool) -> Lines:
    first = group[0]
    several = "roots" if first.id.startswith("root-") else "anchors"
    what = f"{several}, each of which {first.cause}" if first.name else first.cause
    yield _level(first.level), f" {first.id}: {len(group)} {what}: {_finding_names(group, verbose=verbose)}"


def _server(finding: Finding) -> str:
    return finding.expectation.server if finding.expectation else ""


def _of_one_server(group: Sequence[Finding]) -> Lines:
    """Return one line for all clients with the same finding about a server, with the reason of the first client."""
    first = group[0]
    clients = [finding.expectation.client for finding in group if finding.expectation]
    count = f"{len(clients)} clients"
    yield _level(first.level), f" {first.id}: {count}; {first.message}"
    yield "", f"    also: {', '.join(clients[1:])}"


def _finding_names(group: Sequence[Finding], *, verbose: bool) -> str:
    names = [finding.name or finding.path.rpartition("/")[2] for finding in (group if verbose else group[:_FEW])]
    return ", ".join(names) + _more(len(group) - len(names))


def _more(count: int) -> str:
    return f" and {count} other{'' if count == 1 else 's'}" if count else ""


def _finding_lines(shown: Sequence[Finding], *, with_fixes: bool) -> Lines:
    for finding in shown:
        line = f":{finding.line}" if finding.line else ""
        yield _level(finding.level), f" {finding.id}: {finding.path}{line}: {finding.message}"
        if with_fixes:
            yield "", f"    fix: {finding.fix}"


def _others(group: Sequence[Finding]) -> str:
    paths = {finding.path for finding in group}
    return f"{len(group) - _FEW} more {'at' if len(paths) == 1 else 'in'} {_place(paths)}"


def _place(paths: set[str]) -> str:
    return next(iter(paths)) if len(paths) == 1 else parent(next(iter(paths)))


def _level(level: str) -> str:
    return coloured(level, _COLOURS[level])
