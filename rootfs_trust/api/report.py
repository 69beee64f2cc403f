"""``report``: one page about what a tree trusts, and the findings of ``check``."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rootfs_trust import __version__
from rootfs_trust.api.check import question_of
from rootfs_trust.api.clock import utc_now
from rootfs_trust.api.diff import diff_in
from rootfs_trust.api.open_tree import open_view
from rootfs_trust.audit.check import findings, inspect
from rootfs_trust.audit.checks.servers import SERVER_UNJUDGED
from rootfs_trust.audit.report import ClientView, Report, seen_by
from rootfs_trust.audit.servers import judge_servers
from rootfs_trust.audit.trusted_anchors import Trust
from rootfs_trust.clients.all_clients import clients_of
from rootfs_trust.clients.file_readers import file_reader
from rootfs_trust.inputs.config import Config, load_config
from rootfs_trust.inputs.root_data import load_root_data
from rootfs_trust.rendering.packaged_templates import packaged_template
from rootfs_trust.resources import resource
from rootfs_trust.rootfs.device import Device
from rootfs_trust.thin_edge.settings_in_force import found_settings
from rootfs_trust.times import later

_YEAR = 365.2425
"""A year, in days."""


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """The options of ``report``. ``lifetime`` of the image is in years; ``baseline`` is a tree to compare with."""

    at: datetime | None = None
    lifetime: int = 10
    baseline: str | None = None
    config: str | Config | None = None
    states: Sequence[str] = ()
    root_data: str | None = None
    """The file of a newer table of public roots. None: the table of the package."""


NO_OPTIONS = ReportOptions()


def report(root: str, options: ReportOptions = NO_OPTIONS) -> Report:
    """Collect the data of a report on the tree at ``root``. Raises InputError."""
    at = options.at or utc_now()
    data = load_root_data(options.root_data)
    question = question_of(load_config(options.config, options.root_data), at, data)
    with open_view(root, options.states) as tree:
        inspection = inspect(tree, question)
        view, trust = inspection.view, inspection.trust
        found = findings(inspection)
        judged = not any(each.id == SERVER_UNJUDGED.id for each in found)
        return Report(
            source=root,
            system=_system(trust.device),
            version=__version__,
            at=at,
            end_of_life=later(at, days=options.lifetime * _YEAR),
            anchors=trust.trusted,
            findings=found,
            clients=_clients(trust),
            settings=found_settings(view),
            difference=diff_in(options.baseline, view, data) if options.baseline else None,
            baseline=options.baseline or "",
            servers=tuple(judge_servers(inspection.device, question.servers, at))
            if judged and question.servers
            else (),
        )


def render_report(report: Report, form: str) -> str:
    """Render the report as ``html`` or ``md``. Raises InputError if jinja2 is missing."""
    template = packaged_template(f"report/report.{form}.j2", "a report is rendered from a template")
    return template.render(report=report, script_digest=_script_digest())


def _script_digest() -> str:
    """Return the SHA-256 of the page's script as a content security policy writes it."""
    with open(os.path.join(resource("templates"), "report/page.js"), "rb") as script:
        return base64.b64encode(hashlib.sha256(script.read()).digest()).decode()


def _clients(trust: Trust) -> tuple[ClientView, ...]:
    local = [anchor for anchor in trust.trusted if anchor.is_local]
    return tuple(seen_by(client, trust.trusted, local) for client in clients_of(file_reader(trust.device)))


def _system(device: Device) -> str:
    release = device.os_release
    return release.get("PRETTY_NAME") or release.get("ID") or "It has no os-release"
