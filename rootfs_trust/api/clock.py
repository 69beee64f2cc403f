"""Read the host's clock. Only this module does; everything else takes the time as an argument."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

FIRST_BOOT: Literal["first-boot"] = "first-boot"
Moment = datetime | Literal["first-boot"] | None
"""A point in time. ``"first-boot"`` is the clock of a device at its first boot, and None is the current time."""


def utc_now() -> datetime:
    """Return the host's current time in UTC."""
    return datetime.now(UTC)
