"""``rootfs-trust check``."""

from __future__ import annotations

from datetime import datetime

import click

from rootfs_trust.api.check import CheckOptions, check
from rootfs_trust.api.check_inputs import check_inputs
from rootfs_trust.audit.findings import ERROR, LEVELS, WARNING
from rootfs_trust.cli import sarif
from rootfs_trust.cli.check_output import document, fitted, lines, summary
from rootfs_trust.cli.options import (
    at_option,
    config_option,
    format_options,
    root_data_option,
    root_option,
    state_option,
    verbosity_of,
)
from rootfs_trust.cli.output import NORMAL, echo, echo_json, print_warnings
from rootfs_trust.cli.table import terminal_width


@click.command("check")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@root_option("The root filesystem: a directory, an archive or an image file (FILE#N: partition N).", required=False)
@config_option("A rootfs-trust.toml: its policy, and the anchors that must be installed.")
@at_option()
@click.option(
    "--fail-on",
    type=click.Choice(LEVELS),
    default=WARNING,
    show_default=True,
    help="Exit with status 1 if a finding has this level or a more severe one.",
)
@click.option("--select", multiple=True, metavar="ID", help="Report only this finding. Can be repeated.")
@click.option("--ignore", multiple=True, metavar="ID", help="Do not report this finding. Can be repeated.")
@click.option(
    "--cloud",
    "clouds",
    multiple=True,
    metavar="c8y|aws|az[@PROFILE]",
    help="Also expect the roots that this cloud documents, not only those of configured clouds. Can be repeated.",
)
@state_option
@root_data_option
@format_options(
    "text",
    "json",
    "sarif",
    quiet="Print only findings of level error.",
    verbose="Print every finding, and why it matters.",
)
def command(
    files: tuple[str, ...],
    root: str | None,
    config: str | None,
    at: datetime | None,
    fail_on: str,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    clouds: tuple[str, ...],
    states: tuple[str, ...],
    root_data: str | None,
    format_: str,
    quiet: bool,
    verbose: bool,
) -> int:
    """Find problems in the trust store and the trust settings of a root filesystem.

    Each finding has an id, which docs/findings.md explains, and a fix. If a command of rootfs-trust fixes it on this
    tree, the fix is that command; check tries it in memory first. Of several findings with one cause, three are shown.
    Without --config, check uses rootfs-trust.toml in the current directory, if it exists.
    With FILEs instead of --root, check checks inputs of install: certificate files for private keys and damage, a
    rootfs-trust.toml for everything that install would refuse.
    Exit status: 0 no finding of the level of --fail-on or above, 1 findings, 2 refused input.

    \b
    Examples:
      rootfs-trust check --root ./rootfs
      rootfs-trust check --root ./rootfs --fail-on error --ignore expires-soon
      rootfs-trust check --root ./rootfs --at 2030-01-01 --format json
      rootfs-trust check --root ./rootfs --format sarif > trust.sarif
      rootfs-trust check certs/ rootfs-trust.toml
    """
    if root is None or files:
        return _check_inputs(root, files, at, format_, verbosity_of(quiet, verbose))
    options = CheckOptions(at, config, select, ignore, states, root_data, clouds)
    found = check(root, options)
    if format_ == "json":
        echo_json({"findings": [document(finding) for finding in found]})
    elif format_ == "sarif":
        echo_json(sarif.document(found))
    else:
        shown = tuple(finding for finding in found if finding.level == ERROR) if quiet else found
        columns = terminal_width()
        for prefix, text in lines(shown, root, verbose=verbose):
            for start, line in fitted(prefix, text, columns):
                echo(line, prefix=start)
        if not quiet:
            echo(summary(found, root))
    return int(any(LEVELS.index(finding.level) <= LEVELS.index(fail_on) for finding in found))


def _check_inputs(root: str | None, files: tuple[str, ...], at: datetime | None, format_: str, verbosity: int) -> int:
    """Check the inputs of ``install``. Raises InputError with every problem."""
    if root is not None or not files:
        raise click.UsageError("pass --root DIR, or the FILEs that you will pass to install")
    print_warnings(check_inputs(files, at), verbosity)
    if format_ == "json":
        echo_json({"findings": []})
    elif format_ == "sarif":
        echo_json(sarif.document(()))
    elif verbosity >= NORMAL:
        echo(f"{len(files)} input{'s' * (len(files) != 1)} can be installed.")
    return 0
