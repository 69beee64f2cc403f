"""What goes to a worker and what comes back: small and picklable, paths and digests, never contents or keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from rootfs_trust.rootfs.stamps import Place

CHANGED, UNCHANGED, SKIPPED, FAILED = "changed", "unchanged", "skipped", "failed"


class Order(NamedTuple):
    """What is to be done to a target: the config at a path, which must give the policy of this digest."""

    config: str
    policy: str
    at: datetime
    timestamp: int | None
    dry_run: bool


class Done(NamedTuple):
    """A target that was done: ``input`` is the stamp of ``places`` then, ``digest`` the one of the result.

    ``output`` is the stamp of an image's new place.
    """

    policy: str
    input: str
    places: tuple[Place, ...]
    digest: str
    output: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """One target. ``done`` is what is known of an earlier run with the same policy.

    ``own`` is the stamp of what an earlier run wrote in an image's new place, whatever the policy.
    """

    name: str
    path: str
    order: Order
    dest: str | None = None
    done: Done | None = None
    own: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some tasks that one worker does together; ``version`` is the one of the tool that asks."""

    number: int
    version: str
    tasks: tuple[Task, ...]


class Result(NamedTuple):
    """What became of a target. ``digest`` is empty where it failed; ``done`` is for the journal."""

    target: str
    status: str
    digest: str
    error: str | None = None
    done: Done | None = None
