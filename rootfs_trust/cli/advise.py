"""``rootfs-trust advise``."""

from __future__ import annotations

from datetime import date, datetime

import click

from rootfs_trust.cli.options import (
    at_option,
    config_option,
    output_options,
    root_data_option,
    root_option,
    verbosity_of,
)


def _day(_: click.Context, __: click.Parameter, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not a day; use a form such as 2031-01-01") from error


@click.command("advise")
@root_option("The root filesystem whose trusted certificates and clients are used.", required=False)
@config_option("Read the [[server]] tables of this file instead of ./rootfs-trust.toml.")
@click.option("--until", required=True, metavar="DAY", callback=_day, help="The last day of the image: 2031-01-01.")
@click.option("-o", "--output", metavar="FILE", help="Write the configuration with the advised anchors to this file.")
@at_option("Evaluate at this time (default: now).")
@root_data_option
@output_options
def command(
    root: str | None,
    config: str | None,
    until: date,
    output: str | None,
    at: datetime | None,
    root_data: str | None,
    format_: str,
    quiet: bool,
    verbose: bool,
) -> int:
    """Propose the smallest set of anchors with which every [[server]] still connects, now and until a day.

    Candidates are the anchors of the configuration, its [store] roots, and with --root everything that a client of the
    root filesystem trusts. Each anchor is printed with the servers and clients that need it. --output writes a
    configuration with base = "none" and only these anchors. advise proves the result: it computes what install would
    do with that configuration, and evaluates each client of the resulting tree, now and on that day. Exit status: 0
    every server is trusted until the day, 1 some are not (then no file is written).

    \b
    Examples:
      rootfs-trust advise --root ./rootfs --until 2031-01-01
      rootfs-trust advise --root ./rootfs --config edge.toml --until 2031-01-01 -o least.toml
    """
    if config is None:
        raise click.UsageError("advise needs a --config with [[server]] tables")
    from rootfs_trust.api.advise import advise
    from rootfs_trust.cli.advise_output import print_advice

    result = advise(config, until, root=root, output=output, at=at, root_data=root_data)
    print_advice(result, root=root, as_json=format_ == "json", verbosity=verbosity_of(quiet, verbose))
    return int(not result.holds)
