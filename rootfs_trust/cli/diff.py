"""``rootfs-trust diff``."""

from __future__ import annotations

import click

from rootfs_trust.api.diff import diff
from rootfs_trust.audit.difference import Difference, Renewal, told
from rootfs_trust.cli.anchors import document
from rootfs_trust.cli.options import format_options, state_option
from rootfs_trust.cli.output import echo_json, printable


@click.command("diff")
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@state_option
@format_options("text", "json")
def command(before: str, after: str, states: tuple[str, ...], format_: str, quiet: bool, verbose: bool) -> int:
    """Tell what B trusts and A does not, and the other way round, and the settings in which they differ.

    A and B are root filesystems. A CA with the same name and key and another certificate is renewed. --state lies
    over B. Exit status: 0 no difference, 1 they differ.

    \b
    Examples:
      rootfs-trust diff last-release/rootfs ./rootfs
      rootfs-trust diff ./rootfs ./rootfs --state copy:/etc/tedge=./old-etc-tedge
    """
    found = diff(before, after, states=states)
    if format_ == "json":
        echo_json(_document(found))
    elif not quiet:
        for line in told(found, verbose=verbose):
            click.echo(printable(line))
        if not found:
            click.echo(f"No difference in trust between {printable(before)} and {printable(after)}.")
    return 1 if found else 0


def _document(found: Difference) -> dict[str, object]:
    return {
        "added": [document(anchor) for anchor in found.added],
        "removed": [document(anchor) for anchor in found.removed],
        "renewed": [_pair(pair) for pair in found.renewed],
        "outputs": [_pair(pair) for pair in found.moved],
        "settings": [change._asdict() for change in found.settings],
    }


def _pair(pair: Renewal) -> dict[str, object]:
    return {"before": document(pair.before), "after": document(pair.after)}
