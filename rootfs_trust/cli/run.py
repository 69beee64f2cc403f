"""Entry point: run a command, print each error as one line, and exit with the documented status."""

from __future__ import annotations

import gc
import shutil
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import pairwise
from types import FrameType

import click

from rootfs_trust import __version__
from rootfs_trust.cli.output import print_errors
from rootfs_trust.cli.streams import OutputError, standard_streams
from rootfs_trust.dropped_exit import dropped_exit_raised_again
from rootfs_trust.errors import (
    INTERNAL,
    LIBRARY,
    MEMORY,
    PYTHON,
    SYSTEM,
    USAGE,
    ApplyError,
    InputError,
    RootfsTrustError,
)
from rootfs_trust.text import did_you_mean

COMMANDS = {
    "install": "Add CA certificates to a root filesystem, and configure thin-edge.io to use them.",
    "remove": "Remove anchors, or distrust those that the distribution ships.",
    "verify": "Check whether each TLS client on the device would trust a server.",
    "advise": "Propose the smallest set of anchors with which every server still connects, and prove it.",
    "rehash": "Create the hash links of directories, like openssl rehash and c_rehash.",
    "image": "Add CA certificates to a container image, an archive or a file system image, without a daemon.",
    "list": "List every anchor that a root filesystem trusts.",
    "check": "Find problems in the trust store and the trust settings of a root filesystem.",
    "init": "Write a commented rootfs-trust.toml for a root filesystem.",
    "report": "Write a report of what a root filesystem trusts, as HTML or Markdown.",
    "sbom": "Write what a root filesystem trusts as CycloneDX or SPDX.",
    "diff": "Compare the anchors and trust settings of two root filesystems.",
    "fleet": "Run install or image on many root filesystems and images.",
}
"""Each command with its line in ``--help``. The module ``rootfs_trust.cli.NAME`` is imported on first use."""

_WIDEST = 100
"""Maximum width of help text, in characters."""

_KILLED = 128
"""A process that a signal ended has this exit status plus the number of the signal."""


class _Formatter(click.HelpFormatter):
    """Help text with a left column of at most a third of the terminal's width."""

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl(list(rows), min(col_max, self.width // 3), col_spacing)


class _Context(click.Context):
    formatter_class = _Formatter


class _Commands(click.Group):
    """Command group that imports each command on first use."""

    context_class = _Context

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"rootfs_trust.cli.{cmd_name}").command
        command.context_class = _Context
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            near = did_you_mean(args[0], COMMANDS) or f"commands: {', '.join(COMMANDS)}"
            ctx.fail(f'unknown command "{args[0]}"; {near}')
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="rootfs-trust")
@click.pass_context
def commands(ctx: click.Context) -> None:
    """Make a root filesystem trust its cloud before it boots: offline, for any architecture, without openssl.

    \b
    Example: make the image in ./rootfs trust my-ca.pem and connect to Cumulocity
      rootfs-trust install --root ./rootfs --cert my-ca.pem --cloud c8y
    """
    # Without arguments, click 8.1 and 8.2 behave differently.
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        ctx.exit(2)


def main() -> None:
    """Run the command line of this process, and exit."""
    # The process is short-lived and creates no reference cycles. The cycle collector would take a tenth of a large run.
    gc.disable()
    with standard_streams(), _exit_on_signals():
        sys.exit(_run())


def _run() -> int:
    """Run the command, print what went wrong, and return the exit status."""
    try:
        status = _command()
        sys.stdout.flush()
        return status
    except RootfsTrustError as error:
        return _report(error)
    except SystemExit as error:  # a signal
        click.echo("rootfs-trust: interrupted", err=True)
        return int(error.code or 0)
    except Exception as error:  # a bug must not end with exit status 1, which is a verdict
        if _verbose(sys.argv):
            import traceback

            traceback.print_exc()
        what = f"unexpected {type(error).__name__}: {error}" if str(error) else f"unexpected {type(error).__name__}"
        return _report(ApplyError(INTERNAL("", what)))


def _command() -> int:
    """Run the command. Raises RootfsTrustError for every problem that the user can fix."""
    try:
        # click assumes that a terminal has at least 50 columns.
        width = min(shutil.get_terminal_size().columns, _WIDEST) - 1
        return int(commands.main(prog_name="rootfs-trust", standalone_mode=False, terminal_width=width) or 0)
    except click.ClickException as error:
        raise InputError(USAGE("", _wrong_use(error), "see --help")) from error
    except (click.Abort, KeyboardInterrupt):
        raise SystemExit(_KILLED + signal.SIGINT) from None
    except OSError as error:
        raise ApplyError(SYSTEM(str(error.filename or ""), f"failed: {error.strerror or error}")) from error
    except MemoryError as error:
        raise ApplyError(MEMORY("", "out of memory")) from error
    except SystemError as error:  # the interpreter raises it about itself, for example if memory ends in its C code
        raise ApplyError(PYTHON("", f"the Python interpreter failed: {error}")) from error
    except ImportError as error:
        # A missing module, or a missing name in a module of this package, is a bug. An installed library cannot be
        # loaded if memory is short or if it was built for another system.
        if isinstance(error, ModuleNotFoundError) or (error.name or "").startswith("rootfs_trust"):
            raise
        raise ApplyError(LIBRARY(error.name or "", f"cannot be loaded: {error}")) from error


def _wrong_use(error: click.ClickException) -> str:
    """Return the message of click. An unknown option is worded like an unknown command, in every release of click."""
    if not isinstance(error, click.NoSuchOption):
        return error.format_message().removesuffix(".")
    near = did_you_mean(error.option_name, error.possibilities or ())
    return f'unknown option "{error.option_name}"' + (f"; {near}" if near else "")


def _report(error: RootfsTrustError) -> int:
    """Print the problems, as JSON if requested, and return the exit status."""
    try:
        # If standard output cannot be written, neither can JSON.
        as_json = _json_wanted(sys.argv) and all(each.id != "output" for each in error.problems)
        print_errors(error, as_json=as_json)
        sys.stdout.flush()
    except OutputError as output:
        print_errors(error, as_json=False)
        print_errors(output, as_json=False)
        return output.exit_status
    return error.exit_status


@contextmanager
def _exit_on_signals() -> Iterator[None]:
    """Raise SystemExit on SIGTERM, SIGHUP and SIGINT, so that temporary files are deleted. A second signal kills."""

    def end(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        raise SystemExit(_KILLED + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)}
    with dropped_exit_raised_again():
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, end)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _json_wanted(words: list[str]) -> bool:
    """Return whether JSON was requested. Looks for the words themselves, because the command line may be too wrong to
    be parsed.
    """
    return "--format=json" in words or ("--format", "json") in pairwise(words)


def _verbose(words: list[str]) -> bool:
    return "-v" in words or "--verbose" in words
