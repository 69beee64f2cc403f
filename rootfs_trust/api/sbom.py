"""``sbom``: a software bill of materials of what a tree trusts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from importlib import import_module

from rootfs_trust import __version__
from rootfs_trust.api.clock import utc_now
from rootfs_trust.api.open_tree import open_view
from rootfs_trust.api.servers import read_servers
from rootfs_trust.audit.sbom.inventory import Inventory, inventory
from rootfs_trust.audit.trusted_anchors import Trust
from rootfs_trust.errors import MISSING_PACKAGE, InputError
from rootfs_trust.inputs.config import Config, load_config
from rootfs_trust.inputs.configured_anchors import own_digests
from rootfs_trust.inputs.root_data import load_root_data
from rootfs_trust.times import EARLIEST, from_seconds


def sbom(
    root: str,
    form: str = "cyclonedx",
    *,
    config: str | Config | None = None,
    states: Sequence[str] = (),
    timestamp: int | None = None,
    root_data: str | None = None,
    at: datetime | None = None,
) -> str:
    """Return the bill of materials of the tree at ``root`` as text; ``form`` is cyclonedx or spdx.

    ``timestamp`` is the time in the document, in seconds since 1970. None means 0, so that the same tree gives the same
    text. ``config``, ``states`` and ``root_data`` are as for ``list``. Raises InputError.
    """
    write = _WRITERS[form]
    data = load_root_data(root_data)
    asked = load_config(config, root_data)
    own = own_digests(asked, at or utc_now())
    # The document says which servers are expected, not whether they are trusted at some time.
    servers = read_servers(asked, EARLIEST) if asked.servers else ()
    with open_view(root, states) as view:
        return write(inventory(Trust(view, own), __version__, from_seconds(timestamp or 0), data, servers))


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
    except ModuleNotFoundError as error:
        message = f"{form} needs the Python package {package}"
        raise InputError(MISSING_PACKAGE("", message, "install rootfs-trust[sbom], or that package")) from error
