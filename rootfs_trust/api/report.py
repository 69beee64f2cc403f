"""``report``: what a tree trusts and what is wrong with that, as one page for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rootfs_trust import __version__
from rootfs_trust.api.check import check_in, question_of
from rootfs_trust.api.clock import time_here
from rootfs_trust.api.diff import diff_in
from rootfs_trust.api.sources import open_view
from rootfs_trust.audit.clients.all_clients import clients_of
from rootfs_trust.audit.clients.reading import Reading
from rootfs_trust.audit.report import Report, SeenBy, seen_by
from rootfs_trust.audit.settings import found_settings
from rootfs_trust.audit.trust import Trust
from rootfs_trust.inputs.config import load_config
from rootfs_trust.rootfs.nodes import View
from rootfs_trust.store.detect import os_release
from rootfs_trust.templating import shipped_template

_YEAR = timedelta(days=365.2425)


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """The options of ``report``. ``lifetime`` is that of the image, in years; ``baseline`` a tree to compare with."""

    at: datetime | None = None
    lifetime: int = 10
    baseline: str | None = None
    config: str | None = None
    states: Sequence[str] = ()


NO_OPTIONS = ReportOptions()


def report(root: str, options: ReportOptions = NO_OPTIONS) -> Report:
    """Everything that a report tells of the tree at ``root``. Raises InputError."""
    at = options.at or time_here()
    question = question_of(load_config(options.config), at)
    with open_view(root, options.states) as view:
        trust = Trust(view, frozenset(question.own))
        return Report(
            source=root,
            system=_system(view),
            version=__version__,
            at=at,
            end_of_life=at + options.lifetime * _YEAR,
            anchors=trust.anchors,
            findings=check_in(view, question),
            clients=_clients(view, trust),
            settings=found_settings(view),
            difference=diff_in(options.baseline, view) if options.baseline else None,
            baseline=options.baseline or "",
        )


def render_report(report: Report, form: str) -> str:
    """The report as ``html`` or ``md``. Raises InputError where jinja2 is missing."""
    return shipped_template(f"report/report.{form}.j2", "a report has to be rendered").render(report=report)


def _clients(view: View, trust: Trust) -> tuple[SeenBy, ...]:
    local = [anchor for anchor in trust.anchors if anchor.is_local]
    return tuple(seen_by(client, trust.anchors, local) for client in clients_of(Reading(view)))


def _system(view: View) -> str:
    release = os_release(view)
    return release.get("PRETTY_NAME") or release.get("ID") or "It has no os-release"
