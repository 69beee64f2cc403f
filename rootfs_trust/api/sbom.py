"""``sbom``: what a tree trusts as a bill of materials."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module

from rootfs_trust import __version__
from rootfs_trust.api.clock import time_here
from rootfs_trust.api.sources import open_view
from rootfs_trust.audit.sbom.inventory import Inventory, inventory
from rootfs_trust.audit.trust import Trust
from rootfs_trust.errors import InputError, Trouble
from rootfs_trust.inputs.config import load_config
from rootfs_trust.inputs.own import own_digests


def sbom(
    root: str,
    form: str = "cyclonedx",
    *,
    config: str | None = None,
    states: Sequence[str] = (),
    timestamp: int | None = None,
) -> str:
    """The text of the bill of materials of the tree at ``root``, in the ``form`` cyclonedx or spdx.

    ``timestamp`` is the time that it bears, in seconds since 1970; None is 0, so that the same tree gives the same
    text. ``config`` and ``states`` are those of ``list``. Raises InputError.
    """
    write = _WRITERS[form]
    own = own_digests(load_config(config), time_here())
    with open_view(root, states) as view:
        return write(inventory(Trust(view, own), __version__, datetime.fromtimestamp(timestamp or 0, UTC)))


def _cyclonedx(found: Inventory) -> str:
    _require("cyclonedx", "cyclonedx-python-lib", "CycloneDX")
    from rootfs_trust.audit.sbom.cyclonedx_json import cyclonedx

    return cyclonedx(found)


def _spdx(found: Inventory) -> str:
    _require("spdx_python_model", "spdx-python-model", "SPDX")
    from rootfs_trust.audit.sbom.spdx_json import spdx_json

    return spdx_json(found)


_WRITERS = {"cyclonedx": _cyclonedx, "spdx": _spdx}
FORMATS = tuple(_WRITERS)


def _require(module: str, package: str, form: str) -> None:
    try:
        import_module(module)
    except ImportError as error:
        message = f"{form} needs the Python package {package}"
        hint = "install rootfs-trust[sbom], or that package"
        raise InputError(Trouble("missing-package", "", message, hint)) from error
