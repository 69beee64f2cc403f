"""Data that is sent to workers and back: small and picklable. Paths and digests, but no file contents or keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

from rootfs_trust.audit.findings import Finding
from rootfs_trust.audit.who_trusts import Trusting
from rootfs_trust.fleet.change_detection import StampedPlace

CHANGED, UNCHANGED, SKIPPED, FAILED = "changed", "unchanged", "skipped", "failed"


class TargetConfig(NamedTuple):
    """The configuration file for a target, and the expected digest of its policy."""

    config: str
    policy: str
    at: datetime
    timestamp: int | None
    dry_run: bool
    root_data: str | None = None


class CheckOrder(NamedTuple):
    """The configuration file to check a target against. If ``who`` is set, only the clients that trust it are reported.

    ``level`` is the lowest level of findings that count. ``policy`` is the digest of everything but the target that
    decides the result; empty if no journal is kept.
    """

    config: str | None
    at: datetime
    root_data: str | None
    level: str
    who: str | None
    policy: str = ""


class JournalEntry(NamedTuple):
    """A finished target.

    ``input``   the stamp of ``places`` at that time.
    ``digest``  the digest of the result.
    ``output``  the stamp of an image's destination.
    """

    policy: str
    input: str
    places: tuple[StampedPlace, ...]
    digest: str
    output: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """One target.

    ``done``  the result of an earlier run with the same policy.
    ``own``   the stamp of an image that an earlier run wrote to the destination, with any policy.
    """

    name: str
    path: str
    order: TargetConfig
    dest: str | None = None
    done: JournalEntry | None = None
    own: str = ""


@dataclass(frozen=True, slots=True)
class CheckTask:
    """One target to check. The device states ``states`` are merged into it.

    ``done``  the result of an earlier run with the same policy.
    """

    name: str
    path: str
    order: CheckOrder
    states: tuple[str, ...] = ()
    done: CheckResult | None = None


_Task = TypeVar("_Task", bound=Task | CheckTask)


@dataclass(frozen=True, slots=True)
class Batch(Generic[_Task]):
    """Tasks that one worker does together. ``version`` is the caller's version of rootfs-trust."""

    number: int
    version: str
    tasks: tuple[_Task, ...]


class TargetResult(NamedTuple):
    """The result of a target. ``digest`` is empty if it failed; ``done`` is written to the journal."""

    target: str
    status: str
    digest: str
    error: str | None = None
    done: JournalEntry | None = None


OK, FINDINGS = "ok", "findings"


class ServerState(NamedTuple):
    """The result of one ``[[server]]`` for a target.

    ``until``       the time at which the first client stops trusting it; None if one refuses it now, or if the time
                    is not known.
    ``refused_by``  the clients that refuse it now.
    ``refused``     whether the configuration says that no client may trust it.
    """

    name: str
    until: datetime | None
    refused_by: tuple[str, ...]
    refused: bool = False


class CheckEntry(NamedTuple):
    """The data on which the result of a check depends.

    ``states``  the device states of the target.
    ``input``   the stamp of ``places`` at that time.
    ``places``  what was read of the target and of each device state; None for an image, which is read as a whole.
    """

    policy: str
    states: tuple[str, ...]
    input: str
    places: tuple[tuple[StampedPlace, ...] | None, ...]


class CheckResult(NamedTuple):
    """The result of a check. ``trusted_by`` lists the clients that trust the certificate of ``--who-trusts``.

    ``done`` is written to the journal.
    """

    target: str
    status: str
    findings: tuple[Finding, ...] = ()
    servers: tuple[ServerState, ...] = ()
    trusted_by: tuple[Trusting, ...] = ()
    error: str | None = None
    done: CheckEntry | None = None
