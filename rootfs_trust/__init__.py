"""rootfs-trust: an image should trust its cloud before it boots.

The verbs of the command line as functions::

    from rootfs_trust import InstallOptions, install

    outcome = install("./rootfs", InstallOptions(certs=["my-ca.pem"], clouds=["c8y"]))
    print(outcome.changed, [anchor.name for anchor in outcome.anchors])

Errors are those of :mod:`rootfs_trust.errors`; docs/api.md has every name. What a name needs is imported when it is
first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rootfs_trust.api.check import CheckOptions, check
    from rootfs_trust.api.diff import diff
    from rootfs_trust.api.fetch import fetch
    from rootfs_trust.api.image import install_image
    from rootfs_trust.api.init import init
    from rootfs_trust.api.install import RecordedInstall, install, install_with_provenance, plan
    from rootfs_trust.api.list_anchors import list_anchors
    from rootfs_trust.api.options import InstallOptions
    from rootfs_trust.api.rehash import rehash
    from rootfs_trust.api.remove import remove
    from rootfs_trust.api.report import ReportOptions, render_report, report
    from rootfs_trust.api.sbom import sbom
    from rootfs_trust.api.verify import Verification, verify
    from rootfs_trust.fleet.run import Fleet, FleetOptions
    from rootfs_trust.outcome import ImageOutcome, Outcome

__all__ = [
    "CheckOptions",
    "Fleet",
    "FleetOptions",
    "ImageOutcome",
    "InstallOptions",
    "Outcome",
    "RecordedInstall",
    "ReportOptions",
    "Verification",
    "check",
    "diff",
    "fetch",
    "init",
    "install",
    "install_image",
    "install_with_provenance",
    "list_anchors",
    "plan",
    "rehash",
    "remove",
    "render_report",
    "report",
    "sbom",
    "verify",
]
__version__ = "0.1.0"

_HOMES = {
    "CheckOptions": "rootfs_trust.api.check",
    "Fleet": "rootfs_trust.fleet.run",
    "FleetOptions": "rootfs_trust.fleet.run",
    "ImageOutcome": "rootfs_trust.outcome",
    "InstallOptions": "rootfs_trust.api.options",
    "Outcome": "rootfs_trust.outcome",
    "RecordedInstall": "rootfs_trust.api.install",
    "ReportOptions": "rootfs_trust.api.report",
    "Verification": "rootfs_trust.api.verify",
    "check": "rootfs_trust.api.check",
    "diff": "rootfs_trust.api.diff",
    "fetch": "rootfs_trust.api.fetch",
    "init": "rootfs_trust.api.init",
    "install": "rootfs_trust.api.install",
    "install_image": "rootfs_trust.api.image",
    "install_with_provenance": "rootfs_trust.api.install",
    "list_anchors": "rootfs_trust.api.list_anchors",
    "plan": "rootfs_trust.api.install",
    "rehash": "rootfs_trust.api.rehash",
    "remove": "rootfs_trust.api.remove",
    "render_report": "rootfs_trust.api.report",
    "report": "rootfs_trust.api.report",
    "sbom": "rootfs_trust.api.sbom",
    "verify": "rootfs_trust.api.verify",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
