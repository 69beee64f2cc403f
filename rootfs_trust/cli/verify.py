"""``rootfs-trust verify``."""

from __future__ import annotations

import click

from rootfs_trust.api.clock import FIRST_BOOT, Moment
from rootfs_trust.cli.options import config_option, format_options, parse_time, root_option, state_option, verbosity_of
from rootfs_trust.cli.output import echo
from rootfs_trust.cli.verify_output import print_servers, print_verification


def _moment(text: str) -> Moment:
    return FIRST_BOOT if text == FIRST_BOOT else parse_time(text)


@click.command("verify")
@root_option(required=False)
@click.option(
    "--chain",
    metavar="FILE",
    help="The server's certificates as PEM, its own first; - for standard input. With --fetch: where to save them. "
    "Without it, verify evaluates each [[server]] of the configuration.",
)
@config_option("Read this file instead of ./rootfs-trust.toml for its [[server]] tables.")
@click.option("--hostname", metavar="NAME", help="The host name or IP address that the device connects to.")
@click.option(
    "--at",
    type=_moment,
    metavar="TIME|first-boot",
    help="Check at this time (default: now). first-boot: the time at which the clock of a device starts.",
)
@click.option("--client", "clients", multiple=True, metavar="NAME", help="Check only this client. Can be repeated.")
@click.option(
    "--fetch",
    metavar="HOST:PORT",
    help="Connect to this server and save its certificate chain to FILE. No other option uses the network.",
)
@state_option
@format_options(
    "text", "json", quiet="Print nothing; only set the exit status.", verbose="Also print the version of OpenSSL."
)
def command(
    root: str | None,
    chain: str | None,
    config: str | None,
    hostname: str | None,
    at: Moment,
    clients: tuple[str, ...],
    fetch: str | None,
    states: tuple[str, ...],
    format_: str,
    quiet: bool,
    verbose: bool,
) -> int:
    """Check whether each TLS client of a root filesystem would trust a server, and until when.

    verify reads what each client would read on the device, and a saved chain. It runs no program of the rootfs and
    opens no connection. Exit status: 0 all clients trust the server, 1 some refuse it, 2 wrong input.

    \b
    Examples:
      rootfs-trust verify --root ./rootfs --chain server.pem --hostname mqtt.example.com
      rootfs-trust verify --root ./rootfs --chain server.pem --at 2030-01-01 --client go --client java
      rootfs-trust verify --root ./rootfs --chain server.pem --at first-boot
      rootfs-trust verify --root ./rootfs --config rootfs-trust.toml
      rootfs-trust verify --fetch mqtt.example.com:8883 --chain server.pem
    """
    verbosity = verbosity_of(quiet, verbose)
    if chain is None:
        return _servers(root, config, at, states, given=(hostname, clients, fetch), as_json=format_ == "json")
    if fetch is not None:
        _fetch(fetch, chain, [root] if root else [], verbosity)
    if root is not None:
        from rootfs_trust.api.verify import verify

        verification = verify(root, chain, hostname=hostname, at=at, clients=clients, states=states)
        print_verification(verification, as_json=format_ == "json", verbosity=verbosity)
        return int(not verification.trusted)
    if fetch is None:
        raise click.UsageError("verify needs --root DIR to evaluate a saved chain, or --fetch HOST:PORT to save one")
    return 0


def _servers(
    root: str | None,
    config: str | None,
    at: Moment,
    states: tuple[str, ...],
    *,
    given: tuple[object, ...],
    as_json: bool,
) -> int:
    """Evaluate the servers of the configuration. ``given`` are options that are valid only with ``--chain``."""
    if any(given):
        raise click.UsageError("--hostname, --client and --fetch need --chain FILE")
    if root is None or config is None:
        raise click.UsageError("verify needs --root DIR, and --chain FILE or a --config with [[server]] tables")
    from rootfs_trust.api.verify import verify_servers

    verification = verify_servers(root, config, at=at, states=states)
    print_servers(verification, as_json=as_json)
    return int(not verification.holds)


def _fetch(server: str, file: str, trees: list[str], verbosity: int) -> None:
    from rootfs_trust.api.fetch import fetch

    count = fetch(server, file, trees)
    if verbosity >= 0:
        echo(f"Saved {count} certificate{'s' if count != 1 else ''} of {server} to {file}.", err=True)
