"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

_LONGEST_TIME = 11
"""Digits; the year 5138 is the last that has so few."""

Command = TypeVar("Command", bound=Callable[..., Any])


def parse_time(text: str) -> datetime:
    """A point in time: seconds since 1970, or RFC 3339 (a date alone is its midnight in UTC)."""
    try:
        return datetime.fromtimestamp(int(text), UTC) if text.isascii() and text.isdigit() else _iso(text)
    except (ValueError, OverflowError, OSError) as error:
        raise click.BadParameter(f"{text!r} is no time: give seconds since 1970, or 2027-01-31T12:00:00Z") from error


def _iso(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def timestamp_of(option: datetime | None) -> int | None:
    """The modification time of what is written, in seconds since 1970: ``--timestamp``, else SOURCE_DATE_EPOCH."""
    if option is not None:
        return int(option.timestamp())
    text = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_TIME):
        raise click.UsageError(f"SOURCE_DATE_EPOCH={text} is no number of seconds since 1970")
    return int(text)


def verbosity_of(quiet: bool, verbose: bool) -> int:
    """-1 for ``-q``, 1 for ``-v``, else 0."""
    return int(verbose) - int(quiet)


def output_options(command: Command) -> Command:
    """``--format``, ``-q`` and ``-v`` of a command that answers in text or JSON."""
    return format_options("text", "json")(command)


def format_options(*formats: str) -> Callable[[Command], Command]:
    """``--format`` with ``formats``, of which the first is the default; ``-q`` and ``-v``."""
    options = (
        click.option("-v", "--verbose", is_flag=True, help="Say more: every single entry."),
        click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors."),
        click.option(
            "--format",
            "format_",
            type=click.Choice(formats),
            default=formats[0],
            show_default=True,
            help="What is printed to standard output.",
        ),
    )

    def decorate(command: Command) -> Command:
        for option in options:
            command = option(command)
        return command

    return decorate


def state_option(command: Command) -> Command:
    """``--state``, which lays a device's persistent state over the tree."""
    return click.option(
        "--state",
        "states",
        multiple=True,
        metavar="SPEC",
        help="Lay a device's state over the tree: overlay:/etc=DIR, copy:/etc/tedge=DIR or ostree:DIR.",
    )(command)
