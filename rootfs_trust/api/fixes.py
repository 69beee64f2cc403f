"""Find a command that fixes a finding, by trying it in memory. Writes nothing.

For each candidate, plan the run as the command itself does, and check the tree that it would leave. The command fixes a
finding if the tree no longer has the finding, and has no new ones except notes.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from rootfs_trust.api.options import InstallOptions
from rootfs_trust.api.planning import read_job
from rootfs_trust.api.tree_after_run import Nodes, written
from rootfs_trust.audit.check import CheckRequest, findings, inspect
from rootfs_trust.audit.checks import roots
from rootfs_trust.audit.findings import ADOPT, INSTALL, NOTE, READABLE, Command, Finding
from rootfs_trust.errors import RootfsTrustError
from rootfs_trust.inputs.config import Config
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.planned_tree import PlannedTree
from rootfs_trust.rootfs.view import Directory, File, View
from rootfs_trust.store.selection import DIGEST

MAX_TRIED = 8
"""Maximum number of commands to try. Each that changes something takes about as long as the check itself."""

_GENERAL = (INSTALL, ADOPT)
"""Commands that may fix any finding. A command that is tried for one finding may also fix others."""

_Key = tuple[str, str, int, str]


@dataclass(frozen=True, slots=True)
class TrialRuns:
    """The tree and the options for trial runs: ``view`` is the tree, ``root`` its host path. Options are passed on if
    given.
    """

    view: View
    root: str
    question: CheckRequest
    config: str | Config | None = None
    at: str | None = None
    root_data: str | None = None

    def line(self, command: Command) -> str:
        """Return the command as a shell command line."""
        if command.name == "chmod":
            mode, path = command.arguments
            return shlex.join(["chmod", mode, self.root.rstrip("/") + (self.view.real_path(path) or path)])
        words = ["rootfs-trust", command.name, "--root", self.root, *command.arguments]
        if command.name == "install":
            words += ["--config", self.config] if isinstance(self.config, str) else []
            words += ["--at", self.at] if self.at else []
        if command.name == "install" or _is_by_name(command):
            words += ["--root-data", self.root_data] if self.root_data else []
        return shlex.join(words)

    def changes(self, command: Command) -> Nodes:
        """Yield the changes that the command would make. Raises RootfsTrustError if it refuses the tree."""
        if command.name == "chmod":
            return _with_mode(self.view, *command.arguments)
        return written(self.view, read_job(self._options(command)))

    def _options(self, command: Command) -> InstallOptions:
        at = self.question.at
        runtimes = _runtimes(command) or None
        if command.name == "remove":
            return InstallOptions(without=_names(command), at=at, runtimes=runtimes, root_data=self.root_data)
        certs = [argument for option, argument in pairwise(command.arguments) if option == "--cert"]
        adopt = "--adopt" in command.arguments
        return InstallOptions(
            certs=certs, config=self.config, adopt=adopt, at=at, runtimes=runtimes, root_data=self.root_data
        )


def _is_by_name(command: Command) -> bool:
    """Return whether the command removes certificates that it names by an incident, not by their digest."""
    return command.name == "remove" and not command.arguments[0].startswith(DIGEST)


def _with_mode(view: View, mode: str, path: str) -> Nodes:
    node, real = view.node(path, follow=True), view.real_path(path)
    if real and isinstance(node, File | Directory):
        readable = 0o555 if isinstance(node, Directory) or node.mode & 0o111 else 0o444
        yield real, node._replace(mode=node.mode | readable if mode == READABLE else node.mode & ~0o022)


def with_commands(found: Sequence[Finding], everything: Sequence[Finding], tried: TrialRuns) -> tuple[Finding, ...]:
    """Return ``found`` with the command that fixes each finding, if there is one. Notes get none.

    ``everything`` has all findings in the tree. A command must not lead to others.
    """
    before = {finding.key for finding in everything}
    open_ = {finding.key: finding for finding in found if finding.level != NOTE}
    lines: dict[_Key, str] = {}
    possible = {key: _commands_for(finding, tried.config) for key, finding in open_.items()}
    for commands in _candidates(possible)[:MAX_TRIED]:
        helped = [
            key
            for key, of_finding in possible.items()
            if key not in lines and not {*of_finding, *_GENERAL}.isdisjoint(commands)
        ]
        command = _combine(commands)
        left = _findings_after(command, tried) if helped else None
        if left is not None and all(finding.level == NOTE or finding.key in before for finding in left):
            still = {finding.key for finding in left}
            lines |= {key: tried.line(command) for key in helped if key not in still}
    return tuple(_fixed_by(finding, lines.get(finding.key, "")) for finding in found)


def _fixed_by(finding: Finding, line: str) -> Finding:
    return replace(finding, command=line, fix=f"run {line}") if line else finding


def _commands_for(finding: Finding, config: str | Config | None) -> tuple[Command, ...]:
    """Return the commands to try for a finding, the most promising first. Without a config, ``install`` removes no
    shipped root, so it is not tried for findings about roots.
    """
    general = () if config is None and finding.kind in roots.KINDS else _GENERAL
    return (*finding.commands, *general)


def _candidates(possible: Mapping[_Key, tuple[Command, ...]]) -> list[tuple[Command, ...]]:
    """Return the commands to try, those for any finding first.

    Removals for findings of the same kind are tried together, those of whole incidents before those of one certificate
    each, and then one by one in case one of them is refused: a store may hold dozens of roots that left a root program.
    """
    of_kind: dict[str, dict[Command, None]] = {}
    for (kind, *_), of_finding in possible.items():
        of_kind.setdefault(kind, {}).update(dict.fromkeys(of_finding))
    together: list[tuple[Command, ...]] = []
    for commands in of_kind.values():
        incidents = tuple(command for command in commands if _is_by_name(command))
        by_digest = tuple(command for command in commands if command.name == "remove" and command not in incidents)
        together += incidents, by_digest
    alone = [(command,) for commands in of_kind.values() for command in commands]
    general = [(command,) for command in _GENERAL if (command,) in alone]
    return list(dict.fromkeys(each for each in (*general, *together, *alone) if each))


def _combine(commands: tuple[Command, ...]) -> Command:
    """Return one command that does what all of ``commands``, which are removals if there are several, do."""
    if len(commands) == 1:
        return commands[0]
    names = dict.fromkeys(name for command in commands for name in _names(command))
    runtimes = dict.fromkeys(name for command in commands for name in _runtimes(command))
    return Command("remove", (*names, *(("--runtimes", ",".join(runtimes)) if runtimes else ())))


def _names(command: Command) -> list[str]:
    """Return the arguments of a removal that are not options."""
    return [word for before, word in pairwise(("", *command.arguments)) if "--runtimes" not in (before, word)]


def _runtimes(command: Command) -> list[str]:
    """Return the runtimes whose stores the command changes."""
    options = pairwise(command.arguments)
    return [name for option, value in options if option == "--runtimes" for name in value.split(",")]


def _findings_after(command: Command, tried: TrialRuns) -> tuple[Finding, ...] | None:
    """Return the findings after the command, or None if it refuses the tree or changes nothing."""
    try:
        nodes = dict(tried.changes(command))
        return findings(inspect(PlannedTree(Device(tried.view), nodes), tried.question)) if nodes else None
    except RootfsTrustError:
        return None
