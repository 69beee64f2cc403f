"""Print outcomes to standard output, and errors and warnings to standard error, as text or JSON."""

from __future__ import annotations

import contextlib
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator

import click

from rootfs_trust.cli.streams import OutputError
from rootfs_trust.errors import Problem, RootfsTrustError
from rootfs_trust.outcome import ImageOutcome, InstalledAnchor, Outcome
from rootfs_trust.rootfs.plan import Action, Link
from rootfs_trust.rootfs.view import parent
from rootfs_trust.text import as_json, printable

QUIET, NORMAL, VERBOSE = -1, 0, 1

_FEW = 6
"""Maximum number of links or removals in one directory that are listed without ``-v``; more are counted."""

_COUNTED = ("link", "remove")


def print_errors(error: RootfsTrustError, *, as_json: bool) -> None:
    """Print each problem of ``error`` once: one line each, or one JSON document."""
    problems = dict.fromkeys(error.problems)
    if as_json:
        echo_json(
            {
                "errors": [
                    {"id": each.id, "path": each.path, "message": each.message, "hint": each.hint} for each in problems
                ]
            }
        )
        return
    for problem in problems:
        _message("error", "red", problem)


def print_outcome(outcome: Outcome, root: str, *, as_json: bool, verbosity: int) -> None:
    """Print what ``install`` or ``remove`` did or would do. Raises OutputError."""
    with _reported(outcome):
        if as_json:
            echo_json(_install_document(outcome))
        else:
            _print_text(outcome, f"{root} (layout {outcome.layout})", verbosity)


def print_image_outcome(outcome: ImageOutcome, dest: str, *, as_json: bool, verbosity: int) -> None:
    """Print what ``image`` did or would do."""
    if as_json:
        images = [
            {"platform": each.platform, "digest": each.digest, "changed": each.changed, "layout": each.outcome.layout}
            for each in outcome.images
        ]
        document = {**_install_document(outcome.outcome), "changed": outcome.changed, "digest": outcome.digest}
        echo_json({**document, "images": images})
        return
    print_warnings(outcome.outcome.warnings, verbosity)
    if verbosity > QUIET:
        for line in [*action_lines(outcome.outcome.actions, each=verbosity >= VERBOSE), *_image_lines(outcome, dest)]:
            echo(line)


def _image_lines(outcome: ImageOutcome, dest: str) -> Iterator[str]:
    """Return a line for each of several platforms, and a summary line."""
    if len(outcome.images) > 1:
        yield from (f"  {each.platform}: {each.digest}" for each in outcome.images)
    whole = outcome.outcome
    digest = f": {outcome.digest}" if outcome.digest else ""
    count = f"{len(whole.actions)} change{'s' * (len(whole.actions) != 1)}" if outcome.changed else "No change"
    if whole.dry_run:
        yield f"{count} would be made (layout {whole.layout}){digest}; nothing was written."
    else:
        yield f"{count} in {dest} (layout {whole.layout}){digest}"


def print_rehash(outcome: Outcome, folders: Iterable[str], *, as_json: bool, verbosity: int) -> None:
    """Print what ``rehash`` did or would do. Raises OutputError."""
    with _reported(outcome):
        if as_json:
            echo_json(_outcome_document(outcome))
        else:
            _print_text(outcome, ", ".join(folders), verbosity)


@contextlib.contextmanager
def _reported(outcome: Outcome) -> Iterator[None]:
    """If printing raises OutputError, add to its message whether the root filesystem was already changed."""
    try:
        yield
        sys.stdout.flush()
    except OutputError as error:
        done = "all changes are written" if outcome.changed and not outcome.dry_run else "nothing was written"
        problem = error.problems[0]
        raise OutputError(problem._replace(message=f"{problem.message}; {done}")) from error


def print_warnings(warnings: Iterable[Problem], verbosity: int) -> None:
    """Print one line per warning to standard error, unless quiet."""
    if verbosity > QUIET:
        for warning in warnings:
            _message("warning", "yellow", warning)


def action_lines(actions: Iterable[Action], *, each: bool) -> Iterator[str]:
    """Return one line per action. Without ``each``, many links or removals in one directory share a line."""
    actions = list(actions)
    counts = Counter(map(_group, actions))
    told = set()
    for action in actions:
        group = _group(action)
        if each or action.verb not in _COUNTED or counts[group] <= _FEW:
            yield f"  {action.verb:<9}  {action.path}{_end_of_link(action)}"
        elif group not in told:
            told.add(group)
            yield f"  {action.verb:<9}  {counts[group]} entries in {group[1]}"


def _group(action: Action) -> tuple[str, str]:
    return action.verb, parent(action.path)


def echo(text: str = "", *, prefix: str = "", err: bool = False) -> None:
    """Print one line. ``text`` may be untrusted and is escaped; ``prefix`` is trusted and may be coloured."""
    click.echo(f"{prefix}{printable(text)}", err=err)


def echo_json(document: object, *, indent: int | None = 2) -> None:
    """Print one JSON document. Bytes of names that are not UTF-8 are escaped as lone surrogates."""
    click.echo(as_json(document, indent=indent))


def coloured(word: str, colour: str) -> str:
    """Return ``word`` in a colour, unless NO_COLOR is set."""
    return word if os.environ.get("NO_COLOR") else click.style(word, fg=colour)


def _warning_documents(warnings: Iterable[Problem]) -> list[dict[str, str]]:
    """Return the value of ``warnings`` in the JSON document."""
    return [{"id": each.id, "path": each.path, "message": each.message, "hint": each.hint} for each in warnings]


def _install_document(outcome: Outcome) -> dict[str, object]:
    anchors = [_anchor_document(each) for each in outcome.anchors]
    return {"layout": outcome.layout, "anchors": anchors, **_outcome_document(outcome)}


def _anchor_document(anchor: InstalledAnchor) -> dict[str, str]:
    original = {} if anchor.original_sha256 is None else {"original_sha256": anchor.original_sha256}
    return {"name": anchor.name, "sha256": anchor.sha256, **original}


def _outcome_document(outcome: Outcome) -> dict[str, object]:
    return {
        "changed": outcome.changed,
        "actions": [{"action": action.verb, "path": action.path} for action in outcome.actions],
        "warnings": _warning_documents(outcome.warnings),
        "conflicts": [],
    }


def _print_text(outcome: Outcome, where: str, verbosity: int) -> None:
    print_warnings(outcome.warnings, verbosity)
    if verbosity > QUIET:
        for line in action_lines(outcome.actions, each=verbosity >= VERBOSE):
            echo(line)
        echo(_summary(outcome, where))
        if step := _next_step(outcome):
            echo(step)


def _summary(outcome: Outcome, where: str) -> str:
    if not outcome.changed:
        return f"Nothing to do: {where} is up to date."
    count = f"{len(outcome.actions)} change{'s' if len(outcome.actions) > 1 else ''}"
    return f"{count} would be made in {where}; nothing was written." if outcome.dry_run else f"{count} in {where}."


def _next_step(outcome: Outcome) -> str:
    """Return the next step for the user; empty if there is none."""
    if not outcome.warnings:
        return ""
    from rootfs_trust.audit.checks.private_stores import is_unseen

    if any(is_unseen(each.id) for each in outcome.warnings):
        return "Next: add --runtimes auto if programs of the runtimes above connect to a server of this CA."
    return ""


def _end_of_link(action: Action) -> str:
    return f" -> {action.node.points_to}" if isinstance(action, Link) else ""


def _message(word: str, colour: str, problem: Problem) -> None:
    echo(str(problem), prefix=f"rootfs-trust: {coloured(word, colour)}: ", err=True)
