"""Custom mappers, which exist since thin-edge.io 2.0: selects the settings that the rootfs supports."""

from __future__ import annotations

from collections.abc import Iterable

from rootfs_trust.errors import THIN_EDGE_MAPPER, THIN_EDGE_SETTING, Problem
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.view import parent
from rootfs_trust.store.store_plan import StorePlan
from rootfs_trust.thin_edge.trust_settings import MAPPERS, Setting
from rootfs_trust.thin_edge.version import generation_of, mapper_file


def supported_settings(device: Device, settings: Iterable[Setting], generation: str, plan: StorePlan) -> list[Setting]:
    """Return the ``settings`` that the rootfs supports, with an error for each mapper that it cannot have."""
    kept = []
    for setting in settings:
        problem = _problem(device, setting, generation) if setting.of_user else None
        if problem is not None:
            plan.problems.append(problem)
            continue
        kept.append(setting)
        if setting.of_user and device.view.kind(parent(mapper_file(setting.table))) is None:
            message = f"the rootfs has no mapper {setting.table} yet"
            plan.warnings.append(THIN_EDGE_MAPPER(mapper_file(setting.table), message))
    return kept


def _problem(device: Device, setting: Setting, generation: str) -> Problem | None:
    found = generation_of(device, generation)
    if found == "1":
        message, hint = "custom mappers need thin-edge.io 2.0, and this is 1.x", "if that is wrong, use --thin-edge 2"
    elif not found and not device.view.names(MAPPERS):
        message = "custom mappers need thin-edge.io 2.0, and the rootfs does not show its version"
        hint = "use --thin-edge 2"
    else:
        return None
    return THIN_EDGE_SETTING("", f"{setting.key}: {message}", hint)
