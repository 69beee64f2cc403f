"""``check``: find problems in the trust store and settings of a tree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from rootfs_trust.api.clock import utc_now
from rootfs_trust.api.fixes import TrialRuns, with_commands
from rootfs_trust.api.open_tree import open_view
from rootfs_trust.audit.check import KINDS, CheckRequest, findings, inspect
from rootfs_trust.audit.findings import Finding
from rootfs_trust.errors import USAGE, InputError, refuse
from rootfs_trust.inputs.config import Config, load_config
from rootfs_trust.inputs.configured_anchors import configured_anchors
from rootfs_trust.inputs.root_data import RootData, load_root_data
from rootfs_trust.rootfs.caching_view import CachingView
from rootfs_trust.text import did_you_mean
from rootfs_trust.thin_edge.trust_settings import kinds_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rootfs_trust.audit.servers import Server


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """The options of ``check``. ``select`` and ``ignore`` are ids of findings."""

    at: datetime | None = None
    config: str | Config | None = None
    select: Sequence[str] = ()
    ignore: Sequence[str] = ()
    states: Sequence[str] = ()
    root_data: str | None = None
    """The file of a newer table of public roots. None: the table of the package."""
    clouds: Sequence[str] = ()
    """More clouds whose documented roots must be trusted, such as ``aws`` or ``az@PROFILE``."""


NO_OPTIONS = CheckOptions()


def check(root: str, options: CheckOptions = NO_OPTIONS) -> tuple[Finding, ...]:
    """Return the findings in the tree at ``root``, the most severe first. Raises InputError for a wrong config."""
    _refuse_unknown([*options.select, *options.ignore])
    data = load_root_data(options.root_data)
    config = load_config(options.config, options.root_data)
    question = question_of(config, options.at or utc_now(), data, kinds_of(options.clouds))
    with open_view(root, options.states, CachingView) as view:
        everything = findings(inspect(view, question))
        found = tuple(finding for finding in everything if _is_wanted(finding, options))
        if not isinstance(view, CachingView):
            return found
        at = options.at.isoformat() if options.at else None
        tried = TrialRuns(view, root, question, options.config, at, options.root_data)
        return with_commands(found, everything, tried)


def _is_wanted(finding: Finding, options: CheckOptions) -> bool:
    return (not options.select or finding.id in options.select) and finding.id not in options.ignore


def question_of(config: Config, at: datetime, data: RootData, clouds: Iterable[str] = ()) -> CheckRequest:
    """Return the check request of ``config`` at the time ``at``. Raises InputError for an unreadable anchor."""
    anchors, servers = configured_anchors(config, at), _servers(config, at)
    named = tuple(dict.fromkeys((*(cloud.kind for cloud in config.clouds), *clouds)))
    return CheckRequest(config.policy, at, anchors, config.store.distrust, data, servers, named)


def _servers(config: Config, at: datetime) -> tuple[Server, ...]:
    if not config.servers:
        return ()
    from rootfs_trust.api.servers import read_servers

    return read_servers(config, at)


def _refuse_unknown(ids: Sequence[str]) -> None:
    problems = [
        USAGE("", f'unknown finding "{each}"', did_you_mean(each, KINDS, 3) or "docs/findings.md lists all ids")
        for each in ids
        if each not in KINDS
    ]
    refuse(InputError, problems)
