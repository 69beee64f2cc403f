"""Systems that create their trust store at boot from settings, so that a file in the rootfs would not last.

Sources: bottlerocket-os/bottlerocket-core-kit 210ea3f715, sources/api/certdog (at boot, writes the bundle from the one
in /usr/share/factory and settings.pki), bottlerocket.dev, "settings.pki"; talos.dev, TrustedRootsConfig (from 1.8).
"""

from __future__ import annotations

from rootfs_trust.errors import LAYOUT, Problem
from rootfs_trust.rootfs.device import Device

_SYSTEMS = {
    "bottlerocket": (
        "Bottlerocket writes its trust store at each boot from its settings",
        "put the CA into the user data: settings.pki.NAME.data (PEM as Base64) and settings.pki.NAME.trusted = true; "
        "trusted = false distrusts a shipped CA",
    ),
    "talos": (
        "Talos Linux creates /etc at each boot from its machine configuration",
        "add a TrustedRootsConfig document to the machine configuration (Talos 1.8 and later)",
    ),
}
"""For each ID of os-release: the name of the system, what it does at boot, and what to do instead."""


def refusal(device: Device) -> Problem | None:
    """Return the error for such a system, in which an installation would not last; None for all other systems."""
    name = device.os_release.get("ID", "")
    if name not in _SYSTEMS:
        return None
    what, instead = _SYSTEMS[name]
    return LAYOUT("/etc/os-release", f"has ID={name}: {what}, so a file in the rootfs would not last", instead)
