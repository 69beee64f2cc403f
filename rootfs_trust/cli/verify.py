"""``rootfs-trust verify``."""

from __future__ import annotations

import sys
from datetime import datetime

import click

from rootfs_trust.cli.options import output_options, parse_time, state_option, verbosity_of
from rootfs_trust.cli.verify_output import print_verification


@click.command("verify")
@click.option("--root", metavar="DIR", help="The root filesystem: what becomes / on the device.")
@click.option(
    "--chain",
    required=True,
    metavar="FILE",
    help="The server's certificates as PEM, its own first; - for standard input. With --fetch: where to save them.",
)
@click.option("--hostname", metavar="NAME", help="The name or IP address by which the device calls the server.")
@click.option("--at", type=parse_time, metavar="TIME", help="Judge at this time instead of now.")
@click.option(
    "--client", "clients", multiple=True, metavar="NAME", help="Judge for this client alone; may be repeated."
)
@click.option(
    "--fetch",
    metavar="HOST:PORT",
    help="Connect to this server and save its chain to the new FILE. Nothing else here ever opens a connection.",
)
@state_option
@output_options
def command(
    root: str | None,
    chain: str,
    hostname: str | None,
    at: datetime | None,
    clients: tuple[str, ...],
    fetch: str | None,
    states: tuple[str, ...],
    format_: str,
    quiet: bool,
    verbose: bool,
) -> None:
    """Tell for each TLS client of a root filesystem whether it would trust a server, and until when.

    The verdicts come from what each client would read on the device, and from a chain that was saved: no program of
    the rootfs is run, and no server is asked. Exit status: 0 all clients trust it, 1 some refuse, 2 bad input.

    \b
    Examples:
      rootfs-trust verify --root ./rootfs --chain server.pem --hostname mqtt.example.com
      rootfs-trust verify --root ./rootfs --chain server.pem --at 2030-01-01 --client go --client java
      rootfs-trust verify --fetch mqtt.example.com:8883 --chain server.pem
    """
    verbosity = verbosity_of(quiet, verbose)
    if fetch is not None:
        _fetch(fetch, chain, verbosity)
    if root is not None:
        from rootfs_trust.api.verify import verify

        verification = verify(root, chain, hostname=hostname, at=at, clients=clients, states=states)
        print_verification(verification, as_json=format_ == "json", verbosity=verbosity)
        sys.exit(0 if verification.trusted else 1)
    if fetch is None:
        raise click.UsageError("give --root DIR to judge a saved chain, or --fetch HOST:PORT to save one")


def _fetch(server: str, file: str, verbosity: int) -> None:
    from rootfs_trust.api.fetch import fetch

    count = fetch(server, file)
    if verbosity >= 0:
        click.echo(f"Saved {count} certificate{'s' if count != 1 else ''} of {server} to {file}.", err=True)
