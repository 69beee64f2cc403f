"""The entry point: runs a command, turns errors into one line each and the exit status of the contract."""

from __future__ import annotations

import gc
import io
import os
import shutil
import sys
from collections.abc import Iterable
from importlib import import_module
from itertools import pairwise

import click

from rootfs_trust import __version__
from rootfs_trust.cli.output import print_errors
from rootfs_trust.errors import ApplyError, InputError, RootfsTrustError, Trouble

COMMANDS = {
    "install": "Install CA certificates into a root filesystem, and point thin-edge.io at them.",
    "remove": "Take anchors out again, or distrust shipped ones.",
    "verify": "Would the device trust this server? One verdict a TLS client, offline.",
    "rehash": "Make the hash links of folders, as openssl rehash and c_rehash do.",
    "image": "Install into a container image or a rootfs tar, without a daemon.",
    "list": "List every anchor that a root filesystem trusts.",
    "check": "Find what is wrong with the trust store and the trust settings of a root filesystem.",
    "init": "Write a commented rootfs-trust.toml for a root filesystem.",
    "report": "Write one page that tells people what a root filesystem trusts.",
    "sbom": "Write what a root filesystem trusts as CycloneDX or SPDX.",
    "diff": "Tell in which anchors and settings two root filesystems differ.",
    "fleet": "Do the same job on very many root filesystems and images.",
}
"""Each command and its line of help; the module ``rootfs_trust.cli.NAME`` is imported when it is used."""

_WIDEST = 100
"""Characters; longer lines of help are hard to read."""


class _Formatter(click.HelpFormatter):
    """Help whose left column leaves room for the right one on narrow terminals, too."""

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl(list(rows), min(col_max, self.width // 3), col_spacing)


class _Context(click.Context):
    formatter_class = _Formatter


class _Commands(click.Group):
    """A group whose commands are imported only when they are called."""

    context_class = _Context

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"rootfs_trust.cli.{cmd_name}").command
        command.context_class = _Context
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # The reader went away; what it did not want to see is no trouble of ours.
            _discard_output()
            return 0

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            ctx.fail(_unknown(args[0]))
        return super().resolve_command(ctx, args)


def _unknown(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, COMMANDS, 1)
    return f"no command is called {name} ({f'did you mean {near[0]}?' if near else ', '.join(COMMANDS)})"


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
    Example: the image in ./rootfs shall trust my-ca.pem and connect to Cumulocity
      rootfs-trust install --root ./rootfs --cert my-ca.pem --cloud c8y
    """
    # click 8.1 and 8.2 answer a bare call in different ways.
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        ctx.exit(2)


def main() -> None:
    """Run the command line of this process, and exit."""
    # The process ends soon, and nothing here makes cycles: looking for them costs a tenth of a large run.
    gc.disable()
    for stream in (sys.stdout, sys.stderr):
        # Names of a target may hold what the caller's locale cannot write.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        # By itself click takes no terminal for narrower than 50 characters.
        width = min(shutil.get_terminal_size().columns, _WIDEST) - 1
        status = commands.main(prog_name="rootfs-trust", standalone_mode=False, terminal_width=width)
        sys.exit(status)
    except click.ClickException as error:
        _fail(InputError(Trouble("usage", "", error.format_message(), "see --help")))
    except RootfsTrustError as error:
        _fail(error)
    except OSError as error:
        _fail(ApplyError(Trouble("system", str(error.filename or ""), f"failed: {error.strerror}")))
    except click.Abort:
        click.echo("rootfs-trust: interrupted", err=True)
        sys.exit(130)


def _fail(error: RootfsTrustError) -> None:
    # Where standard output cannot be written to, no JSON can be, either.
    as_json = _json_wanted(sys.argv) and all(each.id != "output" for each in error.troubles)
    print_errors(error, as_json=as_json)
    try:
        sys.stdout.flush()
    except OSError:
        # Debian 12's Python 3.11.2 tries once more when it ends, and then its exit status is 120.
        _discard_output()
    sys.exit(error.exit_status)


def _discard_output() -> None:
    """Let what standard output still holds, and all that follows, go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _json_wanted(words: list[str]) -> bool:
    """Whether JSON was asked for; options may be what went wrong, so they are looked at as plain words."""
    return "--format=json" in words or ("--format", "json") in pairwise(words)
