"""Prints outcomes and errors: results to standard output, messages to standard error, as text or JSON."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator

import click

from rootfs_trust.errors import ApplyError, RootfsTrustError, Trouble
from rootfs_trust.outcome import ImageOutcome, Outcome
from rootfs_trust.rootfs.nodes import parent
from rootfs_trust.rootfs.plan import Action, Link

QUIET, NORMAL, VERBOSE = -1, 0, 1

_FEW = 6
"""So many links or removals in one folder are named one by one; more are counted, unless -v asks for each."""

_COUNTED = ("link", "remove")


def print_errors(error: RootfsTrustError, *, as_json: bool) -> None:
    """Every trouble of ``error``: one line each, or the contract's JSON document."""
    if as_json:
        echo_json(
            {
                "errors": [
                    {"id": each.id, "path": each.path, "message": each.message, "hint": each.hint}
                    for each in error.troubles
                ]
            }
        )
        return
    for trouble in error.troubles:
        _message("error", "red", trouble)


def print_outcome(outcome: Outcome, root: str, *, as_json: bool, verbosity: int) -> None:
    """What ``install`` or ``remove`` did or would do. Raises ApplyError."""
    with _reported(outcome):
        if as_json:
            echo_json(_install_document(outcome))
        else:
            _print_text(outcome, f"{root} (layout {outcome.layout})", verbosity)


def print_image_outcome(outcome: ImageOutcome, dest: str, *, as_json: bool, verbosity: int) -> None:
    """What ``image`` did or would do."""
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
            click.echo(line)


def _image_lines(outcome: ImageOutcome, dest: str) -> Iterator[str]:
    """A line for each of several platforms, and one for the whole."""
    if len(outcome.images) > 1:
        yield from (f"  {each.platform}: {each.digest}" for each in outcome.images)
    whole = outcome.outcome
    digest = f": {outcome.digest}" if outcome.digest else ""
    count = f"{len(whole.actions)} change{'s' * (len(whole.actions) != 1)}" if outcome.changed else "No change"
    if whole.dry_run:
        yield f"{count} would be made (layout {whole.layout}){digest}; nothing was written."
    else:
        yield f"{count} in {printable(dest)} (layout {whole.layout}){digest}"


def print_rehash(outcome: Outcome, folders: Iterable[str], *, as_json: bool, verbosity: int) -> None:
    """What ``rehash`` did or would do. Raises ApplyError."""
    with _reported(outcome):
        if as_json:
            echo_json(_outcome_document(outcome))
        else:
            _print_text(outcome, ", ".join(folders), verbosity)


@contextlib.contextmanager
def _reported(outcome: Outcome) -> Iterator[None]:
    """A report that cannot be printed: what it would have told of is done all the same."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        done = "everything is written" if outcome.changed and not outcome.dry_run else "nothing was written"
        message = f"the report cannot be printed: {error.strerror}; {done}"
        raise ApplyError(Trouble("output", "", message, "see where standard output leads")) from error


def print_warnings(warnings: Iterable[Trouble], verbosity: int) -> None:
    """One line each on standard error, unless quiet."""
    if verbosity > QUIET:
        for warning in warnings:
            _message("warning", "yellow", warning)


def action_lines(actions: Iterable[Action], *, each: bool) -> Iterator[str]:
    """A line an action; many links or removals of one folder are counted in one line, unless ``each`` is asked for."""
    actions = list(actions)
    counts = Counter(map(_group, actions))
    told = set()
    for action in actions:
        group = _group(action)
        if each or action.verb not in _COUNTED or counts[group] <= _FEW:
            yield f"  {action.verb:<9}  {printable(action.path)}{_end_of_link(action)}"
        elif group not in told:
            told.add(group)
            yield f"  {action.verb:<9}  {counts[group]} entries in {printable(group[1])}"


def _group(action: Action) -> tuple[str, str]:
    return action.verb, parent(action.path)


def echo_json(document: object) -> None:
    """One JSON document on standard output; bytes of names that are no UTF-8 stay as lone surrogates, escaped."""
    import json

    click.echo(json.dumps(document, indent=2))


def _action_documents(actions: Iterable[Action]) -> list[dict[str, str]]:
    """The ``actions`` of the contract."""
    return [{"action": action.verb, "path": action.path} for action in actions]


def _warning_documents(warnings: Iterable[Trouble]) -> list[dict[str, str]]:
    """The ``warnings`` of the contract, with their hints."""
    return [{"id": each.id, "path": each.path, "message": each.message, "hint": each.hint} for each in warnings]


def _install_document(outcome: Outcome) -> dict[str, object]:
    anchors = [{"name": each.name, "sha256": each.sha256} for each in outcome.anchors]
    return {"layout": outcome.layout, "anchors": anchors, **_outcome_document(outcome)}


def _outcome_document(outcome: Outcome) -> dict[str, object]:
    return {
        "changed": outcome.changed,
        "actions": _action_documents(outcome.actions),
        "warnings": _warning_documents(outcome.warnings),
        "conflicts": [],
    }


def _print_text(outcome: Outcome, where: str, verbosity: int) -> None:
    print_warnings(outcome.warnings, verbosity)
    if verbosity > QUIET:
        for line in action_lines(outcome.actions, each=verbosity >= VERBOSE):
            click.echo(line)
        click.echo(_summary(outcome, printable(where)))


def _summary(outcome: Outcome, where: str) -> str:
    if not outcome.changed:
        return f"Nothing to do: {where} is as it should be."
    count = f"{len(outcome.actions)} change{'s' if len(outcome.actions) > 1 else ''}"
    return f"{count} would be made in {where}; nothing was written." if outcome.dry_run else f"{count} in {where}."


def _end_of_link(action: Action) -> str:
    return f" -> {printable(action.node.points_to)}" if isinstance(action, Link) else ""


def _message(word: str, colour: str, trouble: Trouble) -> None:
    styled = word if os.environ.get("NO_COLOR") else click.style(word, fg=colour)
    click.echo(f"rootfs-trust: {styled}: {printable(str(trouble))}", err=True)


def printable(text: str) -> str:
    """``text`` on one line, whatever names are in it: control characters and undecodable bytes escaped."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
