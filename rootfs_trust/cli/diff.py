"""``rootfs-trust diff``."""

from __future__ import annotations

import click

from rootfs_trust.api.diff import diff
from rootfs_trust.audit.tree_diff import Difference, RenewedAnchor, told
from rootfs_trust.cli.anchors import document
from rootfs_trust.cli.options import format_options, root_data_option, state_option
from rootfs_trust.cli.output import echo, echo_json


@click.command("diff")
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@state_option
@root_data_option
@format_options("text", "json", quiet="Print nothing; only set the exit status.", verbose="Also print subjects.")
def command(
    before: str,
    after: str,
    states: tuple[str, ...],
    root_data: str | None,
    format_: str,
    quiet: bool,
    verbose: bool,
) -> int:
    """Compare the anchors and trust settings of two root filesystems, A and B.

    A CA with the same name and key but another certificate is printed as renewed. If the table of public roots knows
    why a root was removed, the reason is printed. --state is applied to B. Exit status: 0 no difference, 1 they differ.

    \b
    Examples:
      rootfs-trust diff last-release/rootfs ./rootfs
      rootfs-trust diff ./rootfs ./rootfs --state copy:/etc/tedge=./old-etc-tedge
    """
    found = diff(before, after, states=states, root_data=root_data)
    if format_ == "json":
        echo_json(_document(found))
    elif not quiet:
        for line in told(found, verbose=verbose):
            echo(line)
        if not found:
            echo(f"No difference in trust between {before} and {after}.")
    return 1 if found else 0


def _document(found: Difference) -> dict[str, object]:
    return {
        "added": [document(anchor) for anchor in found.added],
        "removed": [{**document(each), "reason": found.reasons.get(each.certificate.sha256)} for each in found.removed],
        "renewed": [_pair(pair) for pair in found.renewed],
        "outputs": [_pair(pair) for pair in found.moved],
        "settings": [change._asdict() for change in found.settings],
    }


def _pair(pair: RenewedAnchor) -> dict[str, object]:
    return {"before": document(pair.before), "after": document(pair.after)}
