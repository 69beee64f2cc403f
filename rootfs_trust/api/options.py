"""The options of ``install``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from rootfs_trust.inputs.config import Config


class InstallOptions(NamedTuple):
    """The options of ``install``, named as on the command line."""

    certs: Sequence[str | bytes] = ()
    """Host paths of files and directories, or the bytes of a file."""
    clouds: Sequence[str] = ()
    config: str | Config | None = None
    """The host path of a rootfs-trust.toml, or a Config."""
    layout: str | None = None
    set: Sequence[str] = ()
    set_at_run_time: Sequence[str] = ()
    replace: Sequence[str] = ()
    permit: Sequence[str] = ()
    """DNS names and IP networks that the anchors of ``certs`` are limited to."""
    thin_edge: str = "auto"
    settings_as: str = "file"
    at: datetime | None = None
    timestamp: int | None = None
    adopt: bool = False
    drop_unsourced: bool = False
    will_be_signed: bool = False
    dry_run: bool = False
    runtimes: Sequence[str] | None = None
    """Runtimes whose own stores get the anchors: names, ``auto`` or ``none``. None: as in the config."""
    without: Sequence[str] = ()
    """Anchors to remove in the same run, named as the arguments of ``remove``."""
    root_data: str | None = None
    """The file of a newer table of public roots. None: the table of the package."""

    @property
    def clouds_without_profiles(self) -> list[str]:
        """The requested clouds without profiles: ``aws``, ``az`` or ``c8y``."""
        return [cloud.partition("@")[0] for cloud in self.clouds]


NO_OPTIONS = InstallOptions()
"""The options of a run without certificates and clouds: ``install`` rebuilds the store from the sources in the rootfs.
"""
