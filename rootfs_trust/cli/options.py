"""Options that several commands share, and functions that read their values."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

from rootfs_trust.runtimes.names import NAMES

_LONGEST_TIME = 11
"""Maximum number of digits of a time in seconds; enough until the year 5138."""

Command = TypeVar("Command", bound=Callable[..., Any])


def parse_time(text: str) -> datetime:
    """Parse a point in time: seconds since 1970, or RFC 3339. A date without a time means midnight in UTC."""
    try:
        return datetime.fromtimestamp(int(text), UTC) if text.isascii() and text.isdigit() else _iso(text)
    except (ValueError, OverflowError, OSError) as error:
        raise click.BadParameter(
            f"{text!r} is not a time; use seconds since 1970, or a form such as 2027-01-31T12:00:00Z"
        ) from error


def _iso(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def timestamp_of(option: datetime | None) -> int | None:
    """Return the time for written files, in seconds since 1970, from ``--timestamp`` or else SOURCE_DATE_EPOCH."""
    if option is not None:
        return int(option.timestamp())
    text = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_TIME):
        raise click.UsageError(f"SOURCE_DATE_EPOCH={text} is not a number of seconds since 1970")
    return int(text)


def write_text(path: str, text: str, trees: Iterable[str], timestamp: int | None = None) -> None:
    """Write ``text`` as UTF-8 to the host path ``path``, or to standard output for ``-``.

    ``trees`` are the host paths of the trees that the command reads. Raises what
    :func:`~rootfs_trust.api.output_file.write_output` raises.
    """
    data = text.encode("utf-8", "backslashreplace")
    if path == "-":
        click.echo(data, nl=False)
    else:
        from rootfs_trust.api.output_file import write_output

        write_output(path, data, trees, timestamp=timestamp_of(None) if timestamp is None else timestamp)


def trees_of(root: str, states: Iterable[str] = (), *more: str | None) -> list[str]:
    """Return the host paths of all trees that a command reads: the root, the device states, and ``others``."""
    from rootfs_trust.rootfs.device_state import parse_state

    return [root, *(parse_state(text).directory for text in states), *(each for each in more if each is not None)]


def verbosity_of(quiet: bool, verbose: bool) -> int:
    """Return -1 for ``-q``, 1 for ``-v``, else 0."""
    return int(verbose) - int(quiet)


def output_options(command: Command) -> Command:
    """Add ``--format text|json``, ``-q`` and ``-v`` to a command that writes to a root filesystem."""
    return format_options("text", "json", verbose="Print every link and every removed file, not their number.")(command)


def format_options(
    *formats: str,
    quiet: str = "Print only errors.",
    verbose: str = "Print more detail.",
) -> Callable[[Command], Command]:
    """Add ``--format`` with ``formats`` (the first is the default), ``-q`` and ``-v`` with these help texts."""
    options = (
        click.option("-v", "--verbose", is_flag=True, help=verbose),
        click.option("-q", "--quiet", is_flag=True, help=quiet),
        click.option(
            "--format",
            "format_",
            type=click.Choice(formats),
            default=formats[0],
            show_default=True,
            help="Format of standard output.",
        ),
    )

    def decorate(command: Command) -> Command:
        for option in options:
            command = option(command)
        return command

    return decorate


def config_option(text: str) -> Callable[[Command], Command]:
    """Add ``--config`` with the help ``text``. Its default is rootfs-trust.toml in the current directory, if it exists.

    Only the command line reads the current directory. The functions of the library take a path or None.
    """
    return click.option("--config", metavar="FILE", callback=_config_here, help=text)


def _config_here(_: click.Context, __: click.Parameter, given: str | None) -> str | None:
    from rootfs_trust.inputs.config import FILE_NAME

    return FILE_NAME if given is None and os.path.exists(FILE_NAME) else given


def root_option(
    text: str = "The root filesystem: the directory that becomes / on the device.", *, required: bool = True
) -> Callable[[Command], Command]:
    """Add ``--root`` with the help ``text``."""
    return click.option("--root", required=required, metavar="DIR", help=text)


def at_option(text: str = "Check validity at this time (default: now).") -> Callable[[Command], Command]:
    """Add ``--at`` with the help ``text``."""
    return click.option("--at", type=parse_time, metavar="TIME", help=text)


def timestamp_option(
    text: str = "Modification time of written files; overrides SOURCE_DATE_EPOCH.",
) -> Callable[[Command], Command]:
    """Add ``--timestamp`` with the help ``text``; :func:`timestamp_of` reads it."""
    return click.option("--timestamp", type=parse_time, metavar="TIME", help=text)


dry_run_option = click.option("--dry-run", is_flag=True, help="Print what would change, and write nothing.")
will_be_signed_option = click.option(
    "--will-be-signed", is_flag=True, help="Replace files that have an IMA or EVM signature; you sign them later."
)
runtimes_option = click.option(
    "--runtimes",
    metavar="auto|none|NAME,...",
    help="Also add the anchors to the stores of these runtimes: "
    + ", ".join(NAMES)
    + ". auto: every runtime that the root filesystem has.",
)


def runtimes_of(given: str | None) -> tuple[str, ...] | None:
    """Return the names of ``--runtimes``, or None if the option was not given."""
    return None if given is None else tuple(name.strip() for name in given.split(",") if name.strip())


def state_option(command: Command) -> Command:
    """Add ``--state``, which merges a device's persistent state into the tree."""
    return click.option(
        "--state",
        "states",
        multiple=True,
        metavar="SPEC",
        help="Merge a device's state into the tree: overlay:/etc=DIR, copy:/etc/tedge=DIR, ostree:DIR; can be repeated",
    )(command)


def root_data_option(command: Command) -> Command:
    """Add ``--root-data``, which names a newer table of public roots and incidents."""
    return click.option(
        "--root-data", metavar="FILE", help="Use this table of public roots instead of the one in the package."
    )(command)
