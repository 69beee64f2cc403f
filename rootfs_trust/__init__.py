"""rootfs-trust: an image should trust its cloud before it boots.

The verbs of the command line as functions::

    from rootfs_trust import InstallOptions, install

    outcome = install("./rootfs", InstallOptions(certs=["my-ca.pem"], clouds=["c8y"]))
    print(outcome.changed, [anchor.name for anchor in outcome.anchors])

Errors are those of :mod:`rootfs_trust.errors`. What a name needs is imported when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rootfs_trust.api.check import CheckOptions, check
    from rootfs_trust.api.diff import diff
    from rootfs_trust.api.install import install, plan
    from rootfs_trust.api.list_anchors import list_anchors
    from rootfs_trust.api.options import InstallOptions
    from rootfs_trust.api.rehash import rehash
    from rootfs_trust.api.remove import remove
    from rootfs_trust.api.verify import verify
    from rootfs_trust.outcome import Outcome

__all__ = [
    "CheckOptions",
    "InstallOptions",
    "Outcome",
    "check",
    "diff",
    "install",
    "list_anchors",
    "plan",
    "rehash",
    "remove",
    "verify",
]
__version__ = "0.1.0"

_HOMES = {
    "CheckOptions": "rootfs_trust.api.check",
    "InstallOptions": "rootfs_trust.api.options",
    "Outcome": "rootfs_trust.outcome",
    "check": "rootfs_trust.api.check",
    "diff": "rootfs_trust.api.diff",
    "install": "rootfs_trust.api.install",
    "list_anchors": "rootfs_trust.api.list_anchors",
    "plan": "rootfs_trust.api.install",
    "rehash": "rootfs_trust.api.rehash",
    "remove": "rootfs_trust.api.remove",
    "verify": "rootfs_trust.api.verify",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
