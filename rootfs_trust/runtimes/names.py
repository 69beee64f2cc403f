"""The names of the runtimes in ``--runtimes`` and ``[runtimes]``."""

from __future__ import annotations

from collections.abc import Sequence

from rootfs_trust.errors import USAGE, InputError

AUTO, NONE = "auto", "none"
NAMES = ("java", "certifi", "node", "chromium", "firefox", "castore", "mono", "environment")
"""The names of all runtimes, in the order in which a run changes them."""


def checked_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return the arguments of ``--runtimes`` without duplicates. Raises InputError for an unknown one."""
    from rootfs_trust.text import did_you_mean

    known = (AUTO, NONE, *NAMES)
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) or f"known: {', '.join(known)}"
            raise InputError(USAGE("", f'unknown runtime "{name}"', hint))
    if len(names) > 1 and {AUTO, NONE}.intersection(names):
        raise InputError(USAGE("", "auto and none cannot be combined with other runtimes", "use one of them"))
    return () if tuple(names) == (NONE,) else tuple(dict.fromkeys(names))
