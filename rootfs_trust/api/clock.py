"""The one look at the host's clock."""

from __future__ import annotations

from datetime import UTC, datetime


def time_here() -> datetime:
    """The time on the host, in UTC."""
    return datetime.now(UTC)
