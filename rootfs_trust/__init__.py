"""rootfs-trust: an image should trust its cloud before it boots.

Every command is also a function::

    from rootfs_trust import InstallOptions, install

    outcome = install("./rootfs", InstallOptions(certs=["my-ca.pem"], clouds=["c8y"]))
    print(outcome.changed, [anchor.name for anchor in outcome.anchors])

docs/api.md lists every name. Only these names are stable. A module is imported on first use of one of its names.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rootfs_trust.api.advise import AdviseResult, advise
    from rootfs_trust.api.check import CheckOptions, check
    from rootfs_trust.api.check_inputs import check_inputs
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
    from rootfs_trust.api.verify import ServersVerification, Verification, verify, verify_servers
    from rootfs_trust.audit.findings import Finding
    from rootfs_trust.audit.report import Report
    from rootfs_trust.audit.servers import ServerResult
    from rootfs_trust.audit.tree_diff import Difference
    from rootfs_trust.audit.trusted_anchors import TrustedAnchor
    from rootfs_trust.audit.verify.verdict import Verdict
    from rootfs_trust.errors import ApplyError, ConflictError, InputError, Problem, RootfsTrustError
    from rootfs_trust.fleet.check import FleetCheck
    from rootfs_trust.fleet.run import Fleet, FleetOptions
    from rootfs_trust.fleet.summary import FleetSummary
    from rootfs_trust.inputs.config import (
        AnchorTable,
        CloudTable,
        Config,
        RenderTable,
        RuntimesTable,
        ServerTable,
        StoreTable,
        load_config,
    )
    from rootfs_trust.inputs.config_reader import parse_config
    from rootfs_trust.inputs.policy import Policy
    from rootfs_trust.outcome import ImageOutcome, InstalledAnchor, OneImage, Outcome
    from rootfs_trust.rootfs.plan import Link, MakeDirectory, Put, Remove
    from rootfs_trust.x509.certificate import Certificate

__all__ = [
    "AdviseResult",
    "AnchorTable",
    "ApplyError",
    "Certificate",
    "CheckOptions",
    "CloudTable",
    "Config",
    "ConflictError",
    "Difference",
    "Finding",
    "Fleet",
    "FleetCheck",
    "FleetOptions",
    "FleetSummary",
    "ImageOutcome",
    "InputError",
    "InstallOptions",
    "InstalledAnchor",
    "Link",
    "MakeDirectory",
    "OneImage",
    "Outcome",
    "Policy",
    "Problem",
    "Put",
    "RecordedInstall",
    "Remove",
    "RenderTable",
    "Report",
    "ReportOptions",
    "RootfsTrustError",
    "RuntimesTable",
    "ServerResult",
    "ServerTable",
    "ServersVerification",
    "StoreTable",
    "TrustedAnchor",
    "Verdict",
    "Verification",
    "advise",
    "check",
    "check_inputs",
    "diff",
    "fetch",
    "init",
    "install",
    "install_image",
    "install_with_provenance",
    "list_anchors",
    "load_config",
    "parse_config",
    "plan",
    "rehash",
    "remove",
    "render_report",
    "report",
    "sbom",
    "verify",
    "verify_servers",
]
__version__ = "0.1.0"

_EXPORTS = {
    "rootfs_trust.api.advise": ("AdviseResult", "advise"),
    "rootfs_trust.api.check": (
        "CheckOptions",
        "check",
    ),
    "rootfs_trust.api.check_inputs": ("check_inputs",),
    "rootfs_trust.api.diff": ("diff",),
    "rootfs_trust.api.fetch": ("fetch",),
    "rootfs_trust.api.image": ("install_image",),
    "rootfs_trust.api.init": ("init",),
    "rootfs_trust.api.install": (
        "RecordedInstall",
        "install",
        "install_with_provenance",
        "plan",
    ),
    "rootfs_trust.api.list_anchors": ("list_anchors",),
    "rootfs_trust.api.options": ("InstallOptions",),
    "rootfs_trust.api.rehash": ("rehash",),
    "rootfs_trust.api.remove": ("remove",),
    "rootfs_trust.api.report": (
        "ReportOptions",
        "render_report",
        "report",
    ),
    "rootfs_trust.api.sbom": ("sbom",),
    "rootfs_trust.api.verify": (
        "ServersVerification",
        "Verification",
        "verify",
        "verify_servers",
    ),
    "rootfs_trust.audit.tree_diff": ("Difference",),
    "rootfs_trust.audit.findings": ("Finding",),
    "rootfs_trust.audit.report": ("Report",),
    "rootfs_trust.audit.servers": ("ServerResult",),
    "rootfs_trust.audit.trusted_anchors": ("TrustedAnchor",),
    "rootfs_trust.audit.verify.verdict": ("Verdict",),
    "rootfs_trust.errors": (
        "ApplyError",
        "ConflictError",
        "InputError",
        "RootfsTrustError",
        "Problem",
    ),
    "rootfs_trust.fleet.check": ("FleetCheck",),
    "rootfs_trust.fleet.run": (
        "Fleet",
        "FleetOptions",
    ),
    "rootfs_trust.fleet.summary": ("FleetSummary",),
    "rootfs_trust.inputs.config": (
        "AnchorTable",
        "CloudTable",
        "Config",
        "RenderTable",
        "RuntimesTable",
        "ServerTable",
        "StoreTable",
        "load_config",
    ),
    "rootfs_trust.inputs.config_reader": ("parse_config",),
    "rootfs_trust.inputs.policy": ("Policy",),
    "rootfs_trust.outcome": (
        "ImageOutcome",
        "InstalledAnchor",
        "OneImage",
        "Outcome",
    ),
    "rootfs_trust.rootfs.plan": (
        "Link",
        "MakeDirectory",
        "Put",
        "Remove",
    ),
    "rootfs_trust.x509.certificate": ("Certificate",),
}
_MODULES = {name: module for module, names in _EXPORTS.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
