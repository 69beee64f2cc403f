"""``check``: what is wrong with the trust of a tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from rootfs_trust.api.clock import time_here
from rootfs_trust.api.sources import open_view
from rootfs_trust.audit.check import KINDS, Question, findings
from rootfs_trust.audit.findings import Finding
from rootfs_trust.audit.tolerant import Tolerant
from rootfs_trust.errors import InputError, Trouble
from rootfs_trust.inputs.config import Config, load_config
from rootfs_trust.inputs.own import own_anchors
from rootfs_trust.rootfs.nodes import View


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """The options of ``check``, as the command line has them; ``select`` and ``ignore`` are ids of findings."""

    at: datetime | None = None
    config: str | None = None
    select: Sequence[str] = ()
    ignore: Sequence[str] = ()
    states: Sequence[str] = ()


NO_OPTIONS = CheckOptions()


def check(root: str, options: CheckOptions = NO_OPTIONS) -> tuple[Finding, ...]:
    """What is found in the tree at ``root``, the worst first. Raises InputError for wrong options or a wrong config."""
    _refuse_unknown([*options.select, *options.ignore])
    question = question_of(load_config(options.config), options.at or time_here())
    with open_view(root, options.states) as view:
        found = check_in(view, question)
    wanted = set(options.select or KINDS).difference(options.ignore)
    return tuple(finding for finding in found if finding.id in wanted)


def question_of(config: Config, at: datetime) -> Question:
    """What ``config`` asks of a tree at the time ``at``. Raises InputError for an anchor that cannot be read."""
    return Question(config.policy, at, own_anchors(config, at), frozenset(config.store.distrust))


def check_in(view: View, question: Question) -> tuple[Finding, ...]:
    """Everything that is found in a tree that is at hand, the worst first."""
    return findings(Tolerant(view), question)


def _refuse_unknown(ids: Sequence[str]) -> None:
    troubles = [Trouble("usage", "", f"no finding is called {each}", _hint(each)) for each in ids if each not in KINDS]
    if troubles:
        raise InputError(*troubles)


def _hint(wrong: str) -> str:
    near = get_close_matches(wrong, KINDS, 3)
    return f"did you mean {' or '.join(near)}?" if near else "docs/findings.md has them all"
