"""The options of ``install``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class InstallOptions:
    """The options of ``install``, as the command line has them."""

    certs: Sequence[str] = ()
    clouds: Sequence[str] = ()
    config: str | None = None
    layout: str | None = None
    set: Sequence[str] = ()
    set_at_run_time: Sequence[str] = ()
    replace: Sequence[str] = ()
    thin_edge: str = "auto"
    settings_as: str = "file"
    at: datetime | None = None
    timestamp: int | None = None
    adopt: bool = False
    drop_unsourced: bool = False
    will_be_signed: bool = False
    dry_run: bool = False
    without: Sequence[str] = ()
    """Anchors to take out in the same run: names, or ``sha256:`` and lower-case hex."""

    @property
    def clouds_without_profiles(self) -> list[str]:
        """The kinds of cloud that are asked for."""
        return [cloud.partition("@")[0] for cloud in self.clouds]


NO_OPTIONS = InstallOptions()
"""No certificate and no cloud: the store is rebuilt from what the rootfs holds."""
